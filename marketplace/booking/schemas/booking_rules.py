"""Booking rules and availability on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries import (
    Availability,
)
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.schemas.periods import RuleMinutes, Seat
from marketplace.booking.use_cases import (
    SetBookingRule,
)
from marketplace.kernel.wire import In, Out


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
