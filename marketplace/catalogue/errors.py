"""The refusals of the catalogue."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class InstrumentMissing(Missing):
    """There is no such instrument, or none that the caller may see."""

    code = "instrument-not-found"
    title = "There is no such instrument"


class ImportMissing(Missing):
    """There is no such import, or it is another provider's."""

    code = "import-not-found"
    title = "There is no such import"


class InnerIdTaken(Conflict):
    """The provider already calls another instrument by this number."""

    code = "inner-id-taken"
    title = "The provider already has an instrument of this number"
    constraint = "instrument_inner_id"


class InstrumentNotInState(Conflict):
    """The step does not follow from the state the instrument is in."""

    code = "instrument-state"
    title = "The instrument is in another state"


class ImportRunning(Conflict):
    """A file of this provider is being imported right now."""

    code = "import-running"
    title = "Another file of this provider is being imported"


class InstrumentRefused(Refused):
    """The description breaks a rule of the catalogue; every reason is listed."""

    code = "instrument-refused"
    title = "The description of the instrument breaks a rule"


class MustStayOpen(Refused):
    """A public instrument of this worth stays open to society unless a coded reason exempts it."""

    code = "must-stay-open"
    title = "A public instrument of this worth stays open"


class OpeningHoursRefused(Refused):
    """The week does not fit: every interval that is wrong is listed."""

    code = "opening-hours-refused"
    title = "These opening hours do not fit a week"
    constraint = "opening_hours_no_overlap"


class ClosureRefused(Refused):
    """A closure lasts at most `CLOSURE_DAYS_MAX` days and does not end before it starts."""

    code = "closure-refused"
    title = "The instrument cannot be closed for this time"


class ClosureMissing(Missing):
    """There is no such closure of this instrument."""

    code = "closure-not-found"
    title = "There is no such closure"


class ClosureOver(Conflict):
    """A closure that has ended is history: what was refused for it stays explained."""

    code = "closure-over"
    title = "The closure has ended already"


class HeaderMissing(Malformed):
    """No line of the file is a header of the national layout, or required columns are missing."""

    code = "import-header-missing"
    title = "The file has no header of the national layout"


class ImportTooLong(Malformed):
    """The file is larger, or has more lines, than one import takes."""

    code = "import-too-long"
    title = "The file is too long for one import"
    status = 413
