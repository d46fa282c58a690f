"""What an order's steps refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class OrderMissing(Missing):
    """There is no such order, or it is somebody else's."""

    code = "order-not-found"
    title = "No such order"


class StepNotOpen(Conflict):
    """The order has moved on, or is not there yet."""

    code = "order-step-not-open"
    title = "The order's state does not allow this"


class WrongMode(Conflict):
    """Sessions belong to machine time, receiving and testing to samples."""

    code = "order-mode-differs"
    title = "This order is of the other mode"


class ServiceUnfinished(Conflict):
    """What was not closed, tested or uploaded cannot be delivered."""

    code = "service-unfinished"
    title = "The service is not finished"


class ItemMissing(Missing):
    """The order has no such item."""

    code = "order-item-not-found"
    title = "This order has no such item"


class ItemUnclear(Malformed):
    """Several items could be meant."""

    code = "order-item-unclear"
    title = "It is not clear which item of the order is meant"


class DeliveryRefused(Refused):
    """More is delivered, or was used, than was agreed or is due."""

    code = "delivery-refused"
    title = "This cannot be delivered so"
