"""Reservations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from marketplace.booking.queries import (
    Reservation,
    ReservationPage,
)
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.schemas.periods import ReasonGiven, Seat, during_of
from marketplace.booking.schemas.sessions import SessionOut, SessionRepairOut
from marketplace.booking.use_cases import (
    Cancelled,
    CancelReservation,
    RejectReservation,
    ReserveOwnTime,
)
from marketplace.kernel.wire import Id, In, Instant, Out, Page


class ReservationIn(In):
    """Time on an instrument of one's own: research, teaching, maintenance, a test run."""

    instrument_id: Id
    starts_at: Instant
    ends_at: Instant
    purpose: Purpose
    seat: Seat | None = None
    assisted: bool | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self) -> ReserveOwnTime:
        """The command of the caller."""
        return ReserveOwnTime(
            instrument_id=self.instrument_id,
            during=during_of(self.starts_at, self.ends_at),
            purpose=self.purpose,
            seat=self.seat,
            assisted=self.assisted,
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
    user_class: UserClass
    purpose: Purpose
    operator_id: int | None
    group_id: int | None
    series_id: int | None
    order_id: int | None
    held_until: datetime | None
    override_reason: str | None
    placed_at: datetime
    confirmed_at: datetime | None
    decided_by: int | None
    ended_at: datetime | None
    reason: str | None
    revision: int
    changed_at: datetime

    @classmethod
    def of(cls, row: Reservation) -> ReservationOut:
        """From the row."""
        return msgspec.convert(row, cls, from_attributes=True)


class ReservationDetailOut(Out):
    """A reservation with its session, and what was said of that after it ended."""

    reservation: ReservationOut
    session: SessionOut | None
    repairs: list[SessionRepairOut]


def reservation_page(found: ReservationPage, page: int, page_size: int) -> Page[ReservationOut]:
    """One page of the list."""
    return Page(
        results=[ReservationOut.of(row) for row in found.reservations],
        total=found.total,
        page=page,
        page_size=page_size,
    )


def reservation_table(found: ReservationPage) -> list[list[Any]]:
    """The same rows as a table: a header with the names of the fields, and the reservations."""
    names = ReservationOut.__struct_fields__
    rows = [[getattr(row, name) for name in names] for row in found.reservations]
    return [list(names), *rows]


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
