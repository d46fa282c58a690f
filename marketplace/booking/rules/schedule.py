"""When an instrument can be used: its terms, its hours, and how each class of user sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from marketplace.booking.rules.states import Status, UserClass
from marketplace.kernel.time import During

# The longest reservation that even staff may make; `booking_rule_lengths` knows it too.
RESERVATION_MINUTES_MAX = 31 * 24 * 60
BOOKABLE = frozenset({"listed", "unlisted"})


class ClosureKind(StrEnum):
    """Why an instrument is shut on a date, whatever its hours."""

    CLOSED = "closed"
    """The provider is away, or uses the room for something else."""
    MAINTENANCE = "maintenance"
    """Planned upkeep."""
    BREAKDOWN = "breakdown"
    """It does not work."""
    OUTSIDE = "outside"
    """A campus calendar says that it is taken there."""


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
class ClassTerms:
    """What differs for one class of user; None leaves what the booking rule says."""

    user_class: UserClass
    may_book: bool = True
    notice_minutes: int | None = None
    horizon_days: int | None = None
    maximum_minutes: int | None = None
    needs_approval: bool | None = None

    def applied(self, terms: BookingTerms) -> BookingTerms:
        """`terms` as this class has them."""
        own = {
            name: value
            for name in ("notice_minutes", "horizon_days", "maximum_minutes", "needs_approval")
            if (value := getattr(self, name)) is not None
        }
        return replace(terms, **own) if own else terms


@dataclass(frozen=True, slots=True)
class Hours:
    """Open on `weekday` (Monday is 0) between two minutes after midnight in Shanghai."""

    weekday: int
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True, slots=True)
class ClassHours(Hours):
    """When one class of user may book, in place of the opening hours."""

    user_class: UserClass


@dataclass(frozen=True, slots=True)
class PriorityHours(Hours):
    """Kept for the provider's own people until `lapses_minutes` before they begin."""

    lapses_minutes: int


@dataclass(frozen=True, slots=True)
class DatedHours:
    """Open on one day between two minutes, in place of that weekday's hours."""

    day: date
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A dated closure, and why."""

    during: During
    reason: str
    kind: str = ClosureKind.CLOSED


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that a live reservation blocks on one seat, its buffers included.

    `held_until` is when a hold, an offer or a request lapses if nothing else happens.
    """

    seat: int
    blocked: During
    status: str = Status.CONFIRMED
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an instrument can be used at all.

    As loaded it holds the booking rule and the opening hours; `for_class` puts those of one class
    of user in their place. Who belongs to no class is treated as somebody from outside.
    """

    instrument_id: int
    provider_id: int
    status: str
    terms: BookingTerms
    hours: tuple[Hours, ...] = ()
    closures: tuple[Closed, ...] = ()
    open_to_others: bool = True
    dated: tuple[DatedHours, ...] = ()
    priority: tuple[PriorityHours, ...] = ()
    peak: tuple[Hours, ...] = ()
    class_terms: tuple[ClassTerms, ...] = ()
    class_hours: tuple[ClassHours, ...] = ()
    user_class: UserClass | None = None
    may_book: bool = True
    loaded: Schedule | None = None
    # The stretch whose closures and dated hours it knows; None: whatever it was given.
    around: During | None = None

    @property
    def calendar_id(self) -> int:
        """The instrument in whose calendar reservations stand: its own unless it shares."""
        return self.terms.calendar_id or self.instrument_id

    @property
    def in_general(self) -> Schedule:
        """The schedule as it was loaded: the booking rule and the opening hours."""
        return self.loaded or self

    def for_class(self, user_class: UserClass) -> Schedule:
        """The schedule as one class of user has it: its hours, notice, horizon, maximum, approval.

        A class with hours of its own has those instead of the opening hours.

        Policy: J.16a (the own unit first, then society).
        """
        general = self.in_general
        terms, may_book = general.terms, True
        for own in general.class_terms:
            if own.user_class == user_class:
                terms, may_book = own.applied(terms), own.may_book
        hours = tuple(one for one in general.class_hours if one.user_class == user_class)
        return replace(
            general,
            terms=terms,
            hours=hours or general.hours,
            user_class=user_class,
            may_book=may_book,
            loaded=general,
        )

    def blocked(self, during: During) -> During:
        """`during` with this instrument's preparation before and cleaning after it."""
        return during.widened(
            before_minutes=self.terms.before_minutes, after_minutes=self.terms.after_minutes
        )
