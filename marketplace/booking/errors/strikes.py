"""The refusals of strikes, appeals and suspensions."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Refused


class StrikeAlreadyWaived(Conflict):
    """The strike does not count any more."""

    code = "strike-waived"
    title = "This strike is waived already"


class StrikeAlreadyAppealed(Conflict):
    """There is one appeal against a strike."""

    code = "strike-appealed"
    title = "There is an appeal against this strike already"
    constraint = "strike_appeal_strike_id"


class AppealTooLate(Refused):
    """An appeal is filed within some days after the strike."""

    code = "appeal-too-late"
    title = "The time for an appeal is over"


class AppealDecided(Conflict):
    """An appeal is decided once."""

    code = "appeal-decided"
    title = "This appeal is decided already"


class StrikeSecondPerson(Forbidden):
    """Nobody waives their own strike."""

    code = "strike-second-person"
    title = "Another person decides about your strike"
    constraint = "strike_second_person"


class AppealSecondPerson(Forbidden):
    """Nobody decides an appeal who filed it, or who belongs to either side."""

    code = "appeal-second-person"
    title = "Somebody else decides this appeal"
    constraint = "strike_appeal_second_person"


class SuspensionOverlaps(Conflict):
    """A person has one suspension at a time; another strike lengthens it."""

    code = "suspension-overlaps"
    title = "The person is suspended already"
    constraint = "suspension_no_overlap"
