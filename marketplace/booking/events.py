"""What others may hear of reservations. `order_id` is 0 where there is no order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ReservationPlaced(Event):
    """A time was taken; `status` says whether it is confirmed or waits for the provider."""

    reservation_id: int
    order_id: int
    instrument_id: int
    status: str


@dataclass(frozen=True, slots=True)
class ReservationConfirmed(Event):
    """The provider said yes to a request."""

    reservation_id: int
    order_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class ReservationRejected(Event):
    """The provider said no to a request."""

    reservation_id: int
    order_id: int
    instrument_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReservationExpired(Event):
    """The provider did not answer a request in time."""

    reservation_id: int
    order_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class ReservationCancelled(Event):
    """A time was given back; `fee_basis_points` of its price stay due when it was late."""

    reservation_id: int
    order_id: int
    instrument_id: int
    late: bool
    fee_basis_points: int
    by_provider: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ReservationNoShow(Event):
    """Nobody came; `fee_basis_points` of the price stay due."""

    reservation_id: int
    order_id: int
    instrument_id: int
    fee_basis_points: int


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """Somebody checked in."""

    session_id: int
    reservation_id: int
    order_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """An instrument was used; `problem` is empty unless the platform had to close the session."""

    session_id: int
    reservation_id: int
    order_id: int
    instrument_id: int
    reserved_minutes: int
    actual_minutes: int
    billable_minutes: int
    problem: str


@dataclass(frozen=True, slots=True)
class OutsideTimesChanged(Event):
    """An instrument is busy at other times in a calendar outside the platform.

    What changed lies between `starts_at` and `ends_at`.
    """

    source_id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ReservationMoved(Event):
    """A reservation has another time: moved, extended or shortened. `before_…` is what it had."""

    reservation_id: int
    order_id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    before_starts_at: datetime
    before_ends_at: datetime
    revision: int
