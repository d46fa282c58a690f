"""Booking rules, classes of user and availability on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from marketplace.booking.queries import (
    Availability,
)
from marketplace.booking.rules.floor import FloorWeek
from marketplace.booking.rules.schedule import BookingTerms, ClassTerms
from marketplace.booking.rules.states import UserClass
from marketplace.booking.rules.timetable import Busy, Remedy
from marketplace.booking.schemas.periods import RuleMinutes, Seat
from marketplace.booking.use_cases.rule import SetBookingRule, SetClassTerms
from marketplace.kernel.wire import Id, In, Out

Buffer = Annotated[int, msgspec.Meta(ge=0, le=1440)]
HorizonDays = Annotated[int, msgspec.Meta(ge=1, le=3660)]


class BookingRuleIn(In):
    """An instrument's whole booking rule; what is left out takes the value shown.

    `calendar_id` is another instrument of the provider in whose calendar this one stands: two
    services of one machine. `makeup_days` says whose hours hold on a make-up working Saturday or
    Sunday. `answer_minutes` is how long a request waits; left out, as long as the province says.
    `outside_floor_minutes` of each week are left to outside users until
    `outside_floor_lapses_minutes` before a reservation begins.
    """

    step_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]
    minimum_minutes: RuleMinutes
    maximum_minutes: RuleMinutes
    notice_minutes: RuleMinutes
    horizon_days: HorizonDays
    before_minutes: Buffer = 0
    after_minutes: Buffer = 0
    seats: Seat = 1
    needs_approval: bool = False
    open_on_holidays: bool = False
    makeup_days: Literal["as_workday", "as_weekday"] = "as_workday"
    calendar_id: Id | None = None
    operation: Literal["self", "operator", "either"] = "self"
    qualification: Literal["none", "self_operated", "always"] = "none"
    answer_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] | None = None
    outside_floor_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0
    outside_floor_lapses_minutes: RuleMinutes = 2880

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
    makeup_days: str
    calendar_id: int | None
    operation: str
    qualification: str
    answer_minutes: int | None
    outside_floor_minutes: int
    outside_floor_lapses_minutes: int

    @classmethod
    def of(cls, terms: BookingTerms) -> BookingRuleOut:
        """From the rule."""
        return msgspec.convert(terms, cls, from_attributes=True)


class ClassTermsIn(In):
    """What differs for one class of user; what is left out follows the booking rule."""

    user_class: UserClass
    may_book: bool = True
    notice_minutes: RuleMinutes | None = None
    horizon_days: HorizonDays | None = None
    maximum_minutes: Annotated[int, msgspec.Meta(ge=1, le=44_640)] | None = None
    needs_approval: bool | None = None


class ClassesIn(In):
    """The terms of every class that differs; one that is not named follows the booking rule."""

    classes: Annotated[list[ClassTermsIn], msgspec.Meta(max_length=3)]

    def to_command(self, instrument_id: int) -> SetClassTerms:
        """The command for `instrument_id`."""
        classes = (ClassTerms(**msgspec.structs.asdict(one)) for one in self.classes)
        return SetClassTerms(instrument_id, tuple(classes))


class ClassTermsOut(Out):
    """What differs for one class of user; null follows the booking rule."""

    user_class: UserClass
    may_book: bool
    notice_minutes: int | None
    horizon_days: int | None
    maximum_minutes: int | None
    needs_approval: bool | None


class ClassesOut(Out):
    """The terms of every class that differs."""

    classes: list[ClassTermsOut]

    @classmethod
    def of(cls, classes: tuple[ClassTerms, ...]) -> ClassesOut:
        """In the order of the classes."""
        return cls(
            classes=[ClassTermsOut.like(one) for one in sorted(classes, key=lambda c: c.user_class)]
        )


class FreeOut(Out):
    """A stretch in which any reservation on the steps is possible, on one seat."""

    starts_at: datetime
    ends_at: datetime


class BusyOut(Out):
    """A stretch that cannot be reserved, why, and what would make it free: never who holds it.

    `free_at` is when the reason falls away by itself, where it does.
    """

    starts_at: datetime
    ends_at: datetime
    reason: str
    text: str
    remedy: Remedy
    free_at: datetime | None
    classes: list[UserClass]

    @classmethod
    def of(cls, one: Busy) -> BusyOut:
        """From the timetable."""
        return cls(
            starts_at=one.during.starts_at,
            ends_at=one.during.ends_at,
            reason=one.reason,
            text=one.text,
            remedy=one.remedy,
            free_at=one.free_at,
            classes=list(one.classes),
        )


class SeatsFreeOut(Out):
    """How many seats are free at every moment of a stretch."""

    starts_at: datetime
    ends_at: datetime
    seats: int


class FloorWeekOut(Out):
    """A week, from Monday, of an instrument that leaves a floor of hours to outside users.

    Minutes inside opening hours, over all seats: `kept_minutes` are left to others and not taken
    yet, `own_left` is what the own unit may still take while the floor holds.
    """

    starts_on: date
    floor_minutes: int
    open_minutes: int
    own_minutes: int
    others_minutes: int
    kept_minutes: int
    own_left: int

    @classmethod
    def of(cls, week: FloorWeek) -> FloorWeekOut:
        """From the week."""
        return cls.like(week)


class AvailabilityOut(Out):
    """Free time in a window for a class of user, and why the rest is not free."""

    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    user_class: UserClass
    rule: BookingRuleOut
    free: list[FreeOut]
    busy: list[BusyOut]
    seats_free: list[SeatsFreeOut]
    floors: list[FloorWeekOut]

    @classmethod
    def of(cls, found: Availability) -> AvailabilityOut:
        """From the answer of the query."""
        return cls(
            instrument_id=found.instrument_id,
            starts_at=found.during.starts_at,
            ends_at=found.during.ends_at,
            user_class=found.user_class,
            rule=BookingRuleOut.of(found.terms),
            free=[FreeOut(starts_at=one.starts_at, ends_at=one.ends_at) for one in found.free],
            busy=[BusyOut.of(one) for one in found.busy],
            seats_free=[
                SeatsFreeOut(
                    starts_at=one.during.starts_at, ends_at=one.during.ends_at, seats=one.seats
                )
                for one in found.seats
            ],
            floors=[FloorWeekOut.of(week) for week in found.floors],
        )
