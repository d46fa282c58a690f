"""May this instrument be reserved for that time? Every reason why not, at once.

Nothing here knows of other reservations when it decides: whether a time is taken is for
PostgreSQL to say, at the insert. `free_intervals` reads what is taken for screens and alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from marketplace.booking.rules.hours import (
    holidays,
    hours_of_others,
    kept_hours,
    open_intervals,
)
from marketplace.booking.rules.intervals import common, widest, without
from marketplace.booking.rules.schedule import (
    BOOKABLE,
    RESERVATION_MINUTES_MAX,
    BookingTerms,
    ClassTerms,
    Closed,
    ClosureKind,
    Hours,
    Schedule,
    Taken,
)
from marketplace.booking.rules.states import Purpose
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import SHANGHAI, During, shanghai_day, shanghai_instant

__all__ = [
    "BOOKABLE",
    "RESERVATION_MINUTES_MAX",
    "BookingTerms",
    "ClassTerms",
    "Closed",
    "ClosureKind",
    "Hours",
    "Schedule",
    "Taken",
    "free_intervals",
    "free_stretches",
    "holidays",
    "is_down",
    "open_intervals",
    "refusals",
    "reservable",
    "room_needed",
    "seat_gaps",
]

# How a closure is called in a refusal.
_CLOSURE_RULE = {
    ClosureKind.CLOSED: "closed",
    ClosureKind.MAINTENANCE: "maintenance",
    ClosureKind.BREAKDOWN: "breakdown",
    ClosureKind.OUTSIDE: "outside-busy",
}


def refusals(
    schedule: Schedule, during: During, *, purpose: Purpose, at: datetime
) -> tuple[Reason, ...]:
    """Every reason why `during` cannot be reserved, apart from who else holds it.

    `schedule` is the one of the asking class of user (`Schedule.for_class`).
    Staff may set aside what is their own to decide (hours, lengths, notice), never the past, an
    instrument that is gone, or a length that nobody may reserve.

    Policy: J.15 (open restrictions are published), J.16a, F.booking.
    """
    found = Reasons()
    _require_instrument(found, schedule, purpose)
    _require_admitted(found, schedule)
    _require_lengths(found, schedule.terms, during)
    _require_lead_time(found, schedule.terms, during, at)
    if during.minutes <= RESERVATION_MINUTES_MAX:
        _require_open(found, schedule, during)
        _require_own_time(found, schedule, during, at)
    return tuple(found.found)


def _require_instrument(found: Reasons, schedule: Schedule, purpose: Purpose) -> None:
    if schedule.status not in BOOKABLE:
        found.add("instrument-status", f"The instrument is {schedule.status}.", source="J.9")
    elif schedule.status != "listed" and purpose is Purpose.EXTERNAL:
        found.add("instrument-status", "The instrument is not listed yet.", source="J.15")
    if not schedule.open_to_others and purpose is Purpose.EXTERNAL:
        found.add("not-shared", "The instrument serves its own unit only.", source="J.14")


def _require_admitted(found: Reasons, schedule: Schedule) -> None:
    if not schedule.may_book:
        found.add(
            "class",
            f"The provider does not let {_people(schedule)} book it.",
            asked=schedule.user_class,
            source="J.16a",
            overridable=True,
        )


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
        names = ", ".join(str(day) for span in closed_days for day in span.days())
        found.add("public-holiday", f"Closed on public holidays: {names}.", overridable=True)
    shut = without([during], [*open_intervals(schedule, during), *closed_days])
    if shut:
        found.add(
            "opening-hours",
            f"Outside opening hours from {_told(shut[0].starts_at)}"
            f" to {_told(shut[0].ends_at)}.{_hint(schedule, shut[0])}",
            source="J.15",
            overridable=True,
        )
    for closure in schedule.closures:
        if closure.during.overlaps(during):
            found.add(
                _CLOSURE_RULE[ClosureKind(closure.kind)],
                f"Closed from {_told(closure.during.starts_at)}"
                f" to {_told(closure.during.ends_at)}: {closure.reason}",
                overridable=True,
            )


def _require_own_time(found: Reasons, schedule: Schedule, during: During, at: datetime) -> None:
    for kept in kept_hours(schedule, during, at=at):
        found.add(
            "priority",
            f"Kept for the provider's own people from {_told(kept.during.starts_at)}"
            f" to {_told(kept.during.ends_at)}; open to all from {_told(kept.lapses_at)} on.",
            limit=kept.lapses_at,
            source="J.16a",
            overridable=True,
        )


def _hint(schedule: Schedule, shut: During) -> str:
    if not schedule.hours:
        return " No opening hours are published for it."
    others = [user_class for user_class, _ in hours_of_others(schedule, shut)]
    if not others:
        return ""
    return f" Open then to {', '.join(map(_named, others))} users."


def _people(schedule: Schedule) -> str:
    return "anybody" if schedule.user_class is None else f"{_named(schedule.user_class)} users"


def _named(user_class: str) -> str:
    return user_class.replace("_", "-")


def is_down(closures: Sequence[Closed], during: During) -> bool:
    """Whether the provider shut the instrument for any part of `during`: then no fee is due.

    What a campus calendar holds is somebody's booking, not the provider's failure.
    """
    return any(
        closure.during.overlaps(during)
        for closure in closures
        if closure.kind != ClosureKind.OUTSIDE
    )


def reservable(terms: BookingTerms, *, at: datetime) -> During | None:
    """The time that may be reserved at `at`: after the notice, before the horizon."""
    first = at + timedelta(minutes=terms.notice_minutes)
    last = at + timedelta(days=terms.horizon_days)
    return During(first, last) if first < last else None


def room_needed(schedule: Schedule, one: Taken) -> During:
    """Where no other reservation of this instrument may lie on the seat of one that stands.

    What others block is widened by this instrument's own buffers: a newcomer needs room for its
    preparation and cleaning too.
    """
    terms = schedule.terms
    return one.blocked.widened(
        before_minutes=terms.after_minutes, after_minutes=terms.before_minutes
    )


def seat_gaps(schedule: Schedule, taken: Sequence[Taken], within: During) -> list[list[During]]:
    """For each seat, the parts of `within` where a reservation may lie beside those taken."""
    holes: dict[int, list[During]] = {seat: [] for seat in range(1, schedule.terms.seats + 1)}
    for one in taken:
        if one.seat in holes:
            holes[one.seat].append(room_needed(schedule, one))
    return [without([within], gaps) for gaps in holes.values()]


def free_intervals(
    schedule: Schedule, taken: Sequence[Taken], within: During, *, at: datetime
) -> list[During]:
    """The longest stretches of `within` in which any aligned reservation would be accepted.

    Each lies on one seat, so with several seats two stretches may overlap; one that lies inside
    another is left out.
    """
    if schedule.status not in BOOKABLE or not schedule.may_book:
        return []
    possible = reservable(schedule.terms, at=at)
    window = possible and within.clip(possible)
    if window is None:
        return []
    opened = open_intervals(schedule, window)
    kept = [one.during for one in kept_hours(schedule, window, at=at)]
    return free_stretches(
        schedule, without(opened, kept) if kept else opened, seat_gaps(schedule, taken, window)
    )


def free_stretches(
    schedule: Schedule, opened: Sequence[During], gaps_by_seat: Sequence[Sequence[During]]
) -> list[During]:
    """What is open, not closed, and free on one seat from end to end."""
    usable = without(opened, [closure.during for closure in schedule.closures])
    found: set[During] = set()
    for gaps in gaps_by_seat:
        found.update(common(usable, gaps))
    return widest(found)


def _on_step(during: During, step_minutes: int) -> bool:
    midnight = shanghai_instant(shanghai_day(during.starts_at))
    step = timedelta(minutes=step_minutes)
    nothing = timedelta()
    length = during.ends_at - during.starts_at
    return (during.starts_at - midnight) % step == nothing and length % step == nothing


def _told(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
