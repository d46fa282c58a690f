"""Scheduled work: what a domain offers to the worker, and the claim that makes a tick fire once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, transaction
from marketplace.kernel.tables import job_run


@dataclass(frozen=True, slots=True)
class Job:
    """Work that lies in due rows, so that a missed tick only delays it.

    `run` works off what is due, in batches of its own transactions, and returns how much it did.
    `cron` is a five-field crontab in Shanghai time.
    """

    name: str
    cron: str
    run: Callable[[Database], Awaitable[int]]
    about: str


async def claim(database: Database, *, job: str, tick: datetime, worker: str) -> bool:
    """Whether this worker is the one that runs `job` at `tick`."""
    async with transaction(database, actor=system_actor(f"job:{job}")) as tx:
        inserted = await tx.execute(
            insert(job_run)
            .values(job=job, tick=tick, worker=worker, started_at=tx.now)
            .on_conflict_do_nothing()
        )
        return bool(inserted.rowcount)


async def finish(
    database: Database, *, job: str, tick: datetime, done: int | None, error: str | None
) -> None:
    """Note how the run ended."""
    async with transaction(database, actor=system_actor(f"job:{job}")) as tx:
        await tx.execute(
            update(job_run)
            .where(job_run.c.job == job, job_run.c.tick == tick)
            .values(finished_at=tx.now, done=done, error=error)
        )
