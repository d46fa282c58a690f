"""The life of an order as one table: from which status, by which step, to which status."""

from __future__ import annotations

from enum import StrEnum

from marketplace.orders.errors import StepNotOpen


class Mode(StrEnum):
    """How the service is given."""

    MACHINE_TIME = "machine_time"
    """The buyer has the instrument for an interval (自主上机)."""
    SAMPLES = "samples"
    """The buyer sends samples, the provider tests them (送样)."""


class Status(StrEnum):
    """Where an order stands. The last five are ends: every hold is resolved in them."""

    PLACED = "placed"
    """The buyer has signed, its money and voucher are held; the provider has not answered."""
    CONFIRMED = "confirmed"
    """Both have signed."""
    IN_SERVICE = "in_service"
    """The session was opened, or the samples have arrived."""
    DELIVERED = "delivered"
    """The results are with the buyer, whose review window runs."""
    DISPUTED = "disputed"
    """The buyer objects; the two agree, or the centre rules."""
    SETTLED = "settled"
    """Accepted or ruled on: the provider has what was really used, the rest went back."""
    REJECTED = "rejected"
    """The provider declined: everything went back."""
    CANCELLED = "cancelled"
    """Called off; a late cancellation has cost its fee."""
    EXPIRED = "expired"
    """Nobody answered in time: everything went back."""
    NO_SHOW = "no_show"
    """The buyer did not come; the fee is the provider's."""


class Step(StrEnum):
    """What somebody does to an order."""

    CONFIRM = "confirm"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"
    MISS = "miss"
    OPEN = "open"
    DELIVER = "deliver"
    DISPUTE = "dispute"
    ACCEPT = "accept"
    RULE = "rule"
    CONCEDE = "concede"
    """The provider has nothing to say for itself: everything goes back."""
    AGREE = "agree"
    """The buyer is content with the part that the provider offered."""
    WITHDRAW = "withdraw"
    """The buyer takes its objection to what was delivered back."""
    RESUME = "resume"
    """The buyer takes its objection back before anything was delivered."""


class DisputeEnd(StrEnum):
    """How a dispute ended."""

    RULED = "ruled"
    """The centre said which part is paid."""
    AGREED = "agreed"
    """The buyer took what the provider offered."""
    CONCEDED = "conceded"
    """The provider asks for nothing."""
    WITHDRAWN = "withdrawn"
    """The buyer objects no longer."""


TRANSITIONS: dict[tuple[Status, Step], Status] = {
    (Status.PLACED, Step.CONFIRM): Status.CONFIRMED,
    (Status.PLACED, Step.REJECT): Status.REJECTED,
    (Status.PLACED, Step.CANCEL): Status.CANCELLED,
    (Status.PLACED, Step.EXPIRE): Status.EXPIRED,
    (Status.CONFIRMED, Step.OPEN): Status.IN_SERVICE,
    (Status.CONFIRMED, Step.CANCEL): Status.CANCELLED,
    (Status.CONFIRMED, Step.MISS): Status.NO_SHOW,
    (Status.IN_SERVICE, Step.DELIVER): Status.DELIVERED,
    # A provider that opened a service and never delivers must not keep the buyer's money held.
    (Status.IN_SERVICE, Step.DISPUTE): Status.DISPUTED,
    (Status.DELIVERED, Step.ACCEPT): Status.SETTLED,
    (Status.DELIVERED, Step.DISPUTE): Status.DISPUTED,
    (Status.DISPUTED, Step.RULE): Status.SETTLED,
    (Status.DISPUTED, Step.CONCEDE): Status.SETTLED,
    (Status.DISPUTED, Step.AGREE): Status.SETTLED,
    (Status.DISPUTED, Step.WITHDRAW): Status.DELIVERED,
    (Status.DISPUTED, Step.RESUME): Status.IN_SERVICE,
}

ENDS = frozenset(Status) - {status for status, _ in TRANSITIONS}


def steps_from(status: Status) -> list[Step]:
    """What may be done to an order that stands at `status`."""
    return [step for (origin, step) in TRANSITIONS if origin is status]


def allows(status: str, step: Step) -> bool:
    """Whether `step` may be taken from `status`."""
    return (Status(status), step) in TRANSITIONS


def after(status: Status, step: Step) -> Status:
    """Where `step` takes an order that stands at `status`.

    Raises:
        StepNotOpen: when the table has no such step.
    """
    try:
        return TRANSITIONS[status, step]
    except KeyError:
        open_steps = [str(other) for other in steps_from(status)]
        raise StepNotOpen(
            f"The order is {status}; that allows {', '.join(open_steps) or 'nothing more'}.",
            order_status=str(status),
            asked=str(step),
            open_steps=open_steps,
        ) from None
