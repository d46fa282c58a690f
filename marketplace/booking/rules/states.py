"""What a reservation may be, and which step leads from one state to the next."""

from __future__ import annotations

from enum import StrEnum

from marketplace.booking.errors import ReservationNotInState


class Status(StrEnum):
    """The life of a reservation. The first five are live: they keep others out."""

    HELD = "held"
    """Kept by the provider's staff until `held_until`; then it lapses by itself."""
    OFFERED = "offered"
    """A freed time, kept until `held_until` for who waited longest."""
    REQUESTED = "requested"
    """Waits for the provider; the time is kept until `held_until`."""
    CONFIRMED = "confirmed"
    """The time is the customer's."""
    IN_USE = "in_use"
    """Checked in: a usage session is open."""
    USED = "used"
    """The session was closed."""
    CANCELLED = "cancelled"
    """Given back in time, or the provider could not serve: no fee."""
    LATE_CANCELLED = "late_cancelled"
    """Given back too late for anybody else to use: a fee by the terms of the day it was placed."""
    NO_SHOW = "no_show"
    """Nobody came."""
    REJECTED = "rejected"
    """The provider said no."""
    EXPIRED = "expired"
    """The provider said nothing in time."""


class Purpose(StrEnum):
    """What machine time is for: the classes in which machine-hours are reported.

    Policy: F.hours (teaching, research, service to others, and what keeps the machine running).
    """

    EXTERNAL = "external"
    """Service to another organisation, always under an order."""
    OWN_RESEARCH = "own_research"
    """Research of the provider's own people."""
    TEACHING = "teaching"
    """Courses and training."""
    MAINTENANCE = "maintenance"
    """Repair, calibration, cleaning."""
    TEST_RUN = "test_run"
    """Trial of a new method or a repaired machine."""


class UserClass(StrEnum):
    """Who uses an instrument, seen from its provider: each class has its own hours and notice.

    Policy: J.16a (own tasks first, then open to society).
    """

    OWN_UNIT = "own_unit"
    """People of the provider's own legal entity."""
    ACADEMIC = "academic"
    """Universities, institutes and other providers."""
    ENTERPRISE = "enterprise"
    """Companies, small or large."""


LIVE = frozenset({Status.HELD, Status.OFFERED, Status.REQUESTED, Status.CONFIRMED, Status.IN_USE})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.HELD: frozenset({Status.CONFIRMED, Status.CANCELLED, Status.EXPIRED}),
    Status.OFFERED: frozenset(
        {Status.REQUESTED, Status.CONFIRMED, Status.CANCELLED, Status.EXPIRED}
    ),
    Status.REQUESTED: frozenset(
        {Status.CONFIRMED, Status.REJECTED, Status.EXPIRED, Status.CANCELLED}
    ),
    # A customer's move to another time is a request again where the instrument needs approval.
    Status.CONFIRMED: frozenset(
        {
            Status.REQUESTED,
            Status.IN_USE,
            Status.CANCELLED,
            Status.LATE_CANCELLED,
            Status.NO_SHOW,
        }
    ),
    Status.IN_USE: frozenset({Status.USED}),
    Status.USED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.LATE_CANCELLED: frozenset(),
    Status.NO_SHOW: frozenset(),
    Status.REJECTED: frozenset(),
    Status.EXPIRED: frozenset(),
}

# Upkeep is the provider's own decision: it needs nobody's approval.
WITHOUT_APPROVAL = frozenset({Purpose.MAINTENANCE, Purpose.TEST_RUN})


def require_transition(present: Status, following: Status) -> None:
    """Nothing, when a reservation may go from `present` to `following`.

    Raises:
        ReservationNotInState: with what would be possible instead.
    """
    possible = TRANSITIONS[present]
    if following not in possible:
        raise ReservationNotInState(
            f"It is {present} and cannot become {following}.",
            status_now=present.value,
            possible=sorted(possible),
        )


def first_status(*, needs_approval: bool, purpose: Purpose) -> Status:
    """The state in which a reservation begins: instant, or a request to the provider."""
    if needs_approval and purpose not in WITHOUT_APPROVAL:
        return Status.REQUESTED
    return Status.CONFIRMED
