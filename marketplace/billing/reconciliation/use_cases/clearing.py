"""Clearing: several lines are one payment, one line is several, or a fee was kept back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from marketplace.billing.credit import use_cases as credit
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import LineNotReady, MatchUnfit
from marketplace.billing.reconciliation.rules.clearing import Item, examined
from marketplace.billing.reconciliation.rules.matching import Found, OpenLine
from marketplace.billing.reconciliation.rules.references import FUND_YEARS
from marketplace.billing.reconciliation.rules.states import How, LineStatus, MatchKind
from marketplace.billing.reconciliation.tables import (
    clearing,
    clearing_item,
    line_match,
    statement_line,
)
from marketplace.billing.reconciliation.use_cases.booking import (
    BOOKED_AS,
    closed_days,
    note_matches,
)
from marketplace.billing.reconciliation.use_cases.turns import explain_lines
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook

FUNDS = (MatchKind.VOUCHER_FUND, MatchKind.REWARD_FUND)


@dataclass(frozen=True, slots=True)
class ClearLines:
    """Say what lines are together: what the items come to is what the lines come to."""

    line_ids: Sequence[int]
    items: Sequence[Item]
    reason: str
    how: How = How.MANUAL
    rule: str = "by hand"
    score: int | None = None


@dataclass(frozen=True, slots=True)
class UndoClearing:
    """Lines are not what a clearing says."""

    clearing_id: int
    reason: str


async def clear_lines(tx: Tx, command: ClearLines) -> queries.Clearing:
    """Explain lines together; each of them is explained by this and nothing else.

    Raises:
        LineMissing: when there is no such line.
        LineNotReady: when one is explained already.
        MatchUnfit: with everything that does not fit: sums, directions, tolerance, amounts.
        PayoutMissing, PayoutNotReady: when a payment is not one that waits.
        CreditLineMissing, NothingOwed: when a receipt is more than a buyer owes.
        OrganisationMissing, OrganisationUnfit: when a wallet is nobody's, or no SME's.
    """
    await explain_lines(tx)
    lines = await _open(tx, command.line_ids)
    tolerance = rulebook().banking.tolerance_fen.on(tx.today)
    against = examined([line.amount_fen for line in lines], command.items, tolerance)
    references = await _payments(tx, command.items, against)
    if against.found:
        raise MatchUnfit("The lines cannot be that.", reasons=against.found)
    made: int = await tx.scalar(
        insert(clearing)
        .values(
            how=command.how,
            rule=command.rule,
            reason=command.reason,
            score=command.score,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(clearing.c.id)
    )
    await _book(tx, made, command.items, lines, references)
    found = [
        (Found(line, MatchKind.CLEARING, made, command.rule, score=command.score), None)
        for line in lines
    ]
    await note_matches(tx, found, how=command.how, reason=command.reason)
    tx.audit(
        "clear",
        subject="clearing",
        subject_id=made,
        lines=[line.id for line in lines],
        items=[f"{item.kind}:{item.target_id}:{item.amount_fen}" for item in command.items],
        reason=command.reason,
    )
    return await queries.clearing_by_id(tx, made)


async def _open(tx: Tx, line_ids: Sequence[int]) -> list[OpenLine]:
    wanted = sorted(set(line_ids))
    lines = await queries.open_lines_by_id(tx, wanted)
    if len(lines) < len(wanted):
        missing = min(set(wanted) - {line.id for line in lines})
        found = await queries.line_by_id(tx, missing)
        raise LineNotReady(f"Line {missing} is {found.status}.", asked=found.status)
    return lines


async def _payments(
    tx: Tx, items: Sequence[Item], against: Any
) -> Mapping[int, payout_queries.Payout]:
    """The payments among the items; what of them does not fit is added to the reasons."""
    found = {}
    for item in items:
        if item.kind in (MatchKind.PAYOUT, MatchKind.RETURN):
            payment = await payout_queries.payout_by_id(tx, item.target_id)
            found[payment.id] = payment
            if payment.amount_fen != abs(item.amount_fen):
                against.add(
                    "clearing-amount",
                    f"{payment.end_to_end_id} is over another amount",
                    limit=payment.amount_fen,
                    asked=abs(item.amount_fen),
                )
        elif item.kind is MatchKind.WALLET:
            await parties.require_organisation(tx, item.target_id, "sme")
        elif item.kind in FUNDS and item.target_id not in FUND_YEARS:
            against.add("clearing-year", "a fund is of a year", asked=item.target_id)
    return found


async def _book(
    tx: Tx,
    clearing_id: int,
    items: Sequence[Item],
    lines: Sequence[OpenLine],
    payments: Mapping[int, payout_queries.Payout],
) -> None:
    """Post each item out of suspense, on the day of the latest line."""
    booked_on = max(line.booked_on for line in lines)
    days = await closed_days(tx)
    posted_on = days.posting_day(booked_on)
    rows = []
    for place, item in enumerate(items, 1):
        key = f"clearing:{clearing_id}:{place}"
        if item.kind is MatchKind.PAYOUT:
            confirm = payouts.ConfirmPayout(item.target_id, booked_on, key, posted_on)
            entry_id = (await payouts.confirm_payout(tx, confirm)).entry_id
        elif item.kind is MatchKind.RETURN:
            back = payouts.ReturnPayout(
                item.target_id, booked_on, "returned by the bank", key, posted_on
            )
            entry_id = (await payouts.return_payouts(tx, [back]))[0].entry_id
        elif item.kind is MatchKind.CREDIT:
            paid = credit.ReceiveCredit(item.target_id, item.amount_fen, booked_on, posted_on, key)
            entry_id = (await credit.receive_credit(tx, paid)).entry_id
        else:
            entry_id = await _post(tx, item, key, posted_on, clearing_id)
        payment = payments.get(item.target_id)
        of_payment = item.kind in (MatchKind.PAYOUT, MatchKind.RETURN) and payment is not None
        rows.append(
            {
                "clearing_id": clearing_id,
                "position": place,
                "kind": item.kind,
                "target_id": item.target_id,
                "reference": payment.end_to_end_id if of_payment and payment else None,
                "amount_fen": item.amount_fen,
                "reason_code": item.reason_code,
                "entry_id": entry_id,
            }
        )
    await tx.execute(insert(clearing_item), rows)


async def _post(tx: Tx, item: Item, key: str, posted_on: Any, clearing_id: int) -> int:
    of_type, kind = BOOKED_AS.get(
        item.kind, (AccountType.BANK_CHARGES, EntryKind.SUSPENSE_RESOLVED)
    )
    owner = item.target_id if item.kind is MatchKind.WALLET else None
    suspense, account = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.BANK_SUSPENSE),
            ledger.OpenAccount(of_type, owner),
        ],
    )
    into = item.amount_fen > 0
    posted = await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=kind,
            effective_on=posted_on,
            lines=ledger.transfer(
                debit=suspense if into else account,
                credit=account if into else suspense,
                amount_fen=abs(item.amount_fen),
            ),
            key=key,
            source_kind="clearing",
            source_id=clearing_id,
            remark=item.reason_code,
        ),
    )
    return posted.entry_id


async def undo_clearing(tx: Tx, command: UndoClearing) -> queries.Clearing:
    """Take a clearing back by reversing entries; its lines are unexplained again.

    Raises:
        ClearingMissing: when there is none.
        LineNotReady: when it was undone before.
        InsufficientFunds: when the money has been spent since.
        PayoutNotReady: when a payment has moved on.
    """
    await explain_lines(tx)
    found = await queries.clearing_by_id(tx, command.clearing_id)
    if found.undone_at is not None:
        raise LineNotReady("The clearing was undone before.", asked="undone")
    for item in found.items:
        key = f"undo:clearing:{found.id}:{item.position}"
        await undo_booking(
            tx, MatchKind(item.kind), item.target_id, item.entry_id, command.reason, key
        )
    gone = {
        "undone_by": tx.actor.person_id,
        "undone_at": tx.now,
        "undo_reason": command.reason,
    }
    await tx.execute(update(clearing).where(clearing.c.id == found.id).values(**gone))
    of_clearing = (line_match.c.kind == MatchKind.CLEARING) & (line_match.c.target_id == found.id)
    await tx.execute(update(line_match).where(of_clearing).values(**gone))
    await tx.execute(
        update(statement_line)
        .where(statement_line.c.id.in_(select(line_match.c.line_id).where(of_clearing)))
        .values(status=LineStatus.UNMATCHED, note=f"undone: {command.reason}"[:500])
    )
    tx.audit("undo", subject="clearing", subject_id=found.id, reason=command.reason)
    return await queries.clearing_by_id(tx, found.id)


async def undo_booking(
    tx: Tx, kind: MatchKind, target_id: int, entry_id: int, reason: str, key: str
) -> None:
    """Take back what a line was booked as, by the reversal of its entry."""
    if kind in (MatchKind.PAYOUT, MatchKind.RETURN):
        undo = payouts.UndoOutcome(payout_id=target_id, entry_id=entry_id, reason=reason, key=key)
        take_back = payouts.undo_confirmation if kind is MatchKind.PAYOUT else payouts.undo_return
        await take_back(tx, undo)
    elif kind is MatchKind.CREDIT:
        await credit.take_receipt_back(tx, credit.TakeReceiptBack(entry_id, reason, key))
    else:
        await ledger.reverse_entry(
            tx, ledger.ReverseEntry(entry_id=entry_id, reason=reason, key=key)
        )
