"""What matching statements costs beside the plain join of lines and payments, and how right it is.

As many lines as payments, of which the truth is known (`matching_world.py`). The limit is the join
on reference and amount. No match above the threshold may be wrong; how many of the lines that a
payment stands behind are found is printed, for each thing that becomes of payments.

    python -m benchmarks.matching [--lines 1000000] [--world unseen] [--seed 2]
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
from typing import Any

import asyncpg

from benchmarks.matching_world import WORLDS, fill
from benchmarks.rewards import Watch
from marketplace.billing.reconciliation.queries import Within, found_by_stage, proposals, propose
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, transaction
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.time import SetClock
from marketplace.rulebook import rulebook

NOW = datetime(2025, 4, 1, 2, tzinfo=UTC)

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


BY_KIND = """
select t.kind, count(*) as pairs,
       count(*) filter (where p.score >= $1) as explained, count(p.score) as proposed
  from truth t left join (
    select unnest(line_ids) as line_id, payout_ids, score from proposed) p
    on p.line_id = t.line_id and t.payout_id = any (p.payout_ids)
 group by 1 order by 2 desc, 1
"""


async def measure(url: str, lines: int, world: str, seed: int) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(url, pool_size=2, statement_timeout_seconds=900, clock=SetClock(NOW))
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    began = time.perf_counter()
    await fill(plain, world, lines=lines, seed=seed)
    made = await plain.fetchval("select count(*) from statement_line")
    seconds = time.perf_counter() - began
    print(
        f"the {world} world, seed {seed}: {made:,} lines and {lines:,} payments in {seconds:.0f} s"
    )
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};"
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
    within = Within(terms.match_days.on(NOW.date()), terms.late_match_days.on(NOW.date()))
    async with transaction(database, actor=system_actor("benchmark")) as tx:
        connection = await tx.raw()
        pid = await connection.fetchval("select pg_backend_pid()")
        with Watch(pid) as watch:
            began = time.perf_counter()
            await propose(tx, within)
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
        wrong, right = await _counted(connection, least)
        truth = await connection.fetchval("select count(*) from truth")
        for kind in await _by_kind(connection, least):
            pairs = kind["pairs"]
            print(
                f"  {kind['kind']:<14} {pairs:>9,} pairs: {kind['explained'] / pairs:6.1%}"
                f" explained, {kind['proposed'] / pairs:6.1%} with suggestions"
            )
        any_wrong, any_right = await _counted(connection, 0)
    print(
        f"explained {right:,} of {truth:,} pairs of line and payment (recall {right / truth:.1%}),"
        f" {wrong} wrong; with suggestions {any_right / truth:.1%}, {any_wrong} wrong"
    )
    if wrong:
        raise AssertionError(f"{wrong} false matches above the threshold")


async def _counted(connection: Any, least: int) -> tuple[int, int]:
    """How many pairs were proposed with at least this score that are wrong, and that are right."""
    row = await connection.fetchrow(WRONG, least)
    return row[0], row[1]


async def _by_kind(connection: Any, least: int) -> list[Any]:
    return list(await connection.fetch(BY_KIND, least))


def main() -> int:
    """Start a durable server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000, help="payments of the year")
    parser.add_argument("--world", choices=sorted(WORLDS), default="round")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    lines = max(1_000, min(asked.lines, 5_000_000))
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name) / "pg", options={"shared_buffers": "256MB"})
        try:
            asyncio.run(measure(server.start(), lines, asked.world, asked.seed))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
