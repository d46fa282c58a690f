"""Cost sheets of many instruments from one file: the good lines are filed, the bad ones told."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.columns import Header, LineError
from marketplace.billing.pricing.rules.cost import CostItemAsked, unit_cost
from marketplace.billing.pricing.rules.cost_file import (
    LAYOUT,
    CostLine,
    CostTerms,
    cost_error,
    funds_error,
    read_cost_line,
)
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind
from marketplace.billing.pricing.tables import cost_component, cost_item
from marketplace.billing.pricing.use_cases.files import (
    ERRORS_LISTED_MAX,
    FileReport,
    insert_rows,
    json_of,
    line_chunks,
    plain_name,
    take_turns,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.spreadsheets import Row
from marketplace.rulebook import rulebook

_FILE_SHEETS = text("""
    insert into cost_sheet (instrument_id, year, version, basis, planned_minutes, total_fen,
                            unit_cost_fen, filed_by, filed_at)
    select filed.instrument_id, filed.year,
           coalesce(known.version, 0)
             + row_number() over (partition by filed.instrument_id, filed.year order by filed.line),
           filed.basis, filed.planned_minutes, filed.total_fen, filed.unit_cost_fen,
           :filed_by, :filed_at
    from jsonb_to_recordset(cast(:sheets as jsonb)) filed (
           line integer, instrument_id bigint, year smallint, basis text, planned_minutes integer,
           total_fen bigint, unit_cost_fen bigint)
    left join lateral (
      select max(version) as version from cost_sheet earlier
      where earlier.instrument_id = filed.instrument_id and earlier.year = filed.year
    ) known on true
    returning id, instrument_id, year, basis, total_fen
""")
# An instrument, a year, and whether it is what the year really cost.
Key = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class ImportCostSheets:
    """File the cost sheets in `content`, a CSV or XLSX file; a dry run files nothing."""

    provider_id: int
    file_name: str
    content: bytes
    dry_run: bool = False


async def import_cost_sheets(tx: Tx, command: ImportCostSheets) -> FileReport:
    """File the good lines, report the bad ones. The same file again files nothing.

    A line that says what the newest sheet of its instrument and year says is unchanged; any other
    is another version, and the earlier ones stay as they were filed.

    Raises:
        InstrumentMissing: for somebody else's instruments.
        FileUnreadable: when it is neither CSV nor XLSX, or damaged.
        FileHeaderMissing: when no line is the header, or required columns are missing.
        FileTooLong: for more lines than one file may have.

    Policy: J.21a, J.21d
    """
    queries.require_own(tx, command.provider_id)
    await take_turns(tx, command.provider_id)
    filing = _Filing(tx, command.provider_id, dry=command.dry_run)
    ignored: tuple[str, ...] = ()
    async with contextlib.aclosing(line_chunks(command.content, LAYOUT)) as chunks:
        async for header, rows in chunks:
            ignored = header.ignored
            await filing.file(header, rows)
    digest = await asyncio.to_thread(hashlib.sha256, command.content)
    report = FileReport(
        provider_id=command.provider_id,
        file_name=plain_name(command.file_name),
        file_sha256=digest.hexdigest(),
        dry_run=command.dry_run,
        lines=filing.lines,
        filed=filing.filed,
        unchanged=filing.unchanged,
        refused=filing.refused,
        errors_total=filing.errors_total,
        errors=tuple(sorted(filing.errors, key=lambda error: error.line)),
        ignored_columns=ignored,
    )
    if not command.dry_run:
        tx.audit(
            "import_cost_sheets",
            subject="organisation",
            subject_id=command.provider_id,
            file_name=report.file_name,
            file_sha256=report.file_sha256,
            **{name: getattr(report, name) for name in ("lines", "filed", "unchanged", "refused")},
        )
    return report


class _Filing:
    """The state of one import: what was counted, and what was said about bad lines."""

    def __init__(self, tx: Tx, provider_id: int, *, dry: bool) -> None:
        self._tx = tx
        self._provider_id = provider_id
        self._dry = dry
        self._depreciation_funds = rulebook().pricing.depreciation_funds.on(tx.today)
        self._first_lines: dict[Key, int] = {}
        self.lines = self.filed = self.unchanged = self.refused = 0
        self.errors: list[LineError] = []
        self.errors_total = 0

    async def file(self, header: Header, rows: Sequence[Row]) -> None:
        """File what is new among `rows`, in a handful of statements however many they are."""
        self.lines += len(rows)
        read = await asyncio.to_thread(self._read, header, rows)
        good = await self._known(header, read)
        newest = await queries.newest_sheets(
            self._tx,
            sorted({key[0] for key in good}),
            sorted({key[1] for key in good}),
        )
        said = {
            (sheet.instrument_id, sheet.year, sheet.basis == "actual"): _terms(sheet)
            for sheet in newest
        }
        changed = {key: line for key, line in good.items() if said.get(key) != line.terms}
        self.filed += len(changed)
        self.unchanged += len(good) - len(changed)
        if changed and not self._dry:
            await self._file(changed)

    def _refuse(self, errors: Sequence[LineError]) -> None:
        self.refused += 1
        self.errors_total += len(errors)
        self.errors.extend(errors[: ERRORS_LISTED_MAX - len(self.errors)])

    def _read(self, header: Header, rows: Sequence[Row]) -> list[CostLine]:
        good = []
        for row in rows:
            if row.broken:
                self._refuse([cost_error(row.line, "", "", "line_broken")])
                continue
            line = read_cost_line(row.line, row.cells, header)
            if isinstance(line, CostLine):
                good.append(line)
            else:
                self._refuse(line)
        return good

    async def _known(self, header: Header, read: Sequence[CostLine]) -> dict[Key, CostLine]:
        """The lines whose instrument is the provider's, is named once, and may cost that."""
        instruments = await queries.numbered_instruments(
            self._tx, self._provider_id, (line.inner_id for line in read)
        )
        good: dict[Key, CostLine] = {}
        column = header.text_of("inner_id")
        for line in read:
            instrument = instruments.get(line.inner_id)
            if instrument is None:
                self._refuse([cost_error(line.line, column, line.inner_id, "instrument_unknown")])
                continue
            wrong = funds_error(
                line,
                header,
                funds=instrument.funds,
                depreciation_funds=self._depreciation_funds,
            )
            if wrong is not None:
                self._refuse([wrong])
                continue
            key = (instrument.instrument_id, line.year, line.actual)
            first = self._first_lines.setdefault(key, line.line)
            if first != line.line:
                twice = cost_error(line.line, column, line.inner_id, "line_twice", first=first)
                self._refuse([twice])
                continue
            good[key] = line
        return good

    async def _file(self, lines: dict[Key, CostLine]) -> None:
        made = await self._tx.execute(
            _FILE_SHEETS,
            {
                "filed_by": self._tx.actor.person_id,
                "filed_at": self._tx.now,
                "sheets": json_of([_sheet_row(key, line) for key, line in lines.items()]),
            },
        )
        ids = {(row.instrument_id, row.year, row.basis == "actual"): row.id for row in made}
        components = [
            {"cost_sheet_id": ids[key], "kind": kind.value, "amount_fen": amount_fen}
            for key, line in lines.items()
            for kind, amount_fen in line.components
        ]
        await insert_rows(self._tx, cost_component, components)
        items = [_item_row(ids[key], item) for key, line in lines.items() for item in line.items]
        await insert_rows(self._tx, cost_item, items)
        for key, line in lines.items():
            self._tx.audit(
                "file", subject="cost_sheet", subject_id=ids[key], total_fen=line.total_fen
            )


def _terms(sheet: queries.CostSheet) -> CostTerms:
    return CostTerms.of(
        sheet.planned_minutes,
        {CostKind(part.kind): part.amount_fen for part in sheet.components},
        [
            CostItemAsked(item.code, ExtraKind(item.kind), item.name, item.unit, item.cost_fen)
            for item in sheet.items
        ],
    )


def _sheet_row(key: Key, line: CostLine) -> dict[str, Any]:
    instrument_id, year, actual = key
    return {
        "line": line.line,
        "instrument_id": instrument_id,
        "year": year,
        "basis": "actual" if actual else "planned",
        "planned_minutes": line.planned_minutes,
        "total_fen": line.total_fen,
        "unit_cost_fen": unit_cost(total_fen=line.total_fen, planned_minutes=line.planned_minutes),
    }


def _item_row(cost_sheet_id: int, item: CostItemAsked) -> dict[str, Any]:
    return {"cost_sheet_id": cost_sheet_id} | dataclasses.asdict(item)
