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
    """An instrument was used; `problem` says why nobody vouches for the minutes, mostly nothing."""

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


@dataclass(frozen=True, slots=True)
class SessionRepaired(Event):
    """What a session came to was put right, or vouched for as it stood."""

    session_id: int
    reservation_id: int
    order_id: int
    instrument_id: int
    billable_minutes_before: int
    billable_minutes: int
    by_staff: bool


@dataclass(frozen=True, slots=True)
class WaitingBegan(Event):
    """Somebody waits for time on an instrument; perhaps some is free."""

    entry_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class SlotOffered(Event):
    """A freed time is kept for who waited longest, until `held_until`."""

    entry_id: int
    reservation_id: int
    instrument_id: int
    person_id: int
    organisation_id: int
    starts_at: datetime
    ends_at: datetime
    held_until: datetime


@dataclass(frozen=True, slots=True)
class OfferLapsed(Event):
    """Nobody answered an offered time; `closed` says that it was the last that was offered."""

    entry_id: int
    reservation_id: int
    instrument_id: int
    person_id: int
    organisation_id: int
    closed: bool


@dataclass(frozen=True, slots=True)
class OfferDeclined(Event):
    """Who waited did not want the offered time: it is the next one's."""

    entry_id: int
    reservation_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class StrikeGiven(Event):
    """Time was taken and not used as agreed."""

    strike_id: int
    person_id: int
    organisation_id: int
    reservation_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class StrikeWaived(Event):
    """A strike does not count any more."""

    strike_id: int
    person_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class AppealFiled(Event):
    """Somebody asks the centre to look at a strike."""

    appeal_id: int
    strike_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class AppealDecided(Event):
    """The centre decided an appeal."""

    appeal_id: int
    strike_id: int
    organisation_id: int
    upheld: bool


@dataclass(frozen=True, slots=True)
class PersonSuspended(Event):
    """A person may reserve nothing until `ends_at`; told again when that changes."""

    suspension_id: int
    person_id: int
    organisation_id: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SuspensionLifted(Event):
    """What a suspension stood on was taken away."""

    suspension_id: int
    person_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class QualificationGranted(Event):
    """A person may operate an instrument."""

    qualification_id: int
    instrument_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class QualificationRevoked(Event):
    """A person may not operate an instrument any more."""

    qualification_id: int
    instrument_id: int
    person_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class QualificationExpiring(Event):
    """A qualification runs out soon; told once, and again after an extension."""

    qualification_id: int
    instrument_id: int
    person_id: int
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class TrainingMoved(Event):
    """A training request was made or went on: `status` says how far it is."""

    training_request_id: int
    instrument_id: int
    person_id: int
    status: str


@dataclass(frozen=True, slots=True)
class OperatorAssigned(Event):
    """Another operator attends a reservation, or none (0)."""

    reservation_id: int
    instrument_id: int
    operator_id: int


@dataclass(frozen=True, slots=True)
class ProblemReported(Event):
    """Somebody who used an instrument found something wrong with it."""

    report_id: int
    instrument_id: int
    reservation_id: int
    severity: str
