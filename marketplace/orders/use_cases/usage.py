"""What was used of an order's items, and what that comes to by the price lists it froze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from marketplace.billing.invoicing.use_cases import ChargeKind
from marketplace.billing.pricing import queries as pricing
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.orders.queries.items import OrderItem, QuoteItem, order_items, quote_items
from marketplace.orders.queries.orders import Order, order_quote
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.cancellation import fee_due
from marketplace.orders.rules.differences import Used, differences
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.use_cases.items import service_again
from marketplace.orders.use_cases.money import ItemPaid

# Under which term of the quote a lost time costs its fee, and as what it is charged.
FEES = {
    ItemStatus.CANCELLED: ("late_cancel_fee_basis_points", ChargeKind.CANCELLATION_FEE),
    ItemStatus.MISSED: ("no_show_fee_basis_points", ChargeKind.NO_SHOW_FEE),
}


@dataclass(frozen=True, slots=True)
class ItemUse:
    """What was used of one item, priced again; `why` it differs from the quote, if it does."""

    item: OrderItem
    quoted: Sequence[dict[str, Any]]
    lines: Sequence[dict[str, Any]]
    repriced_fen: int
    why: str
    fee_fen: int = 0
    fee_kind: ChargeKind = ChargeKind.CANCELLATION_FEE

    @property
    def value_fen(self) -> int:
        """The value of the use: at most what was agreed for the item. Policy: J.gap"""
        return min(self.repriced_fen, self.item.total_fen)


@dataclass(frozen=True, slots=True)
class _Counted:
    """How much of an item was used; None is not known, and stands at what was quoted."""

    minutes: int = 0
    samples: int = 0
    known: bool = True
    why: str = ""


async def used_items(tx: Tx, found: Order) -> list[ItemUse]:
    """What was used of each item of a locked order, by its frozen list, unit and urgency.

    Only what was delivered counts. An item that was never finished has no count of its own; a
    ruling on it starts from the quoted total.
    Policy: J.22b
    """
    quote = await order_quote(tx, found)
    items = await order_items(tx, found.id)
    told = await quote_items(tx, quote.id)
    counts = [await _count(tx, item) for item in items]
    asked = [
        (each.price_list_id, _asked(quote, item, each, count))
        for item, each, count in zip(items, told, counts, strict=True)
        if count.known and (count.minutes or count.samples)
    ]
    priced = await pricing.price_services_by_list(tx, asked) if asked else []
    by_place = iter(priced)
    own = split(found.own_fen, [item.total_fen for item in items])
    uses = []
    for item, each, count, own_fen in zip(items, told, counts, own, strict=True):
        lines = each.lines
        if count.known:
            used = count.minutes or count.samples
            lines = [asdict(line) for line in next(by_place).lines] if used else []
        fee_fen, fee_kind = _fee(quote, item, own_fen=own_fen)
        uses.append(
            ItemUse(
                item=item,
                quoted=each.lines,
                lines=lines,
                repriced_fen=sum(line["amount_fen"] for line in lines),
                why=count.why,
                fee_fen=fee_fen,
                fee_kind=fee_kind,
            )
        )
    return uses


async def _count(tx: Tx, item: OrderItem) -> _Counted:
    if item.status in (ItemStatus.CANCELLED, ItemStatus.MISSED):
        told = "The buyer did not come." if item.status == ItemStatus.MISSED else ""
        return _Counted(why=told or "The time was given back.")
    if item.status == ItemStatus.UNDELIVERABLE:
        return _Counted(why=f"Not delivered: {item.undeliverable_because}")
    if item.is_machine_time:
        return await _minutes(tx, item)
    if item.delivered or not item.is_due:
        samples = item.delivered
    elif item.tested is not None:
        samples = item.tested
    else:
        return _Counted(known=False, why="Nothing was delivered.")
    because = f": {item.undeliverable_because}" if item.undeliverable_because else "."
    return _Counted(
        samples=samples, why=f"{samples} of {item.quantity} samples were delivered{because}"
    )


async def _minutes(tx: Tx, item: OrderItem) -> _Counted:
    assert item.reservation_id is not None
    session = await booking.settle_session(tx, item.reservation_id)
    if session is None or session.billable_minutes is None or session.problem:
        return _Counted(known=False, why="The session was never finished.")
    billable, reserved = session.billable_minutes, session.reserved_minutes
    why = f"{billable} of {reserved} reserved minutes are billed."
    return _Counted(minutes=billable, why=why)


def _asked(quote: Quote, item: OrderItem, told: QuoteItem, count: _Counted) -> pricing.ServiceAsked:
    stated = item.extras_used is not None
    return service_again(
        quote,
        told,
        minutes=count.minutes,
        samples=count.samples,
        runs=told.runs if item.runs_used is None else item.runs_used,
        extras=item.stated_extras if stated else told.agreed_extras,
    )


def _fee(quote: Quote, item: OrderItem, *, own_fen: int) -> tuple[int, ChargeKind]:
    """What stays due for the time of an item that was missed or given back. Policy: J.gap"""
    term, kind = FEES.get(ItemStatus(item.status), FEES[ItemStatus.CANCELLED])
    fee_fen = fee_due(
        own_fen,
        fee_basis_points=item.fee_basis_points or 0,
        quoted_basis_points=quote.term("booking", term),
        confirmed=True,
    )
    return fee_fen, kind


def settled_item(use: ItemUse, *, ruled_fen: int, paid: ItemPaid) -> dict[str, Any]:
    """An item as it is settled, with every difference explained."""
    amounts = Used(
        repriced_fen=use.repriced_fen,
        value_fen=use.value_fen,
        ruled_fen=ruled_fen,
        paid_fen=paid.service.total_fen,
        fee_fen=paid.fee_fen,
    )
    return {
        "position": use.item.position,
        "settled_fen": amounts.settled_fen,
        "settled_voucher_fen": paid.service.voucher_fen,
        "settled_own_fen": paid.service.own_fen + paid.fee_fen,
        "settlement": differences(use.quoted, use.lines, amounts, why=use.why),
    }
