"""The refusals of monthly statements, and of what would be too long to be counted."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Missing, Refused


class StatementMissing(Missing):
    """There is no such statement, or it is another provider's."""

    code = "hours-statement-missing"
    title = "There is no such statement"


class StatementMonthNotOver(Refused):
    """A month is stated when it is over."""

    code = "hours-statement-month"
    title = "The month is not over"


class StatementReasonNeeded(Refused):
    """A month that was confirmed is stated anew for a reason, which stands in the new version."""

    code = "hours-statement-reason"
    title = "Say why the confirmed month is stated anew"


class NothingToCorrect(Conflict):
    """The sessions still say what was confirmed."""

    code = "hours-statement-unchanged"
    title = "The confirmed statement still holds"


class StatementNotDraft(Conflict):
    """What was confirmed stays; corrections are the next version."""

    code = "hours-statement-confirmed"
    title = "The statement is confirmed already"
    constraint = "hours_statement_append_only"


class StatementChanged(Conflict):
    """The statement is no longer the one that was read, or the sessions behind it have changed."""

    code = "hours-statement-changed"
    title = "The statement has changed since it was read"


class StatementDraftedMeanwhile(Conflict):
    """Somebody else drafted the same month at the same moment."""

    code = "hours-statement-drafted"
    title = "Somebody else has just drafted this month"
    constraint = "hours_statement_one_draft"


class StatementSecondPerson(Forbidden):
    """Nobody confirms what they drafted themselves."""

    code = "hours-statement-second-person"
    title = "Another person confirms this statement"
    constraint = "hours_statement_second_person"


class StatementBlocked(Refused):
    """Sessions of the month are open or in doubt; nobody can vouch for its hours yet."""

    code = "hours-statement-blocked"
    title = "The month cannot be confirmed yet"


class SessionTooLong(Refused):
    """No session lasts longer than 60 days: it was not closed when it ended."""

    code = "session-too-long"
    title = "A session lasts at most 60 days"
    constraint = "usage_session_length"


class ReservationTooLong(Refused):
    """No reservation is longer than 60 days: book the time in parts."""

    code = "reservation-too-long"
    title = "A reservation is at most 60 days long"
    constraint = "reservation_length"
