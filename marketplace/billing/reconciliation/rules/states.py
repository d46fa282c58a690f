"""The words of reconciliation."""

from __future__ import annotations

from enum import StrEnum


class LineStatus(StrEnum):
    """Where a line of a statement stands."""

    UNMATCHED = "unmatched"
    """Nobody knows yet what it is; its amount lies in bank suspense."""
    MATCHED = "matched"
    """A match stands: the line is explained."""
    IGNORED = "ignored"
    """A line of zero: the bank noted something, and no money moved."""


class MatchKind(StrEnum):
    """What a line is."""

    PAYOUT = "payout"
    """Money out: a payment of ours that the bank has made."""
    RETURN = "return"
    """Money in: a payment of ours that came back."""
    WALLET = "wallet"
    """Money in: an SME pays in."""
    VOUCHER_FUND = "voucher_fund"
    """Money in: treasury's money to redeem vouchers."""
    REWARD_FUND = "reward_fund"
    """Money in: treasury's money for rewards."""
    CHARGE = "charge"
    """Money out: the bank's fee."""
    INTEREST = "interest"
    """Money in: the bank's interest."""
    CREDIT = "credit"
    """Money in: a buyer pays what it owes on a credit line."""
    DIFFERENCE = "difference"
    """In or out: what is written off between lines and what they are for, with a reason code."""
    CLEARING = "clearing"
    """Explained together with other lines, or as several things."""
    CONTRA = "contra"
    """In and out again, or out and in: two lines that undo each other, for instance a transfer
    that was not meant for us and was sent back."""


class How(StrEnum):
    """Who found the match."""

    AUTO = "auto"
    """A rule."""
    MANUAL = "manual"
    """A person, with a reason."""


class PeriodStatus(StrEnum):
    """Where a sign-off stands."""

    DRAFT = "draft"
    SIGNED = "signed"


MONEY_OUT = frozenset({MatchKind.PAYOUT, MatchKind.CHARGE})
EITHER_WAY = frozenset({MatchKind.CONTRA, MatchKind.CLEARING, MatchKind.DIFFERENCE})
TOGETHER_ONLY = frozenset({MatchKind.CLEARING, MatchKind.DIFFERENCE})


def fits_direction(kind: MatchKind, amount_fen: int) -> bool:
    """Whether a line with this amount can be a `kind` at all."""
    return kind in EITHER_WAY or (kind in MONEY_OUT) == (amount_fen < 0)
