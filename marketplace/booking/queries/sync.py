"""How far behind the systems of the campuses are: calendars that are fetched, logs that arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true

from marketplace.booking.rules.busy_sources import STALE_AFTER, SourceKind
from marketplace.booking.tables import busy_source, machine_reading, reading_source
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class SyncLag:
    """A provider's calendars outside the platform, and its instruments' logs.

    `fetched_at`: of the calendar that is furthest behind. `read_at`: when a log last arrived.
    """

    provider_id: int
    calendars: int
    stale: int
    failing: int
    fetched_at: datetime | None
    logs: int
    read_at: datetime | None


async def sync_lag(tx: Tx, _: None = None) -> list[SyncLag]:
    """Every provider that is connected, in the order of their ids."""
    of = busy_source.c
    fetched = (of.kind == SourceKind.URL) & ~of.paused
    stale = fetched & func.coalesce(of.fetched_at < tx.now - STALE_AFTER, True)
    calendars = {
        row.provider_id: row
        for row in await tx.execute(
            select(
                of.provider_id,
                func.count().label("calendars"),
                func.count().filter(stale).label("stale"),
                func.count().filter(of.failures > 0).label("failing"),
                func.min(of.fetched_at).filter(fetched).label("fetched_at"),
            ).group_by(of.provider_id)
        )
    }
    connected = (
        select(reading_source.c.provider_id, func.count().label("logs"))
        .group_by(reading_source.c.provider_id)
        .subquery()
    )
    # By its index: the table holds every run there ever was.
    newest = (
        select(machine_reading.c.received_at.label("read_at"))
        .where(machine_reading.c.provider_id == connected.c.provider_id)
        .order_by(machine_reading.c.id.desc())
        .limit(1)
        .lateral()
    )
    logs = {
        row.provider_id: row
        for row in await tx.execute(
            select(connected.c.provider_id, connected.c.logs, newest.c.read_at).select_from(
                connected.outerjoin(newest, true())
            )
        )
    }
    found = []
    for provider_id in sorted(calendars.keys() | logs.keys()):
        calendar, log = calendars.get(provider_id), logs.get(provider_id)
        found.append(
            SyncLag(
                provider_id,
                calendar.calendars if calendar else 0,
                calendar.stale if calendar else 0,
                calendar.failing if calendar else 0,
                calendar.fetched_at if calendar else None,
                log.logs if log else 0,
                log.read_at if log else None,
            )
        )
    return found
