"""Fetching outside calendars: what is due, from where, and what became of it.

A source is claimed in one transaction, fetched and read in none, and landed in another; whoever
claims it later lands, and a fetch that was overtaken changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from marketplace.booking.errors import SourceMissing
from marketplace.booking.queries.outside_busy import Source, locked_source
from marketplace.booking.rules.busy_sources import PushMode, may_ask_for_changes, next_fetch
from marketplace.booking.rules.ical_reading import BYTES_MAX, CalendarRead, window_of_import
from marketplace.booking.rules.ical_times import Problem
from marketplace.booking.tables import busy_source as table
from marketplace.booking.use_cases.outside_busy import allowed_hosts
from marketplace.booking.use_cases.outside_files import read_in_own_process
from marketplace.booking.use_cases.outside_landing import land
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.outbound import Fetched, Fetcher, FetchRefused

log = structlog.get_logger()

AT_ONCE = 4
# How long a fetch keeps others away; one that never ended is tried again after it.
CLAIMED_FOR = timedelta(minutes=10)
_FETCHER = system_actor("job:booking.fetch_outside_times")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A source to fetch now, and what its server said last time."""

    id: int
    attempt: int
    url: str
    etag: str | None
    last_modified: str | None
    landed_at: datetime | None


async def claim_due_sources(tx: Tx, count: int) -> list[Claimed]:
    """At most `count` sources that are due, the longest waiting first; nobody else gets them."""
    due = (
        select(table.c.id)
        .where(table.c.due_at <= tx.now)
        .order_by(table.c.due_at, table.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return await tx.all(
        Claimed,
        update(table)
        .where(table.c.id.in_(select(due.c.id)))
        .values(attempt=table.c.attempt + 1, tried_at=tx.now, due_at=tx.now + CLAIMED_FOR)
        .returning(*(table.c[name] for name in Claimed.__dataclass_fields__)),
    )


@dataclass(frozen=True, slots=True)
class NoteFetched:
    """What a fetch gave: times, nothing new (`read` and `error` None), or why it failed."""

    source_id: int
    attempt: int
    fetched: Fetched | None = None
    read: CalendarRead | None = None
    error: str | None = None


async def note_fetched(tx: Tx, command: NoteFetched) -> bool:
    """Land what was fetched, or note why it failed and keep the last good times.

    Answers False when the source is gone, was changed, or is fetched by somebody else meanwhile.
    """
    try:
        source = await locked_source(tx, command.source_id)
    except SourceMissing:
        return False
    if source.attempt != command.attempt or source.paused:
        return False
    problems: Sequence[Problem] = command.read.problems if command.read else ()
    error = command.error
    if problems:
        error = f"The file cannot be read: {len(problems)} problems."
    if error is not None:
        await _note_failed(tx, source, error, problems)
        return True
    good = {
        "due_at": next_fetch(tx.now, failures=0),
        "fetched_at": tx.now,
        "failures": 0,
        "error": None,
        "problems": [],
    }
    if command.read is not None and command.fetched is not None:
        await land(tx, source, command.read.times, mode=PushMode.REPLACE)
        good |= {
            "landed_at": tx.now,
            "etag": command.fetched.etag,
            "last_modified": command.fetched.last_modified,
        }
    await tx.execute(update(table).where(table.c.id == source.id).values(good))
    return True


async def _note_failed(tx: Tx, source: Source, error: str, problems: Sequence[Problem]) -> None:
    failures = source.failures + 1
    await tx.execute(
        update(table)
        .where(table.c.id == source.id)
        .values(
            due_at=next_fetch(tx.now, failures=failures),
            failed_at=tx.now,
            failures=failures,
            error=error[:500],
            problems=[asdict(each) for each in problems],
        )
    )
    log.info("outside-times.failed", source_id=source.id, failures=failures)


async def fetch_outside_times(database: Database, fetcher: Fetcher | None = None) -> int:
    """Fetch every source that is due; how many were tried."""
    fetcher = fetcher or Fetcher(bytes_max=BYTES_MAX, allowed_hosts=allowed_hosts())
    tried = 0
    while True:
        claimed = await atomically(database, claim_due_sources, AT_ONCE, actor=_FETCHER)
        await asyncio.gather(*(_fetch(database, fetcher, each) for each in claimed))
        tried += len(claimed)
        if len(claimed) < AT_ONCE:
            return tried


async def _fetch(database: Database, fetcher: Fetcher, claimed: Claimed) -> None:
    at = database.clock.now()
    ask = may_ask_for_changes(claimed.landed_at, at=at)
    note = NoteFetched(claimed.id, claimed.attempt)
    try:
        fetched = await fetcher.fetch(
            claimed.url,
            etag=claimed.etag if ask else None,
            last_modified=claimed.last_modified if ask else None,
        )
    except FetchRefused as refused:
        note = replace(note, error=str(refused))
    else:
        read = None
        if fetched.content is not None:
            read = await read_in_own_process(fetched.content, window_of_import(at))
        note = replace(note, fetched=fetched, read=read)
    await atomically(database, note_fetched, note, actor=_FETCHER)
