"""Posting and reversing journal entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ARRAY, Integer, bindparam

from marketplace.billing.ledger.errors import SelfApproval
from marketplace.billing.ledger.queries import entry_by_id
from marketplace.billing.ledger.rules.entries import Entry
from marketplace.billing.ledger.use_cases.calls import Posted, db_call, posted_by
from marketplace.kernel.db import Tx

ENTRIES_AT_ONCE = 5_000

_POST = db_call(
    "select entry_id, replayed from ledger_post(:kind, :effective_on, :accounts, :amounts, :key,"
    " :source_kind, :source_id, :made_by, :approved_by, :reverses, :remark, :at)",
    kind=str,
    effective_on=date,
    accounts=[int],
    amounts=[int],
    key=str,
    source_kind=str,
    source_id=int,
    made_by=int,
    approved_by=int,
    reverses=int,
    remark=str,
    at=datetime,
)


async def post_entry(tx: Tx, command: Entry) -> Posted:
    """Post a journal entry once: under the same key the same entry is answered again.

    Raises:
        InsufficientFunds, BalanceTooHigh, AccountClosed: an account's limit.
        PeriodClosed: the entry's day is in a closed period.
        KeyReusedForOtherEntry: the key belongs to an entry that says something else.
        LedgersMixed, AccountMissing, SelfApproval, EntryReversed, ReversalFinal.
    """
    return await posted_by(
        tx,
        _POST,
        kind=command.kind,
        effective_on=command.effective_on,
        accounts=[line.account_id for line in command.lines],
        amounts=[line.amount_fen for line in command.lines],
        key=command.key,
        source_kind=command.source_kind,
        source_id=command.source_id,
        made_by=command.made_by or tx.actor.person_id,
        approved_by=command.approved_by,
        reverses=command.reverses,
        remark=command.remark,
        at=tx.now,
    )


_POST_MANY = db_call(
    "select entry_id, replayed from ledger_post_many(:kinds, :effective_on, :keys, :source_kinds,"
    " :source_ids, :made_by, :approved_by, :reverses, :remarks, :line_entries, :line_accounts,"
    " :line_amounts, :at) order by place",
    kinds=[str],
    effective_on=[date],
    keys=[str],
    source_kinds=[str],
    source_ids=[int],
    made_by=[int],
    approved_by=[int],
    reverses=[int],
    remarks=[str],
    line_accounts=[int],
    line_amounts=[int],
    at=datetime,
).bindparams(bindparam("line_entries", type_=ARRAY(Integer)))


async def post_many(tx: Tx, command: Sequence[Entry]) -> list[Posted]:
    """Post many entries, set by set: all of them or none. The answer is in the order given.

    Limits hold for each set of `ENTRIES_AT_ONCE` as a whole, not between its entries.

    Raises:
        DomainError: what `post_entry` raises, of any of them.
    """
    posted: list[Posted] = []
    for some in _chunks(command, ENTRIES_AT_ONCE):
        result = await tx.execute(
            _POST_MANY,
            {
                "kinds": [entry.kind for entry in some],
                "effective_on": [entry.effective_on for entry in some],
                "keys": [entry.key for entry in some],
                "source_kinds": [entry.source_kind for entry in some],
                "source_ids": [entry.source_id for entry in some],
                "made_by": [entry.made_by or tx.actor.person_id for entry in some],
                "approved_by": [entry.approved_by for entry in some],
                "reverses": [entry.reverses for entry in some],
                "remarks": [entry.remark for entry in some],
                "line_entries": [place for place, entry in enumerate(some, 1) for _ in entry.lines],
                "line_accounts": [line.account_id for entry in some for line in entry.lines],
                "line_amounts": [line.amount_fen for entry in some for line in entry.lines],
                "at": tx.now,
            },
        )
        posted.extend(Posted(row.entry_id, row.replayed) for row in result)
    return posted


def _chunks(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


@dataclass(frozen=True, slots=True)
class ReverseEntry:
    """Take an entry back, with the reason in the books; at most 500 characters."""

    entry_id: int
    reason: str
    key: str


_REVERSE = db_call(
    "select entry_id, replayed from ledger_reverse("
    ":entry_id, :effective_on, :key, :reason, :made_by, :approved_by, :at)",
    entry_id=int,
    effective_on=date,
    key=str,
    reason=str,
    made_by=int,
    approved_by=int,
    at=datetime,
)


async def reverse_entry(tx: Tx, command: ReverseEntry) -> Posted:
    """Post the exact negation of an entry, effective today: corrections are made no other way.

    Raises:
        EntryMissing: when there is no such entry.
        EntryReversed: when it was reversed before.
        ReversalFinal: when it is a reversal itself.
        InsufficientFunds: when the money has been spent since.
    """
    posted = await posted_by(
        tx,
        _REVERSE,
        entry_id=command.entry_id,
        effective_on=tx.today,
        key=command.key,
        reason=command.reason,
        made_by=tx.actor.person_id,
        approved_by=None,
        at=tx.now,
    )
    if not posted.replayed:
        tx.audit("reverse", subject="entry", subject_id=command.entry_id, reason=command.reason)
    return posted


async def reverse_what_another_made(tx: Tx, command: ReverseEntry) -> Posted:
    """`reverse_entry` by a checker, who may not be the person that made the entry.

    Raises:
        SelfApproval: when the checker made the entry.
        DomainError: what `reverse_entry` raises.
    """
    entry = await entry_by_id(tx, command.entry_id)
    if tx.actor.person_id in (entry.made_by, entry.approved_by):
        raise SelfApproval("Somebody who neither made nor approved the entry reverses it.")
    return await reverse_entry(tx, command)
