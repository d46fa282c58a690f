"""What disputes, their evidence and rulings refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing


class DisputedBefore(Conflict):
    """An order has one dispute at a time."""

    code = "order-disputed-before"
    title = "This order is in dispute already"
    constraint = "dispute_open_once"


class ReviewWindowOver(Conflict):
    """The time to object has passed; the service counts as accepted."""

    code = "review-window-over"
    title = "The review window is over"


class RulingByParty(Conflict):
    """Nobody rules on a dispute in which they spoke for a side."""

    code = "ruling-by-party"
    title = "Another person must rule"
    constraint = "dispute_four_eyes"


class RulingTooSoon(Conflict):
    """The provider is heard first, or lets its time to answer pass."""

    code = "ruling-too-soon"
    title = "The provider may still answer"
    constraint = "dispute_heard"


class DisputeMissing(Missing):
    """There is no such dispute, or it is somebody else's."""

    code = "dispute-not-found"
    title = "No such dispute"


class DisputeAnswered(Conflict):
    """A provider answers once."""

    code = "dispute-answered"
    title = "This dispute was answered already"


class AnswerByParty(Conflict):
    """Nobody answers the objection that they made."""

    code = "answer-by-party"
    title = "Another person must answer"
    constraint = "dispute_answered_by_other"


class NothingOffered(Conflict):
    """The provider has offered nothing that the buyer could agree to."""

    code = "nothing-offered"
    title = "There is no offer to agree to"


class EvidenceMissing(Missing):
    """The dispute has no such file."""

    code = "dispute-evidence-not-found"
    title = "No such evidence"


class EvidenceKnown(Conflict):
    """A side shows a file once."""

    code = "dispute-evidence-known"
    title = "This file is in the dispute already"
    constraint = "dispute_evidence_once"


class EvidenceFull(Conflict):
    """A side of a dispute shows so many files and no more."""

    code = "dispute-evidence-full"
    title = "No more files can be shown"
