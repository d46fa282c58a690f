"""Reads every entry, seal and account in one snapshot and hands them to `rules/verification.py`.

The rows come through server-side cursors, so a ledger of any size needs the same memory. What the
database computed when it posted and sealed is computed again here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from sqlalchemy import func, select, text

from marketplace.billing.ledger.errors import VerificationRunning
from marketplace.billing.ledger.rules.digests import Seal, StoredEntry, stored_lines
from marketplace.billing.ledger.rules.verification import (
    AccountSums,
    Problem,
    SealCheck,
    VerifyReport,
    account_problems,
    entry_problems,
)
from marketplace.kernel.db import Database, errors_translated

ROWS_AT_ONCE = 1000
ACCOUNTS_AT_ONCE = 200
# The key of `pg_advisory_lock` under which one verification runs at a time.
VERIFY_LOCK = (4_862_004, 4)

_ENTRIES = """
select e.id, e.ledger, e.kind, e.effective_on, e.posted_at, e.xid, e.key, e.request_sha256,
       e.reverses, e.source_kind, e.source_id, e.remark, e.made_by, e.approved_by,
       l.accounts, l.amounts, l.seqs, l.balances,
       r.accounts as reversed_accounts, r.amounts as reversed_amounts
from entry e
left join lateral (
  select array_agg(p.account_id order by p.account_id) as accounts,
         array_agg(p.amount_fen order by p.account_id) as amounts,
         array_agg(p.account_seq order by p.account_id) as seqs,
         array_agg(p.balance_after_fen order by p.account_id) as balances
  from posting p where p.entry_id = e.id) l on true
left join lateral (
  select array_agg(p.account_id order by p.account_id) as accounts,
         array_agg(p.amount_fen order by p.account_id) as amounts
  from posting p where p.entry_id = e.reverses) r on e.reverses is not null
where e.id > $1 and e.id <= $2
order by e.xid, e.id
"""

_SEALS = """
select number, after_id, from_xid, to_xid, entries, last_id, previous, sha256
from seal where after_id = $1 order by number
"""

_ACCOUNTS = """
select a.id, a.posted_fen, a.held_fen, a.seq, coalesce(c.summed, 0)::bigint as summed_fen,
       c.postings, c.broken_entry_id, coalesce(h.held, 0)::bigint as open_holds_fen
from (select * from account where id > $1 and cached order by id limit $2) a
cross join lateral (
  select sum(x.amount_fen) as summed, count(*) as postings,
         min(x.entry_id) filter (where x.account_seq <> x.seq_before + 1
           or x.balance_after_fen <> x.balance_before + x.amount_fen) as broken_entry_id
  from (select p.entry_id, p.amount_fen, p.account_seq, p.balance_after_fen,
               lag(p.account_seq, 1, 0::bigint) over w as seq_before,
               lag(p.balance_after_fen, 1, 0::bigint) over w as balance_before
        from posting p where p.account_id = a.id and p.account_seq is not null
        window w as (order by p.account_seq)) x) c
cross join lateral (
  select sum(h.amount_fen) as held from hold h
  where h.account_id = a.id
    and not exists (select from hold_end e where e.hold_id = h.id)) h
order by a.id
"""


async def verify(database: Database, *, entries_max: int | None = None) -> VerifyReport:
    """Whether every entry, seal and account is as it should be.

    Some 20,000 entries a second. With `entries_max` the answer is bounded: what lies beyond was
    not looked at, nor were the accounts, and the report says that it is not complete.

    Raises:
        VerificationRunning: while another verification runs.
    """
    report = VerifyReport()
    async with errors_translated(), database.engine.connect() as plain:
        # One snapshot for everything: posting goes on meanwhile and is not seen.
        connection = await plain.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        async with connection.begin():
            if not await connection.scalar(select(func.pg_try_advisory_xact_lock(*VERIFY_LOCK))):
                raise VerificationRunning("Its report will be as good as yours.")
            await connection.execute(text("set local statement_timeout = '10min'"))
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await _verify_entries(driver, report, entries_max)
            if report.complete:
                await _verify_accounts(driver, report)
    return report


async def _verify_entries(
    driver: asyncpg.Connection[Any], report: VerifyReport, entries_max: int | None
) -> None:
    # More than one number here means that the database was restored into a younger server.
    counts = [row["after_id"] for row in await driver.fetch("select after_id from seal group by 1")]
    begins = sorted({0, *counts})
    check = SealCheck(report)
    for after_id, through_id in zip(begins, [*begins[1:], 2**63 - 1], strict=True):
        seals = _seals(driver, after_id)
        seal = await anext(seals, None)
        async for row in driver.cursor(_ENTRIES, after_id, through_id, prefetch=ROWS_AT_ONCE):
            if report.entries == entries_max:
                report.complete = False
                return
            entry = _stored(row)
            while seal is not None and entry.xid >= seal.to_xid:
                check.finish(seal)
                seal = await anext(seals, None)
            if seal is not None:
                check.add(entry)
            report.entries += 1
            report.postings += len(entry.lines)
            for problem in entry_problems(entry):
                report.add(problem)
        while seal is not None:
            check.finish(seal)
            seal = await anext(seals, None)


async def _seals(driver: asyncpg.Connection[Any], after_id: int) -> AsyncIterator[Seal]:
    async for row in driver.cursor(_SEALS, after_id, prefetch=ROWS_AT_ONCE):
        yield Seal(**row)


def _stored(row: asyncpg.Record) -> StoredEntry:
    return StoredEntry(
        id=row["id"],
        ledger=row["ledger"],
        kind=row["kind"],
        effective_on=row["effective_on"],
        posted_at=row["posted_at"],
        xid=row["xid"],
        key=row["key"],
        request_sha256=row["request_sha256"],
        reverses=row["reverses"],
        source_kind=row["source_kind"],
        source_id=row["source_id"],
        remark=row["remark"],
        made_by=row["made_by"],
        approved_by=row["approved_by"],
        lines=stored_lines(row["accounts"], row["amounts"], row["seqs"], row["balances"]),
        reversed_lines=stored_lines(row["reversed_accounts"], row["reversed_amounts"]),
    )


async def _verify_accounts(driver: asyncpg.Connection[Any], report: VerifyReport) -> None:
    last_id = 0
    while rows := await driver.fetch(_ACCOUNTS, last_id, ACCOUNTS_AT_ONCE):
        for row in rows:
            for problem in account_problems(AccountSums(**row)):
                report.add(problem)
        last_id = rows[-1]["id"]
        report.accounts += len(rows)
    # The books of a ledger sum to zero over all accounts, whatever single entries say.
    for row in await driver.fetch(
        "select ledger, sum(amount_fen)::bigint as total_fen from posting group by 1"
    ):
        if row["total_fen"]:
            report.add(Problem("ledger", f"{row['ledger']}: sums to {row['total_fen']} fen"))
