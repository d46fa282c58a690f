"""Importing a provider's instruments from a file in the national layout.

One file is one transaction, however long: either the report is true of everything that landed, or
nothing landed and there is no report. 133,000 lines take well under a minute, so nothing is gained
by landing them in parts, and a provider never sees half a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, insert, select

from marketplace.catalogue import tables
from marketplace.catalogue.errors import HeaderMissing, ImportRunning, ImportTooLong
from marketplace.catalogue.events import InstrumentsImported
from marketplace.catalogue.rules.layout import (
    PREAMBLE_ROWS_MAX,
    REQUIRED,
    Header,
    is_header,
    read_header,
    recognised,
)
from marketplace.catalogue.rules.line import LineError
from marketplace.catalogue.use_cases.landing import Landing
from marketplace.catalogue.use_cases.storing import ListingTerms, require_provider
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Reasons
from marketplace.kernel.spreadsheets import Row, row_batches

LINES_MAX = 200_000
LINES_PER_CHUNK = 2_000
# For the command line; what comes over HTTP is bounded by the settings before it gets here.
FILE_BYTES_MAX = 500_000_000
FILE_NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is; told after each chunk."""

    lines: int
    added: int
    changed: int
    refused: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every line: `lines` = added + changed + unchanged + refused.

    `errors` lists the first ones, `errors_total` counts all. `batch_id` is None for a dry run,
    which tells what would happen and lands nothing.
    """

    batch_id: int | None
    provider_id: int
    file_name: str
    file_sha256: str
    dry_run: bool
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    errors_total: int
    errors: tuple[LineError, ...]
    ignored_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportInstruments:
    """Import `content`, a CSV or XLSX file; a dry run only says what would happen.

    A column that the file leaves out keeps what is known; an empty cell empties it.
    `progress` hears how far it is.
    """

    provider_id: int
    file_name: str
    content: bytes
    dry_run: bool = False
    progress: Callable[[ImportProgress], None] | None = None


async def import_instruments(tx: Tx, command: ImportInstruments) -> ImportReport:
    """Land the good lines, report the bad ones. The same file again changes nothing.

    An instrument that a line describes for the first time is listed at once; one that was
    withdrawn is described anew and stays withdrawn.

    Raises:
        InstrumentMissing: for somebody else's provider.
        ImportRunning: when another file of the provider is being imported.
        ImportTooLong: for more bytes or lines than one import takes.
        FileUnreadable: when it is neither CSV nor XLSX, or damaged.
        HeaderMissing: when no line is the header, or required columns are missing.
    """
    provider = await require_provider(tx, command.provider_id)
    _require_size(len(command.content))
    name = f"catalogue.import:{provider.id}"
    if not await tx.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise ImportRunning("Wait until it has ended, then send the file again.")
    landing = Landing(tx, provider=provider, terms=ListingTerms.on(tx.today), dry=command.dry_run)
    await landing.prepare()
    ignored: tuple[str, ...] = ()
    async with contextlib.aclosing(_chunks(command.content)) as chunks:
        async for header, rows in chunks:
            ignored = header.ignored
            await landing.land(header, rows)
            if landing.lines > LINES_MAX:
                raise ImportTooLong("Split the file.", limit=LINES_MAX, unit="lines")
            if command.progress:
                command.progress(
                    ImportProgress(landing.lines, landing.added, landing.changed, landing.refused)
                )
    await landing.finish()
    digest = await asyncio.to_thread(hashlib.sha256, command.content)
    report = ImportReport(
        batch_id=None,
        provider_id=provider.id,
        file_name=_file_name(command.file_name),
        file_sha256=digest.hexdigest(),
        dry_run=command.dry_run,
        lines=landing.lines,
        added=landing.added,
        changed=landing.changed,
        unchanged=landing.unchanged,
        refused=landing.refused,
        errors_total=landing.errors_total,
        errors=tuple(sorted(landing.errors, key=lambda error: error.line)),
        ignored_columns=ignored,
    )
    return report if command.dry_run else await _landed(tx, report)


async def import_file(
    database: Database,
    provider_id: int,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Callable[[ImportProgress], None] | None = None,
    actor: Actor | None = None,
) -> ImportReport:
    """Import the file at `path` as the platform itself, for the command line.

    Raises:
        OSError: when the file cannot be read.
        DomainError: as `import_instruments`.
    """
    _require_size((await asyncio.to_thread(path.stat)).st_size)
    command = ImportInstruments(
        provider_id=provider_id,
        file_name=path.name,
        content=await asyncio.to_thread(path.read_bytes),
        dry_run=dry_run,
        progress=progress,
    )
    return await atomically(
        database, import_instruments, command, actor=actor or system_actor("import")
    )


def _require_size(size: int) -> None:
    if size > FILE_BYTES_MAX:
        raise ImportTooLong("Split the file.", limit=FILE_BYTES_MAX, asked=size, unit="bytes")


def _file_name(given: str) -> str:
    name = "".join(sign for sign in given if sign.isprintable())
    return name.replace("\\", "/").rpartition("/")[2][:FILE_NAME_LENGTH_MAX] or "upload"


async def _landed(tx: Tx, report: ImportReport) -> ImportReport:
    """Keep the report, and tell of it."""
    batch = tables.import_batch
    counts = {
        name: getattr(report, name)
        for name in ("lines", "added", "changed", "unchanged", "refused")
    }
    batch_id: int = await tx.scalar(
        insert(batch)
        .values(
            provider_id=report.provider_id,
            file_sha256=report.file_sha256,
            file_name=report.file_name,
            report={
                "errors_total": report.errors_total,
                "errors": [dataclasses.asdict(error) for error in report.errors],
                "ignored_columns": list(report.ignored_columns),
            },
            imported_by=tx.actor.person_id,
            imported_at=tx.now,
            **counts,
        )
        .returning(batch.c.id)
    )
    tx.audit(
        "import",
        subject="import_batch",
        subject_id=batch_id,
        file_sha256=report.file_sha256,
        **counts,
    )
    tx.record(InstrumentsImported(batch_id, report.provider_id, report.added, report.changed))
    return dataclasses.replace(report, batch_id=batch_id)


async def _chunks(content: bytes) -> AsyncGenerator[tuple[Header, list[Row]], None]:
    """The lines below the header of the first sheet that has one, in chunks.

    Raises:
        HeaderMissing: when no sheet has one, or required columns are missing.
    """
    header: Header | None = None
    sheet, above, best, best_row = "", 0, 0, 0
    chunk: list[Row] = []
    async with contextlib.aclosing(row_batches(content)) as batches:
        async for batch in batches:
            for row in batch:
                if header is None:
                    above = above + 1 if row.sheet == sheet else 1
                    sheet = row.sheet
                    known = recognised(row.cells) if above <= PREAMBLE_ROWS_MAX else 0
                    best, best_row = max((best, best_row), (known, row.line))
                    if above <= PREAMBLE_ROWS_MAX and is_header(row.cells):
                        header, header_line = read_header(row.cells), row.line
                        _require_header(header)
                elif row.sheet != sheet:
                    break
                elif not (row.line <= header_line + 1 and is_header(row.cells)):
                    chunk.append(row)
            if header and len(chunk) >= LINES_PER_CHUNK:
                yield header, chunk
                chunk = []
            if header and batch and batch[-1].sheet != sheet:
                break
    if header is None:
        raise HeaderMissing(
            f"The first {PREAMBLE_ROWS_MAX} lines hold no header of the national layout "
            "(前 30 行没有国家平台格式的表头).",
            columns_required=[f"{field.headers[0]} ({field.national})" for field in REQUIRED],
            best_line=best_row,
            best_columns=best,
        )
    if chunk:
        yield header, chunk


def _require_header(header: Header) -> None:
    reasons = Reasons()
    for name in header.missing:
        reasons.add("column-missing", f"required column missing: {name}", source="F.layout")
    for name in header.doubled:
        reasons.add("column-twice", f"two columns say the same: {name}", asked=name)
    reasons.raise_as(HeaderMissing, "Some columns are missing or there twice; see reasons.")
