"""An instrument with outside calendars, for tests of what comes in from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from marketplace.booking.queries import Window, availability, busy_times
from marketplace.booking.queries.outside_busy import (
    Source,
    TimesAsked,
)
from marketplace.booking.rules.busy_sources import PushMode, SourceKind
from marketplace.booking.rules.ical_reading import BYTES_MAX, OutsideTime
from marketplace.booking.use_cases import (
    AddSource,
    Landed,
    PushTimes,
    add_source,
    push_times,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.outbound import Fetcher
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, at_hours
from tests.builders.outside import OutsideServer
from tests.builders.parties import an_actor


def a_time(
    uid: str, day: int, begins: float = 9, ends: float = 11, summary: str = ""
) -> OutsideTime:
    return OutsideTime(uid, "", at_hours(day, begins, ends), summary or uid)


def a_file(*times: OutsideTime) -> bytes:
    lines = ["BEGIN:VCALENDAR"]
    for time in times:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{time.uid}",
            f"SUMMARY:{time.summary}",
            f"DTSTART:{time.during.starts_at:%Y%m%dT%H%M%SZ}",
            f"DTEND:{time.during.ends_at:%Y%m%dT%H%M%SZ}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@dataclass
class Lab:
    """An instrument, who runs it, and a stranger."""

    database: Database
    clock: SetClock
    instrument_id: int
    staff: Actor
    stranger: Actor

    async def do(self, use_case: Any, command: Any, *, by: Actor | None = None) -> Any:
        return await atomically(self.database, use_case, command, actor=by or self.staff)

    async def source(self, kind: SourceKind, *, url: str | None = None, name: str = "") -> Source:
        command = AddSource(self.instrument_id, kind, name or f"our {kind}", url)
        found: Source = await self.do(add_source, command)
        return found

    async def push(self, source: Source, *times: OutsideTime, **changes: Any) -> Landed:
        command = replace(PushTimes(source.id, PushMode.REPLACE, times), **changes)
        found: Landed = await self.do(push_times, command)
        return found

    async def held(self, source: Source) -> list[str]:
        page = await self.do(busy_times, TimesAsked(source.id, page_size=200))
        return [f"{each.uid} {each.starts_at:%m-%d %H}" for each in page.times]

    async def busy(self, day: int) -> list[tuple[str, str]]:
        found = await atomically(
            self.database,
            availability,
            Window(self.instrument_id, at_hours(day, 8, 18)),
            actor=TEST,
        )
        return [(each.reason, each.text) for each in found.busy]

    async def count(self, query: str) -> Any:
        async def ask(tx: Tx, _: None) -> Any:
            return await tx.scalar(text(query))

        return await self.do(ask, None)


async def a_lab(database: Database, clock: SetClock) -> Lab:
    staff = await an_actor(database, Role.TECHNICIAN)
    return Lab(
        database,
        clock,
        await a_bookable_instrument(database, provider_id=staff.organisation_id),
        staff,
        await an_actor(database, Role.TECHNICIAN),
    )


def a_fetcher(outside: OutsideServer) -> Fetcher:
    return Fetcher(
        bytes_max=BYTES_MAX,
        seconds_max=5.0,
        allowed_hosts=frozenset({"localhost"}),
        certificates=outside.trusted,
    )
