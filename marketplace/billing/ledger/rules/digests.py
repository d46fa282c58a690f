"""Digests of what the ledger says, computed here apart from the database that computed them first.

`ledger_request`, `ledger_digest` and `ledger_seal` in the migration are the same three in SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_SEAL = bytes(32)


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A posting as it is stored; the last two are None on a wide account."""

    account_id: int
    amount_fen: int
    account_seq: int | None
    balance_after_fen: int | None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored, with its lines in order of account.

    `reversed_lines` are those of the entry that this one reverses.
    """

    id: int
    ledger: str
    kind: str
    effective_on: date
    posted_at: datetime
    xid: int
    key: str
    request_sha256: bytes
    reverses: int | None
    source_kind: str
    source_id: int
    remark: str
    made_by: int
    approved_by: int | None
    lines: tuple[StoredLine, ...]
    reversed_lines: tuple[StoredLine, ...] = ()


def request_digest(entry: StoredEntry) -> bytes:
    """What was asked for: two requests under one key must agree in this."""
    text = "|".join(
        (
            entry.kind,
            entry.effective_on.isoformat(),
            entry.source_kind,
            str(entry.source_id),
            _text(entry.reverses),
            ",".join(str(line.account_id) for line in entry.lines),
            ",".join(str(line.amount_fen) for line in entry.lines),
            entry.remark,
        )
    )
    return hashlib.sha256(text.encode()).digest()


def entry_digest(entry: StoredEntry) -> bytes:
    """Everything an entry says, with what each line made of its account."""
    posted_at = (entry.posted_at - _EPOCH) // timedelta(microseconds=1)
    lines = ";".join(
        f"{line.account_id},{line.amount_fen},{_text(line.account_seq)},"
        f"{_text(line.balance_after_fen)}"
        for line in entry.lines
    )
    text = "|".join(
        (
            str(entry.id),
            entry.ledger,
            str(posted_at),
            str(entry.xid),
            str(len(entry.key)),
            entry.key,
            str(entry.made_by),
            _text(entry.approved_by),
            entry.request_sha256.hex(),
            lines,
        )
    )
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A link of the chain: the digest of some entries, of their number, and of the link before."""

    number: int
    after_id: int
    from_xid: int
    to_xid: int
    entries: int
    last_id: int
    previous: bytes
    sha256: bytes


def seal_digest(seal: Seal, entries_sha256: bytes) -> bytes:
    """What `seal.sha256` must be, given the digest of its entries' digests in order."""
    head = f"{seal.number}|{seal.after_id}|{seal.from_xid}|{seal.to_xid}|{seal.entries}|"
    return hashlib.sha256(head.encode() + seal.previous + entries_sha256).digest()


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def stored_lines(
    accounts: Sequence[int] | None,
    amounts: Sequence[int] | None,
    seqs: Sequence[int | None] | None = None,
    balances: Sequence[int | None] | None = None,
) -> tuple[StoredLine, ...]:
    """Lines from the four columns in which they are read."""
    accounts, amounts = accounts or (), amounts or ()
    nothing: tuple[None, ...] = (None,) * len(accounts)
    return tuple(
        StoredLine(account_id, amount_fen, seq, balance_fen)
        for account_id, amount_fen, seq, balance_fen in zip(
            accounts, amounts, seqs or nothing, balances or nothing, strict=True
        )
    )
