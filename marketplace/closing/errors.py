"""What closing refuses."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class MonthNotReady(Refused):
    """Blocking items of the checklist are open; each is a reason."""

    code = "month-not-ready"
    title = "The month cannot be signed off yet"


class MonthDrafted(Conflict):
    """Somebody has found the month ready; another person signs."""

    code = "month-drafted"
    title = "The month waits for its second signature"
    constraint = "month_close_one_draft"


class MonthClosed(Conflict):
    """The month is signed off and its books are closed."""

    code = "month-closed"
    title = "The month is closed"


class SignOffUnknown(Missing):
    """Nobody drafted such a sign-off."""

    code = "month-sign-off-missing"
    title = "No such sign-off"


class OwnDraft(Refused):
    """Nobody signs what they drafted."""

    code = "month-own-draft"
    title = "Another person must sign"
    constraint = "month_close_two_persons"


class PackMissing(Missing):
    """There is no such audit pack."""

    code = "audit-pack-missing"
    title = "No such audit pack"


class PackNotReady(Conflict):
    """The archive is not built."""

    code = "audit-pack-not-ready"
    title = "The audit pack is not ready"


class DaysNotOver(Refused):
    """Only months that are over are packed."""

    code = "audit-pack-days-not-over"
    title = "The month is not over"
