"""Disputes with evidence, and corrections that wait for their second person."""

from marketplace.orders.use_cases import (
    DisputeOrder,
    ProposeCorrection,
    ShowEvidence,
    dispute_order,
    propose_correction,
    show_evidence,
)
from tests.builders.attachments import a_pdf
from tests.builders.orders import Market, delivered_samples


async def a_disputed_order(market: Market, reason: str = "与约定的方法不符") -> int:
    """Samples that were delivered and objected to; the provider has not answered."""
    delivered = await delivered_samples(market)
    await market.do(dispute_order, DisputeOrder(delivered.id, reason), by=market.buyer)
    return delivered.id


async def dispute_things(market: Market, *, settled_order_id: int) -> dict[str, int | str]:
    """An open dispute with evidence of the buyer, and a correction that was proposed."""
    disputed = await a_disputed_order(market)
    shown = await market.do(
        show_evidence, ShowEvidence(disputed, "照片.pdf", a_pdf()), by=market.buyer
    )
    proposed = await market.do(
        propose_correction,
        ProposeCorrection(settled_order_id, 0, 100, "测错样品"),
        by=market.manager,
    )
    return {
        "disputed_order_id": disputed,
        "dispute_evidence_id": shown.id,
        "correction_id": proposed.id,
    }
