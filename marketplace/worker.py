"""The scheduler process: what is due gets done, once, however many workers run.

A tick of a job belongs to the worker that inserts its `job_run` row first. The work itself lies
in due rows, so a tick that nobody took only delays it; at its start a worker runs every job once,
which is how the platform catches up after a pause. Events leave the outbox in a loop of their own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib import import_module

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from redis.asyncio import Redis

from marketplace.assembly import all_jobs
from marketplace.booking.queries import LIVE_DESCRIBERS
from marketplace.kernel import outbox
from marketplace.kernel.db import Database
from marketplace.kernel.errors import DomainError
from marketplace.kernel.events import Event
from marketplace.kernel.jobs import Job, claim, finish
from marketplace.kernel.live import Announcer, Relay
from marketplace.kernel.observe import JOBS
from marketplace.kernel.time import SHANGHAI

log = structlog.get_logger()

DOMAINS_WITH_HANDLERS = ("booking", "vouchers", "orders")
OUTBOX_PAUSE_SECONDS = 1.0
JOB_SECONDS_MAX = 3600
# How long a stopping worker lets its running jobs end by themselves.
GRACE_SECONDS = 30.0


def all_handlers() -> dict[type[Event], list[outbox.Handler]]:
    """Who hears which event, over every domain."""
    heard: dict[type[Event], list[outbox.Handler]] = {}
    for domain in DOMAINS_WITH_HANDLERS:
        for event, handlers in import_module(f"marketplace.{domain}.handlers").HANDLERS.items():
            heard.setdefault(event, []).extend(handlers)
    return heard


def worker_name() -> str:
    """Which process this is, for the job log."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def run_tick(database: Database, job: Job, *, worker: str) -> bool:
    """Run `job` for the present minute unless another worker has it; whether it ran here.

    A failure is logged and noted in the job log; the next tick finds the same rows still due.
    """
    tick = database.clock.now().replace(second=0, microsecond=0)
    try:
        if not await claim(database, job=job.name, tick=tick, worker=worker):
            return False
    except DomainError as refusal:
        # The database is away; the rows stay due, and the next tick finds them.
        log.warning("job.not_claimed", job=job.name, error=str(refusal))
        return False
    done, error = None, None
    try:
        done = await asyncio.wait_for(job.run(database), timeout=JOB_SECONDS_MAX)
        log.info("job.done", job=job.name, done=done)
    except (DomainError, TimeoutError) as refusal:
        error = f"{type(refusal).__name__}: {refusal}"
        log.warning("job.refused", job=job.name, error=error)
    except asyncio.CancelledError:
        await _note_end(database, job, tick, done=None, error="the worker was stopped")
        raise
    except Exception as bug:
        # A job that fails must not take the scheduler with it.
        error = f"{type(bug).__name__}: {bug}"
        log.exception("job.failed", job=job.name)
    await _note_end(database, job, tick, done=done, error=error)
    return True


async def _note_end(
    database: Database, job: Job, tick: datetime, *, done: int | None, error: str | None
) -> None:
    JOBS.labels(job.name, "failed" if error else "done").inc()
    try:
        await finish(database, job=job.name, tick=tick, done=done, error=error)
    except DomainError as refusal:
        log.warning("job.end_not_noted", job=job.name, error=str(refusal))


async def deliver_forever(database: Database, stopping: asyncio.Event) -> None:
    """Deliver events as they come until told to stop."""
    handlers = all_handlers()
    while not stopping.is_set():
        delivered = 0
        try:
            delivered = await outbox.deliver_due(database, handlers)
        except DomainError as refusal:
            log.warning("outbox.paused", error=str(refusal))
        except Exception:
            # For instance the database restarting: the events stay, the loop goes on.
            log.exception("outbox.failed")
        if not delivered:
            try:
                await asyncio.wait_for(stopping.wait(), timeout=OUTBOX_PAUSE_SECONDS)
            except TimeoutError:
                continue


class Running:
    """The ticks that run at this moment, so that a stopping worker can wait for them."""

    def __init__(self) -> None:
        self._ticks: set[asyncio.Task[bool]] = set()

    async def tick(self, database: Database, job: Job, worker: str) -> None:
        """Run a tick, and know of it while it runs."""
        task = asyncio.ensure_future(run_tick(database, job, worker=worker))
        self._ticks.add(task)
        task.add_done_callback(self._ticks.discard)
        await asyncio.shield(task)

    async def end(self, *, within_seconds: float) -> None:
        """Wait for the running ticks, and stop those that take too long; their rows stay due."""
        if self._ticks:
            _, late = await asyncio.wait(self._ticks, timeout=within_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def schedule(
    database: Database, jobs: Sequence[Job], *, worker: str, running: Running | None = None
) -> AsyncIOScheduler:
    """A scheduler over `jobs`, each also run once at the start to catch up."""
    scheduler = AsyncIOScheduler(timezone=SHANGHAI)
    tick = (running or Running()).tick
    for job in jobs:
        scheduler.add_job(
            tick,
            CronTrigger.from_crontab(job.cron, timezone=SHANGHAI),
            args=[database, job, worker],
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=database.clock.now() + timedelta(seconds=1),
        )
    return scheduler


async def work(database: Database, stopping: asyncio.Event) -> None:
    """Run scheduler and outbox until `stopping` is set, then let what runs end."""
    running = Running()
    scheduler = schedule(database, all_jobs(), worker=worker_name(), running=running)
    scheduler.start()
    log.info("worker.started", jobs=sorted(job.id for job in scheduler.get_jobs()))
    try:
        await deliver_forever(database, stopping)
    finally:
        # The scheduler's own shutdown would cut running jobs off, whatever it is asked to wait.
        scheduler.pause()
        await running.end(within_seconds=GRACE_SECONDS)
        scheduler.shutdown(wait=False)
        log.info("worker.stopped")


@asynccontextmanager
async def announcing(database: Database, redis_url: str) -> AsyncIterator[None]:
    """Inside the block open pages are told of what this worker commits, where Redis reaches them.

    Without Redis there is one web process, and it tells its pages of its own commits only.
    """
    if not redis_url:
        yield
        return
    redis = Redis.from_url(redis_url)
    try:
        async with Announcer(database, LIVE_DESCRIBERS, Relay(redis).publish).listening():
            yield
    finally:
        await redis.aclose()


async def work_until_signalled(database: Database, *, redis_url: str = "") -> None:
    """`work` until SIGINT or SIGTERM, then finish what is running and return."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    try:
        async with announcing(database, redis_url):
            await work(database, stopping)
    finally:
        await database.close()
