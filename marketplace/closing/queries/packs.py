"""Audit packs: which there are, how far they are, and what they are read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.closing.errors import PackMissing
from marketplace.closing.tables import audit_pack, audit_pack_part
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Pack:
    """An archive of a month for auditors."""

    id: int
    first_on: date
    last_on: date
    status: str
    entries_total: int
    entries_done: int
    asked_by: int
    asked_at: datetime
    ended_at: datetime | None
    size: int | None
    sha256: str | None
    manifest: dict[str, Any] | None
    problem: str


@dataclass(frozen=True, slots=True)
class PackSearch:
    """One page of packs."""

    page: int = 1
    page_size: int = 50


async def pack_by_id(tx: Tx, pack_id: int) -> Pack:
    """One pack.

    Raises:
        PackMissing: when there is none.
    """
    return await tx.one(
        Pack, select(audit_pack).where(audit_pack.c.id == pack_id), missing=PackMissing
    )


async def packs(tx: Tx, search: PackSearch) -> tuple[list[Pack], int]:
    """One page of packs, the latest first, and how many there are."""
    total = await tx.scalar(select(func.count()).select_from(audit_pack))
    found = await tx.all(
        Pack,
        select(audit_pack)
        .order_by(audit_pack.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return found, total


async def due_packs(tx: Tx, _: None = None) -> Sequence[int]:
    """The packs to be built, the oldest first; at most 20."""
    return await tx.scalars(
        select(audit_pack.c.id)
        .where(audit_pack.c.status.in_(("asked", "building")))
        .order_by(audit_pack.c.id)
        .limit(20)
    )


async def part_keys(tx: Tx, pack_id: int) -> Sequence[str]:
    """Where the parts of a pack lie, in order."""
    return await tx.scalars(
        select(audit_pack_part.c.storage_key)
        .where(audit_pack_part.c.pack_id == pack_id)
        .order_by(audit_pack_part.c.number)
    )


async def named_parts(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of these files a pack names."""
    return await tx.scalars(
        select(audit_pack_part.c.storage_key).where(audit_pack_part.c.storage_key.in_(keys))
    )


ENTRIES_TOTAL = "select count(*) from entry where effective_on between $1 and $2"

# Name, heading, query over the first and the last day; what each row says goes out as it comes.
TABLES = (
    (
        "entries.csv",
        "entry_id,ledger,kind,effective_on,posted_at,key,source_kind,source_id,reverses,remark,"
        "made_by,approved_by,account_id,account_type,owner_id,amount_fen",
        """
        select e.id, e.ledger, e.kind, e.effective_on, e.posted_at, e.key, e.source_kind,
               e.source_id, e.reverses, e.remark, e.made_by, e.approved_by, p.account_id, a.type,
               a.owner_id, p.amount_fen
        from entry e join posting p on p.entry_id = e.id join account a on a.id = p.account_id
        where e.effective_on between $1 and $2 order by e.id, p.account_id
        """,
    ),
    (
        "accounts.csv",
        "account_id,ledger,type,owner_kind,owner_id,opened_at,closed_at,opening_fen,debit_fen,"
        "credit_fen,closing_fen",
        """
        select a.id, a.ledger, a.type, a.owner_kind, a.owner_id, a.opened_at, a.closed_at,
               coalesce(s.opening, 0)::bigint, coalesce(s.debit, 0)::bigint,
               coalesce(s.credit, 0)::bigint, coalesce(s.closing, 0)::bigint
        from account a left join (
          select p.account_id, sum(p.amount_fen) filter (where e.effective_on < $1) as opening,
            sum(p.amount_fen) filter (where e.effective_on >= $1 and p.amount_fen > 0) as debit,
            sum(-p.amount_fen) filter (where e.effective_on >= $1 and p.amount_fen < 0) as credit,
            sum(p.amount_fen) as closing
          from posting p join entry e on e.id = p.entry_id
          where e.effective_on <= $2 group by p.account_id) s on s.account_id = a.id
        order by a.id
        """,
    ),
    (
        "trial_balance.csv",
        "ledger,type,debit_fen,credit_fen,balance_fen",
        """
        select a.ledger, a.type,
               coalesce(sum(p.amount_fen) filter (where p.amount_fen > 0), 0)::bigint,
               coalesce(sum(-p.amount_fen) filter (where p.amount_fen < 0), 0)::bigint,
               sum(p.amount_fen)::bigint
        from posting p join entry e on e.id = p.entry_id join account a on a.id = p.account_id
        where e.effective_on <= $2 and $1::date is not null
        group by a.ledger, a.type order by 1, 2
        """,
    ),
    (
        "evidence.csv",
        "kind,id,day,order_id,reference,sha256",
        """
        select kind, id, on_day, order_id, reference, sha256 from close_evidence
        where on_day between $1 and $2 order by kind, id
        """,
    ),
    (
        "seals.csv",
        "number,after_id,from_xid,to_xid,entries,last_id,previous,sha256,sealed_at",
        """
        select number, after_id, from_xid, to_xid, entries, last_id, encode(previous, 'hex'),
               encode(sha256, 'hex'), sealed_at
        from seal where $1::date <= $2::date order by number
        """,
    ),
)
