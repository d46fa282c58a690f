"""The refusals of waiting lists."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Refused


class WaitingRefused(Refused):
    """Nobody can wait for this; every reason is listed."""

    code = "waiting-refused"
    title = "Nobody can wait for this time"


class AlreadyWaiting(Conflict):
    """The person waits for the same window of the same instrument already."""

    code = "already-waiting"
    title = "You wait for this window already"
    constraint = "waitlist_entry_once"


class EntryNotInState(Conflict):
    """The entry has moved on: this step does not follow from the state it is in."""

    code = "waitlist-entry-state"
    title = "The entry in the waiting list is in another state"


class OfferOver(Conflict):
    """The time was kept until a moment that has passed; the next in the list has it now."""

    code = "offered-time-over"
    title = "The offered time is not kept any more"


class NotYourEntry(Forbidden):
    """Who waits answers for themselves; their administrator may take them out of the list."""

    code = "not-your-entry"
    title = "Only the person who waits may do this"
