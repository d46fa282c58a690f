"""Why an instrument is not free, stretch by stretch, and what would make it free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, starmap

from marketplace.booking.rules.availability import (
    free_stretches,
    room_needed,
    seat_gaps,
)
from marketplace.booking.rules.floor import FloorWeek, exhausted
from marketplace.booking.rules.hours import (
    holidays,
    hours_of_others,
    kept_hours,
    open_intervals,
)
from marketplace.booking.rules.intervals import common, without
from marketplace.booking.rules.schedule import BOOKABLE, ClosureKind, Schedule, Taken
from marketplace.booking.rules.states import Status, UserClass
from marketplace.kernel.time import During


class Remedy(StrEnum):
    """What would make a stretch free."""

    NONE = "none"
    """Nothing: it is over."""
    ASK_STAFF = "ask-staff"
    """The provider's staff may set the rule aside, with a reason."""
    WAIT = "wait"
    """It becomes free by itself at `free_at`, if nothing else happens."""
    WAITLIST = "waitlist"
    """Who waits for it is offered the time when it is given back."""
    ORDER_AS_CLASS = "order-as-class"
    """Other classes of user may book it: those in `classes`."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Time that cannot be reserved, why, and what would make it free. It never says who holds it.

    `free_at` is when the reason falls away by itself; None when it does not.
    """

    during: During
    reason: str
    text: str = ""
    remedy: Remedy = Remedy.NONE
    free_at: datetime | None = None
    classes: tuple[UserClass, ...] = ()


@dataclass(frozen=True, slots=True)
class SeatsFree:
    """How many seats are free at every moment of a stretch."""

    during: During
    seats: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """A period of one instrument: where a reservation may lie, and why not elsewhere."""

    free: tuple[During, ...]
    busy: tuple[Busy, ...]
    seats: tuple[SeatsFree, ...]


def timetable(
    schedule: Schedule,
    taken: Sequence[Taken],
    within: During,
    *,
    at: datetime,
    floors: Sequence[FloorWeek] = (),
) -> Timetable:
    """`within`, cut into what is free and into stretches that are not, of one reason each.

    Where several reasons hold at once the one that lasts longest is told: what is past, what the
    provider closed, holidays, hours, what is kept for others, reservations, and last the floor for
    outside users, notice and horizon.

    Policy: J.15 (open restrictions are published), J.16a.
    """
    shut = _not_at_all(schedule, within)
    if shut is not None:
        return Timetable((), (shut,), ())
    opened = open_intervals(schedule, within)
    gaps = seat_gaps(schedule, taken, within)
    rest = [within]
    busy: list[Busy] = []
    for layer in _layers(schedule, taken, within, at=at, opened=opened, gaps=gaps, floors=floors):
        if layer.spans:
            busy.extend(layer.busy(piece) for piece in common(rest, layer.spans))
            rest = without(rest, layer.spans)
    return Timetable(
        free=tuple(free_stretches(schedule, rest, gaps)),
        busy=tuple(sorted(busy, key=lambda one: one.during)),
        seats=tuple(_seats_free(rest, gaps)),
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """One reason with all its time; `ahead` says how long before its start a time gets free."""

    reason: str
    spans: Sequence[During]
    text: str = ""
    remedy: Remedy = Remedy.NONE
    free_at: datetime | None = None
    ahead: timedelta | None = None
    classes: tuple[UserClass, ...] = ()

    def busy(self, piece: During) -> Busy:
        free_at = self.free_at if self.ahead is None else piece.starts_at - self.ahead
        return Busy(piece, self.reason, self.text, self.remedy, free_at, self.classes)


def _not_at_all(schedule: Schedule, within: During) -> Busy | None:
    """Why there is nothing to look for, or None."""
    if schedule.status not in BOOKABLE:
        return Busy(within, "not-open", f"The instrument is {schedule.status}.")
    if schedule.may_book:
        return None
    others = tuple(user_class for user_class, _ in hours_of_others(schedule, within))
    return Busy(
        within,
        "class",
        "The provider does not let this class of user book it.",
        Remedy.ORDER_AS_CLASS if others else Remedy.ASK_STAFF,
        classes=others,
    )


def _layers(
    schedule: Schedule,
    taken: Sequence[Taken],
    within: During,
    *,
    at: datetime,
    opened: Sequence[During],
    gaps: Sequence[Sequence[During]],
    floors: Sequence[FloorWeek],
) -> Iterator[_Layer]:
    """Every reason with its time, the one that lasts longest first."""
    if within.starts_at < at:
        yield _Layer("past", [During(within.starts_at, at)])
    yield from _closures(schedule)
    yield _Layer("public-holiday", holidays(schedule, within), remedy=Remedy.ASK_STAFF)
    yield from _outside_hours(schedule, within, opened)
    for kept in kept_hours(schedule, within, at=at):
        yield _Layer(
            "priority",
            [kept.during],
            "Kept for the provider's own people.",
            Remedy.WAIT,
            free_at=kept.lapses_at,
        )
    yield from _reserved(schedule, taken, within, gaps)
    yield _Layer(
        "outside-floor",
        exhausted(schedule, floors, at=at),
        "What is left of the week is kept for others.",
        Remedy.WAIT,
        ahead=timedelta(minutes=schedule.terms.outside_floor_lapses_minutes),
    )
    yield from _lead_time(schedule, within, at)


def _closures(schedule: Schedule) -> Iterator[_Layer]:
    for closure in schedule.closures:
        repaired = closure.kind in (ClosureKind.MAINTENANCE, ClosureKind.BREAKDOWN)
        yield _Layer(
            closure.kind,
            [closure.during],
            closure.reason,
            Remedy.WAIT if repaired else Remedy.ASK_STAFF,
            free_at=closure.during.ends_at if repaired else None,
        )


def _outside_hours(
    schedule: Schedule, within: During, opened: Sequence[During]
) -> Iterator[_Layer]:
    """Hours that only other classes of user have, then what is outside every hour."""
    shut = without([within], opened)
    if not shut:
        return
    others = list(hours_of_others(schedule, within))
    edges = {
        edge for _, spans in others for span in spans for edge in (span.starts_at, span.ends_at)
    }
    for part in starmap(During, pairwise(sorted(edges))):
        classes = tuple(
            user_class for user_class, spans in others if any(span.covers(part) for span in spans)
        )
        if classes:
            yield _Layer("other-class", [part], remedy=Remedy.ORDER_AS_CLASS, classes=classes)
    yield _Layer("outside-opening-hours", shut, remedy=Remedy.ASK_STAFF)


def _reserved(
    schedule: Schedule,
    taken: Sequence[Taken],
    within: During,
    gaps: Sequence[Sequence[During]],
) -> Iterator[_Layer]:
    """Where every seat is taken: for good, by a request, or by a hold or an offer that may lapse.

    What may lapse is told with the instant at which the last of it will have lapsed.
    """
    firm = [one for one in taken if one.held_until is None]
    if len(firm) == len(taken):
        yield _Layer("reserved", _nowhere(within, gaps), remedy=Remedy.WAITLIST)
        return
    asked = [one for one in taken if one.status == Status.REQUESTED]
    soft = sorted((one for one in taken if one.held_until is not None), key=_lapses_at)
    yield _Layer(
        "reserved", _nowhere(within, seat_gaps(schedule, firm, within)), remedy=Remedy.WAITLIST
    )
    for reason, remedy, some in (
        ("requested", Remedy.WAITLIST, [*firm, *asked]),
        ("held", Remedy.WAIT, taken),
    ):
        full = _nowhere(within, seat_gaps(schedule, some, within))
        for one in reversed(soft):
            spans = common(full, [room_needed(schedule, one)])
            yield _Layer(reason, spans, remedy=remedy, free_at=one.held_until)


def _lapses_at(one: Taken) -> datetime:
    return one.held_until or one.blocked.ends_at


def _nowhere(within: During, gaps: Sequence[Sequence[During]]) -> list[During]:
    return without([within], [gap for seat in gaps for gap in seat])


def _lead_time(schedule: Schedule, within: During, at: datetime) -> Iterator[_Layer]:
    terms = schedule.terms
    horizon = timedelta(days=terms.horizon_days)
    opens, ends = at + timedelta(minutes=terms.notice_minutes), at + horizon
    if within.starts_at < opens:
        yield _Layer("notice", [During(within.starts_at, opens)], remedy=Remedy.ASK_STAFF)
    if ends < within.ends_at:
        yield _Layer("horizon", [During(ends, within.ends_at)], remedy=Remedy.WAIT, ahead=horizon)


def _seats_free(rest: Sequence[During], gaps: Sequence[Sequence[During]]) -> list[SeatsFree]:
    """How many seats are free in each part of `rest`, in order."""
    if len(gaps) == 1:
        return [SeatsFree(one, 1) for one in common(rest, gaps[0])]
    changes: dict[datetime, int] = {}
    for seat in gaps:
        for part in common(rest, seat):
            changes[part.starts_at] = changes.get(part.starts_at, 0) + 1
            changes[part.ends_at] = changes.get(part.ends_at, 0) - 1
    found: list[SeatsFree] = []
    count = 0
    for starts_at, ends_at in pairwise(sorted(changes)):
        count += changes[starts_at]
        if count:
            found.append(SeatsFree(During(starts_at, ends_at), count))
    return found
