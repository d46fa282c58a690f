"""Real workers on one database, started, stopped and killed as on a machine."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

import pytest_asyncio
from sqlalchemy import text

from marketplace.assembly import all_jobs
from tests.builders.worker_process import WorkerProcess

STARTS_WITHIN_SECONDS = 60
WORKERS = 3


async def until(condition, what: str) -> None:
    for _ in range(STARTS_WITHIN_SECONDS * 10):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(what)


@pytest_asyncio.fixture
async def workers(database_url, tmp_path):
    started = [WorkerProcess(database_url, tmp_path, number) for number in range(WORKERS)]
    yield started
    for each in started:
        each.stop()


async def test_three_workers_share_the_work_and_survive_each_other(database, workers):
    names = {job.name for job in all_jobs()}

    async def ask(query: str):
        async with database.engine.connect() as connection:
            return (await connection.execute(text(query))).all()

    async def caught_up() -> bool:
        rows = await ask("select job from job_run where finished_at is not null")
        started = [bool(each.said("worker.started")) for each in workers]
        return all(started) and names == {row.job for row in rows}

    await until(caught_up, "the jobs did not run")
    # One of them is lost; its two colleagues deliver what is told from now on.
    lost, *others = workers
    killed = lost.ended(signal.SIGKILL)
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                """insert into outbox_event (name, payload, recorded_at, due_at)
                select 'InstrumentListed', jsonb_build_object('instrument_id', n, 'provider_id', 1),
                       now(), now()
                  from generate_series(1, 30) as n"""
            )
        )

    async def delivered() -> bool:
        return not await ask("select 1 from outbox_event where attempts = 0")

    await until(delivered, "nobody delivered")
    ended = await asyncio.gather(
        *(asyncio.to_thread(each.ended, signal.SIGTERM) for each in others)
    )

    assert -signal.SIGKILL == killed
    assert [0, 0] == ended
    assert [1, 1] == [len(each.said("worker.stopped")) for each in others]
    runs = await ask("select job, tick, error, finished_at from job_run")
    assert [] == [row for row in runs if row.error or not row.finished_at]
    # What the job log says was run is what the workers say they ran, and no more.
    told = Counter(str(line["job"]) for each in workers for line in each.said("job.done"))
    assert Counter(row.job for row in runs) == told
    assert [(1,)] == await ask("select distinct attempts from outbox_event")
