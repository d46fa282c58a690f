"""What a reward run costs beside the plain sum that any computation must at least read.

The limit is one grouped sum over the year's charge lines. The ratios travel between machines, the
figures do not. The year is run three times, as a province would: draft, then approval by a second
person with posting and payouts. Then what every entity was paid is compared with plain integers,
and every share of every run of some entities with a slow computation line by line.

    python -m benchmarks rewards [--lines 2000000] [--providers 4000]

For 4,000 legal entities: `--lines 10000000 --providers 16000`. What posting a hundred thousand
lines costs beside the raw insert is measured by `python -m benchmarks ledger`.

Runs on a PostgreSQL of its own that is durable (fsync and synchronous_commit on).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Select, func, select, text

from benchmarks.reward_oracle import equals_line_by_line, equals_plain_integers
from marketplace.billing.invoicing.queries import service_totals
from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    open_account,
    post_entry,
    transfer,
)
from marketplace.billing.rewards.queries import Computation, computed_shares
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.use_cases import ApproveRun, DraftRun, approve_run, draft_run
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.time import SetClock
from marketplace.rulebook import rulebook

YEAR = 2025
QUARTER = date(YEAR, 3, 31)
RUNS = (date(YEAR, 4, 30), date(YEAR, 8, 31), date(YEAR, 12, 31))
LINES_PER_PROVIDER = 500
PROVIDERS_PER_ENTITY = 4
ROUNDS = 3
MAKER = Actor(2, 1, "centre", frozenset({"finance_maker"}))
CHECKER = Actor(3, 1, "centre", frozenset({"finance_checker"}))

# Rows that nothing else of the platform reads: what they refer to is not asked for.
FILL = """
set session_replication_role = replica;
insert into legal_entity (uscc, name, region_code, kind, capital, registered_by, registered_at)
  select 'E' || lpad(n::text, 17, '0'), 'entity ' || n, '320100', 'university', 'fiscal', 1, now()
  from generate_series(1, {entities}) n;
insert into organisation (legal_entity_id, kind, name, region_code, registered_by, registered_at)
  select (select min(id) from legal_entity where name like 'entity %') + n % {entities},
    'provider', 'provider ' || n, '320100', 1, now()
  from generate_series(0, {providers} - 1) n;
insert into provider_grade (provider_id, year, grade, source, noted_by, noted_at)
  select id, {year}, (array['excellent', 'good', 'qualified', 'unqualified'])[1 + id % 4],
    'benchmark', 1, now()
  from organisation where name like 'provider %';
insert into person (email, name, password_hash, password_changed_at, registered_at)
  select 'p' || n || '@example.com', 'p' || n, 'x', now(), now() from generate_series(2, 3) n;
"""
LINES = """
insert into charge_line (order_id, kind, provider_id, legal_entity_id, instrument_id, buyer_id,
  buyer_legal_entity_id, service_value_fen, voucher_fen, own_fen, settled_on, voucher_order,
  affiliated, counts_for_reward, recorded_by, recorded_at)
select n, 'service', o.id, o.legal_entity_id, 1, 1, 1, f.fen, f.fen / 4, f.fen - f.fen / 4,
  date '{year}-01-01' + (n::bigint * 365 / {lines})::integer, true, false, true, 1, now()
from generate_series($1::bigint, $2::bigint) n
cross join lateral (select 1000 + abs(hashint8(n)) % 3000000 as fen) f
join organisation o on o.id = $3 + abs(hashint8(n * 7919)) % {providers}
"""
AT_ONCE = 500_000


def seconds_of(figures: list[float]) -> float:
    """The middle of several rounds."""
    return statistics.median(figures)


async def timed(work: Callable[[], Awaitable[Any]], *, rounds: int = ROUNDS) -> float:
    """Seconds that `work` takes."""
    figures = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        figures.append(time.perf_counter() - began)
    return seconds_of(figures)


def private_kib(pid: int) -> int:
    """What of a process's memory is its own: the server's shared buffers are left out."""
    own, shared = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            shared = "/dev/zero" in rest or "/dev/shm" in rest or "/SYSV" in rest
        elif not shared and first in ("Private_Clean:", "Private_Dirty:"):
            own += int(rest.split()[0])
    return own


def with_workers(pid: int) -> list[int]:
    """A backend and the parallel workers that it has now."""
    found = [pid]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                title = (folder / "cmdline").read_bytes()
                if f"parallel worker for PID {pid} ".encode() in title.replace(b"\0", b" "):
                    found.append(int(folder.name))
    return found


class Watch:
    """The most private memory that a backend and its workers had while they were watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.own_kib = self.all_kib = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.03):
            sizes = []
            for pid in with_workers(self._pid):
                # A worker may be gone by now.
                with contextlib.suppress(OSError):
                    sizes.append(private_kib(pid))
            self.own_kib = max(self.own_kib, *sizes[:1], 0)
            self.all_kib = max(self.all_kib, sum(sizes))

    def __str__(self) -> str:
        if not self.own_kib:
            return "not readable"
        return f"{self.own_kib / 1024:.0f} MB, with its workers {self.all_kib / 1024:.0f} MB"


def cpu_seconds(pid: int) -> float:
    """What a backend has computed until now, and with it the workers that have ended."""

    def fields(of: int) -> list[str]:
        return Path(f"/proc/{of}/stat").read_text().rpartition(") ")[2].split()

    backend = fields(pid)
    ticks = [*backend[11:13], *fields(int(backend[1]))[13:15]]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def fill(plain: asyncpg.Connection, *, lines: int, providers: int) -> None:
    """A year of services, in the order of their days, and the parties behind them."""
    names = {
        "lines": lines,
        "providers": providers,
        "entities": max(1, providers // PROVIDERS_PER_ENTITY),
        "year": YEAR,
    }
    await plain.execute(FILL.format(**names))
    first = await plain.fetchval("select min(id) from organisation where name like 'provider %'")
    for start in range(0, lines, AT_ONCE):
        end = min(start + AT_ONCE, lines) - 1
        await plain.execute(LINES.format(**names), start, end, first)
    await plain.execute("set session_replication_role = origin")
    await plain.execute("vacuum analyze")


async def fund(database: Database) -> None:
    """More than the runs can pay."""

    async def receive(tx: Tx, _: None) -> None:
        bank = await open_account(tx, OpenAccount(AccountType.BANK))
        account = await open_account(tx, OpenAccount(AccountType.REWARD_FUND))
        received = Entry(
            kind=EntryKind.REWARD_FUND_RECEIVED,
            effective_on=tx.today,
            lines=transfer(debit=bank, credit=account, amount_fen=10**12),
            key="fund",
            source_kind="benchmark",
            source_id=1,
        )
        await post_entry(tx, received)

    await atomically(database, receive, None, actor=system_actor("benchmark"))


def the_year(through: date) -> Computation:
    """A computation by the terms of its last day."""
    return Computation(YEAR, through, RewardTerms.of(rulebook().reward.snapshot(through)))


def result_of(through: date) -> Select[int, Any]:
    """A run's shares, computed and summed up, not stored."""
    _, share = computed_shares(the_year(through))
    return select(func.count(), func.sum(share.c.amount_fen)).select_from(share)


async def computations(database: Database) -> dict[str, tuple[float, float, str]]:
    """Seconds, seconds of CPU and memory of the plain sums and of computing, nothing stored."""
    plain_sum = (
        "select {column}, sum(service_value_fen) from charge_line"
        f" where settled_on between '{YEAR}-01-01' and '{YEAR}-12-31'"
        " and counts_for_reward and voucher_order group by {column}"
    )
    questions = {
        "sum by legal entity (the limit)": text(plain_sum.format(column="legal_entity_id")),
        "sum by provider": text(plain_sum.format(column="provider_id")),
        "service totals of the year": service_totals(YEAR, RUNS[-1]),
        "whole year computed": result_of(RUNS[-1]),
        "a run of a quarter computed": result_of(QUARTER),
        "first run of three computed": result_of(RUNS[0]),
    }
    found = {}
    for name, question in questions.items():
        async with database.engine.connect() as connection:
            pid = (await connection.execute(text("select pg_backend_pid()"))).scalar_one()

            async def ask(of: Any = question, on: Any = connection) -> None:
                (await on.execute(of)).all()

            # Looking at the memory of a process slows it down, so it is not timed meanwhile.
            with Watch(pid) as watch:
                await ask()
            before = cpu_seconds(pid)
            seconds = await timed(ask)
            found[name] = (seconds, (cpu_seconds(pid) - before) / ROUNDS, str(watch))
    return found


async def run_the_year(
    database: Database, plain: asyncpg.Connection
) -> tuple[list[float], list[float], int]:
    """Seconds of each run's draft and approval, and how many shares were computed.

    Between runs the ledger's tables are analysed, as autovacuum does in the months between;
    the first approval posts to a ledger of which the planner knows nothing yet.
    """
    drafting, approving, computed = [], [], 0
    for through in RUNS:
        began = time.perf_counter()
        drafted = await atomically(database, draft_run, DraftRun(YEAR, through), actor=MAKER)
        drafting.append(time.perf_counter() - began)
        began = time.perf_counter()
        await atomically(database, approve_run, ApproveRun(drafted.id), actor=CHECKER)
        approving.append(time.perf_counter() - began)
        computed += drafted.providers
        await plain.execute("analyze entry; analyze posting; analyze account; analyze reward_share")
    return drafting, approving, computed


async def raw_inserts(plain: asyncpg.Connection) -> float:
    """Seconds to write the shares of the last run into a table without any rule."""
    await plain.execute("create table raw_share (like reward_share)")
    began = time.perf_counter()
    await plain.execute(
        "insert into raw_share select * from reward_share"
        " where run_id = (select max(id) from reward_run)"
    )
    return time.perf_counter() - began


async def measure(url: str, *, lines: int, providers: int) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(
        url,
        pool_size=2,
        statement_timeout_seconds=600,
        clock=SetClock(datetime(YEAR + 1, 1, 5, 2, tzinfo=UTC)),
    )
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    began = time.perf_counter()
    await fill(plain, lines=lines, providers=providers)
    await fund(database)
    size = await plain.fetchval("select pg_size_pretty(pg_table_size('charge_line'))")
    print(
        f"{lines:,} charge lines ({size}) of {providers:,} providers, made in"
        f" {time.perf_counter() - began:.0f} s; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}; PostgreSQL {await plain.fetchval('show server_version')},"
        f" work_mem {await plain.fetchval('show work_mem')}, median of {ROUNDS}\n"
    )
    found = await computations(database)
    limit, limit_cpu, _ = found["sum by legal entity (the limit)"]
    print(
        f"{'computed, nothing stored':<40} {'s':>8} {'of limit':>9} {'CPU s':>8} {'of limit':>9}"
        "   private memory"
    )
    for name, (seconds, cpu, memory) in found.items():
        print(
            f"{name:<40} {seconds:>8.3f} {seconds / limit:>9.2f} {cpu:>8.2f}"
            f" {cpu / limit_cpu:>9.2f}   {memory}",
            flush=True,
        )
    drafting, approving, shares = await run_the_year(database, plain)
    raw = await raw_inserts(plain)
    each = shares / len(RUNS)
    print(f"\n{f'the year in three runs, {shares:,} shares':<40} {'s':>8} {'of limit':>9}")
    for through, drafted, approved in zip(RUNS, drafting, approving, strict=True):
        print(f"{f'draft through {through}, stored':<40} {drafted:>8.3f} {drafted / limit:>9.2f}")
        print(
            f"{'  approve: verify, post, instruct':<40} {approved:>8.3f} {approved / limit:>9.2f}"
        )
    print(f"{'raw insert of one run of shares':<40} {raw:>8.3f} {each / raw:>9,.0f} a second")
    middle = seconds_of(approving)
    print(f"{'approval, shares':<40} {middle:>8.3f} {each / middle:>9,.0f} a second")
    print(f"{'approval beside the raw insert':<40} {middle / raw:>8.1f} times")
    entities, at_cap, total = await equals_plain_integers(plain)
    print(
        f"\n{entities:,} entities equal plain integers to the fen: {total / 100:,.2f} CNY,"
        f" {at_cap:,} at the cap, 0 above; no provider above its 5 %"
    )
    entities, shares = await equals_line_by_line(plain, RUNS)
    print(f"{shares:,} shares of {entities} entities equal a slow computation line by line")
    await plain.close()
    await database.close()


def main() -> int:
    """Start a durable server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000, help="charge lines of the year")
    parser.add_argument("--providers", type=int, help="one for every 500 lines unless given")
    asked = parser.parse_args()
    lines = max(1_000, min(asked.lines, 20_000_000))
    providers = max(8, asked.providers or lines // LINES_PER_PROVIDER)
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name) / "pg", options={"shared_buffers": "256MB"})
        try:
            asyncio.run(measure(server.start(), lines=lines, providers=providers))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
