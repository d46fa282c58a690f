"""Refusals about bank statements, their lines, matches and the sign-off of periods."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class StatementMissing(Missing):
    """There is no such statement."""

    code = "bank-statement-not-found"
    title = "No such bank statement"


class LineMissing(Missing):
    """There is no such statement line."""

    code = "statement-line-not-found"
    title = "No such statement line"


class StatementUnreadable(Malformed):
    """Lines of the file cannot be read, or it does not add up; nothing was imported."""

    code = "bank-statement-unreadable"
    title = "The statement cannot be read; nothing was imported"


class StatementTooLong(Refused):
    """The file has more lines, or more bytes, than one statement may have."""

    code = "bank-statement-too-long"
    title = "Export shorter periods"


class StatementKnown(Conflict):
    """This file, or every line of it, was imported before."""

    code = "bank-statement-known"
    title = "This statement was imported before"
    constraint = "bank_statement_file"


class StatementDiscontinued(Conflict):
    """The statement does not continue the one before it: lines in between are missing."""

    code = "bank-statement-discontinued"
    title = "The statement does not continue the one before"
    constraint = "bank_statement_continues"


class LineNotReady(Conflict):
    """The line is matched already, or there is no match to undo."""

    code = "statement-line-state"
    title = "The line cannot take this step now"
    constraint = "line_match_one_stands"


class MatchUnfit(Refused):
    """The line cannot be what it was said to be."""

    code = "match-does-not-fit"
    title = "The line cannot be that"
    constraint = "line_match_payment_once"


class SignOffMissing(Missing):
    """There is no such sign-off."""

    code = "reconciliation-period-not-found"
    title = "No such sign-off"


class SignOffNotReady(Refused):
    """Bank and books differ, or lines of the period are unexplained."""

    code = "reconciliation-period-open-questions"
    title = "The period cannot be signed off yet"


class SignedOff(Conflict):
    """The period was signed off before."""

    code = "reconciliation-period-signed"
    title = "The period is signed off already"


class OwnSignOff(Refused):
    """The person who prepared a sign-off may not approve it."""

    code = "reconciliation-period-self-approved"
    title = "Somebody else has to sign this period off"
    constraint = "reconciliation_period_two_persons"


class ClearingMissing(Missing):
    """There is no such clearing."""

    code = "clearing-not-found"
    title = "No such clearing"


class ClearingUneven(Refused):
    """The lines of a clearing do not come to its items."""

    code = "clearing-uneven"
    title = "The clearing does not come to its lines"
    constraint = "clearing_even"
