"""Refusals about running the platform."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class NoticeMissing(Missing):
    """No such notice."""

    code = "notice-not-found"
    title = "No such notice"


class NoticeRefused(Refused):
    """A notice that readers could not make sense of; every reason is told."""

    code = "notice-refused"
    title = "The notice cannot be published like this"


class NoticeWithdrawn(Conflict):
    """It was withdrawn before; what was published is never changed."""

    code = "notice-withdrawn"
    title = "The notice was withdrawn already"
    constraint = "notice_kept"


class NoticeOver(Conflict):
    """Its time is over: nobody sees it any more."""

    code = "notice-expired"
    title = "The notice is over"


class MessageMissing(Missing):
    """No such event, or it was delivered."""

    code = "message-not-found"
    title = "No such message waits"
