"""Say no to a reservation: every reason at once, and what would be possible instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from marketplace.booking.errors import ReservationOverlaps, ReservationRefused
from marketplace.booking.queries.floors import floor_of
from marketplace.booking.queries.siblings import Sibling, free_siblings
from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.alternatives import Alternative, alternatives, search_window
from marketplace.booking.rules.availability import Schedule, Taken, seat_gaps
from marketplace.booking.rules.floor import FloorWeek, floor_refusals, whole_weeks
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During


class Asked(Protocol):
    """What was asked for."""

    @property
    def during(self) -> During:
        """When."""
        ...

    @property
    def purpose(self) -> Purpose:
        """What for."""
        ...

    @property
    def of_class(self) -> UserClass:
        """By which class of user."""
        ...

    @property
    def seat(self) -> int | None:
        """On which seat, or any."""
        ...


async def refuse(
    tx: Tx,
    asked: Asked,
    found: Schedule,
    reasons: Sequence[Reason],
    *,
    accept: Callable[[During], bool] = lambda _: True,
) -> NoReturn:
    """Raise with every reason, and with what would be possible instead.

    `accept` says which times would do as far as the person is concerned.

    Raises:
        ReservationOverlaps: when being taken is the only reason.
        ReservationRefused: otherwise.
    """
    raise await refusal_of(tx, asked, found, reasons, accept=accept)


async def refusal_of(
    tx: Tx,
    asked: Asked,
    found: Schedule,
    reasons: Sequence[Reason],
    *,
    accept: Callable[[During], bool] = lambda _: True,
    besides: int = 0,
) -> ReservationRefused | ReservationOverlaps:
    """The refusal that `refuse` raises; `besides` is a reservation that moves, not to others.

    Without `reasons` it is that somebody else holds the time.
    """
    told = [*reasons, *_seat_reasons(found, asked.seat)]
    beside = (await taken(tx, [found], asked.during, besides=besides))[found.instrument_id]
    if not told or is_taken(found, beside, asked.during, seat=asked.seat):
        told.append(_busy(found, beside, asked.during))
    offered = [
        *map(_offer, await _alternatives(tx, asked, found, accept, besides)),
        *map(_sibling_offer, [] if besides else await _siblings(tx, asked, found)),
    ]
    refusal = ReservationRefused if told[0].rule != "busy" else ReservationOverlaps
    detail = " ".join(reason.message for reason in told)
    return refusal(detail, reasons=told, alternatives=offered)


def _seat_reasons(found: Schedule, seat: int | None) -> list[Reason]:
    seats = found.terms.seats
    if seat is None or 1 <= seat <= seats:
        return []
    return [Reason("seat", f"The instrument has {seats} seats.", limit=seats, asked=seat)]


def is_taken(
    found: Schedule, beside: Sequence[Taken], during: During, *, seat: int | None = None
) -> bool:
    """Whether no seat, or not the one that is asked for, is free for the whole of `during`."""
    gaps = seat_gaps(found, beside, during)
    if seat is not None and 1 <= seat <= len(gaps):
        gaps = gaps[seat - 1 : seat]
    return not any(during in gap for gap in gaps)


def _busy(found: Schedule, beside: Sequence[Taken], during: During) -> Reason:
    """That it is taken, and until when if it may lapse: nobody is named."""
    firm = [one for one in beside if one.held_until is None]
    waits = [one.held_until for one in beside if one.held_until is not None]
    if waits and not is_taken(found, firm, during):
        return Reason(
            "busy",
            "Somebody holds the instrument in that time and has not confirmed it yet.",
            limit=max(waits),
        )
    return Reason("busy", "Somebody else holds the instrument in that time.")


async def _alternatives(
    tx: Tx, asked: Asked, found: Schedule, accept: Callable[[During], bool], besides: int
) -> list[Alternative]:
    """What the same instrument could give instead."""
    window = search_window(found.terms, asked.during, at=tx.now)
    around = await schedule(tx, found.instrument_id, whole_weeks(window), user_class=asked.of_class)
    beside = (await taken(tx, [around], window, besides=besides))[around.instrument_id]
    weeks: list[FloorWeek] = []
    if around.terms.outside_floor_minutes and asked.of_class is UserClass.OWN_UNIT:
        weeks = await floor_of(tx, around, window, besides=besides)

    def would_do(during: During) -> bool:
        left = not floor_refusals(around, during, weeks, purpose=asked.purpose, at=tx.now)
        return left and accept(during)

    return alternatives(around, beside, asked.during, at=tx.now, accept=would_do)


async def _siblings(tx: Tx, asked: Asked, found: Schedule) -> list[Sibling]:
    if asked.during.starts_at < tx.now or asked.during.minutes > RESERVATION_MINUTES_MAX:
        return []
    return await free_siblings(
        tx, found, asked.during, purpose=asked.purpose, user_class=asked.of_class
    )


def _offer(one: Alternative) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "starts_at": one.during.starts_at,
        "ends_at": one.during.ends_at,
        "shift_minutes": one.shift_minutes,
    }


def _sibling_offer(one: Sibling) -> dict[str, Any]:
    return {
        "kind": "sibling",
        "starts_at": one.during.starts_at,
        "ends_at": one.during.ends_at,
        "shift_minutes": 0,
        "instrument_id": one.instrument_id,
        "name": one.name,
        "name_en": one.name_en,
    }
