"""Files that no row names: what a crash, or a refusal at COMMIT, has left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import ARRAY, BigInteger, func, literal, select

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.storage.files import Files

log = structlog.get_logger()

# A transaction that writes a file and its row lasts for seconds: a day is far beyond any of them.
ORPHAN_AGE = timedelta(days=1)

Named = Callable[[Tx, Sequence[str]], Awaitable[Sequence[str]]]


def lock_of(key: str) -> int:
    """The number under which PostgreSQL locks a key."""
    digest = hashlib.sha256(b"file:" + key.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def remove_orphans(database: Database, store: Files, area: str, named: Named) -> int:
    """Remove files of `area` older than a day that no row names; how many.

    `named` says which of some keys are named by rows.
    """
    removed = 0

    async def remove(tx: Tx, keys: Sequence[str]) -> int:
        locked = await _lock_what_is_free(tx, keys)
        # A statement of its own: it sees every row that was committed before the locks were had.
        standing = set(await named(tx, locked))
        orphans = [key for key in locked if key not in standing]
        await store.remove(orphans)
        return len(orphans)

    before = database.clock.now() - ORPHAN_AGE
    async for found in store.written_before(area, before):
        removed += await atomically(
            database, remove, found, actor=system_actor("job:remove_orphans")
        )
    if removed:
        log.warning("files.orphans_removed", area=area, removed=removed)
    return removed


async def _lock_what_is_free(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of `keys` that nobody is writing; they stay locked until the transaction ends."""
    by_lock = {lock_of(key): key for key in keys}
    locks = select(
        func.unnest(literal(sorted(by_lock), ARRAY(BigInteger))).label("lock")
    ).subquery()
    had = await tx.scalars(select(locks.c.lock).where(func.pg_try_advisory_xact_lock(locks.c.lock)))
    return [by_lock[lock] for lock in had]
