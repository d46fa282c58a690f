"""What changes of an order's time refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing


class TimeUnclear(Malformed):
    """A time begins before it ends, in this century."""

    code = "order-time-unclear"
    title = "Say from when until when the order is to be"


class ChangeRefused(Conflict):
    """The order's time cannot change so; every reason is told, and what would be possible."""

    code = "order-change-refused"
    title = "The order's time cannot change like this"


class FiguresChanged(Conflict):
    """Price, voucher, fee or order are not those that were agreed to; nobody pays unseen figures.

    The answer carries the new figures with the token that agrees to them.
    """

    code = "figures-changed"
    title = "The figures are others than those agreed to"


class ChangeMissing(Missing):
    """There is no such change of this order, or none that the caller may see."""

    code = "order-change-not-found"
    title = "No such change of the order"


class ChangeOpen(Conflict):
    """One proposal waits for its answer at a time."""

    code = "order-change-open"
    title = "A proposal for this order waits for its answer"
    constraint = "order_change_open"


class ChangeNotOpen(Conflict):
    """The proposal was answered, taken back, or has lapsed."""

    code = "order-change-not-open"
    title = "The proposal is not open any more"
