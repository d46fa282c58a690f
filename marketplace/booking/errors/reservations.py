"""The refusals of reservations."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Refused


class ReservationOverlaps(Conflict):
    """Somebody else holds the instrument in that time, buffers included."""

    code = "reservation-overlaps"
    title = "Somebody else holds the instrument in that time"
    constraint = "reservation_no_overlap"


class ReservationRefused(Refused):
    """The instrument's booking rules say no; every reason is listed, and what would be possible."""

    code = "reservation-refused"
    title = "The booking rules do not allow this time"


class ReservationNotInState(Conflict):
    """The reservation has moved on: this step does not follow from the state it is in."""

    code = "reservation-state"
    title = "The reservation is in another state"


class RequestLapsed(Conflict):
    """The request was not answered in time; the slot may already belong to somebody else."""

    code = "reservation-request-lapsed"
    title = "The request was not answered in time"


class TooLateToCancel(Conflict):
    """The reserved time has begun: only the provider may still cancel."""

    code = "reservation-begun"
    title = "The reserved time has begun"


class OrderAlreadyReserved(Conflict):
    """One item of an order has one reservation."""

    code = "order-already-reserved"
    title = "This order already has a reservation"
    constraint = "reservation_order_id"


class ReservationBelongsToOrder(Conflict):
    """The reservation is part of an order and goes the order's way."""

    code = "reservation-belongs-to-order"
    title = "This reservation is part of an order"


class ExternalTimeIsOrdered(Refused):
    """Time for another organisation is sold through an order, with its price and contract."""

    code = "external-time-is-ordered"
    title = "Time for others is ordered, not reserved"


class OverrideNotAllowed(Forbidden):
    """Only the instrument's own staff may set a rule aside, and only with a reason."""

    code = "override-not-allowed"
    title = "Only the instrument's staff may set this rule aside"


class SecondPersonNeeded(Forbidden):
    """Nobody approves or rejects the reservation that they asked for."""

    code = "reservation-second-person"
    title = "Another person decides this request"
    constraint = "reservation_second_person"


class TooLateToMove(Conflict):
    """The reserved time has begun: only the provider may still move it."""

    code = "reservation-begun-no-move"
    title = "The reserved time has begun"


class ReservationChanged(Conflict):
    """Somebody changed the reservation since it was looked at."""

    code = "reservation-changed"
    title = "The reservation is not as it was when you looked"


class MoveFeeNotAccepted(Refused):
    """Moving this late costs a share of the price, and nobody has agreed to it yet."""

    code = "move-fee-not-accepted"
    title = "Moving now has a fee"


class EndRefused(Refused):
    """The reservation cannot end then; the refusal says how far it can go."""

    code = "reservation-end-refused"
    title = "It cannot end then"


class HoldRefused(Refused):
    """The time cannot be held so: it would lapse before it begins to be held, or never."""

    code = "hold-refused"
    title = "The time cannot be held like that"


class HoldLapsed(Conflict):
    """The hold is over; the time may already belong to somebody else."""

    code = "hold-lapsed"
    title = "The hold is over"


class WalkUpRefused(Refused):
    """The instrument cannot be used for that long from now on; the refusal says for how long."""

    code = "walk-up-refused"
    title = "It is not free for that long now"
