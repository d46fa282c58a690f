"""The scheduler: each tick fires once, a failure is noted and survived, a pause is caught up."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from marketplace import worker
from marketplace.assembly import all_jobs
from marketplace.kernel import outbox
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import Conflict
from marketplace.kernel.events import Event
from marketplace.kernel.jobs import Job
from marketplace.kernel.tables import audit_event, job_run, outbox_delivery, outbox_event
from marketplace.kernel.time import SHANGHAI, SystemClock
from tools.docs import jobs_page

TEST = system_actor("test")


def a_job(run, name: str = "count") -> Job:
    return Job(name=name, cron="* * * * *", run=run, about="Counts.")


def a_counting_job(done: list[str], name: str = "count") -> Job:
    async def run(_: Database) -> int:
        done.append(name)
        return len(done)

    return a_job(run, name)


async def noted(database) -> list[tuple[str, int | None, str | None]]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(select(job_run).order_by(job_run.c.tick, job_run.c.job))
        return [(row.job, row.done, row.error) for row in rows]


async def four_workers(database, job: Job) -> list[bool]:
    return await asyncio.gather(
        *(worker.run_tick(database, job, worker=f"worker {number}") for number in range(4))
    )


async def test_of_four_workers_one_runs_a_tick(database, clock):
    done: list[str] = []
    job = a_counting_job(done)

    first = await four_workers(database, job)
    clock.set(clock.now() + timedelta(seconds=59))
    same_minute = await four_workers(database, job)
    clock.set(clock.now() + timedelta(seconds=1))
    next_minute = await four_workers(database, job)

    assert [1, 0, 1] == [sum(ran) for ran in (first, same_minute, next_minute)]
    assert 2 == len(done)
    assert [("count", 1, None), ("count", 2, None)] == await noted(database)


async def test_a_job_that_fails_is_noted_and_does_not_take_the_scheduler_with_it(database):
    async def refused(_: Database) -> int:
        raise Conflict("somebody else")

    async def wrong(_: Database) -> int:
        raise ZeroDivisionError("by nought")

    ran = [
        await worker.run_tick(database, a_job(run, name), worker="one")
        for name, run in (("refused", refused), ("wrong", wrong))
    ]

    assert [True, True] == ran
    assert [
        ("refused", None, "Conflict: somebody else"),
        ("wrong", None, "ZeroDivisionError: by nought"),
    ] == await noted(database)


async def test_a_job_that_never_ends_is_ended(database, monkeypatch):
    monkeypatch.setattr(worker, "JOB_SECONDS_MAX", 0.05)

    async def endless(_: Database) -> int:
        await asyncio.sleep(60)
        return 0

    assert await worker.run_tick(database, a_job(endless, "endless"), worker="one")
    ((_, done, error),) = await noted(database)
    assert done is None
    assert error is not None
    assert error.startswith("TimeoutError")


async def test_without_its_database_a_tick_is_left_to_the_next(clock):
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", clock=clock)

    assert not await worker.run_tick(nowhere, a_counting_job([]), worker="one")


async def test_after_a_pause_every_job_runs_at_the_start(database, clock):
    jobs = all_jobs()
    scheduler = worker.schedule(database, jobs, worker="one")
    scheduler.start(paused=True)
    try:
        due = {job.id: job.next_run_time for job in scheduler.get_jobs()}
        zones = {str(job.trigger.timezone) for job in scheduler.get_jobs()}
    finally:
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)

    assert {job.name for job in jobs} == due.keys()
    assert {timedelta(seconds=1)} == {at - clock.now() for at in due.values()}
    assert {SHANGHAI.key} == zones


async def test_a_scheduler_goes_on_after_a_failing_job(database_url):
    """By the real clock: the catch-up at the start, with one job that fails and one that works."""
    database = Database(database_url, clock=SystemClock())
    done: list[str] = []

    async def wrong(_: Database) -> int:
        raise ZeroDivisionError

    scheduler = worker.schedule(
        database, [a_job(wrong, "wrong"), a_counting_job(done, "fine")], worker="one"
    )
    scheduler.start()
    try:
        async with asyncio.timeout(20):
            while len(await noted(database)) < 2 or not done:  # noqa: ASYNC110 rows
                await asyncio.sleep(0.1)
        assert scheduler.running
        assert {"wrong", "fine"} == {job.id for job in scheduler.get_jobs()}
    finally:
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0.2)
        await database.close()


@pytest.mark.parametrize(
    ("job_seconds", "end"),
    [(0.2, ("slow", 7, None)), (60.0, ("slow", None, "the worker was stopped"))],
    ids=["a job that ends in time", "a job that does not"],
)
async def test_a_stopping_worker_lets_its_jobs_end(database_url, monkeypatch, job_seconds, end):
    database = Database(database_url, clock=SystemClock())
    began, stopping = asyncio.Event(), asyncio.Event()

    async def slow(_: Database) -> int:
        began.set()
        await asyncio.sleep(job_seconds)
        return 7

    monkeypatch.setattr(worker, "all_jobs", lambda: [a_job(slow, "slow")])
    monkeypatch.setattr(worker, "GRACE_SECONDS", 1.5)
    working = asyncio.create_task(worker.work(database, stopping))
    await asyncio.wait_for(began.wait(), timeout=20)
    stopping.set()
    await asyncio.wait_for(working, timeout=20)

    assert end in await noted(database)
    await database.close()


# ── Events ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SomethingHappened(Event):
    """An event of these tests."""

    number: int


async def hear_something(tx, event: SomethingHappened) -> None:
    tx.audit("hear", subject="number", subject_id=event.number)


async def many_events(tx, numbers: range) -> None:
    for number in numbers:
        tx.record(SomethingHappened(number))


async def test_several_workers_deliver_an_event_once(database, database_url, clock):
    await atomically(database, many_events, range(1, 41), actor=TEST)
    workers = [Database(database_url, clock=clock, pool_size=2) for _ in range(4)]
    handlers: outbox.Handlers = {SomethingHappened: [hear_something]}
    shares = await asyncio.gather(*(outbox.deliver_due(each, handlers) for each in workers))
    for each in workers:
        await each.close()

    async with database.engine.connect() as connection:
        heard = (await connection.execute(select(audit_event.c.subject_id))).scalars().all()
        attempts = (await connection.execute(select(outbox_event.c.attempts))).scalars().all()
    assert 40 == sum(shares)
    assert dict.fromkeys(range(1, 41), 1) == Counter(heard)
    assert {1} == set(attempts)


async def test_the_worker_delivers_until_it_is_told_to_stop(database, monkeypatch):
    monkeypatch.setattr(worker, "all_handlers", lambda: {SomethingHappened: [hear_something]})
    stopping = asyncio.Event()
    delivering = asyncio.create_task(worker.deliver_forever(database, stopping))
    await atomically(database, many_events, range(1, 4), actor=TEST)

    async def undelivered() -> int:
        async with database.engine.connect() as connection:
            found: int = await connection.scalar(
                text("select count(*) from outbox_event where delivered_at is null")
            )
            return found

    async with asyncio.timeout(20):
        while await undelivered():  # noqa: ASYNC110 rows
            await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(delivering, timeout=5)


async def test_an_event_delivered_before_has_no_second_effect(database):
    """A worker ended between a handler and its mark; the handler's own row says it was done."""
    await atomically(database, many_events, range(1, 2), actor=TEST)
    async with database.engine.begin() as connection:
        await connection.execute(
            insert(outbox_delivery).from_select(
                ["event_id", "handler", "delivered_at"],
                select(outbox_event.c.id, text("'hear_something'"), outbox_event.c.recorded_at),
            )
        )

    assert 1 == await outbox.deliver_due(database, {SomethingHappened: [hear_something]})
    async with database.engine.connect() as connection:
        assert [] == (await connection.execute(select(audit_event.c.id))).all()


async def test_an_event_that_this_release_cannot_read_does_not_hold_up_the_others(database):
    broken = [{"number": 1, "colour": "red"}, {"word": "one"}, {}, {"number": 7}]
    async with database.engine.begin() as connection:
        for payload in broken:
            await connection.execute(
                insert(outbox_event).values(
                    name="SomethingHappened",
                    payload=payload,
                    recorded_at=database.clock.now(),
                    due_at=database.clock.now(),
                )
            )

    assert 4 == await outbox.deliver_due(database, {SomethingHappened: [hear_something]})
    assert 0 == await outbox.deliver_due(database, {SomethingHappened: [hear_something]})
    async with database.engine.connect() as connection:
        rows = (await connection.execute(select(outbox_event).order_by(outbox_event.c.id))).all()
    assert [False, False, False, True] == [bool(row.delivered_at) for row in rows]
    assert all(row.last_error for row in rows[:3])


# ── What there is ─────────────────────────────────────────────────────────────────────────────────


def test_jobs_have_names_of_their_own_and_say_what_they_do():
    jobs = all_jobs()

    assert len(jobs) == len({job.name for job in jobs}) > 5
    assert [] == [job.name for job in jobs if not job.about.endswith(".")]
    assert [] == [job.name for job in jobs if f"| `{job.name}` |" not in jobs_page()]


def test_every_event_that_is_heard_is_heard_by_a_handler_of_its_own_name():
    heard = worker.all_handlers()

    assert heard
    for event, handlers in heard.items():
        names = [handler.__qualname__ for handler in handlers]
        # A delivery is noted by the handler's name: two of one name would count as one.
        assert len(names) == len(set(names)), event
