"""The words of rewards that are stored and sent."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a reward run stands."""

    DRAFT = "draft"
    """Computed, and nobody has been paid."""
    IN_NOTICE = "in_notice"
    """Published for a time in which anybody may object; nobody has been paid."""
    APPROVED = "approved"
    """Approved by a second person, posted, and payouts instructed."""
    DISCARDED = "discarded"
    """Given up; it paid nothing."""


class ObjectionStatus(StrEnum):
    """What became of an objection to a run in public notice."""

    OPEN = "open"
    """Nobody has answered it."""
    UPHELD = "upheld"
    """It is right: the run is not paid."""
    DISMISSED = "dismissed"
    """It was answered, and changes nothing."""


class ReportStatus(StrEnum):
    """Where a report on the use of a reward stands (J.27d)."""

    DUE = "due"
    """The reward was paid, and nobody has said what for it was used."""
    FILED = "filed"
    """Handed in; an officer looks at it."""
    ACCEPTED = "accepted"
    """An officer has accepted it."""
    RETURNED = "returned"
    """An officer wants it corrected; it is owed again."""


# Any use of a reward that the terms do not name.
OTHER_USE = "other"


class ClawbackStatus(StrEnum):
    """Where the return of a closed year's reward stands."""

    PROPOSED = "proposed"
    """One person asks for it; a second one decides."""
    REJECTED = "rejected"
    """It was not agreed to."""
    OWED = "owed"
    """Agreed and posted: the provider owes it."""
    RECEIVED = "received"
    """All of it has come in."""


class RecoverySource(StrEnum):
    """Where what is owed back is taken from."""

    WALLET = "wallet"
    """The bank's statement has shown it: it was paid into the provider's wallet."""
    REWARD_PAYABLE = "reward_payable"
    """A reward that is due to the provider and not instructed."""


class RateClass(StrEnum):
    """By what a body earns: its grade, or what it is."""

    GRADED = "graded"
    """By the grade of its evaluation."""
    SOCIAL = "social"
    """Of social capital, at a flat rate where the terms have one."""
    SPECIAL = "special"
    """Listed by the province, at a flat rate where the terms have one."""


class Grade(StrEnum):
    """Result of the yearly evaluation (J.26b)."""

    EXCELLENT = "excellent"
    GOOD = "good"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
