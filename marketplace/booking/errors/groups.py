"""The refusals of reserving several times at once: groups and series."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Refused


class GroupRefused(Refused):
    """Not every instrument of the group can be had, so none is; each says why."""

    code = "group-refused"
    title = "Not every instrument of the group can be reserved"


class RecurrenceMalformed(Malformed):
    """The recurrence rule cannot be read, or says what the platform does not offer."""

    code = "recurrence-rule"
    title = "The recurrence rule cannot be read"


class SeriesRefused(Refused):
    """The series is not possible: too many dates, too far ahead, or dates that are not free."""

    code = "series-refused"
    title = "The series cannot be reserved"


class SeriesOver(Conflict):
    """Nothing of the series lies ahead any more."""

    code = "series-over"
    title = "Nothing of the series lies ahead"


class OccurrenceReserved(Conflict):
    """The date of the series has its reservation already."""

    code = "occurrence-reserved"
    title = "The date is reserved already"
