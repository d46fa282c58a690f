"""What became of payouts: confirmed by the statement, rejected by the bank, or sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Date, Text, bindparam, column, func, update

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import EntryKind
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import PayoutNotReady
from marketplace.billing.payouts.events import PayoutConfirmed, PayoutReopened, PayoutReturned
from marketplace.billing.payouts.tables import payout
from marketplace.billing.payouts.use_cases.entries import (
    in_transit,
    on_the_statement,
    payout_entry,
)
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ConfirmPayout:
    """The bank's statement shows the payment on `booked_on`.

    `key` names the entry: a payment that is confirmed, undone and confirmed again has two.
    `posted_on` is the entry's day, where the books of `booked_on` are closed.
    """

    payout_id: int
    booked_on: date
    key: str
    posted_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReturnPayout:
    """The bank's statement shows that a confirmed payment came back on `booked_on`."""

    payout_id: int
    booked_on: date
    reason: str
    key: str
    posted_on: date | None = None


@dataclass(frozen=True, slots=True)
class RejectPayout:
    """The bank refused a payment of a file it was sent: nothing left the account."""

    payout_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """A payment was confirmed, or returned, by mistake; `entry_id` is the entry that says so."""

    payout_id: int
    entry_id: int
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A payout after a step, and the entry that was posted for it."""

    payout: queries.Payout
    entry_id: int


async def confirm_payout(tx: Tx, command: ConfirmPayout) -> Outcome:
    """Book one payment that the bank made. See `confirm_payouts`."""
    (made,) = await confirm_payouts(tx, [command])
    return made


async def confirm_payouts(tx: Tx, commands: Sequence[ConfirmPayout]) -> list[Outcome]:
    """Book that the bank has paid, in a handful of statements; answers in the order given.

    Raises:
        PayoutNotReady: when one of them was not sent, or is confirmed already.
    """
    moved = await _move(
        tx,
        expected="sent",
        status="confirmed",
        ids=[one.payout_id for one in commands],
        values={"confirmed_on": _given.c.day},
        days=[one.booked_on for one in commands],
    )
    debit, credit = await in_transit(tx), await on_the_statement(tx)
    posted = await ledger.post_many(
        tx,
        [
            payout_entry(
                moved[one.payout_id],
                EntryKind.PAYOUT_CONFIRMED,
                debit=debit,
                credit=credit,
                on=one.posted_on or one.booked_on,
                key=one.key,
            )
            for one in commands
        ],
    )
    for one in commands:
        tx.record(_confirmed(moved[one.payout_id], one.booked_on))
    return [
        Outcome(moved[one.payout_id], entry.entry_id)
        for one, entry in zip(commands, posted, strict=True)
    ]


async def return_payouts(tx: Tx, commands: Sequence[ReturnPayout]) -> list[Outcome]:
    """Book that payments came back: what was owed is owed again; answers in the order given.

    Raises:
        PayoutNotReady: when one of them is not confirmed: what never left cannot come back.
    """
    moved = await _move(
        tx,
        expected="confirmed",
        status="returned",
        ids=[one.payout_id for one in commands],
        values={"returned_on": _given.c.day, "return_reason": _given.c.reason},
        days=[one.booked_on for one in commands],
        reasons=[one.reason for one in commands],
    )
    back = await on_the_statement(tx)
    posted = await ledger.post_many(
        tx,
        [
            payout_entry(
                moved[one.payout_id],
                EntryKind.PAYOUT_RETURNED,
                debit=back,
                credit=moved[one.payout_id].debit_account_id,
                on=one.posted_on or one.booked_on,
                key=one.key,
            )
            for one in commands
        ],
    )
    for one in commands:
        tx.record(_returned(moved[one.payout_id], one.reason))
        tx.audit("return", subject="payout", subject_id=one.payout_id, reason=one.reason)
    return [
        Outcome(moved[one.payout_id], entry.entry_id)
        for one, entry in zip(commands, posted, strict=True)
    ]


async def reject_payout(tx: Tx, command: RejectPayout) -> queries.Payout:
    """Book that the bank refused a payment: what was owed is owed again.

    Should the statement show the payment after all, its line finds no payout that waits for it and
    stays an exception for a person.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it was not sent, or is confirmed.
    """
    await queries.payout_by_id(tx, command.payout_id)
    (found,) = await reject_payouts(tx, [command])
    return found


async def reject_payouts(tx: Tx, commands: Sequence[RejectPayout]) -> list[queries.Payout]:
    """Book that the bank refused payments, in a handful of statements; answers in the order given.

    Raises:
        PayoutNotReady: when one of them was not sent, or is confirmed.
    """
    moved = await _move(
        tx,
        expected="sent",
        status="returned",
        ids=[one.payout_id for one in commands],
        values={"returned_on": _given.c.day, "return_reason": _given.c.reason},
        days=[tx.today] * len(commands),
        reasons=[one.reason for one in commands],
    )
    transit = await in_transit(tx)
    await ledger.post_many(
        tx,
        [
            payout_entry(
                moved[one.payout_id],
                EntryKind.PAYOUT_REJECTED,
                debit=transit,
                credit=moved[one.payout_id].debit_account_id,
                on=tx.today,
            )
            for one in commands
        ],
    )
    for one in commands:
        tx.record(_returned(moved[one.payout_id], one.reason))
        tx.audit("reject", subject="payout", subject_id=one.payout_id, reason=one.reason)
    return [moved[one.payout_id] for one in commands]


async def undo_confirmation(tx: Tx, command: UndoOutcome) -> int:
    """Take back that a payment was made: it is sent and waits again. Answers the reversal.

    Raises:
        PayoutNotReady: when it is not confirmed any more, for instance returned since.
    """
    moved = await _move(
        tx,
        expected="confirmed",
        status="sent",
        ids=[command.payout_id],
        values={"confirmed_on": None},
    )
    found = moved[command.payout_id]
    tx.record(
        PayoutReopened(
            payout_id=found.id,
            organisation_id=found.organisation_id,
            source_kind=found.source_kind,
            source_id=found.source_id,
            amount_fen=found.amount_fen,
            reason=command.reason,
        )
    )
    return await _reverse(tx, command)


async def undo_return(tx: Tx, command: UndoOutcome) -> int:
    """Take back that a payment came back: it is confirmed again. Answers the reversal.

    Raises:
        PayoutNotReady: when it was instructed again since.
        InsufficientFunds: when what was owed again has been paid out since.
    """
    moved = await _move(
        tx,
        expected="returned",
        status="confirmed",
        ids=[command.payout_id],
        values={"returned_on": None, "return_reason": None},
    )
    found = moved[command.payout_id]
    tx.record(_confirmed(found, found.confirmed_on or tx.today))
    return await _reverse(tx, command)


async def _reverse(tx: Tx, command: UndoOutcome) -> int:
    posted = await ledger.reverse_entry(
        tx, ledger.ReverseEntry(entry_id=command.entry_id, reason=command.reason, key=command.key)
    )
    return posted.entry_id


# What a step is given for each payout, as one table of three columns.
_given = (
    func.unnest(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("days", type_=ARRAY(Date)),
        bindparam("reasons", type_=ARRAY(Text)),
    )
    .table_valued(column("id", BigInteger), column("day", Date), column("reason", Text))
    .render_derived(name="given")
)


async def _move(
    tx: Tx,
    *,
    expected: str,
    status: str,
    ids: Sequence[int],
    values: dict[str, Any],
    days: Sequence[date] = (),
    reasons: Sequence[str] = (),
) -> dict[int, queries.Payout]:
    """The payouts after the step, by id; all of them were `expected`, or none moves."""
    moved = await tx.all(
        queries.Payout,
        update(payout)
        .where(payout.c.id == _given.c.id, payout.c.status == expected)
        .values(status=status, **values)
        .returning(payout),
        {"ids": list(ids), "days": list(days), "reasons": list(reasons)},
    )
    if len(moved) < len(ids):
        raise PayoutNotReady(
            f"This step needs a payout that is {expected}.",
            asked=sorted(set(ids) - {one.id for one in moved}),
            limit=[expected],
        )
    return {one.id: one for one in moved}


def _confirmed(of: queries.Payout, booked_on: date) -> PayoutConfirmed:
    return PayoutConfirmed(
        payout_id=of.id,
        organisation_id=of.organisation_id,
        source_kind=of.source_kind,
        source_id=of.source_id,
        amount_fen=of.amount_fen,
        booked_on=booked_on,
    )


def _returned(of: queries.Payout, reason: str) -> PayoutReturned:
    return PayoutReturned(
        payout_id=of.id,
        organisation_id=of.organisation_id,
        source_kind=of.source_kind,
        source_id=of.source_id,
        amount_fen=of.amount_fen,
        reason=reason,
    )
