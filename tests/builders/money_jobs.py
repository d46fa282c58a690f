"""Money jobs in a process of their own that can be killed, and go on from wherever they stand.

What turns out to be done already was done by one that was killed before it could say so.

A process is forked from one that has imported everything, so that ten of them cost no more than
one. It says `begun` when it turns to the database and what it has done since.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import text

from marketplace.billing.payouts.errors import NothingToPay
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    DraftBatch,
    approve_batch,
    batch_file,
    draft_batch,
    send_batch,
)
from marketplace.billing.reconciliation.errors import StatementKnown
from marketplace.billing.reconciliation.use_cases import ImportStatement, import_statement
from marketplace.billing.rewards.errors import RunNotDraft
from marketplace.billing.rewards.use_cases import ApproveRun, approve_run
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock

Tell = Callable[[str, Any], None]
Job = Callable[[Database, tuple[Actor, ...], Any, Tell], Awaitable[None]]

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])

_OPEN_BATCH = text("select id, status from payout_batch where status in ('draft', 'approved')")


async def export_batch(database: Database, people: tuple[Actor, ...], _: Any, tell: Tell) -> None:
    """Draft what waits, have it approved, fetch the file and send it: what of it is left to do."""
    maker, checker = people
    async with database.engine.connect() as connection:
        found = (await connection.execute(_OPEN_BATCH)).one_or_none()
    if found is None:
        try:
            batch = await atomically(database, draft_batch, DraftBatch(), actor=maker)
        except NothingToPay:
            return  # It was sent, and killed before it could say so.
        batch_id, status = batch.id, batch.status
        tell("drafted", batch_id)
    else:
        batch_id, status = found
    step = BatchStep(batch_id)
    if status == "draft":
        await atomically(database, approve_batch, step, actor=checker)
        tell("approved", batch_id)
    file = await atomically(database, batch_file, step, actor=maker)
    # Its digest: more than a pipe holds would wait for somebody to read it.
    tell("file", hashlib.sha256(file.content).hexdigest())
    await atomically(database, send_batch, step, actor=maker)
    tell("sent", batch_id)


async def approve_rewards(
    database: Database, people: tuple[Actor, ...], run_id: int, tell: Tell
) -> None:
    """Approve a drafted run: caps, entries and payouts in one go."""
    try:
        await atomically(database, approve_run, ApproveRun(run_id), actor=people[1])
    except RunNotDraft:
        return
    tell("approved", run_id)


async def import_file(
    database: Database, people: tuple[Actor, ...], file: tuple[str, bytes], tell: Tell
) -> None:
    """Import a bank's file and book each of its lines."""
    number, content = file
    command = ImportStatement(number, "明细.csv", content)
    try:
        made = await atomically(database, import_statement, command, actor=people[0])
    except StatementKnown:
        return
    tell("imported", made.id)


def _work(
    job: Job, url: str, now: datetime, people: tuple[Actor, ...], given: Any, pipe: Connection
) -> None:
    def tell(what: str, value: Any) -> None:
        pipe.send((what, value))

    async def run() -> None:
        database = Database(url, clock=SetClock(now), pool_size=2)
        async with database.engine.connect():
            tell("begun", None)
        await job(database, people, given, tell)
        await database.close()
        tell("done", None)

    asyncio.run(run())


@dataclass
class MoneyProcess:
    """One attempt at a job."""

    job: Job
    url: str
    now: datetime
    people: tuple[Actor, ...]
    given: Any = None
    told: list[tuple[str, Any]] = field(default_factory=list)

    def until_killed(self, after_seconds: float, *, saying: str | None = None) -> bool:
        """Let it work, and kill it so long after it began, or as soon as it says something.

        Answers whether it had finished before.
        """
        ours, its = _PROCESSES.Pipe(duplex=False)
        process = _PROCESSES.Process(
            target=_work, args=(self.job, self.url, self.now, self.people, self.given, its)
        )
        process.start()
        its.close()
        try:
            assert ours.poll(60), "it did not begin"
            self.told.append(ours.recv())
            if saying is None:
                process.join(after_seconds)
            else:
                while self.told[-1][0] != saying:
                    assert ours.poll(60), f"it did not say {saying}"
                    self.told.append(ours.recv())
            process.kill()
            process.join()
            while ours.poll():
                self.told.append(ours.recv())
        except (EOFError, OSError):
            pass  # Everything that it said is read, but for what it was killed at.
        finally:
            process.kill()
            ours.close()
        return ("done", None) in self.told
