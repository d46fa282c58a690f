"""How sure it is that a line is a payment: a score in percent, and every reason for and against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.billing.reconciliation.rules.matching import OpenLine, said


class Stage(StrEnum):
    """What speaks for a match, in the order in which it is looked for."""

    REFERENCE = "reference"
    """The line names the payment, no other line does, and the amount is the payment's."""
    PARTS = "parts"
    """Several lines name one payment, and come to it together."""
    SUM = "sum"
    """One line names several payments, and is what they come to."""
    ACCOUNT = "account"
    """The only line and the only payment with this account and amount, in time."""
    MISNAMED = "misnamed"
    """As `account` with the name, though the line names another party's payment by mistake."""
    NAME = "name"
    """The only line and the only payment with this name and amount, in time; no account is told."""
    OVERDUE = "overdue"
    """As `account` with the name, and the line came later than banks take."""
    RETURNED = "returned"
    """Money in that the bank calls a return, with one made payment's account and amount."""
    MERGED = "merged"
    """A line without a reference is what exactly one choice of its party's payments comes to."""
    SPLIT = "split"
    """A payment is what exactly one choice of its party's lines without a reference comes to."""
    LATE = "late"
    """As `account`, and the line came later than banks take; no name is told."""
    ACCOUNT_SUM = "account_sum"
    """The only line to an account, and what everything on its way there comes to."""


SCORES = {
    Stage.REFERENCE: 100,
    Stage.PARTS: 96,
    Stage.SUM: 98,
    Stage.ACCOUNT: 95,
    Stage.MISNAMED: 93,
    Stage.NAME: 91,
    Stage.OVERDUE: 91,
    Stage.RETURNED: 92,
    Stage.MERGED: 92,
    Stage.SPLIT: 92,
    Stage.LATE: 75,
    Stage.ACCOUNT_SUM: 80,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A payment that a line may be."""

    payout_id: int
    reference: str
    amount_fen: int
    status: str
    account_number: str
    holder: str
    sent_on: date | None
    confirmed_on: date | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score, and why."""

    candidate: Candidate
    score: int
    reasons: tuple[str, ...]


def scored(line: OpenLine, candidate: Candidate, within_days: int) -> Scored:
    """One candidate for one line; the sum of what agrees, less what speaks against it."""
    named = said(line).payouts
    found: list[tuple[int, str]] = []
    if candidate.reference in named:
        found.append((60, "the line names it"))
    elif named:
        found.append((-40, "the line names another payment"))
    if candidate.amount_fen == abs(line.amount_fen):
        found.append((25, "the amount is the same"))
    else:
        difference = abs(line.amount_fen) - candidate.amount_fen
        found.append((-25, f"the amount differs by {difference} fen"))
    if line.counterparty_account and line.counterparty_account == candidate.account_number:
        found.append((40, "the account is the same"))
    elif line.counterparty_account:
        found.append((-15, "the account is another one"))
    if line.counterparty_name and line.counterparty_name == candidate.holder:
        found.append((15, "the name is the same"))
    found.append(_day(line, candidate, within_days))
    total = sum(points for points, _ in found)
    return Scored(candidate, max(0, min(100, total)), tuple(reason for _, reason in found))


def _day(line: OpenLine, candidate: Candidate, within_days: int) -> tuple[int, str]:
    if line.amount_fen > 0:
        paid_on = candidate.confirmed_on
        if paid_on is None or line.booked_on < paid_on:
            return (-60, "it had not been paid by then")
        return (15, f"it was paid on {paid_on}")
    if candidate.sent_on is None or line.booked_on < candidate.sent_on:
        return (-60, "it had not been sent by then")
    if line.booked_on <= candidate.sent_on + timedelta(days=within_days):
        return (15, f"it was sent on {candidate.sent_on}")
    return (0, f"it was sent on {candidate.sent_on}, longer ago than banks take")
