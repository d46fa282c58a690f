"""Holding, moving, extending and walking up, on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.booking.queries import WalkUpOffers
from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.schemas.periods import (
    ReasonGiven,
    RuleMinutes,
    Seat,
    during_of,
    instant_within,
)
from marketplace.booking.schemas.reasons import BookingReasonOut
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.schemas.sessions import SessionOut
from marketplace.booking.use_cases import (
    ExtendReservation,
    ExtensionPreview,
    HoldTime,
    MovePreview,
    MoveReservation,
    ReleaseHold,
    ShortenReservation,
    WalkedUp,
    WalkUp,
)
from marketplace.kernel.wire import Id, In, Instant, Out

Revision = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
WalkUpMinutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]


class HoldIn(In):
    """Time kept for a reason; without a deadline it lapses when it begins."""

    instrument_id: Id
    starts_at: Instant
    ends_at: Instant
    purpose: Purpose
    reason: ReasonGiven
    lapses_minutes: RuleMinutes | None = None
    held_until: Instant | None = None
    seat: Seat | None = None

    def to_command(self) -> HoldTime:
        """The command of the caller."""
        return HoldTime(
            instrument_id=self.instrument_id,
            during=during_of(self.starts_at, self.ends_at),
            purpose=self.purpose,
            reason=self.reason,
            lapses_minutes=self.lapses_minutes,
            held_until=None if self.held_until is None else instant_within(self.held_until),
            seat=self.seat,
        )


class ReleaseIn(In):
    """Why held time is given back."""

    reason: ReasonGiven

    def to_command(self, reservation_id: int) -> ReleaseHold:
        """The command for `reservation_id`."""
        return ReleaseHold(reservation_id, self.reason)


class MoveIn(In):
    """Another time, on the same seat if that is free, on any other, or on the one that is said."""

    starts_at: Instant
    ends_at: Instant
    seat: Seat | None = None
    expected_revision: Revision | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self, reservation_id: int) -> MoveReservation:
        """The command for `reservation_id`."""
        return MoveReservation(
            reservation_id=reservation_id,
            during=during_of(self.starts_at, self.ends_at),
            seat=self.seat,
            expected_revision=self.expected_revision,
            override_reason=self.override_reason,
        )


class ExtendIn(In):
    """A later end."""

    ends_at: Instant
    expected_revision: Revision | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self, reservation_id: int) -> ExtendReservation:
        """The command for `reservation_id`."""
        return ExtendReservation(
            reservation_id,
            instant_within(self.ends_at),
            self.expected_revision,
            self.override_reason,
        )


class ShortenIn(In):
    """An earlier end."""

    ends_at: Instant
    expected_revision: Revision | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self, reservation_id: int) -> ShortenReservation:
        """The command for `reservation_id`."""
        return ShortenReservation(
            reservation_id,
            instant_within(self.ends_at),
            self.expected_revision,
            self.override_reason,
        )


class MovePreviewOut(Out):
    """Whether a move would be accepted as things stand, at what fee, and what would be possible."""

    reservation_id: int
    revision: int
    starts_at: datetime
    ends_at: datetime
    allowed: bool
    status: Status
    fee_basis_points: int
    fee_why: str
    reasons: list[BookingReasonOut]
    alternatives: list[Mapping[str, Any]]

    @classmethod
    def of(cls, found: MovePreview) -> MovePreviewOut:
        """From the answer of the query."""
        return cls.like(
            found,
            starts_at=found.during.starts_at,
            ends_at=found.during.ends_at,
            reasons=[BookingReasonOut.of(reason) for reason in found.reasons],
            alternatives=list(found.alternatives),
        )


class ExtensionPreviewOut(Out):
    """Whether a later end would be accepted as things stand, and how far it could go."""

    reservation_id: int
    revision: int
    ends_at: datetime
    allowed: bool
    possible_until: datetime
    reasons: list[BookingReasonOut]

    @classmethod
    def of(cls, found: ExtensionPreview) -> ExtensionPreviewOut:
        """From the answer of the query."""
        return cls.like(found, reasons=[BookingReasonOut.of(one) for one in found.reasons])


class WalkUpIn(In):
    """Use it from this minute on, for one of the lengths that are offered."""

    minutes: WalkUpMinutes
    purpose: Purpose

    def to_command(self, instrument_id: int) -> WalkUp:
        """The command for `instrument_id`."""
        return WalkUp(instrument_id, self.minutes, self.purpose)


class WalkUpOffersOut(Out):
    """The lengths possible from this minute on; the reasons when there is none."""

    instrument_id: int
    starts_at: datetime
    minutes: list[int]
    reasons: list[BookingReasonOut]

    @classmethod
    def of(cls, found: WalkUpOffers) -> WalkUpOffersOut:
        """From the answer of the query."""
        return cls.like(
            found,
            minutes=list(found.minutes),
            reasons=[BookingReasonOut.of(reason) for reason in found.reasons],
        )


class WalkedUpOut(Out):
    """The reservation, and the session that is open."""

    reservation: ReservationOut
    session: SessionOut

    @classmethod
    def of(cls, made: WalkedUp) -> WalkedUpOut:
        """From the result."""
        return cls(
            reservation=ReservationOut.of(made.reservation), session=SessionOut.of(made.session)
        )
