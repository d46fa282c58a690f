"""The refusals of exchange."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class ExportMissing(Missing):
    """There is no such export, or it is another provider's."""

    code = "national-export-missing"
    title = "There is no such export"


class QuarterNotOver(Refused):
    """Service records are reported for a quarter that is over."""

    code = "national-export-quarter"
    title = "The quarter is not over"


class ExportOpen(Conflict):
    """An earlier export of the quarter has not been answered; its answer decides what is new."""

    code = "national-export-open"
    title = "An export of this quarter is still open"
    constraint = "national_export_one_open"


class ExportNotInState(Conflict):
    """The export has moved on: this step does not follow from where it stands."""

    code = "national-export-state"
    title = "The export is in another state"


class NothingToExport(Conflict):
    """Every record of the quarter was accepted in the same words, and none is refused."""

    code = "national-export-nothing"
    title = "There is nothing new to export"
