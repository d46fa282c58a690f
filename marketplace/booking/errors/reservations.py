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
    """One order has one reservation."""

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
