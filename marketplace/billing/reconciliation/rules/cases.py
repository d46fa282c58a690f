"""Why a line is left for now."""

from __future__ import annotations

from enum import StrEnum


class CaseReason(StrEnum):
    """What an open line waits for, or what is wrong with it."""

    UNKNOWN_PAYER = "unknown_payer"
    NO_REFERENCE = "no_reference"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_REFERENCE = "wrong_reference"
    DUPLICATE = "duplicate"
    AWAITING_BANK = "awaiting_bank"
    AWAITING_PAYER = "awaiting_payer"
    TO_BE_RETURNED = "to_be_returned"
    OTHER = "other"
