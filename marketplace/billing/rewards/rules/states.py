"""The words of rewards that are stored and sent."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a reward run stands."""

    DRAFT = "draft"
    """Computed, and nobody has been paid."""
    APPROVED = "approved"
    """Approved by a second person, posted, and payouts instructed."""
    DISCARDED = "discarded"
    """Given up; it paid nothing."""


class Grade(StrEnum):
    """Result of the yearly evaluation (J.26b)."""

    EXCELLENT = "excellent"
    GOOD = "good"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
