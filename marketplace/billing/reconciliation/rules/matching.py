"""What each line of a statement is, as far as that is certain; a wrong match is worse than none.

Every rule wants one answer from both sides: one thing for the line, and one line for the thing.
Where there are two, or the amounts differ, the line is left to a person with a note saying why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from marketplace.billing.reconciliation.rules.references import (
    FUND_YEARS,
    References,
    is_bank_fee,
    is_interest,
    references,
)
from marketplace.billing.reconciliation.rules.states import MatchKind

# How long after its file was sent a payment may show without its reference.
PAYMENT_WITHIN_DAYS = 10


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that nobody has explained; positive is money in.

    `matches` counts what it was matched to before, all of it undone since.
    """

    id: int
    booked_on: date
    amount_fen: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    bank_reference: str
    matches: int = 0
    end_to_end_id: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payout as far as matching needs it."""

    payout_id: int
    reference: str
    amount_fen: int
    status: str
    confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class SentPayment:
    """A payment that the bank was sent, with the account it goes to."""

    payout_id: int
    reference: str
    amount_fen: int
    account_number: str
    sent_on: date


@dataclass(frozen=True, slots=True)
class Found:
    """What a line is, and the rule that says so."""

    line: OpenLine
    kind: MatchKind
    target_id: int
    rule: str
    reference: str | None = None
    score: int | None = None


@dataclass(slots=True)
class Result:
    """What was found, and why other lines were left."""

    found: list[Found] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)

    def leave(self, line: OpenLine, note: str) -> None:
        """Leave a line to a person."""
        self.notes[line.id] = note


def said(line: OpenLine) -> References:
    """The references that a line carries, in its words or in either side's number."""
    return references(f"{line.remark} {line.bank_reference} {line.end_to_end_id}")


def payments_by_reference(
    lines: Sequence[OpenLine], payments: Mapping[str, Payment], kind: MatchKind
) -> Result:
    """Money out that names a payment of ours, or (`RETURN`) money in that names one that came back.

    The reference and the amount have to agree, and the payment has to be on its way, or made.
    """
    expected = "sent" if kind is MatchKind.PAYOUT else "confirmed"
    result = Result()
    naming = Counter(reference for line in lines for reference in said(line).payouts)
    for line in lines:
        named = said(line)
        if not named.payouts:
            continue
        if named.count > 1:
            result.leave(line, "several references")
            continue
        (reference,) = named.payouts
        payment = payments.get(reference)
        if payment is None:
            result.leave(line, f"no payment is called {reference} now")
        elif payment.amount_fen != abs(line.amount_fen):
            result.leave(line, f"{reference} is over another amount")
        elif payment.status != expected:
            result.leave(line, f"{reference} is {payment.status}")
        elif naming[reference] > 1:
            result.leave(line, f"{naming[reference]} lines name {reference}")
        elif payment.confirmed_on is not None and line.booked_on < payment.confirmed_on:
            result.leave(line, f"{reference} was paid only on {payment.confirmed_on}")
        else:
            result.found.append(
                Found(line, kind, payment.payout_id, "reference and amount", reference)
            )
    return result


def payments_by_account(
    lines: Sequence[OpenLine], alike: Iterable[OpenLine], payments: Iterable[SentPayment]
) -> Result:
    """Money out to an account and over an amount that only one payment on its way has.

    `alike` is every unexplained line of any statement: two that could be one payment are left.
    """
    by_account: dict[tuple[str, int], list[SentPayment]] = defaultdict(list)
    for payment in payments:
        by_account[payment.account_number, payment.amount_fen].append(payment)
    rivals = Counter((line.counterparty_account, -line.amount_fen) for line in alike)
    result = Result()
    for line in lines:
        key = (line.counterparty_account, -line.amount_fen)
        known = by_account.get(key)
        if not known or said(line).count:
            continue
        if len(known) > 1 or rivals[key] > 1:
            result.leave(line, "several payments or lines with this account and amount")
        elif not _in_time(line, known[0]):
            result.leave(line, f"{known[0].reference} was sent on {known[0].sent_on}")
        else:
            rule = "only payment to this account over this amount"
            payment = known[0]
            result.found.append(
                Found(line, MatchKind.PAYOUT, payment.payout_id, rule, payment.reference)
            )
    return result


def _in_time(line: OpenLine, payment: SentPayment) -> bool:
    within = timedelta(days=PAYMENT_WITHIN_DAYS)
    return payment.sent_on <= line.booked_on <= payment.sent_on + within


def receipts(
    lines: Sequence[OpenLine],
    unfit: Callable[[OpenLine, int], str | None],
    owed: Mapping[int, int] | None = None,
) -> Result:
    """Money in that names a wallet, a fund or a credit line on which at least that much is owed.

    `unfit` says why a wallet cannot be the one that is meant, or None when nothing speaks against
    it.
    """
    result = Result()
    left = dict(owed or {})
    for line in lines:
        named = said(line)
        if named.payouts or not named.count:
            continue
        if named.count > 1:
            result.leave(line, "several references")
        elif named.credit_lines:
            _owed(result, line, next(iter(named.credit_lines)), left)
        elif named.wallets:
            (organisation_id,) = named.wallets
            note = unfit(line, organisation_id)
            if note is not None:
                result.leave(line, note)
            else:
                result.found.append(
                    Found(line, MatchKind.WALLET, organisation_id, "wallet in the remark")
                )
        else:
            _fund(result, line, named)
    return result


def _owed(result: Result, line: OpenLine, credit_line_id: int, left: dict[int, int]) -> None:
    if left.get(credit_line_id, 0) < line.amount_fen:
        result.leave(line, f"less is owed on SC-C-{credit_line_id}")
        return
    left[credit_line_id] -= line.amount_fen
    result.found.append(Found(line, MatchKind.CREDIT, credit_line_id, "credit line in the remark"))


def _fund(result: Result, line: OpenLine, named: References) -> None:
    kind = MatchKind.VOUCHER_FUND if named.voucher_funds else MatchKind.REWARD_FUND
    (year,) = named.voucher_funds or named.reward_funds
    if year in FUND_YEARS:
        result.found.append(Found(line, kind, year, "fund in the remark"))
    else:
        result.leave(line, f"{year} is no year")


def of_the_bank(lines: Sequence[OpenLine]) -> Result:
    """The bank's fees and interest, by its words."""
    result = Result()
    for line in lines:
        if said(line).count:
            continue
        if is_bank_fee(line.remark, line.amount_fen):
            result.found.append(Found(line, MatchKind.CHARGE, 0, "fee of the bank in the remark"))
        elif is_interest(line.remark, line.counterparty_account, line.amount_fen):
            result.found.append(Found(line, MatchKind.INTEREST, 0, "interest in the remark"))
    return result
