"""The time of an order: one reservation for each item on machine time, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.booking import use_cases as booking
from marketplace.booking.errors import ReservationOverlaps, ReservationRefused
from marketplace.booking.queries import Purpose, Reservation, UserClass
from marketplace.booking.queries.timetables import schedules
from marketplace.booking.use_cases.change import lock_calendars
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During
from marketplace.orders.errors import ItemsNotFree
from marketplace.orders.queries.items import QuoteItem
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.customers import CustomerClass, user_class
from marketplace.orders.use_cases.items import write_items


async def reserve_items(
    tx: Tx,
    placed: Order,
    quote: Quote,
    items: Sequence[QuoteItem],
    *,
    titles: Mapping[int, str],
) -> dict[int, Reservation]:
    """Take the time of every item on machine time; the reservations by position.

    Of several, every calendar is taken first, in one order for everybody: two orders that cross
    wait for each other and never stand in a circle.

    Raises:
        ReservationRefused, ReservationOverlaps: when the only time cannot be had.
        ItemsNotFree: with every reason of every item, when not all of several can be had.
    """
    wanted = {
        item.position: _asked(tx, placed, quote, item, during)
        for item in items
        if (during := item.during) is not None
    }
    if len(items) == 1:
        reserved = {
            position: await booking.place_reservation(tx, asked)
            for position, asked in wanted.items()
        }
    else:
        reserved = await _reserve_all(tx, wanted, titles=titles) if wanted else {}
    await write_items(
        tx,
        placed.id,
        [{"position": n, "reservation_id": one.id} for n, one in sorted(reserved.items())],
    )
    return reserved


def _asked(
    tx: Tx, placed: Order, quote: Quote, item: QuoteItem, during: During
) -> booking.PlaceReservation:
    own_unit = quote.customer_class == CustomerClass.OWN_UNIT
    return booking.PlaceReservation(
        instrument_id=item.instrument_id,
        during=during,
        purpose=Purpose.OWN_RESEARCH if own_unit else Purpose.EXTERNAL,
        organisation_id=placed.buyer_id,
        person_id=tx.actor.person_id,
        user_class=UserClass(user_class(quote.customer_class)),
        order_id=placed.id,
        order_position=item.position,
    )


async def _reserve_all(
    tx: Tx, wanted: Mapping[int, booking.PlaceReservation], *, titles: Mapping[int, str]
) -> dict[int, Reservation]:
    calendars = await _calendars(tx, list(wanted.values()))
    await lock_calendars(tx, calendars.values())
    reserved: dict[int, Reservation] = {}
    reasons: list[Reason] = []
    told: list[dict[str, Any]] = []
    for position in sorted(wanted, key=lambda n: (calendars[wanted[n].instrument_id], n)):
        asked = wanted[position]
        try:
            reserved[position] = await booking.place_reservation(tx, asked)
        except (ReservationRefused, ReservationOverlaps) as refusal:
            name = f"Item {position}, {titles[asked.instrument_id]}"
            reasons += [_of_item(reason, name) for reason in refusal.reasons]
            if not refusal.reasons:
                reasons.append(Reason("busy", f"{name}: {refusal.detail}"))
            told += [{"item": position, **one} for one in refusal.alternatives]
    if reasons:
        raise ItemsNotFree(
            "Nothing was reserved: not every item can have its time.",
            reasons=reasons,
            alternatives=told,
        )
    return reserved


async def _calendars(tx: Tx, wanted: Sequence[booking.PlaceReservation]) -> dict[int, int]:
    """The calendar of each instrument; of those that share one it is the same."""
    classes = {one.instrument_id: one.of_class for one in wanted}
    known = await schedules(tx, sorted(classes), wanted[0].during, classes=classes)
    return {instrument_id: one.calendar_id for instrument_id, one in known.items()}


def _of_item(reason: Reason, name: str) -> Reason:
    return Reason(
        reason.rule,
        f"{name}: {reason.message}",
        limit=reason.limit,
        asked=reason.asked,
        source=reason.source,
        overridable=reason.overridable,
    )
