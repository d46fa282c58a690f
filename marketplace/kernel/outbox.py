"""The outbox: events written with the facts they tell, delivered after commit, at least once.

A handler runs in a transaction of its own together with an `outbox_delivery` row, so that its
effect happens once however often the event is delivered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.kernel.actors import system_actor
from marketplace.kernel.events import Event
from marketplace.kernel.tables import outbox_delivery, outbox_event

if TYPE_CHECKING:
    from marketplace.kernel.db import Database, Tx

log = structlog.get_logger()

Handler = Callable[["Tx", Any], Awaitable[None]]
Handlers = Mapping[type[Event], Sequence[Handler]]

# An event that no handler takes after this many attempts waits for a person.
ATTEMPTS_MAX = 20
BACKOFF_SECONDS_MAX = 3600

_STORE = """
    insert into outbox_event (name, payload, recorded_at, due_at)
    select name, payload, $3, $3
      from unnest($1::text[], $2::jsonb[]) with ordinality as told (name, payload, place)
     order by place
"""


async def store(tx: Tx, events: Sequence[Event]) -> None:
    """Write `events` in one statement; they are due at once."""
    driver = await tx.raw()
    await driver.execute(
        _STORE,
        [type(event).__name__ for event in events],
        [msgspec.json.encode(event.payload()).decode() for event in events],
        tx.now,
    )


async def deliver_due(database: Database, handlers: Handlers, *, limit: int = 200) -> int:
    """Deliver events that are due, oldest first, and return how many were.

    Several workers may call this at once: each row is taken by one (`SKIP LOCKED`).
    """
    delivered = 0
    while delivered < limit:
        if not await _deliver_next(database, handlers):
            break
        delivered += 1
    return delivered


async def _deliver_next(database: Database, handlers: Handlers) -> bool:
    # Imported here because the two know each other: a transaction stores events, and delivering
    # one opens transactions.
    from marketplace.kernel.db import transaction

    async with transaction(database, actor=system_actor("outbox")) as tx:
        row = (
            await tx.execute(
                select(outbox_event.c.id, outbox_event.c.name, outbox_event.c.payload)
                .where(
                    outbox_event.c.delivered_at.is_(None),
                    outbox_event.c.due_at <= tx.now,
                    outbox_event.c.attempts < ATTEMPTS_MAX,
                )
                .order_by(outbox_event.c.due_at, outbox_event.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
        ).one_or_none()
        if row is None:
            return False
        event_type = Event.by_name.get(row.name)
        if event_type is None:
            # Written by a newer release: this one must not mark it delivered.
            await _postpone(tx, row.id, "no such event in this release")
            return True
        try:
            event = event_type.from_payload(row.payload)
        except (KeyError, TypeError, ValueError) as error:
            # Written by a release that knew the event otherwise: those behind it must not wait.
            log.exception("outbox.unreadable", event_id=row.id, name=row.name)
            await _postpone(tx, row.id, f"unreadable: {error!r}")
            return True
        for handler in handlers.get(event_type, ()):
            try:
                async with tx.connection.begin_nested():
                    if await _first_delivery(tx, row.id, handler.__qualname__):
                        await handler(tx, event)
                        await tx.flush()
            except Exception as error:
                # What it recorded went the way of what it did.
                tx.forget()
                log.exception("outbox.handler_failed", event_id=row.id, name=row.name)
                await _postpone(tx, row.id, f"{handler.__qualname__}: {error}")
                return True
        await tx.execute(
            update(outbox_event)
            .where(outbox_event.c.id == row.id)
            .values(delivered_at=tx.now, attempts=outbox_event.c.attempts + 1, last_error=None)
        )
        return True


async def _first_delivery(tx: Tx, event_id: int, handler: str) -> bool:
    inserted = await tx.execute(
        upsert(outbox_delivery)
        .values(event_id=event_id, handler=handler, delivered_at=tx.now)
        .on_conflict_do_nothing()
    )
    return bool(inserted.rowcount)


async def _postpone(tx: Tx, event_id: int, error: str) -> None:
    attempts = await tx.scalar(
        update(outbox_event)
        .where(outbox_event.c.id == event_id)
        .values(attempts=outbox_event.c.attempts + 1, last_error=error[:2000])
        .returning(outbox_event.c.attempts)
    )
    wait = timedelta(seconds=min(2**attempts, BACKOFF_SECONDS_MAX))
    await tx.execute(
        update(outbox_event).where(outbox_event.c.id == event_id).values(due_at=tx.now + wait)
    )
