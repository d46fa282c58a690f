"""What corrections of a settled order refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class CorrectionMissing(Missing):
    """There is no such correction, or it is somebody else's."""

    code = "correction-not-found"
    title = "No such correction"


class CorrectionOpen(Conflict):
    """One correction of an order waits at a time."""

    code = "correction-open"
    title = "Another correction of this order waits"
    constraint = "correction_open_once"


class CorrectionTooLarge(Refused):
    """All corrections of an order together give back at most what it was charged."""

    code = "correction-too-large"
    title = "More would be given back than stands charged"
    constraint = "correction_within_charge"


class CorrectionDecided(Conflict):
    """A correction is decided once."""

    code = "correction-decided"
    title = "This correction was decided already"


class CorrectionBySame(Conflict):
    """Nobody approves what they proposed."""

    code = "correction-by-same-person"
    title = "Another person must decide"
    constraint = "correction_second_person"


class RedLetterFirst(Conflict):
    """An invoice stands over more than would then be charged."""

    code = "correction-red-letter"
    title = "Take the invoice back first"
    constraint = "correction_red_letter"
