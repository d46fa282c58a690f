"""Where credit terms stand, and how old a debt is."""

from __future__ import annotations

from enum import StrEnum


class TermsStatus(StrEnum):
    """From the proposal to the end of terms."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class Owing(StrEnum):
    """What a receivable is for."""

    SERVICE = "service"
    FEE = "fee"


class Receipt(StrEnum):
    """Where the money of a receipt came from."""

    WALLET = "wallet"
    BANK = "bank"


class Age(StrEnum):
    """How long what is owed has been due."""

    NOT_DUE = "not_due"
    DAYS_1_30 = "days_1_30"
    DAYS_31_60 = "days_31_60"
    DAYS_61_90 = "days_61_90"
    DAYS_OVER_90 = "days_over_90"


AGES: tuple[tuple[Age, int], ...] = (
    (Age.NOT_DUE, 0),
    (Age.DAYS_1_30, 30),
    (Age.DAYS_31_60, 60),
    (Age.DAYS_61_90, 90),
)
"""Each age with the most days overdue that belong to it; beyond the last, `DAYS_OVER_90`."""


def age_of(days_overdue: int) -> Age:
    """The age of a debt; on its due day it is not overdue yet."""
    return next((age for age, most in AGES if days_overdue <= most), Age.DAYS_OVER_90)
