"""The refusals of using what was reserved."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Refused


class CheckInRefused(Refused):
    """The session cannot be opened now."""

    code = "check-in-refused"
    title = "The session cannot be opened now"


class SessionMinutesRefused(Refused):
    """The session would be longer than is possible, or shorter than its parts."""

    code = "session-minutes"
    title = "The minutes of the session cannot be right"


class SessionNotInProblem(Conflict):
    """Only what waits in the problem queue is accepted as it stands."""

    code = "session-not-in-problem"
    title = "This session is in no problem"


class SessionStillOpen(Conflict):
    """What has not ended is closed, not repaired."""

    code = "session-still-open"
    title = "Close the session first"


class SessionSettled(Conflict):
    """Money has moved on these minutes: they stand, and what was wrong is put right in money."""

    code = "session-settled"
    title = "The order is settled on these minutes"


class RepairRefused(Refused):
    """Who used the instrument may not say this of the session; every reason is listed."""

    code = "session-repair-refused"
    title = "This cannot be reported of the session"


class RepairAnswered(Conflict):
    """A report is answered once; a repair by staff answers it too."""

    code = "session-repair-answered"
    title = "This report needs no answer any more"
    constraint = "session_repair_answered_once"


class ProblemReportResolved(Conflict):
    """The problem was looked at already."""

    code = "problem-report-resolved"
    title = "This problem is resolved already"


class InstrumentClosedForReport(Conflict):
    """One report closes an instrument once."""

    code = "instrument-closed-for-report"
    title = "The instrument was closed for this report already"
