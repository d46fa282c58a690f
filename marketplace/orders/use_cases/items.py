"""The items of an order in the hands of its use cases: chosen, written, priced anew, ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, insert, update

from marketplace.billing.pricing.queries import ServiceAsked
from marketplace.kernel.db import Tx
from marketplace.orders.errors import ItemMissing, ItemUnclear, WrongMode
from marketplace.orders.queries.items import OrderItem, QuoteItem, order_items, quote_items
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.rules.settlement import NOTHING, Parts
from marketplace.orders.rules.states import Mode
from marketplace.orders.tables import order_item

table = order_item.c


async def insert_items(
    tx: Tx, order_id: int, items: Sequence[QuoteItem], *, titles: Mapping[int, str]
) -> None:
    """Write the items of an order as they were quoted."""
    await tx.execute(
        insert(order_item),
        [
            {
                "order_id": order_id,
                "position": item.position,
                "instrument_id": item.instrument_id,
                "title": titles[item.instrument_id],
                "mode": item.mode,
                "quantity": item.quantity,
                "total_fen": item.total_fen,
                "status": ItemStatus.ORDERED,
            }
            for item in items
        ],
    )


async def write_items(tx: Tx, order_id: int, changes: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of several items at once; each says its `position`."""
    if not changes:
        return
    columns = [name for name in changes[0] if name != "position"]
    await tx.execute(
        update(order_item)
        .where(table.order_id == order_id, table.position == bindparam("of_position"))
        .values({name: bindparam(f"to_{name}", type_=order_item.c[name].type) for name in columns}),
        [
            {"of_position": change["position"]} | {f"to_{name}": change[name] for name in columns}
            for change in changes
        ],
    )


async def reprice_items(tx: Tx, order_id: int, totals: Sequence[int]) -> None:
    """What the items cost after the order changed."""
    await write_items(
        tx,
        order_id,
        [{"position": n, "total_fen": total} for n, total in enumerate(totals, start=1)],
    )


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """How an item of an order that ended without a service ends, and the fee for it."""

    position: int
    status: ItemStatus = ItemStatus.CANCELLED
    fee: Parts = NOTHING


async def end_items(tx: Tx, order_id: int, ends: Iterable[ItemEnd]) -> None:
    """End the items of an order together with it."""
    await write_items(
        tx,
        order_id,
        [
            {
                "position": end.position,
                "status": end.status,
                "settled_fen": end.fee.total_fen,
                "settled_voucher_fen": end.fee.voucher_fen,
                "settled_own_fen": end.fee.own_fen,
            }
            for end in ends
        ],
    )


async def chosen_item(
    tx: Tx, order_id: int, position: int | None, *, mode: Mode, otherwise: str
) -> OrderItem:
    """The item of that mode that is meant; the only one where none is named.

    Raises:
        ItemMissing: when there is no item at `position`.
        WrongMode: with what holds `otherwise`, when the order or the item is of the other mode.
        ItemUnclear: when several could be meant.
    """
    items = await order_items(tx, order_id)
    if position is not None:
        items = [item for item in items if item.position == position]
        if not items:
            raise ItemMissing
    fitting = [item for item in items if item.mode == mode]
    if not fitting:
        raise WrongMode(otherwise)
    if len(fitting) > 1:
        raise ItemUnclear(
            "Say which item of the order is meant.",
            alternatives=[{"item": item.position, "title": item.title} for item in fitting],
        )
    return fitting[0]


def reservation_of(item: OrderItem) -> int:
    """The reservation of an item on machine time; the database lets none be without."""
    assert item.reservation_id is not None
    return item.reservation_id


async def reserved_ids(tx: Tx, order_id: int) -> list[int]:
    """The reservations of an order's items, in the order in which everybody takes them."""
    items = await order_items(tx, order_id)
    return sorted(item.reservation_id for item in items if item.reservation_id is not None)


async def item_at(tx: Tx, order_id: int, position: int) -> OrderItem:
    """The item of an order at `position`.

    Raises:
        ItemMissing: when there is none.
    """
    for item in await order_items(tx, order_id):
        if item.position == position:
            return item
    raise ItemMissing


def frozen_again(item: QuoteItem) -> dict[str, Any]:
    """An item as a new quote repeats it."""
    facts = asdict(item)
    return {name: facts[name] for name in facts if name not in ("quote_id", "position")}


def service_again(
    quote: Quote,
    item: QuoteItem,
    *,
    minutes: int = 0,
    samples: int = 0,
    runs: int = 0,
    extras: Sequence[tuple[str, int]] = (),
) -> ServiceAsked:
    """The question to the frozen price list, as it was asked for the quote, for other counts."""
    by_hand = quote.manual_unit is not None
    return ServiceAsked(
        instrument_id=item.instrument_id,
        customer_class=quote.customer_class,
        mode=item.mode,
        on=quote.priced_on,
        minutes=minutes,
        samples=samples,
        purpose=quote.purpose,
        unit=quote.manual_unit if by_hand else item.unit,
        elements=item.elements,
        runs=runs,
        starts_at=item.starts_at,
        urgent=item.urgent,
        extras=tuple(extras),
        manual_fen=quote.manual_unit_fen,
    )


async def agreed_items(tx: Tx, found: Order) -> list[dict[str, Any]]:
    """The items as a contract on several instruments names them; none for one."""
    told = await quote_items(tx, found.quote_id)
    if len(told) == 1:
        return []
    titles = {item.position: item.title for item in await order_items(tx, found.id)}
    return [
        {
            "item": item.position,
            "instrument_id": item.instrument_id,
            "instrument": titles[item.position],
            "mode": item.mode,
            "starts_at": None if item.starts_at is None else item.starts_at.isoformat(),
            "ends_at": None if item.ends_at is None else item.ends_at.isoformat(),
            "samples": item.samples,
            "unit": item.unit,
            "urgent": item.urgent,
            "price_list_id": item.price_list_id,
            "total_fen": item.total_fen,
        }
        for item in told
    ]
