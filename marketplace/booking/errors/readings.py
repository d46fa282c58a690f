"""The refusals of instruments' own logs."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Refused


class ReadingResolved(Conflict):
    """Somebody found out already what this run was."""

    code = "reading-resolved"
    title = "This run needs no explanation any more"


class ReadingIncomplete(Conflict):
    """A run whose start or end is not known yet cannot be put anywhere."""

    code = "reading-incomplete"
    title = "The start or the end of this run is not known yet"


class ReadingUnfit(Refused):
    """The run cannot belong to this reservation; every reason is listed."""

    code = "reading-unfit"
    title = "The run cannot belong to this reservation"
