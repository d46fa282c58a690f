"""The refusals of operators."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Refused


class OperatorBusy(Conflict):
    """The operator attends another reservation in that time."""

    code = "operator-busy"
    title = "The operator attends another reservation then"
    constraint = "reservation_operator_free"


class OperatorRefused(Refused):
    """The person cannot attend this reservation; every reason is listed."""

    code = "operator-refused"
    title = "This person cannot attend the reservation"


class OperatorHoursOverlap(Conflict):
    """Hours of one weekday overlap, perhaps with those at another unit."""

    code = "operator-hours-overlap"
    title = "The operator's hours overlap"
    constraint = "operator_hours_no_overlap"


class AbsenceWithdrawn(Conflict):
    """The absence was withdrawn already."""

    code = "absence-withdrawn"
    title = "This absence was withdrawn"
