"""What was used of an order's items, and what that comes to by the price lists it froze."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from marketplace.billing.invoicing.use_cases import ChargeKind
from marketplace.billing.pricing import queries as pricing
from marketplace.booking import use_cases as booking
from marketplace.booking.queries import UsageSession
from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.orders.queries.items import OrderItem, QuoteItem, items_of, quote_items_of
from marketplace.orders.queries.orders import Order, quotes_of
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.cancellation import fee_due
from marketplace.orders.rules.differences import Used, differences
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.use_cases.items import service_again
from marketplace.orders.use_cases.payment import ItemPaid

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

    @property
    def is_priced(self) -> bool:
        """Whether there is anything that a price list says something about."""
        return self.known and bool(self.minutes or self.samples)


async def used_items(tx: Tx, found: Order) -> list[ItemUse]:
    """What was used of each item of a locked order, by its frozen list, unit and urgency."""
    return (await used_by_order(tx, [found]))[found.id]


async def used_by_order(tx: Tx, orders: Sequence[Order]) -> dict[int, list[ItemUse]]:
    """What was used of each item of some locked orders, in as many questions as for one.

    Only what was delivered counts. An item that was never finished has no count of its own; a
    ruling on it starts from the quoted total.
    Policy: J.22b
    """
    quotes = await quotes_of(tx, [found.quote_id for found in orders])
    items = _by(await items_of(tx, [found.id for found in orders]), "order_id")
    told = _by(await quote_items_of(tx, list(quotes)), "quote_id")
    every = [item for found in orders for item in items[found.id]]
    sessions = await booking.settle_sessions(
        tx, [item.reservation_id for item in every if item.reservation_id and _has_minutes(item)]
    )
    counts = {item.id: _count(item, sessions) for item in every}
    asked = [
        (each.price_list_id, _asked(quotes[found.quote_id], item, each, counts[item.id]))
        for found in orders
        for item, each in zip(items[found.id], told[found.quote_id], strict=True)
        if counts[item.id].is_priced
    ]
    by_place = iter(await pricing.price_services_by_list(tx, asked) if asked else [])
    return {
        found.id: _uses(
            found,
            quotes[found.quote_id],
            [
                (item, each, counts[item.id])
                for item, each in zip(items[found.id], told[found.quote_id], strict=True)
            ],
            by_place,
        )
        for found in orders
    }


def _by(rows: Iterable[Any], name: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _uses(
    found: Order,
    quote: Quote,
    items: Sequence[tuple[OrderItem, QuoteItem, _Counted]],
    priced: Iterator[pricing.PricedService],
) -> list[ItemUse]:
    """The uses of one order; `priced` goes on where the order before it ended."""
    own = split(found.own_fen, [item.total_fen for item, _, _ in items])
    uses = []
    for (item, each, count), own_fen in zip(items, own, strict=True):
        lines = each.lines
        if count.known:
            lines = [asdict(line) for line in next(priced).lines] if count.is_priced else []
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


def _has_minutes(item: OrderItem) -> bool:
    lost = (ItemStatus.CANCELLED, ItemStatus.MISSED, ItemStatus.UNDELIVERABLE)
    return item.is_machine_time and item.status not in lost


def _count(item: OrderItem, sessions: Mapping[int, UsageSession]) -> _Counted:
    if item.status in (ItemStatus.CANCELLED, ItemStatus.MISSED):
        told = "The buyer did not come." if item.status == ItemStatus.MISSED else ""
        return _Counted(why=told or "The time was given back.")
    if item.status == ItemStatus.UNDELIVERABLE:
        return _Counted(why=f"Not delivered: {item.undeliverable_because}")
    if item.is_machine_time:
        return _minutes(sessions.get(item.reservation_id or 0))
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


def _minutes(session: UsageSession | None) -> _Counted:
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
