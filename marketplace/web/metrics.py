"""Figures for Prometheus that lie in the database: money that waits, jobs that fail, messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from marketplace.closing.queries.standing import MoneyStanding, money_standing
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.operations import (
    JobState,
    Waiting,
    failures_since,
    last_runs,
    waiting_events,
)
from marketplace.kernel.time import shanghai_day

# However often somebody asks, the database is asked this seldom.
KEPT_SECONDS = 15
FAILURES_OF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Found:
    now: datetime
    money: MoneyStanding
    jobs: Sequence[JobState]
    failures: Mapping[str, int]
    waiting: Waiting


async def _look(tx: Tx, _: None) -> _Found:
    return _Found(
        tx.now,
        await money_standing(tx),
        await last_runs(tx),
        await failures_since(tx, tx.now - FAILURES_OF),
        await waiting_events(tx),
    )


class Figures:
    """The figures of one application, kept for some seconds."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._of: Database | None = None
        self._until = 0.0
        self._told = b""

    async def told(self, database: Database) -> bytes:
        """The figures as Prometheus reads them; where the database is away, only that it is."""
        async with self._turn:
            if database is not self._of or time.monotonic() >= self._until:
                self._told = await _told(database)
                self._of = database
                self._until = time.monotonic() + KEPT_SECONDS
            return self._told


async def _told(database: Database) -> bytes:
    try:
        found = await atomically(database, _look, None, actor=system_actor("metrics"))
    except Unavailable:
        families: list[Metric] = []
    else:
        families = [*_money(found), *_work(found)]
    there = _gauge("figures_read", "1 when the database answered for the figures below, else 0.")
    there.add_metric([], float(bool(families)))
    registry = CollectorRegistry()
    registry.register(_Collected([there, *families]))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _gauge(name: str, about: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"marketplace_{name}", about, labels=labels)


def _money(found: _Found) -> Iterator[Metric]:
    money = found.money
    lines = _gauge("open_statement_lines", "Lines of the bank that nobody has explained.")
    lines.add_metric([], money.unexplained.lines)
    yield lines
    sums = _gauge("open_statement_lines_fen", "What they come to, in fen.", ["direction"])
    sums.add_metric(["in"], money.unexplained.in_fen)
    sums.add_metric(["out"], money.unexplained.out_fen)
    yield sums
    oldest = _gauge("oldest_open_statement_line_days", "Age of the oldest of them; 0 for none.")
    since = money.unexplained.oldest_on
    oldest.add_metric([], (shanghai_day(found.now) - since).days if since else 0)
    yield oldest
    suspense = _gauge("bank_suspense_fen", "Bank suspense: in less out of open lines.")
    suspense.add_metric([], money.suspense_fen)
    yield suspense
    count = _gauge("payouts_waiting", "Payouts that the bank has not paid.", ["status"])
    fen = _gauge("payouts_waiting_fen", "What they come to, in fen.", ["status"])
    age = _gauge("oldest_payout_waiting_seconds", "Since its instruction.", ["status"])
    for each in money.payouts:
        count.add_metric([each.status], each.payouts)
        fen.add_metric([each.status], each.amount_fen)
        age.add_metric([each.status], (found.now - each.oldest_at).total_seconds())
    yield from (count, fen, age)
    if money.verification is not None:
        verified = _gauge("ledger_verified_timestamp_seconds", "When the books were last verified.")
        verified.add_metric([], money.verification.verified_at.timestamp())
        problems = _gauge("ledger_problems", "What that verification found wrong.")
        problems.add_metric([], money.verification.problems)
        yield from (verified, problems)


def _work(found: _Found) -> Iterator[Metric]:
    last = _gauge("job_last_run_timestamp_seconds", "When a job last began.", ["job"])
    failed = _gauge("job_last_run_failed", "1 when its last run failed.", ["job"])
    week = _gauge("job_failures_week", "Its runs that failed in the last seven days.", ["job"])
    for run in found.jobs:
        last.add_metric([run.job], run.started_at.timestamp())
        failed.add_metric([run.job], float(run.error is not None))
        week.add_metric([run.job], found.failures.get(run.job, 0))
    yield from (last, failed, week)
    messages = _gauge("messages_waiting", "Events that nobody has heard yet.")
    messages.add_metric([], found.waiting.events)
    failing = _gauge("messages_failing", "Those of them that failed before.")
    failing.add_metric([], found.waiting.failing)
    yield from (messages, failing)
