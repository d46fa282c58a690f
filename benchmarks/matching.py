"""What matching statements costs beside the plain join of lines and payments, and how right it is.

As many lines as payments, of which the truth is known: most carry their reference, the others lost
it, carry that of another payment, came in parts, several in one, late, in another's words, or came
back. The limit is the join on reference and amount. No match above the threshold may be wrong; how
many of the lines that a payment stands behind are found is printed.

    python -m benchmarks.matching [--lines 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks.rewards import Watch
from marketplace.billing.reconciliation.queries import found_by_stage, proposals, propose
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, transaction
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.time import SetClock
from marketplace.rulebook import rulebook

NOW = datetime(2025, 4, 1, 2, tzinfo=UTC)

# Shares of what happens to a payment, in percent; the rest has no line, or one of somebody else.
FILL = """
set session_replication_role = replica;
insert into bank_account (organisation_id, bank_name, cnaps, number, holder, made_by, made_at)
  select n, 'bank', '105301000013', (6222000000000000 + n)::text, 'holder ' || n / 2, 1, now()
    from generate_series(1, {accounts}) n;
insert into payout (organisation_id, amount_fen, source_kind, source_id, debit_account_id, status,
    batch_id, bank_account_id, instructed_by, instructed_at, sent_at, confirmed_on)
  select 1, 100000 + abs(hashint8(n * 31)) % 500 * 1000, 'claim', n, 1,
    case when n % 100 between 93 and 95 then 'confirmed' else 'sent' end, 1,
    1 + abs(hashint8(n * 17)) % {accounts}, 1, now(), timestamptz '2025-03-01 10:00+08'
      + (n % 10) * interval '1 day',
    case when n % 100 between 93 and 95 then date '2025-03-12' end
    from generate_series(1, {lines}) n;
create table truth (line_id bigint, payout_id bigint);
create temp table fate as
  select p.id, p.amount_fen, p.end_to_end_id as reference, b.number, b.holder,
    date '2025-03-01' + (p.id % 10)::integer as sent_on, (p.id % 100)::integer as kind
    from payout p join bank_account b on b.id = p.bank_account_id;
create temp table made (
  payouts bigint[], booked_on date, amount_fen bigint, name text, account text, named text[]);
insert into made select array[id], sent_on + (id % 4)::integer, -amount_fen, holder, number,
  array[reference] from fate where kind < 70;
insert into made select array[id], sent_on + 1, -amount_fen, holder, number, '{{}}'
  from fate where kind between 70 and 76;
insert into made select array[id], sent_on + 1, -amount_fen, holder, number,
  array['SC-P-' || id - 60] from fate where kind between 77 and 80;
insert into made select array[id], sent_on + 1 + part, -(amount_fen / 2), holder, number,
  array[reference] from fate, generate_series(0, 1) part where kind between 81 and 84;
insert into made select array_agg(id), max(sent_on) + 1, -sum(amount_fen), '', '',
  array_agg(reference order by reference) from fate where kind between 85 and 88
  group by id / 100, kind / 2;
insert into made select array[id], sent_on + 25, -amount_fen, holder, number, '{{}}'
  from fate where kind between 89 and 92;
insert into made select array[id], date '2025-03-14', amount_fen, holder, number,
  array[reference] from fate where kind between 93 and 95;
insert into made select array[id], sent_on + 2, -amount_fen, holder, '', '{{}}'
  from fate where kind between 96 and 97;
insert into made select '{{}}', sent_on + 2, -amount_fen - 7000, 'stranger', number, '{{}}'
  from fate where kind = 98;
insert into statement_line (statement_id, line_number, identity, booked_on, amount_fen, balance_fen,
    counterparty_name, counterparty_account, remark, bank_reference, status, named)
  overriding user value
  select 1, row_number() over (), sha256(ctid::text::bytea), booked_on, amount_fen, 0, name,
    account, array_to_string(named, ' '), '', 'unmatched', named from made;
insert into truth select l.id, p from (
    select row_number() over () as line_number, payouts from made) m
  join statement_line l using (line_number) cross join lateral unnest(m.payouts) p;
drop table fate;
drop table made;
set session_replication_role = origin;
"""
JOIN = """
select count(*) from statement_line l join payout p
  on p.end_to_end_id = l.named[1] and p.amount_fen = abs(l.amount_fen)
"""
WRONG = """
select count(*) filter (where t.line_id is null), count(t.line_id)
  from (select unnest(line_ids) as line_id, payout_ids from proposed where score >= $1) p
  cross join lateral unnest(p.payout_ids) u(payout_id)
  left join truth t on t.line_id = p.line_id and t.payout_id = u.payout_id
"""


async def measure(url: str, lines: int) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(url, pool_size=2, statement_timeout_seconds=900, clock=SetClock(NOW))
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    began = time.perf_counter()
    await plain.execute(FILL.format(lines=lines, accounts=max(1, lines // 5)))
    await plain.execute("vacuum analyze statement_line, payout, bank_account, truth")
    made = await plain.fetchval("select count(*) from statement_line")
    print(
        f"{made:,} lines and {lines:,} payments, made in {time.perf_counter() - began:.0f} s;"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};"
        f" work_mem {await plain.fetchval('show work_mem')}"
    )
    limit = min([await timed(plain) for _ in range(3)])
    print(f"{'plain join on reference and amount':<40} {limit:>8.2f} s")
    await matched(database, limit)
    await database.close()
    await plain.close()


async def timed(plain: asyncpg.Connection) -> float:
    """Seconds of the plain join."""
    began = time.perf_counter()
    await plain.fetchval(JOIN)
    return time.perf_counter() - began


async def matched(database: Database, limit: float) -> None:
    """Find, read in pieces, and compare with the truth."""
    terms = rulebook().banking
    least = terms.auto_match_score.on(NOW.date())
    async with transaction(database, actor=system_actor("benchmark")) as tx:
        connection = await tx.raw()
        pid = await connection.fetchval("select pg_backend_pid()")
        with Watch(pid) as watch:
            began = time.perf_counter()
            await propose(tx, terms.match_days.on(NOW.date()))
            seconds = time.perf_counter() - began
            began = time.perf_counter()
            read = 0
            async for _ in proposals(tx):
                read += 1
            reading = time.perf_counter() - began
        print(f"{'all stages':<40} {seconds:>8.2f} s, {seconds / limit:.1f} x the join")
        print(f"{f'{read:,} proposals read in pieces':<40} {reading:>8.2f} s")
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"private memory: backend {watch}; this process at most {rss:.0f} MB in all")
        for one in await found_by_stage(tx):
            sure = "explained" if one.score >= least else "suggested"
            print(f"  {one.stage:<14} {one.score:>4} {one.proposals:>9,} {sure}")
        wrong, right = await connection.fetchrow(WRONG, least)
        truth = await connection.fetchval("select count(*) from truth")
        any_wrong, any_right = await connection.fetchrow(WRONG, 0)
    print(
        f"explained {right:,} of {truth:,} pairs of line and payment (recall {right / truth:.1%}),"
        f" {wrong} wrong; with suggestions {any_right / truth:.1%}, {any_wrong} wrong"
    )
    if wrong:
        raise AssertionError(f"{wrong} false matches above the threshold")


def main() -> int:
    """Start a durable server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000, help="payments of the year")
    lines = max(1_000, min(parser.parse_args().lines, 5_000_000))
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name) / "pg", options={"shared_buffers": "256MB"})
        try:
            asyncio.run(measure(server.start(), lines))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
