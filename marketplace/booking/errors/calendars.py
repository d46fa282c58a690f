"""The refusals of calendars that leave the platform and of busy times that come in."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class FeedMissing(Missing):
    """There is no such calendar: never made, revoked, or its address was replaced."""

    code = "calendar-feed-missing"
    title = "There is no such calendar"


class TooManyFeeds(Refused):
    """One person keeps so many calendar addresses and no more."""

    code = "too-many-calendar-feeds"
    title = "Too many calendar addresses"


class FeedRevoked(Conflict):
    """The calendar's address was revoked before; another one is made anew."""

    code = "calendar-feed-revoked"
    title = "This calendar address was revoked"


class SourceMissing(Missing):
    """There is no such outside calendar, or none of one's own instruments has it."""

    code = "busy-source-missing"
    title = "There is no such outside calendar"


class SourceNamed(Conflict):
    """The instrument has an outside calendar of that name."""

    code = "busy-source-name"
    title = "An outside calendar has that name already"
    constraint = "busy_source_name"


class SourceRefused(Refused):
    """The outside calendar cannot be kept as asked; every reason is listed."""

    code = "busy-source-refused"
    title = "This outside calendar is not possible"


class SourceOfOtherKind(Conflict):
    """What was asked is for outside calendars of another kind: fetched, uploaded or pushed."""

    code = "busy-source-kind"
    title = "This outside calendar gets its times in another way"


class CalendarFileUnreadable(Malformed):
    """The calendar file cannot be read; every reason is listed with its line."""

    code = "calendar-file-unreadable"
    title = "The calendar file cannot be read"
