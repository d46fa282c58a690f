"""Filing prices from a file: one version an instrument, none above cost, nothing twice."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import event

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import PriceListAboveCost
from marketplace.billing.pricing.rules.states import ExtraKind
from marketplace.billing.pricing.rules.tariff import HoursFactor
from marketplace.billing.pricing.schemas import price_table
from marketplace.billing.pricing.use_cases import (
    CostItemAsked,
    FileReport,
    ImportCostSheets,
    ImportPriceLists,
    import_cost_sheets,
    import_price_lists,
    price_file,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.spreadsheets import FileFormat, table_file
from tests.builders.catalogue import a_csv, a_line, an_instrument, imported
from tests.builders.parties import a_provider
from tests.builders.pricing import a_cost_sheet, a_price, a_price_list

TEST = system_actor("test")
HEAD = ["仪器编号", "客户类别", "计价单位", "单价", "最低收费", "单位用时", "阶梯价", "定价依据"]


async def sent(
    database: Database, provider_id: int, rows: list[list[str]], **how: Any
) -> FileReport:
    content = await table_file(rows, FileFormat.CSV)
    command = ImportPriceLists(provider_id, "价格.csv", content, **how)
    return await atomically(database, import_price_lists, command, actor=TEST)


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.lines, report.filed, report.unchanged, report.refused


def told(report: FileReport) -> list[tuple[int, str]]:
    return [(error.line, error.rule) for error in report.errors]


async def lists_of(database: Database, instrument_id: int) -> list[queries.PriceList]:
    return await atomically(database, queries.price_lists, instrument_id, actor=TEST)


async def test_the_lines_of_an_instrument_are_one_version_or_none(database: Database) -> None:
    provider_id = await a_provider(database)
    ids = {}
    for number in ("A-1", "A-2", "A-3", "A-4", "A-5"):
        ids[number] = await an_instrument(database, provider_id=provider_id, inner_id=number)
        if number != "A-4":
            await a_cost_sheet(database, instrument_id=ids[number])
    rows = [
        HEAD,
        ["A-1", "中小企业", "小时", "230", "100", "", "5:200", ""],
        ["A-1", "企业", "样品", "115", "", "30", "", ""],
        ["A-2", "中小企业", "小时", "230.01", "", "", "", ""],
        ["A-2", "企业", "小时", "230", "", "", "", ""],
        ["A-3", "中小企业", "小时", "一百", "", "", "", ""],
        ["A-3", "企业", "小时", "1", "", "", "", ""],
        ["A-4", "企业", "小时", "1", "", "", "", ""],
        ["A-5", "企业", "小时", "999", "", "", "", "苏价费〔2019〕1号"],
        ["A-6", "企业", "小时", "1", "", "", "", ""],
    ]

    dry = await sent(database, provider_id, rows, dry_run=True)
    assert [] == await lists_of(database, ids["A-1"])
    report = await sent(database, provider_id, rows)

    assert (9, 3, 0, 6) == counts(report) == counts(dry)
    assert dry.errors == report.errors
    assert [
        (4, "above-cost"),
        (5, "instrument-refused"),
        (6, "amount"),
        (7, "instrument-refused"),
        (8, "no-cost-sheet"),
        (10, "instrument-unknown"),
    ] == told(report)
    (filed,) = await lists_of(database, ids["A-1"])
    assert (1, "2025-03-10", "2025-03-11") == (
        filed.version,
        filed.notice_ends_on.isoformat(),
        filed.in_force_from.isoformat(),
    )
    assert [("enterprise", "sample", 115_00, 30, 0), ("sme", "hour", 230_00, None, 1)] == [
        (one.customer_class, one.unit, one.amount_fen, one.minutes_per_unit, len(one.tiers))
        for one in filed.prices
    ]
    assert [] == await lists_of(database, ids["A-2"]) == await lists_of(database, ids["A-3"])
    (state,) = await lists_of(database, ids["A-5"])
    assert state.state_set


async def test_the_same_file_files_nothing_and_the_tariff_stays(database: Database) -> None:
    provider_id = await a_provider(database)
    instrument_id = await an_instrument(database, provider_id=provider_id, inner_id="A-1")
    operator = CostItemAsked("operator", ExtraKind.STAFF_HELP, "操作员", "hour", 8_000)
    await a_cost_sheet(database, instrument_id=instrument_id, items=(operator,))
    await a_price_list(
        database,
        instrument_id=instrument_id,
        prices=[a_price(amount_fen=150_00)],
        hours=(HoursFactor("夜间", 2, 1200, 1440, 6000),),
        urgent_basis_points=5_000,
        extras=(("operator", 8_000),),
    )

    async def taken_out() -> list[list[str]]:
        found = await atomically(
            database, queries.provider_prices, queries.ProviderPrices(provider_id), actor=TEST
        )
        return price_table(found, FileFormat.CSV)

    rows = await taken_out()
    assert ["A-1", "sme", "hour", "150.00", "", "", "", ""] == rows[1]
    assert (1, 0, 1, 0) == counts(await sent(database, provider_id, rows))
    # Urgent it would cost 240.00, which is above cost.
    rows[1][3] = "160"
    assert [(2, "above-cost")] == told(await sent(database, provider_id, rows))
    rows[1][3] = "140"
    assert (1, 1, 0, 0) == counts(await sent(database, provider_id, rows))
    assert (1, 0, 1, 0) == counts(await sent(database, provider_id, rows))
    assert [*rows[1][:3], "140.00"] == (await taken_out())[1][:4]
    newest = (await lists_of(database, instrument_id))[0]
    assert (2, 5_000, ["夜间"], ["operator"]) == (
        newest.version,
        newest.urgent_basis_points,
        [one.name for one in newest.hours],
        [one.code for one in newest.extras],
    )

    # The next cost sheet shows no operator: these prices are filed by themselves.
    await a_cost_sheet(database, instrument_id=instrument_id)
    rows[1][3] = "130"
    assert [(2, "extras-kept")] == told(await sent(database, provider_id, rows))


async def test_postgresql_refuses_a_file_above_cost_when_nobody_else_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_id = await a_provider(database)
    instrument_id = await an_instrument(database, provider_id=provider_id, inner_id="A-1")
    await a_cost_sheet(database, instrument_id=instrument_id)
    monkeypatch.setattr(price_file, "cost_errors", lambda *_, **__: [])

    with pytest.raises(PriceListAboveCost):
        await sent(database, provider_id, [HEAD, ["A-1", "sme", "hour", "230.01"]])

    assert [] == await lists_of(database, instrument_id)


async def test_another_providers_prices_are_not_taken(database: Database) -> None:
    provider_id = await a_provider(database)
    other = Actor(1, await a_provider(database), "provider", frozenset({"provider_manager"}))
    command = ImportPriceLists(provider_id, "a.csv", b"x")

    with pytest.raises(InstrumentMissing):
        await atomically(database, import_price_lists, command, actor=other)
    with pytest.raises(InstrumentMissing):
        await atomically(
            database, queries.provider_prices, queries.ProviderPrices(provider_id), actor=other
        )


async def test_thousands_of_prices_take_seconds_and_a_handful_of_statements(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    numbers = [f"A-{number:05d}" for number in range(1_000)]
    await imported(database, provider_id, a_csv([a_line(innerId=number) for number in numbers]))
    cost = [["仪器编号", "年度", "机时", "人工费"]]
    cost += [[number, "2025", "1400", "322000"] for number in numbers]
    costs = ImportCostSheets(provider_id, "c.csv", await table_file(cost, FileFormat.CSV))
    await atomically(database, import_cost_sheets, costs, actor=TEST)
    rows = [HEAD]
    for number in numbers:
        rows += [[number, who, "小时", "230", "", "", "5:200"] for who in ("sme", "academic")]
    statements: list[str] = []

    def note(*executed: Any) -> None:
        statements.append(executed[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    began = time.monotonic()
    report = await sent(database, provider_id, rows)
    took = time.monotonic() - began
    again = await sent(database, provider_id, rows)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)

    assert (2_000, 2_000, 0, 0) == counts(report)
    assert (2_000, 0, 2_000, 0) == counts(again)
    assert len(statements) < 80
    assert took < 20
