"""Filing cost sheets from a file: what is filed, what is unchanged, what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import event, text

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import FileHeaderMissing, FileTooLong
from marketplace.billing.pricing.rules.cost_file import LAYOUT
from marketplace.billing.pricing.schemas import cost_sheet_table
from marketplace.billing.pricing.use_cases import (
    FileReport,
    ImportCostSheets,
    files,
    import_cost_sheets,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.spreadsheets import FileFormat, table_file
from tests.builders.catalogue import a_csv, a_line, an_instrument, imported
from tests.builders.parties import a_provider
from tests.builders.pricing import a_cost_sheet

TEST = system_actor("test")
HEAD = ["内部编号", "年度", "计划机时", "人工费", "折旧费", "项目"]
OPERATOR = "operator:人工:操作员:hour:80"


async def sent(
    database: Database, provider_id: int, rows: list[list[str]], **how: Any
) -> FileReport:
    content = await table_file(rows, FileFormat.CSV)
    command = ImportCostSheets(provider_id, "成本.csv", content, **how)
    return await atomically(database, import_cost_sheets, command, actor=TEST)


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.lines, report.filed, report.unchanged, report.refused


async def sheets_of(database: Database, instrument_id: int) -> list[queries.CostSheet]:
    return await atomically(database, queries.cost_sheets, instrument_id, actor=TEST)


async def test_good_lines_are_filed_and_bad_ones_told(database: Database) -> None:
    provider_id = await a_provider(database)
    mine = await an_instrument(database, provider_id=provider_id, inner_id="A-1", funds="own")
    await an_instrument(database, provider_id=provider_id, inner_id="A-2", funds="central")
    await an_instrument(database, inner_id="B-1")
    rows = [
        ["2025 年成本核算表"],
        HEAD,
        ["A-1", "2025", "1400", "222000", "100000", OPERATOR],
        ["A-2", "2025", "1400", "1", "5", ""],
        ["B-1", "2025", "1400", "1", "", ""],
        ["A-1", "2025", "1", "1", "", ""],
        ["A-1", "2026", "1", "x", "", ""],
    ]

    dry = await sent(database, provider_id, rows, dry_run=True)
    assert [] == await sheets_of(database, mine)
    report = await sent(database, provider_id, rows)

    assert (5, 1, 0, 4) == counts(report) == counts(dry)
    assert dry.errors == report.errors
    assert [
        (4, "折旧费", "depreciation-funds"),
        (5, "内部编号", "instrument-unknown"),
        (6, "内部编号", "line-twice"),
        (7, "人工费", "amount"),
    ] == [(error.line, error.column, error.rule) for error in report.errors]
    (sheet,) = await sheets_of(database, mine)
    assert (2025, 1, "planned", 84_000, 32_200_000, 230_00) == (
        sheet.year,
        sheet.version,
        sheet.basis,
        sheet.planned_minutes,
        sheet.total_fen,
        sheet.unit_cost_fen,
    )
    assert [("operator", 8_000)] == [(item.code, item.cost_fen) for item in sheet.items]


async def test_the_same_file_again_files_nothing_and_a_change_is_another_version(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    instrument_id = await an_instrument(database, provider_id=provider_id, inner_id="A-1")
    rows = [
        [*HEAD, "口径"],
        ["A-1", "2025", "1400", "322000", "", OPERATOR, ""],
        ["A-1", "2025", "1200", "310000", "", "", "实际"],
    ]

    assert (2, 2, 0, 0) == counts(await sent(database, provider_id, rows))
    assert (2, 0, 2, 0) == counts(await sent(database, provider_id, rows))
    # Neither the order of columns nor a component of nothing is a change.
    same = [list(reversed(row)) for row in rows]
    same[1][2] = "0.00"
    assert (2, 0, 2, 0) == counts(await sent(database, provider_id, same))
    rows[1][3] = "322000.01"
    assert (2, 1, 1, 0) == counts(await sent(database, provider_id, rows))

    assert [(3, "planned"), (2, "actual"), (1, "planned")] == [
        (sheet.version, sheet.basis) for sheet in await sheets_of(database, instrument_id)
    ]


async def test_what_was_taken_out_is_unchanged_when_it_is_sent_again(database: Database) -> None:
    provider_id = await a_provider(database)
    first = await an_instrument(database, provider_id=provider_id, inner_id="-1")
    second = await an_instrument(database, provider_id=provider_id, inner_id="0012")
    await a_cost_sheet(database, instrument_id=first)
    await a_cost_sheet(database, instrument_id=second, planned_minutes=100)
    await a_cost_sheet(database, instrument_id=second, planned_minutes=101)
    await a_cost_sheet(database, instrument_id=second, year=2024, actual=True)
    await a_cost_sheet(database, instrument_id=await an_instrument(database))

    async def taken_out(year: int | None = None) -> list[list[str]]:
        question = queries.ProviderSheets(provider_id, year)
        found = await atomically(database, queries.provider_sheets, question, actor=TEST)
        return cost_sheet_table(found, FileFormat.CSV)

    table = await taken_out()

    assert LAYOUT.written == table[0]
    assert [("-1", "2025"), ("0012", "2024"), ("0012", "2025")] == [
        (row[0], row[1]) for row in table[1:]
    ]
    assert (3, 0, 3, 0) == counts(await sent(database, provider_id, table))
    assert 2 == len(await taken_out(2024))


async def test_another_providers_file_is_not_taken(database: Database) -> None:
    provider_id, other_id = await a_provider(database), await a_provider(database)
    other = Actor(1, other_id, "provider", frozenset({"provider_manager"}))
    command = ImportCostSheets(provider_id, "a.csv", b"x")

    with pytest.raises(InstrumentMissing):
        await atomically(database, import_cost_sheets, command, actor=other)
    with pytest.raises(InstrumentMissing):
        await atomically(
            database, queries.provider_sheets, queries.ProviderSheets(provider_id), actor=other
        )


async def test_a_file_without_its_header_or_too_long_is_refused_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_id = await a_provider(database)
    for head in (["a", "b"], HEAD[:1] + HEAD[3:], [*HEAD, "年份"]):
        with pytest.raises(FileHeaderMissing):
            await sent(database, provider_id, [head, ["1", "2"]])
    monkeypatch.setattr(files, "LINES_MAX", 2)
    with pytest.raises(FileTooLong):
        await sent(database, provider_id, [HEAD, *[["A-1", "2025", "1", "1"]] * 3])


async def test_thousands_of_lines_take_seconds_and_a_handful_of_statements(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    numbers = [f"A-{number:05d}" for number in range(3_000)]
    await imported(database, provider_id, a_csv([a_line(innerId=number) for number in numbers]))
    rows = [HEAD, *[[number, "2025", "1400", "322000", "", OPERATOR] for number in numbers]]
    statements: list[str] = []

    def note(*executed: Any) -> None:
        statements.append(executed[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    began = time.monotonic()
    report = await sent(database, provider_id, rows)
    took = time.monotonic() - began
    again = await sent(database, provider_id, rows)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)

    assert (3_000, 3_000, 0, 0) == counts(report)
    assert (3_000, 0, 3_000, 0) == counts(again)
    # Three chunks, twice.
    assert len(statements) < 60
    assert took < 20
    async with database.engine.connect() as connection:
        filed = await connection.scalar(text("select count(*) from cost_sheet"))
        audited = await connection.scalar(
            text("select count(*) from audit_event where subject = 'cost_sheet'")
        )
    assert filed == audited == 3_000
