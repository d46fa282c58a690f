"""Where instruments are free, and why not elsewhere: two statements for any number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from marketplace.booking.queries.floors import floor_of
from marketplace.booking.queries.standing import operators_among, operators_of
from marketplace.booking.queries.timetables import require_visible, schedule, schedules, taken
from marketplace.booking.rules.alternatives import first_of_each_day
from marketplace.booking.rules.assistance import attended_timetable, needs_operator
from marketplace.booking.rules.availability import Schedule, free_intervals
from marketplace.booking.rules.classes import class_of
from marketplace.booking.rules.floor import FloorWeek, whole_weeks
from marketplace.booking.rules.intervals import common, minutes_of
from marketplace.booking.rules.operators import attended
from marketplace.booking.rules.schedule import BookingTerms
from marketplace.booking.rules.states import UserClass
from marketplace.booking.rules.timetable import Busy, SeatsFree, timetable
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties.queries import organisations

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """The availability of one instrument in one period, for one class of user.

    Who does not say which is taken for the class in which the caller comes to the instrument.
    `assisted` asks for time in which an operator can attend; None leaves it to the instrument.
    """

    instrument_id: int
    during: During
    user_class: UserClass | None = None
    assisted: bool | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a reservation may lie, and why the rest of the period is not free.

    `terms` are those of `user_class`; `floors` has each week touched, where a floor is left to
    outside users.
    """

    instrument_id: int
    during: During
    user_class: UserClass
    terms: BookingTerms
    free: tuple[During, ...]
    busy: tuple[Busy, ...]
    seats: tuple[SeatsFree, ...]
    floors: tuple[FloorWeek, ...]


@dataclass(frozen=True, slots=True)
class WeekOf:
    """Seven days from `day` for each instrument, as the class of user that `classes` has for it."""

    instrument_ids: Sequence[int]
    day: date
    classes: Mapping[int, UserClass] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FreeIn:
    """Instruments free in a window: for the whole of it, or for `minutes` on end inside it."""

    instrument_ids: Sequence[int]
    during: During
    minutes: int | None = None
    classes: Mapping[int, UserClass] = field(default_factory=dict)


async def availability(tx: Tx, window: Window) -> Availability:
    """Free time of one instrument, and why the rest is not free.

    Two statements for nobody in particular; one more to learn the caller's class, one more where
    a floor is left to outside users, and one more where an operator attends.

    Raises:
        Missing: when there is no such instrument, or it is not listed and not the actor's.
    """
    general = await schedule(tx, window.instrument_id, whole_weeks(window.during))
    require_visible(tx, general)
    user_class = window.user_class or await own_class_at(tx, general.provider_id)
    found = general.for_class(user_class)
    beside = (await taken(tx, [found], window.during))[found.instrument_id]
    floors: Sequence[FloorWeek] = ()
    if found.terms.outside_floor_minutes:
        floors = await floor_of(tx, found, window.during)
    times = timetable(found, beside, window.during, at=tx.now, floors=floors)
    if needs_operator(found, window.assisted):
        operators = await operators_of(tx, found, window.during)
        times = attended_timetable(found, times, operators, window.during)
    return Availability(
        instrument_id=found.instrument_id,
        during=window.during,
        user_class=user_class,
        terms=found.terms,
        free=times.free,
        busy=times.busy,
        seats=times.seats,
        floors=tuple(floors),
    )


async def own_class_at(tx: Tx, provider_id: int) -> UserClass:
    """As which class of user the caller comes to a provider's instruments."""
    asks = tx.actor.organisation_id
    if asks == provider_id:
        return UserClass.OWN_UNIT
    if not asks:
        return UserClass.ENTERPRISE
    known = await organisations(tx, [asks, provider_id])
    return class_of(
        organisation_kind=known[asks].kind if asks in known else "",
        same_legal_entity=asks in known
        and known[asks].legal_entity_id == known[provider_id].legal_entity_id,
    )


async def week_strips(tx: Tx, week: WeekOf) -> dict[int, tuple[int, ...]]:
    """Free minutes on each of seven days for each instrument. Two statements for any number."""
    days = [
        During(
            shanghai_instant(week.day + timedelta(days=ahead)),
            shanghai_instant(week.day + timedelta(days=ahead + 1)),
        )
        for ahead in range(WEEK_DAYS)
    ]
    within = During(days[0].starts_at, days[-1].ends_at)
    found = await schedules(tx, week.instrument_ids, within, classes=week.classes)
    free = await _free(tx, found, within)
    return {
        instrument_id: tuple(minutes_of(common(stretches, [day])) for day in days)
        for instrument_id, stretches in free.items()
    }


async def free_among(tx: Tx, asked: FreeIn) -> set[int]:
    """Those of the instruments that can be reserved in the window. Two statements."""
    found = await schedules(tx, asked.instrument_ids, asked.during, classes=asked.classes)
    free = await _free(tx, found, asked.during)
    wanted = timedelta(minutes=asked.minutes) if asked.minutes else None
    length = wanted or asked.during.ends_at - asked.during.starts_at
    return {
        instrument_id
        for instrument_id, stretches in free.items()
        if any(one.ends_at - one.starts_at >= length for one in stretches)
    }


async def first_free_times(tx: Tx, asked: FreeIn) -> dict[int, list[During]]:
    """For each instrument, one time on each day of the window at which it can be reserved for
    `minutes`; instruments that are not free on any are left out. Two statements.
    """
    found = await schedules(tx, asked.instrument_ids, asked.during, classes=asked.classes)
    free = await _free(tx, found, asked.during)
    times = {
        instrument_id: first_of_each_day(stretches, found[instrument_id].terms, asked.minutes or 0)
        for instrument_id, stretches in free.items()
    }
    return {instrument_id: some for instrument_id, some in times.items() if some}


async def _free(tx: Tx, found: Mapping[int, Schedule], within: During) -> dict[int, list[During]]:
    """One statement more where some of the instruments are run by operators."""
    beside = await taken(tx, list(found.values()), within)
    free = {
        instrument_id: free_intervals(one, beside[instrument_id], within, at=tx.now)
        for instrument_id, one in found.items()
    }
    run_for_users = [one for one in found.values() if needs_operator(one, None)]
    for instrument_id, some in (await operators_among(tx, run_for_users, within)).items():
        free[instrument_id] = attended(free[instrument_id], some)
    return free
