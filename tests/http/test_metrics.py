"""What Prometheus is told of the money, of jobs and of messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest_asyncio

from marketplace.closing.jobs import JOBS
from marketplace.kernel.db import Database, Tx
from marketplace.kernel.jobs import claim, finish
from marketplace.web import metrics
from tests.builders.payouts import a_finance_team, a_payout, a_sent_payout
from tests.builders.reconciliation import a_file, a_line, imported
from tests.http.test_pages import a_client

VERIFY = next(job for job in JOBS if job.name == "closing.verify_ledger")


@pytest_asyncio.fixture
async def told(services, monkeypatch):
    """The figures as they are in this moment."""
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 0)
    async with a_client(services) as client:

        async def ask() -> dict[str, float]:
            text = (await client.get("/metrics")).text
            return {
                name.removeprefix("marketplace_"): float(value)
                for name, _, value in (line.rpartition(" ") for line in text.splitlines())
                if name.startswith("marketplace_")
            }

        yield ask


async def test_money_that_waits_is_told_by_how_much_and_since_when(told, database: Database, clock):
    before = await told()
    assert (1.0, 0.0, 0.0, 0.0) == tuple(
        before[name]
        for name in (
            "figures_read",
            "open_statement_lines",
            "oldest_open_statement_line_days",
            "bank_suspense_fen",
        )
    )
    centre = await a_finance_team(database)
    await a_sent_payout(database, centre=centre)
    await a_payout(database, amount_fen=700)
    await imported(database, a_file([a_line(5_000), a_line(-1_200)]))
    clock.set(clock.now() + timedelta(days=3))

    found = await told()

    assert found["open_statement_lines"] == 2
    assert found['open_statement_lines_fen{direction="in"}'] == 5_000
    assert found['open_statement_lines_fen{direction="out"}'] == 1_200
    assert found["bank_suspense_fen"] == 3_800
    assert found["oldest_open_statement_line_days"] >= 3
    assert found['payouts_waiting{status="sent"}'] == 1
    assert found['payouts_waiting_fen{status="instructed"}'] == 700
    assert found['oldest_payout_waiting_seconds{status="instructed"}'] == 3 * 86_400
    assert 'payouts_waiting{status="confirmed"}' not in found


async def test_the_last_verification_and_jobs_that_failed_are_told(told, database: Database, clock):
    await VERIFY.run(database)
    for error in (None, "the bank's file was not there"):
        clock.set(clock.now() + timedelta(hours=1))
        job, tick = "match_open_lines", clock.now()
        assert await claim(database, job=job, tick=tick, worker="w")
        await finish(database, job=job, tick=tick, done=0, error=error)

    found = await told()

    verified_at = (clock.now() - timedelta(hours=2)).timestamp()
    assert (0.0, verified_at) == (
        found["ledger_problems"],
        found["ledger_verified_timestamp_seconds"],
    )
    assert found['job_last_run_failed{job="match_open_lines"}'] == 1
    assert found['job_failures_week{job="match_open_lines"}'] == 1
    assert found["messages_failing"] == 0
    clock.set(clock.now() + timedelta(days=8))
    assert (await told())['job_failures_week{job="match_open_lines"}'] == 0


async def test_the_database_is_asked_once_in_a_while_however_often_somebody_looks(
    services, database: Database, monkeypatch
):
    asked = []
    look = metrics._look

    async def counted(tx: Tx, _: None) -> Any:
        asked.append(1)
        return await look(tx, None)

    monkeypatch.setattr(metrics, "_look", counted)
    async with a_client(services) as client:
        for _ in range(5):
            assert (await client.get("/metrics")).status_code == 200

    assert asked == [1]


async def test_without_the_database_the_other_figures_are_still_there(services):
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", clock=services.database.clock)
    async with a_client(type(services)(gone, services.access_tokens, services.refresh_tokens)) as c:
        answer = await c.get("/metrics")

    assert answer.status_code == 200
    assert "marketplace_figures_read 0.0" in answer.text
    assert "marketplace_requests_total" in answer.text
    assert "marketplace_bank_suspense_fen" not in answer.text
