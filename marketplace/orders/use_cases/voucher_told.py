"""What vouchers would pay of a service, as a quote tells it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marketplace.kernel.db import Tx
from marketplace.vouchers import queries as vouchers


async def voucher_told(
    tx: Tx, question: vouchers.VoucherQuestion, *, asked: bool
) -> tuple[int, dict[str, Any]]:
    """What vouchers would take off the price, and how that came about.

    Where a programme's terms let the SME redeem, the buyer pays that part itself and claims it
    afterwards: it is told as `reimbursed_fen`, and nothing is taken off.
    Policy: J.22b
    """
    told: dict[str, Any] = {
        "asked": asked,
        "persons": question.persons,
        "chosen": None if question.grant_ids is None else sorted(set(question.grant_ids)),
        "layers": [],
        "explanation": [],
        "refusals": [],
        "vouchers": [],
        "reimbursed_fen": 0,
    }
    if not asked or question.service_value_fen == 0:
        return 0, told
    part = await vouchers.voucher_part(tx, question)
    own_claims = await vouchers.reimbursing(tx, {each.grant_id for each in part.vouchers})
    reimbursed_fen = vouchers.reimbursed_of(part, own_claims)
    return part.total_fen - reimbursed_fen, told | {
        "grant_id": part.grant_id,
        "layers": [asdict(layer) for layer in part.layers],
        "explanation": list(part.explanation),
        "refusals": [asdict(reason) for reason in part.refusals],
        "vouchers": [
            {
                "grant_id": each.grant_id,
                "programme_name": each.programme_name,
                "programme_name_en": each.programme_name_en,
                "amount_fen": each.amount_fen,
                "redeemed_by": "sme" if each.grant_id in own_claims else "provider",
            }
            for each in part.vouchers
        ],
        "reimbursed_fen": reimbursed_fen,
    }
