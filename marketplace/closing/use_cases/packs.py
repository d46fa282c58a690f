"""Building an audit pack: one snapshot of the books, streamed into an archive, part by part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import delete, func, insert, select, text, update

from marketplace.billing.ledger.queries import VerifyReport, verify
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.closing.errors import DaysNotOver, PackNotReady
from marketplace.closing.queries.packs import ENTRIES_TOTAL, TABLES, Pack, pack_by_id, part_keys
from marketplace.closing.rules.archive import Archive
from marketplace.closing.rules.months import Month
from marketplace.closing.tables import audit_pack, audit_pack_part
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically, errors_translated
from marketplace.kernel.errors import DomainError
from marketplace.kernel.storage import keep_file, kept_file

AREA = "audit_packs"
ROWS_AT_ONCE = 1000
# How often a reader sees it move.
PROGRESS_ROWS = 20_000
# The class of the locks under which a pack is built once at a time.
PACK_LOCK = 4_862_036
BUILDER = system_actor("job:build_packs")


async def ask_pack(tx: Tx, month: Month) -> Pack:
    """Ask for the archive of a month; a job builds it.

    Raises:
        DaysNotOver: when the month is not over.
    """
    if month.last_on >= tx.today:
        raise DaysNotOver("Name a month that is over.", limit=tx.today, asked=month.last_on)
    made: int = await tx.scalar(
        insert(audit_pack)
        .values(
            first_on=month.first_on,
            last_on=month.last_on,
            status="asked",
            asked_by=tx.actor.person_id,
            asked_at=tx.now,
        )
        .returning(audit_pack.c.id)
    )
    tx.audit("ask", subject="audit_pack", subject_id=made, month=str(month.first_on)[:7])
    return await pack_by_id(tx, made)


async def take_pack(tx: Tx, pack_id: int) -> tuple[Pack, list[str]]:
    """A pack and where its parts lie; who takes it is noted.

    Raises:
        PackMissing: when there is none.
        PackNotReady: when it is not built.
    """
    pack = await pack_by_id(tx, pack_id)
    if pack.status != "ready":
        raise PackNotReady(f"The pack is {pack.status}.")
    tx.audit("download", subject="audit_pack", subject_id=pack.id, sha256=pack.sha256)
    return pack, list(await part_keys(tx, pack.id))


def pack_name(pack: Pack) -> str:
    """What the archive is called where it is saved."""
    return f"audit-{pack.first_on:%Y-%m}-{pack.id}.zip"


async def pack_content(keys: Sequence[str]) -> AsyncIterator[bytes]:
    """The archive, part by part."""
    for key in keys:
        yield await kept_file(key)


async def build_pack(database: Database, pack_id: int) -> bool:
    """Build a pack from the start; False when somebody else is at it.

    What a killed worker left is written again. The verification has a younger snapshot of its own,
    so that it has seen every entry and seal that the pack has.
    """
    try:
        async with errors_translated(), database.engine.connect() as plain:
            connection = await plain.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with connection.begin():
                lock = select(func.pg_try_advisory_xact_lock(PACK_LOCK, pack_id))
                if not await connection.scalar(lock):
                    return False
                pack = await atomically(database, pack_by_id, pack_id, actor=BUILDER)
                if pack.ended_at is not None:
                    return False
                await connection.execute(text("set local statement_timeout = '10min'"))
                report = await verify(database)
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                await _Building(database, driver, pack).run(report)
    except DomainError:
        # The store or the database is away, or a verification runs: the next run begins anew.
        raise
    except Exception as bug:
        await _set(database, pack_id, status="failed", problem=type(bug).__name__, ended=True)
        raise
    return True


class _Building:
    """One pack while it is built."""

    def __init__(self, database: Database, driver: asyncpg.Connection[Any], pack: Pack) -> None:
        self._database, self._driver, self._pack = database, driver, pack
        self._archive = Archive()
        self._number = 0
        self._days = (pack.first_on, pack.last_on)

    async def run(self, report: VerifyReport) -> None:
        total = await self._driver.fetchval(ENTRIES_TOTAL, *self._days)
        await atomically(self._database, _forget_parts, self._pack.id, actor=BUILDER)
        await _set(
            self._database, self._pack.id, status="building", entries_total=total, entries_done=0
        )
        for name, heading, query in TABLES:
            await self._table(name, heading, query)
        asked = reconciliation.BalancingAsked(*self._days)
        balancing = await atomically(self._database, reconciliation.balancing, asked, actor=BUILDER)
        self._document("reconciliation.json", msgspec.to_builtins(balancing))
        self._document("verification.json", asdict(report) | {"ok": report.ok})
        manifest = self._manifest(
            await self._driver.fetchrow(
                "select number, encode(sha256, 'hex') as sha256 from seal"
                " order by number desc limit 1"
            )
        )
        self._document("manifest.json", manifest)
        self._archive.end()
        await self._keep(last=True)
        await _set(
            self._database,
            self._pack.id,
            status="ready",
            entries_done=total,
            size=self._archive.size,
            sha256=self._archive.sha256,
            manifest=manifest,
            ended=True,
        )

    async def _table(self, name: str, heading: str, query: str) -> None:
        self._archive.begin(name)
        self._archive.write(heading.encode() + b"\r\n")
        rows: list[asyncpg.Record] = []
        seen, entries, last_id = 0, 0, None
        async for row in self._driver.cursor(query, *self._days, prefetch=ROWS_AT_ONCE):
            rows.append(row)
            entries += row[0] != last_id
            last_id = row[0]
            if len(rows) == ROWS_AT_ONCE:
                self._archive.write_rows(rows)
                seen += len(rows)
                rows.clear()
                await self._keep()
                if name == "entries.csv" and seen % PROGRESS_ROWS == 0:
                    await _set(self._database, self._pack.id, entries_done=entries)
        self._archive.write_rows(rows)
        await self._keep()

    def _document(self, name: str, content: Any) -> None:
        self._archive.begin(name)
        written = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str)
        self._archive.write(written.encode())

    def _manifest(self, seal: asyncpg.Record | None) -> dict[str, Any]:
        self._archive.end_file()
        return {
            "first_on": str(self._pack.first_on),
            "last_on": str(self._pack.last_on),
            "files": {
                member.name: {"sha256": member.sha256, "bytes": member.size}
                for member in self._archive.members
            },
            "last_seal": {"number": seal["number"], "sha256": seal["sha256"]} if seal else None,
        }

    async def _keep(self, *, last: bool = False) -> None:
        for part in self._archive.parts(last=last):
            self._number += 1
            kept = (self._pack.id, self._number, part)
            await atomically(self._database, _keep_part, kept, actor=BUILDER)


async def _keep_part(tx: Tx, part: tuple[int, int, bytes]) -> None:
    pack_id, number, content = part
    key = await keep_file(tx, AREA, content)
    await tx.execute(
        insert(audit_pack_part).values(pack_id=pack_id, number=number, storage_key=key)
    )


async def _forget_parts(tx: Tx, pack_id: int) -> None:
    await tx.execute(delete(audit_pack_part).where(audit_pack_part.c.pack_id == pack_id))


async def _set(database: Database, pack_id: int, *, ended: bool = False, **values: Any) -> None:
    async def work(tx: Tx, _: None) -> None:
        at = {"ended_at": tx.now} if ended else {}
        await tx.execute(
            update(audit_pack).where(audit_pack.c.id == pack_id).values(**values, **at)
        )

    await atomically(database, work, None, actor=BUILDER)
