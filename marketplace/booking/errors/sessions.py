"""The refusals of using what was reserved."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Refused


class CheckInRefused(Refused):
    """The session cannot be opened now."""

    code = "check-in-refused"
    title = "The session cannot be opened now"


class SessionMinutesRefused(Refused):
    """Preparation, test and post-processing add up to more than the session lasted."""

    code = "session-minutes"
    title = "The parts are longer than the session"


class SessionNotInProblem(Conflict):
    """Only a session that the platform closed by itself is repaired."""

    code = "session-not-in-problem"
    title = "This session needs no repair"
