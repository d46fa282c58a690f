"""What the ledger's guarantees cost: posting beside the raw limit, in one run on one machine.

The raw limit is what any ledger must at least do: one entry, two postings and two balances in one
call, with primary keys and nothing else. The ratios travel between machines, the figures do not.

    python -m benchmarks.ledger [--seconds 2]

Runs on a PostgreSQL of its own that is durable (fsync and synchronous_commit on), some 90 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path

import asyncpg

from marketplace.billing.ledger.jobs import JOBS
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    Line,
    OpenAccount,
    PlaceHold,
    SettleHold,
    open_account,
    open_accounts,
    place_hold,
    post_entry,
    post_many,
    settle_hold,
    transfer,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.embedded.binaries import postgres_binaries
from marketplace.kernel.migrate import migrate_async

ACTOR = system_actor("benchmark")
A_DAY = date(2025, 3, 3)
ACCOUNTS = 10_000
CLIENTS = 8
ROUNDS = 2
BULK_LINES = 100_000
SMALL_BEFORE = 12

RAW = """
create table raw_account (id bigint primary key, balance bigint not null) with (fillfactor = 50);
create table raw_entry (id bigint generated always as identity primary key,
  kind text not null, effective_on date not null, posted_at timestamptz not null default now());
create table raw_posting (entry_id bigint, account_id bigint, amount bigint not null,
  primary key (entry_id, account_id));
create function raw_transfer(debit bigint, credit bigint, fen bigint) returns bigint
language plpgsql as $$
declare made bigint;
begin
  insert into raw_entry (kind, effective_on) values ('order_settled', '2025-03-03')
    returning id into made;
  update raw_account set balance = balance + fen where id = least(debit, credit);
  update raw_account set balance = balance - fen where id = greatest(debit, credit);
  insert into raw_posting values (made, debit, fen), (made, credit, -fen);
  return made;
end $$;
"""

# The rows of new entries, written again with primary keys and balances and nothing else.
RAW_BULK = """
insert into raw_entry (kind, effective_on) select kind, effective_on from entry where id > {last};
insert into raw_posting select entry_id, account_id, amount_fen from posting
  where entry_id > {last};
update raw_account a set balance = balance + p.fen
  from (select account_id, sum(amount_fen)::bigint as fen from posting where entry_id > {last}
        group by 1) p
  where p.account_id = a.id;
"""

POST = (
    "select ledger_post('order_settled', '2025-03-03',"
    " array[least({debit}::bigint, {credit}::bigint), greatest({debit}::bigint, {credit}::bigint)],"
    " array[1, -1]::bigint[], {key}, 'benchmark', 1, 1, null, null, '', now())"
)
TWO = f"\\set d random(1, {ACCOUNTS})\n\\set c 1 + (:d + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}\n"
KEY = "gen_random_uuid()::text"

# A wallet and an account that everybody posts to: `wide` below is the bank's id.
SCRIPTS = {
    "raw limit": TWO + "select raw_transfer(:d, :c, 1);\n",
    "ledger_post": TWO + POST.format(debit=":d", credit=":c", key=KEY) + ";\n",
    "ledger_post, one side hot": TWO + POST.format(debit=":d", credit=":wide", key=KEY) + ";\n",
    "hold, then settle": TWO
    + f"select hold_id as held from ledger_hold(:d, 1, null, {KEY}, 'benchmark', 1, 1, now())"
    " \\gset\n"
    "select ledger_settle_hold(:held, 1, :c, 'order_settled',"
    f" '2025-03-03', {KEY}, 'benchmark', 1, 1, '', now());\n",
}


def pgbench(folder: Path, url: str, script: str, *, wide: int, seconds: float) -> float:
    """Transactions a second of `script`, by PostgreSQL's own tool, client costs left out."""
    program = postgres_binaries().folder / "pgbench"
    host, port = re.findall(r"host=([^&]+)&port=(\d+)", url)[0]
    file = folder / "script.sql"
    file.write_text(script)
    command = [
        *(str(program if program.exists() else "pgbench"), "-n", "-M", "prepared"),
        *("-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds)))),
        *("-D", f"wide={wide}", "-f", str(file), "-h", host, "-p", port),
        *("-U", "marketplace", "marketplace"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+)", ended.stdout)
    if found is None or ended.returncode:
        raise RuntimeError(ended.stdout + ended.stderr)
    return float(found.group(1))


async def rate(work: Callable[[int], Awaitable[object]], *, seconds: float) -> float:
    """How often a second `CLIENTS` tasks of this process finish `work`."""
    numbers = itertools.count()
    began = time.perf_counter()

    async def client() -> int:
        done = 0
        while time.perf_counter() - began < seconds:
            await work(next(numbers))
            done += 1
        return done

    done = sum(await asyncio.gather(*(client() for _ in range(CLIENTS))))
    return done / (time.perf_counter() - began)


def two_accounts(number: int) -> tuple[int, int]:
    """A pair that spreads over all accounts."""
    debit = number * 7919 % ACCOUNTS
    return debit + 1, (debit + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS + 1


def entry(number: int, round_: str) -> Entry:
    """An entry as the application makes it."""
    debit, credit = two_accounts(number)
    return Entry(
        kind=EntryKind.ORDER_SETTLED,
        effective_on=A_DAY,
        lines=transfer(debit=debit, credit=credit, amount_fen=1),
        key=f"{round_}:{number}",
        source_kind="benchmark",
        source_id=number,
    )


def a_top_up(bank: int, wallet: int, key: str) -> Entry:
    """Money for a wallet."""
    return Entry(
        kind=EntryKind.WALLET_TOP_UP,
        effective_on=A_DAY,
        lines=transfer(debit=bank, credit=wallet, amount_fen=10**9),
        key=key,
        source_kind="benchmark",
        source_id=wallet,
    )


def a_collective(bank: int, wallets: Sequence[int], key: str) -> Entry:
    """Money for many wallets in one entry, as a reward run pays."""
    lines = (Line(account_id=wallet, amount_fen=-1) for wallet in wallets)
    return Entry(
        kind=EntryKind.WALLET_TOP_UP,
        effective_on=A_DAY,
        lines=(Line(account_id=bank, amount_fen=len(wallets)), *lines),
        key=key,
        source_kind="benchmark",
        source_id=1,
    )


async def set_up(database: Database, plain: asyncpg.Connection) -> tuple[int, float]:
    """`ACCOUNTS` wallets with money; the bank's id, and how fast the money was posted in bulk."""
    await plain.execute(RAW)
    await plain.execute(
        f"insert into raw_account select n, 0 from generate_series(1, {ACCOUNTS}) n"
    )
    await plain.execute(
        "insert into account (ledger, type, owner_kind, owner_id, normal, min_available_fen,"
        " cached, opened_at) select 'cash', 'wallet', 'organisation', n, -1, 0, true, now()"
        f" from generate_series(1, {ACCOUNTS}) n"
    )
    bank = await atomically(database, open_account, OpenAccount(AccountType.BANK), actor=ACTOR)
    top_ups = [a_top_up(bank, wallet, f"top-up:{wallet}") for wallet in range(1, ACCOUNTS + 1)]
    began = time.perf_counter()
    await atomically(database, post_many, top_ups, actor=ACTOR)
    bulk = ACCOUNTS / (time.perf_counter() - began)
    await plain.execute("vacuum analyze")
    return bank, bulk


async def bulk_unknown_to_the_planner(url: str) -> None:
    """Print what `BULK_LINES` lines in one transaction cost in tables nobody has analysed.

    The session has posted before, while the tables were small and known to be: whatever it has
    planned then must not be what it does now. The limit writes the same rows, set by set too.
    """
    await migrate_async(url)
    database = Database(url, pool_size=1, statement_timeout_seconds=600)
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    bank = await atomically(database, open_account, OpenAccount(AccountType.BANK), actor=ACTOR)
    first = await atomically(
        database, open_account, OpenAccount(AccountType.WALLET, 1), actor=ACTOR
    )
    for table in ("account", "entry", "posting"):
        await plain.execute(f"alter table {table} set (autovacuum_enabled = off)")
    await plain.execute("vacuum analyze account, entry, posting")
    for number in range(SMALL_BEFORE):
        small = [a_top_up(bank, first, f"small:{number}")]
        await atomically(database, post_many, small, actor=ACTOR)
        await atomically(database, post_entry, a_top_up(bank, first, f"one:{number}"), actor=ACTOR)
    await plain.execute("vacuum analyze account, entry, posting")
    await atomically(database, post_entry, a_top_up(bank, first, "last"), actor=ACTOR)
    wallets = [OpenAccount(AccountType.WALLET, 2 + n) for n in range(BULK_LINES // 2)]
    began = time.perf_counter()
    opened = await atomically(database, open_accounts, wallets, actor=ACTOR)
    opening = time.perf_counter() - began
    await plain.execute(RAW)
    await plain.execute("insert into raw_account select id, 0 from account")
    print(
        f"\n{f'{BULK_LINES:,} lines, tables not analysed':<38} {'s':>10} {'of raw':>7} {'raw s':>7}"
    )
    shapes = {
        "post_many, two lines an entry": [
            a_top_up(bank, wallet, f"bulk:{wallet}") for wallet in opened
        ],
        "post_many, 1,001 lines an entry": [
            a_collective(bank, opened[start : start + 1_000], f"collective:{turn}:{start}")
            for turn in range(2)
            for start in range(0, len(opened), 1_000)
        ],
    }
    for name, entries in shapes.items():
        last = await plain.fetchval("select max(id) from entry")
        began = time.perf_counter()
        await atomically(database, post_many, entries, actor=ACTOR)
        posting = time.perf_counter() - began
        began = time.perf_counter()
        await plain.execute(RAW_BULK.format(last=last))
        raw = time.perf_counter() - began
        print(f"{name:<38} {posting:>10.2f} {posting / raw:>7.2f} {raw:>7.2f}")
    print(f"{f'open_accounts, {len(opened):,} of them':<38} {opening:>10.2f}")
    await plain.close()
    await database.close()


async def bulk_in_a_new_database(url: str) -> None:
    """`bulk_unknown_to_the_planner` beside the database of the other figures."""
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    await plain.execute("create database bulk")
    await plain.close()
    await bulk_unknown_to_the_planner(url.replace("/marketplace?", "/bulk?"))


async def a_round(
    name: str, database: Database, pool: asyncpg.Pool, seconds: float
) -> dict[str, float]:
    """Figures of the application's own process, for one round."""

    async def raw(number: int) -> None:
        await pool.fetch("select raw_transfer($1, $2, 1)", *two_accounts(number))

    async def driver(number: int) -> None:
        debit, credit = two_accounts(number)
        statement = POST.format(debit="$1", credit="$2", key="$3")
        await pool.fetch(statement, debit, credit, f"driver:{name}:{number}")

    async def service(number: int) -> None:
        await atomically(database, post_entry, entry(number, f"service:{name}"), actor=ACTOR)

    async def order(number: int) -> None:
        debit, credit = two_accounts(number)
        key = f"order:{name}:{number}"
        held = PlaceHold(debit, 1, None, key, "benchmark", number)
        hold_id = await atomically(database, place_hold, held, actor=ACTOR)
        settled = SettleHold(
            hold_id, 1, credit, EntryKind.ORDER_SETTLED, A_DAY, key, "benchmark", number
        )
        await atomically(database, settle_hold, settled, actor=ACTOR)

    return {
        "Python, raw limit": await rate(raw, seconds=seconds),
        "Python, ledger_post": await rate(driver, seconds=seconds),
        "Python, post_entry (service layer)": await rate(service, seconds=seconds),
        "Python, place_hold + settle_hold": await rate(order, seconds=seconds),
    }


async def measure(folder: Path, url: str, seconds: float) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(url, pool_size=CLIENTS)
    plain_url = url.replace("+asyncpg", "")
    plain = await asyncpg.connect(plain_url)
    pool = await asyncpg.create_pool(plain_url, min_size=CLIENTS, max_size=CLIENTS)
    bank, bulk = await set_up(database, plain)
    await print_conditions(plain, seconds)
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS):
        figures = {
            name: await asyncio.to_thread(pgbench, folder, url, script, wide=bank, seconds=seconds)
            for name, script in SCRIPTS.items()
        }
        figures |= await a_round(str(number), database, pool, seconds)
        rounds.append(figures)
    limit = statistics.median(figures["raw limit"] for figures in rounds)
    print(f"{'':<38} {'a second':>10} {'of raw':>7}   rounds")
    for name in rounds[0]:
        each = [figures[name] for figures in rounds]
        middle = statistics.median(each)
        shown = " ".join(f"{figure:,.0f}" for figure in each)
        print(f"{name:<38} {middle:>10,.0f} {middle / limit:>7.2f}   {shown}")
    print(f"{'post_many, entries':<38} {bulk:>10,.0f} {bulk / limit:>7.2f}")
    await at_a_millisecond_a_commit(folder, url, plain, wide=bank, seconds=seconds)
    await sealed_and_verified(database)
    await plain.close()
    await pool.close()
    await database.close()


async def at_a_millisecond_a_commit(
    folder: Path, url: str, plain: asyncpg.Connection, *, wide: int, seconds: float
) -> None:
    """Print the same ratios where a commit takes as long as on a disk of its own."""
    for setting in ("commit_delay = 1000", "commit_siblings = 0"):
        await plain.execute(f"alter system set {setting}")
    await plain.execute("select pg_reload_conf()")
    rates = {
        name: await asyncio.to_thread(pgbench, folder, url, script, wide=wide, seconds=seconds)
        for name, script in SCRIPTS.items()
    }
    for name, found in rates.items():
        print(f"{f'{name}, 1 ms a commit':<38} {found:>10,.0f} {found / rates['raw limit']:>7.2f}")
    await plain.execute("alter system reset all")
    await plain.execute("select pg_reload_conf()")


async def sealed_and_verified(database: Database) -> None:
    """Seal and verify what the run has posted."""

    seal = next(job for job in JOBS if job.name == "seal_entries")
    began = time.perf_counter()
    sealed = await seal.run(database)
    sealing = sealed / (time.perf_counter() - began)
    began = time.perf_counter()
    report = await verify(database)
    verifying = report.entries / (time.perf_counter() - began)
    print(f"{'sealed, entries':<38} {sealing:>10,.0f}")
    print(f"{'verified, entries':<38} {verifying:>10,.0f}")
    print(f"verified: {report.entries:,} entries, {report.seals} seals, ok: {report.ok}")


async def print_conditions(plain: asyncpg.Connection, seconds: float) -> None:
    """Say on what the figures were taken."""
    settings = {
        name: await plain.fetchval(f"show {name}")
        for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    }
    print(
        f"{os.cpu_count()} cores shared by the server and its clients,"
        f" load {os.getloadavg()[0]:.1f} before; PostgreSQL "
        + ", ".join(f"{name} {value}" for name, value in settings.items())
    )
    print(
        f"{CLIENTS} clients, {ACCOUNTS:,} accounts, {ROUNDS} rounds of {seconds:g} s each;"
        " the first four lines by pgbench -M prepared over a Unix socket",
        flush=True,
    )


def main() -> int:
    """Start a durable server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure of each round")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "pg", options={"shared_buffers": "256MB"})
        try:
            url = server.start()
            asyncio.run(measure(folder, url, seconds))
            asyncio.run(bulk_in_a_new_database(url))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
