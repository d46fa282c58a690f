"""The shapes of booking on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    Availability,
    MachineHoursFound,
    Reservation,
    ReservationPage,
    UsageSession,
)
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.use_cases import (
    Cancelled,
    CancelReservation,
    CloseSession,
    RejectReservation,
    RepairSession,
    ReserveOwnTime,
    SetBookingRule,
)
from marketplace.kernel.time import During, as_utc, shanghai_instant
from marketplace.kernel.wire import Id, In, Instant, Out, Page

# A stretch of at most a year in minutes; the rule itself is stricter.
RuleMinutes = Annotated[int, msgspec.Meta(ge=0, le=525_600)]
SessionMinutes = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Seat = Annotated[int, msgspec.Meta(ge=1, le=200)]
ReasonGiven = Annotated[
    str, msgspec.Meta(min_length=3, max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]

YEARS = range(2000, 2101)
WINDOW_DAYS_MAX = 62


def during_of(starts_at: datetime, ends_at: datetime) -> During:
    """The interval between two instants of a request.

    Raises:
        WindowRefused: when it is empty, or outside the years of a calendar.
    """
    if starts_at.year not in YEARS or ends_at.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise WindowRefused("An instant needs a time zone, for instance +08:00.")
    if starts_at >= ends_at:
        raise WindowRefused("It ends before it starts.", starts_at=starts_at, ends_at=ends_at)
    return During(as_utc(starts_at), as_utc(ends_at))


def window_of(starts_at: datetime, ends_at: datetime) -> During:
    """A period of at most `WINDOW_DAYS_MAX` days.

    Raises:
        WindowRefused: also when it is longer.
    """
    during = during_of(starts_at, ends_at)
    if during.minutes > WINDOW_DAYS_MAX * 1440:
        raise WindowRefused(f"At most {WINDOW_DAYS_MAX} days at once.", limit=WINDOW_DAYS_MAX)
    return during


class BookingRuleIn(In):
    """An instrument's whole booking rule; what is left out takes the value shown."""

    step_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]
    minimum_minutes: RuleMinutes
    maximum_minutes: RuleMinutes
    notice_minutes: RuleMinutes
    horizon_days: Annotated[int, msgspec.Meta(ge=1, le=3660)]
    before_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    after_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    seats: Seat = 1
    needs_approval: bool = False
    open_on_holidays: bool = False

    def to_command(self, instrument_id: int) -> SetBookingRule:
        """The command for `instrument_id`."""
        return SetBookingRule(instrument_id, BookingTerms(**msgspec.structs.asdict(self)))


class BookingRuleOut(Out):
    """The booking rule in force: the instrument's own, or the province's terms."""

    step_minutes: int
    minimum_minutes: int
    maximum_minutes: int
    notice_minutes: int
    horizon_days: int
    before_minutes: int
    after_minutes: int
    seats: int
    needs_approval: bool
    open_on_holidays: bool

    @classmethod
    def of(cls, terms: BookingTerms) -> BookingRuleOut:
        """From the rule."""
        return msgspec.convert(terms, cls, from_attributes=True)


class FreeOut(Out):
    """A stretch in which any reservation on the steps is possible."""

    starts_at: datetime
    ends_at: datetime


class BusyOut(Out):
    """A stretch that cannot be reserved, and why: never by whom."""

    starts_at: datetime
    ends_at: datetime
    reason: str
    text: str


class AvailabilityOut(Out):
    """Free time in a window, and why the rest is not free."""

    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    rule: BookingRuleOut
    free: list[FreeOut]
    busy: list[BusyOut]

    @classmethod
    def of(cls, found: Availability) -> AvailabilityOut:
        """From the answer of the query."""
        return cls(
            instrument_id=found.instrument_id,
            starts_at=found.during.starts_at,
            ends_at=found.during.ends_at,
            rule=BookingRuleOut.of(found.terms),
            free=[FreeOut(starts_at=one.starts_at, ends_at=one.ends_at) for one in found.free],
            busy=[
                BusyOut(
                    starts_at=one.during.starts_at,
                    ends_at=one.during.ends_at,
                    reason=one.reason,
                    text=one.text,
                )
                for one in found.busy
            ],
        )


class ReservationIn(In):
    """Time on an instrument of one's own: research, teaching, maintenance, a test run."""

    instrument_id: Id
    starts_at: Instant
    ends_at: Instant
    purpose: Purpose
    seat: Seat | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self) -> ReserveOwnTime:
        """The command of the caller."""
        return ReserveOwnTime(
            instrument_id=self.instrument_id,
            during=during_of(self.starts_at, self.ends_at),
            purpose=self.purpose,
            seat=self.seat,
            override_reason=self.override_reason,
        )


class ReservationOut(Out):
    """A reservation as its organisation and the instrument's provider see it."""

    id: int
    instrument_id: int
    provider_id: int
    seat: int
    starts_at: datetime
    ends_at: datetime
    status: Status
    organisation_id: int
    person_id: int
    purpose: Purpose
    order_id: int | None
    held_until: datetime | None
    override_reason: str | None
    placed_at: datetime
    confirmed_at: datetime | None
    decided_by: int | None
    ended_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, row: Reservation) -> ReservationOut:
        """From the row."""
        return msgspec.convert(row, cls, from_attributes=True)


class SessionOut(Out):
    """The use of a reservation: reserved, actual and billable minutes are three things."""

    id: int
    reservation_id: int
    instrument_id: int
    opened_at: datetime
    closed_at: datetime | None
    reserved_minutes: int
    actual_minutes: int | None
    billable_minutes: int | None
    preparation_minutes: int | None
    test_minutes: int | None
    post_minutes: int | None
    operator_id: int
    problem: str | None

    @classmethod
    def of(cls, row: UsageSession) -> SessionOut:
        """From the row."""
        return msgspec.convert(row, cls, from_attributes=True)


class ReservationDetailOut(Out):
    """A reservation with its session, once somebody has checked in."""

    reservation: ReservationOut
    session: SessionOut | None


def reservation_page(found: ReservationPage, page: int, page_size: int) -> Page[ReservationOut]:
    """One page of the list."""
    return Page(
        results=[ReservationOut.of(row) for row in found.reservations],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class RejectIn(In):
    """Why a request is turned down; the customer reads it."""

    reason: ReasonGiven

    def to_command(self, reservation_id: int) -> RejectReservation:
        """The command for `reservation_id`."""
        return RejectReservation(reservation_id, self.reason)


class CancelIn(In):
    """Why a reservation is given back."""

    reason: ReasonGiven

    def to_command(self, reservation_id: int) -> CancelReservation:
        """The command for `reservation_id`: the provider's own, so never at a fee."""
        return CancelReservation(reservation_id, self.reason, by_provider=True)


class CancelledOut(Out):
    """How the cancellation ended."""

    reservation: ReservationOut
    late: bool
    fee_basis_points: int
    why: str

    @classmethod
    def of(cls, cancelled: Cancelled) -> CancelledOut:
        """From the result."""
        return cls(
            reservation=ReservationOut.of(cancelled.reservation),
            late=cancelled.late,
            fee_basis_points=cancelled.fee_basis_points,
            why=cancelled.why,
        )


class CloseSessionIn(In):
    """What of the session was preparation and post-processing; the rest is test time."""

    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0

    def to_command(self, reservation_id: int) -> CloseSession:
        """The command for `reservation_id`."""
        return CloseSession(
            reservation_id, self.preparation_minutes, self.test_minutes, self.post_minutes
        )


class RepairSessionIn(In):
    """When the session really ended, and how that is known."""

    closed_at: Instant
    reason: ReasonGiven
    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0

    def to_command(self, reservation_id: int) -> RepairSession:
        """The command for `reservation_id`."""
        if self.closed_at.year not in YEARS:
            raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
        return RepairSession(
            reservation_id,
            as_utc(self.closed_at),
            self.reason,
            self.preparation_minutes,
            self.test_minutes,
            self.post_minutes,
        )


class MachineHoursOut(Out):
    """Effective minutes of one instrument for one purpose in one month."""

    instrument_id: int
    provider_id: int
    purpose: Purpose
    month: date
    minutes: int


class MachineHoursPage(Out):
    """One page of machine-hours; `total_minutes` sums all pages, to the minute."""

    results: list[MachineHoursOut]
    total: int
    page: int
    page_size: int
    total_minutes: int

    @classmethod
    def of(cls, found: MachineHoursFound, *, page: int, page_size: int) -> MachineHoursPage:
        """From the answer of the query."""
        return cls(
            results=[
                msgspec.convert(row, MachineHoursOut, from_attributes=True) for row in found.rows
            ],
            total=found.total,
            page=page,
            page_size=page_size,
            total_minutes=found.total_minutes,
        )


PERIOD_DAYS_MAX = 366


def period_of(starts_on: date, ends_before: date) -> During:
    """The period from the beginning of one day to the beginning of another, in Shanghai.

    Raises:
        WindowRefused: when it is empty, longer than a year, or outside the years of a calendar.
    """
    if starts_on.year not in YEARS or ends_before.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    days = (ends_before - starts_on).days
    if not 1 <= days <= PERIOD_DAYS_MAX:
        raise WindowRefused(f"From 1 to {PERIOD_DAYS_MAX} days.", limit=PERIOD_DAYS_MAX, asked=days)
    return During(shanghai_instant(starts_on), shanghai_instant(ends_before))
