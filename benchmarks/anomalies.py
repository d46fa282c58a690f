"""How long the detectors take over a year of redemptions, beside a plain scan of the same rows.

    python -m benchmarks.anomalies [--services 1000000] [--cases 50]

It starts a PostgreSQL of its own, fills it with honest services and known fraud
(`anomaly_world.py`), reads every row that the detectors read once and plainly, then lets each
detector look at everything, and a run look at what is new. Recall and precision are printed beside
the times. Rates from another machine compare by their ratios only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import text

from benchmarks.anomaly_world import build, measured
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.rulebook import rulebook
from marketplace.vouchers.queries import guard_facts as facts
from marketplace.vouchers.queries import guard_records as records
from marketplace.vouchers.queries import guard_trade as trade
from marketplace.vouchers.queries.guard_papers import invoices_alike, papers
from marketplace.vouchers.rules.anomalies import AnomalySeverity, Finding, severity_of
from marketplace.vouchers.use_cases.guards import RunDetectors, detected, run_detectors

YEAR_OVER = datetime(2025, 1, 2, 9, tzinfo=SHANGHAI)
ACTOR = system_actor("benchmark")
# Every row once: what reading alone costs.
SCANS = (
    "select count(*), sum(service_value_fen), count(claim_id), max(samples) from redeemed_service",
    "select count(*), max(reference) from claim_evidence",
    "select count(*), sum(amount_fen) from invoice",
    "select count(*), max(sha256) from deliverable",
    "select count(*), sum(actual_minutes) from usage_session",
    "select count(*), sum(amount_fen) from redemption_part",
)


async def look(tx: Tx, _: None) -> tuple[dict[str, float], list[Finding]]:
    """Seconds of each question, and what all of them find."""
    guards, through = rulebook().guards, tx.today
    hours, split = guards.impossible_hours.on(through), guards.split_orders.on(through)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "focus": lambda: facts.focus_on(tx, facts.Focus()),
        "ties": lambda: facts.ties(tx),
        "papers": lambda: papers(tx),
        "invoices alike": lambda: invoices_alike(
            tx, guards.similar_invoices.on(through).window_days
        ),
        "orders near their caps": lambda: trade.capped_parts(tx, through, split),
        "trade between groups": lambda: trade.trades(tx, through, guards.rings.on(through)),
        "last days of vouchers": lambda: facts.last_days(tx, guards.burst.on(through)),
        "no-shows": lambda: facts.absences(tx, through, guards.no_shows.on(through).window_days),
        "shared marks": lambda: facts.shared_marks(tx, guards.shared_identity.on(through).smes),
        "listed prices": lambda: records.listed_prices(
            tx, guards.prices.on(through).above_list_percent
        ),
        "prices of a category": lambda: records.unit_prices(tx, through, guards.prices.on(through)),
        "sessions": lambda: records.impossible_spans(tx, hours.tolerance_minutes),
        "operators": lambda: records.crowded_spans(tx, hours.operator_sessions_max),
        "machine days": lambda: records.machine_days(tx, hours.tolerance_minutes),
        "samples": lambda: records.sample_times(tx, hours.tolerance_minutes),
    }
    taken = {}
    for name, ask in questions.items():
        began = time.perf_counter()
        await ask()
        taken[name] = time.perf_counter() - began
        print(f"  {name:<24} {taken[name]:>8.2f} s", flush=True)
    return taken, await detected(tx, through=through)


def blocks(finding: Finding) -> bool:
    """Whether a claim waits for the decision about it."""
    severities = rulebook().guards.severities.on(YEAR_OVER.date())
    return severity_of(finding, dict(severities)) is AnomalySeverity.BLOCKING


async def scan(tx: Tx, _: None) -> float:
    """Seconds to read every row once, the second time."""
    began = 0.0
    for _round in range(2):
        began = time.perf_counter()
        for statement in SCANS:
            await tx.execute(text(statement))
    return time.perf_counter() - began


async def measure(url: str, services: int, cases: int) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(url, statement_timeout_seconds=3_600, clock=SetClock(YEAR_OVER))
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    began = time.perf_counter()
    truth = await build(plain, services=services, cases=cases)
    print(
        f"{services:,} redemptions, {cases} cases of each kind, made in"
        f" {time.perf_counter() - began:.0f} s; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}\n"
    )
    limit = await atomically(database, scan, None, actor=ACTOR)
    taken, found = await atomically(database, look, None, actor=ACTOR)
    total = sum(taken.values())
    print(f"\nplain scan of the same rows {limit:.2f} s; everything {total:.2f} s,")
    print(f"{total / limit:.1f} times the scan, {services / total:,.0f} redemptions a second\n")
    for command in ("first run, written down", "what is new"):
        began = time.perf_counter()
        run = await atomically(database, run_detectors, RunDetectors(), actor=ACTOR)
        print(
            f"{command}: {time.perf_counter() - began:.2f} s,"
            f" {run.redemptions:,} redemptions, {run.found} found"
        )
    print()
    blocking = measured([each for each in found if blocks(each)], truth)
    for kind, each in measured(found, truth).items():
        print(
            f"{kind:<26} recall {each.recall:4.0%} of {each.cases},"
            f" precision {each.precision:6.1%} of {each.findings}"
        )
        certain = blocking[kind]
        if certain.findings not in (0, each.findings):
            print(
                f"{'  of these blocking':<26} recall {certain.recall:4.0%},"
                f" precision {certain.precision:6.1%} of {certain.findings}"
            )
    await plain.close()
    await database.close()


def main() -> int:
    """Start a server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=50)
    asked = parser.parse_args()
    services = max(5_000, min(asked.services, 10_000_000))
    cases = max(1, min(asked.cases, services // 1_000))
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name) / "pg", options={"shared_buffers": "256MB"})
        try:
            asyncio.run(measure(server.start(), services, cases))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
