"""May this instrument be reserved for that time? Every reason why not, at once.

Nothing here knows of other reservations when it decides: whether a time is taken is for
PostgreSQL to say, at the insert. `free_intervals` reads what is taken for screens and alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from marketplace.booking.rules.intervals import without
from marketplace.booking.rules.states import Purpose
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import (
    SHANGHAI,
    During,
    is_public_holiday,
    merged,
    shanghai_day,
    shanghai_instant,
)

# The longest reservation that even staff may make; `booking_rule_lengths` knows it too.
RESERVATION_MINUTES_MAX = 31 * 24 * 60
BOOKABLE = frozenset({"listed", "unlisted"})


@dataclass(frozen=True, slots=True)
class BookingTerms:
    """What an instrument's booking rule says, or the province's terms where it has none.

    `before_minutes` and `after_minutes` are preparation and cleaning around each reservation;
    `seats` are places that can be used at once, for instance sample positions.
    """

    step_minutes: int
    minimum_minutes: int
    maximum_minutes: int
    notice_minutes: int
    horizon_days: int
    before_minutes: int = 0
    after_minutes: int = 0
    seats: int = 1
    needs_approval: bool = False
    open_on_holidays: bool = False
    makeup_days: str = "as_workday"
    calendar_id: int | None = None
    operation: str = "self"
    qualification: str = "none"
    answer_minutes: int | None = None
    outside_floor_minutes: int = 0
    outside_floor_lapses_minutes: int = 2880


@dataclass(frozen=True, slots=True)
class Hours:
    """Open on `weekday` (Monday is 0) between two minutes after midnight in Shanghai."""

    weekday: int
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A dated closure, and why."""

    during: During
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that a live reservation blocks on one seat, its buffers included."""

    seat: int
    blocked: During


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an instrument can be used at all, whoever asks."""

    instrument_id: int
    provider_id: int
    status: str
    terms: BookingTerms
    hours: tuple[Hours, ...] = ()
    closures: tuple[Closed, ...] = ()
    open_to_others: bool = True

    @property
    def calendar_id(self) -> int:
        """The instrument in whose calendar reservations stand: its own unless it shares."""
        return self.terms.calendar_id or self.instrument_id

    def blocked(self, during: During) -> During:
        """`during` with this instrument's preparation before and cleaning after it."""
        return during.widened(
            before_minutes=self.terms.before_minutes, after_minutes=self.terms.after_minutes
        )


def open_intervals(schedule: Schedule, within: During) -> list[During]:
    """When the weekly hours hold inside `within`: disjoint, in order, joined over midnight."""
    spans = []
    for day in within.days():
        if is_public_holiday(day) and not schedule.terms.open_on_holidays:
            continue
        for hours in schedule.hours:
            if hours.weekday == day.weekday():
                spans.append(_on(day, hours.opens_minute, hours.closes_minute))
    return [part for span in merged(spans) if (part := span.clip(within)) is not None]


def holidays(schedule: Schedule, within: During) -> list[During]:
    """The public holidays inside `within` on which the instrument stays closed."""
    if schedule.terms.open_on_holidays:
        return []
    days = [_on(day, 0, 1440) for day in within.days() if is_public_holiday(day)]
    return [part for day in merged(days) if (part := day.clip(within)) is not None]


def refusals(
    schedule: Schedule, during: During, *, purpose: Purpose, at: datetime
) -> tuple[Reason, ...]:
    """Every reason why `during` cannot be reserved, apart from who else holds it.

    Staff may set aside what is their own to decide (hours, lengths, notice), never the past, an
    instrument that is gone, or a length that nobody may reserve.

    Policy: J.15 (open restrictions are published), J.16a, F.booking.
    """
    found = Reasons()
    _require_instrument(found, schedule, purpose)
    _require_lengths(found, schedule.terms, during)
    _require_lead_time(found, schedule.terms, during, at)
    if during.minutes <= RESERVATION_MINUTES_MAX:
        _require_open(found, schedule, during)
    return tuple(found.found)


def _require_instrument(found: Reasons, schedule: Schedule, purpose: Purpose) -> None:
    if schedule.status not in BOOKABLE:
        found.add("instrument-status", f"The instrument is {schedule.status}.", source="J.9")
    elif schedule.status != "listed" and purpose is Purpose.EXTERNAL:
        found.add("instrument-status", "The instrument is not listed yet.", source="J.15")
    if not schedule.open_to_others and purpose is Purpose.EXTERNAL:
        found.add("not-shared", "The instrument serves its own unit only.", source="J.14")


def _require_lengths(found: Reasons, terms: BookingTerms, during: During) -> None:
    minutes = during.minutes
    if not _on_step(during, terms.step_minutes):
        found.add(
            "step",
            f"Start and end fall on steps of {terms.step_minutes} minutes.",
            limit=terms.step_minutes,
            overridable=True,
        )
    if minutes < terms.minimum_minutes:
        found.add(
            "minimum",
            f"At least {terms.minimum_minutes} minutes are reserved at a time.",
            limit=terms.minimum_minutes,
            asked=minutes,
            overridable=True,
        )
    if minutes > RESERVATION_MINUTES_MAX:
        found.add(
            "maximum",
            f"Nobody reserves more than {RESERVATION_MINUTES_MAX} minutes at a time.",
            limit=RESERVATION_MINUTES_MAX,
            asked=minutes,
        )
    elif minutes > terms.maximum_minutes:
        found.add(
            "maximum",
            f"At most {terms.maximum_minutes} minutes are reserved at a time.",
            limit=terms.maximum_minutes,
            asked=minutes,
            overridable=True,
        )


def _require_lead_time(found: Reasons, terms: BookingTerms, during: During, at: datetime) -> None:
    lead = (during.starts_at - at) // timedelta(minutes=1)
    if during.starts_at < at:
        found.add("past", "The time has begun already.", asked=during.starts_at)
    elif lead < terms.notice_minutes:
        found.add(
            "notice",
            f"A reservation is made at least {terms.notice_minutes} minutes ahead.",
            limit=terms.notice_minutes,
            asked=lead,
            overridable=True,
        )
    if during.starts_at > at + timedelta(days=terms.horizon_days):
        found.add(
            "horizon",
            f"Reservations open {terms.horizon_days} days ahead.",
            limit=terms.horizon_days,
            asked=lead // 1440,
            overridable=True,
        )


def _require_open(found: Reasons, schedule: Schedule, during: During) -> None:
    closed_days = holidays(schedule, during)
    if closed_days:
        names = ", ".join(str(shanghai_day(day.starts_at)) for day in closed_days)
        found.add("public-holiday", f"Closed on public holidays: {names}.", overridable=True)
    shut = without([during], [*open_intervals(schedule, during), *closed_days])
    if shut:
        hint = "" if schedule.hours else " No opening hours are published for it."
        found.add(
            "opening-hours",
            f"Outside opening hours from {_told(shut[0].starts_at)}"
            f" to {_told(shut[0].ends_at)}.{hint}",
            source="J.15",
            overridable=True,
        )
    for closure in schedule.closures:
        if closure.during.overlaps(during):
            found.add(
                "closed",
                f"Closed from {_told(closure.during.starts_at)}"
                f" to {_told(closure.during.ends_at)}: {closure.reason}",
                overridable=True,
            )


def is_down(closures: Sequence[Closed], during: During) -> bool:
    """Whether the instrument was closed for any part of `during`: then no fee is due."""
    return any(closure.during.overlaps(during) for closure in closures)


def reservable(terms: BookingTerms, *, at: datetime) -> During | None:
    """The time that may be reserved at `at`: after the notice, before the horizon."""
    first = at + timedelta(minutes=terms.notice_minutes)
    last = at + timedelta(days=terms.horizon_days)
    return During(first, last) if first < last else None


def seat_gaps(schedule: Schedule, taken: Sequence[Taken], within: During) -> list[list[During]]:
    """For each seat, the parts of `within` where a reservation may lie beside those taken.

    What others block is widened by this instrument's own buffers: a newcomer needs room for its
    preparation and cleaning too.
    """
    before, after = schedule.terms.before_minutes, schedule.terms.after_minutes
    holes: dict[int, list[During]] = {seat: [] for seat in range(1, schedule.terms.seats + 1)}
    for one in taken:
        if one.seat in holes:
            widened = one.blocked.widened(before_minutes=after, after_minutes=before)
            holes[one.seat].append(widened)
    return [without([within], gaps) for gaps in holes.values()]


def free_intervals(
    schedule: Schedule, taken: Sequence[Taken], within: During, *, at: datetime
) -> list[During]:
    """The longest stretches of `within` in which any aligned reservation would be accepted.

    Each lies on one seat, so with several seats two stretches may overlap; one that lies inside
    another is left out.
    """
    if schedule.status not in BOOKABLE:
        return []
    possible = reservable(schedule.terms, at=at)
    window = possible and within.clip(possible)
    if window is None:
        return []
    return free_stretches(
        schedule, open_intervals(schedule, window), seat_gaps(schedule, taken, window)
    )


def free_stretches(
    schedule: Schedule, opened: Sequence[During], gaps_by_seat: Sequence[Sequence[During]]
) -> list[During]:
    """What is open, not closed, and free on one seat from end to end."""
    usable = without(opened, [closure.during for closure in schedule.closures])
    found: set[During] = set()
    for gaps in gaps_by_seat:
        for gap in gaps:
            found.update(part for one in usable if (part := one.clip(gap)) is not None)
    return _widest(found)


def _widest(intervals: set[During]) -> list[During]:
    kept: list[During] = []
    for interval in sorted(intervals, key=lambda one: (one.starts_at, -one.minutes)):
        if not kept or interval.ends_at > kept[-1].ends_at:
            kept.append(interval)
    return kept


# The same hours of the same days are asked for again and again.
@lru_cache(maxsize=10_000)
def _on(day: date, opens_minute: int, closes_minute: int) -> During:
    return During(shanghai_instant(day, opens_minute), shanghai_instant(day, closes_minute))


def _on_step(during: During, step_minutes: int) -> bool:
    midnight = shanghai_instant(shanghai_day(during.starts_at))
    step = timedelta(minutes=step_minutes)
    nothing = timedelta()
    length = during.ends_at - during.starts_at
    return (during.starts_at - midnight) % step == nothing and length % step == nothing


def _told(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
