"""Importing files in the national layout: what lands, and what the report says."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from marketplace.catalogue import queries, tables
from marketplace.catalogue.errors import (
    ImportMissing,
    ImportRunning,
    InstrumentMissing,
)
from marketplace.catalogue.queries import InstrumentSearch
from marketplace.catalogue.rules.content import CONTENT_FIELDS
from marketplace.catalogue.use_cases import (
    ChangeInstrument,
    ImportInstruments,
    ImportProgress,
    WithdrawInstrument,
    change_instrument,
    import_file,
    import_instruments,
    imports,
    landing,
    withdraw_instrument,
)
from marketplace.kernel.db import Database, Tx, atomically, transaction
from marketplace.parties.roles import Role
from tests.builders.catalogue import (
    TEST,
    a_csv,
    a_line,
    an_instrument,
    an_xlsx,
    counts,
    held,
    imported,
    rows_of,
)
from tests.builders.parties import a_provider, an_actor

LINES = [a_line(innerId=f"A-{number:03d}") for number in range(5)]


async def test_good_lines_land_and_can_be_found(database: Database) -> None:
    provider_id = await a_provider(database)

    report = await imported(database, provider_id, a_csv(LINES))

    assert counts(report) == (5, 5, 0, 0, 0)
    found = await held(database, provider_id)
    assert [one.inner_id for one in found] == [line["innerId"] for line in LINES]
    first = found[0]
    assert (first.worth_fen, first.status, first.region_code) == (512_340_000, "listed", "320100")
    assert first.cstr == f"L3200.02.{provider_id}.A-000"
    assert first.further == {"runMachine": "1200"}
    hits = await atomically(database, queries.search, InstrumentSearch(text="TEM"), actor=TEST)
    assert hits.total == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
async def test_a_text_file_is_read_in_every_usual_encoding(
    database: Database, encoding: str, delimiter: str
) -> None:
    provider_id = await a_provider(database)

    report = await imported(
        database, provider_id, a_csv(LINES, encoding=encoding, delimiter=delimiter)
    )

    assert counts(report) == (5, 5, 0, 0, 0)
    assert (await held(database, provider_id))[0].cname == "透射电子显微镜"


async def test_a_workbook_is_read_from_the_sheet_that_has_the_header(database: Database) -> None:
    provider_id = await a_provider(database)
    rows: list[list[Any]] = [*rows_of(LINES, above=[["2024 年仪器设备汇总表"], []])]
    header = rows[2]
    # What a spreadsheet program makes of such cells: numbers, days, truth values.
    rows[3][header.index("原值")] = 512.34
    rows[3][header.index("单位内部编号")] = 20180001
    rows[3][header.index("海关监管情况")] = False

    report = await imported(
        database, provider_id, an_xlsx(rows, sheets_before=2), file_name="a.xlsx"
    )

    assert counts(report) == (5, 5, 0, 0, 0)
    assert {one.inner_id: one.worth_fen for one in await held(database, provider_id)}[
        "20180001"
    ] == 512_340_000


async def test_the_same_file_twice_changes_nothing_even_across_formats(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES))

    again = await imported(database, provider_id, a_csv(LINES))
    as_workbook = await imported(database, provider_id, an_xlsx(rows_of(LINES, chinese=False)))

    assert counts(again) == (5, 0, 0, 5, 0)
    assert counts(as_workbook) == (5, 0, 0, 5, 0)


async def test_only_what_differs_is_changed(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES))
    new = [a_line(innerId="A-000", worth="600"), *LINES[1:], a_line(innerId="B-1")]

    report = await imported(database, provider_id, a_csv(new))

    assert counts(report) == (6, 1, 1, 4, 0)
    assert (await held(database, provider_id))[0].worth_fen == 600_000_000


async def test_a_dry_run_tells_the_same_and_lands_nothing(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES[:2]))
    content = a_csv([a_line(innerId="A-000", worth="1"), *LINES[1:], a_line(worth="x")])

    dry = await imported(database, provider_id, content, dry_run=True)

    assert dry.batch_id is None
    assert len(await held(database, provider_id)) == 2
    wet = await imported(database, provider_id, content)
    assert dataclasses.replace(wet, batch_id=None, dry_run=True) == dry


async def test_good_lines_land_and_bad_ones_are_reported_up_to_a_cap(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_id = await a_provider(database)
    monkeypatch.setattr(landing, "ERRORS_LISTED_MAX", 30)
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", 7)
    bad = [a_line(innerId=f"X-{n}", worth="many", type="") for n in range(1_000)]
    mixed = [*bad, *LINES]
    random.Random(1).shuffle(mixed)

    report = await imported(database, provider_id, a_csv(mixed))

    assert counts(report) == (1_005, 5, 0, 0, 1_000)
    assert report.errors_total == 2_000
    assert len(report.errors) == 30
    assert [error.column for error in report.errors[:2]] == ["原值", "仪器设备类别"]
    assert (
        report.errors[0].line
        == mixed.index(next(line for line in mixed if line["worth"] == "many")) + 2
    )


async def test_a_number_that_comes_twice_counts_once(database: Database) -> None:
    provider_id = await a_provider(database)
    twice = [*LINES, a_line(innerId="A-001", cname="另一台")]

    report = await imported(database, provider_id, a_csv(twice))

    assert counts(report) == (6, 5, 0, 0, 1)
    (error,) = report.errors
    assert (error.line, error.rule, error.value) == (7, "inner-id-twice", "A-001")
    assert "第 3 行" in error.message


async def test_a_public_instrument_that_must_be_open_is_refused_unless_exempt(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    closed = [
        a_line(innerId="1", shareMode="内部共享"),
        a_line(innerId="2", shareMode="内部共享", exemption="涉密"),
        a_line(innerId="3", shareMode="不共享", worth="49.99"),
        a_line(innerId="4", shareMode="不共享", funds="单位自有资金"),
    ]

    report = await imported(database, provider_id, a_csv(closed))

    assert counts(report) == (4, 3, 0, 0, 1)
    assert [(error.line, error.rule) for error in report.errors] == [(2, "must-be-open")]
    assert "50.00" in report.errors[0].message


async def test_a_column_that_the_file_leaves_out_keeps_what_is_known(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(
        database,
        provider_id,
        a_csv(
            [a_line(acceptDate="2018-05-01", exemption="涉密", address="鼓楼校区", image="a.png")]
        ),
    )
    (before,) = await held(database, provider_id)
    short = {
        name: value
        for name, value in a_line(image="b.png", shareMode="不共享").items()
        if name not in ("technical", "runMachine")
    }

    report = await imported(database, provider_id, a_csv([short]))

    assert counts(report) == (1, 0, 1, 0, 0)
    (after,) = await held(database, provider_id)
    assert after.technical == before.technical != ""
    assert (after.accepted_on, after.exemption) == (before.accepted_on, "secrecy")
    assert after.further == {"address": "鼓楼校区", "runMachine": "1200", "image": "b.png"}
    emptied = await imported(database, provider_id, a_csv([short | {"technical": ""}]))
    assert counts(emptied) == (1, 0, 1, 0, 0)
    assert (await held(database, provider_id))[0].technical == ""


async def test_what_a_form_changed_is_compared_with_the_next_file(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES[:1]))
    (found,) = await held(database, provider_id)
    described = {name: getattr(found, name) for name in CONTENT_FIELDS}
    changed = ChangeInstrument(found.id, described | {"phone": "110"})
    await atomically(database, change_instrument, changed, actor=TEST)

    report = await imported(database, provider_id, a_csv(LINES[:1]))

    assert counts(report) == (1, 0, 1, 0, 0)
    assert (await held(database, provider_id))[0].phone == "025-83590000"


async def test_an_import_brings_back_neither_withdrawn_nor_disposed_instruments(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    await imported(
        database, provider_id, a_csv([a_line(innerId="W", worth="1"), a_line(innerId="D")])
    )
    withdrawn, disposed = await held(database, provider_id)
    for found, ends in ((withdrawn, False), (disposed, True)):
        leave = WithdrawInstrument(found.id, "停用", disposed=ends)
        await atomically(database, withdraw_instrument, leave, actor=TEST)

    report = await imported(
        database, provider_id, a_csv([a_line(innerId="W", worth="2"), a_line(innerId="D")])
    )

    assert counts(report) == (2, 0, 1, 0, 1)
    assert [error.rule for error in report.errors] == ["disposed"]
    assert [one.status for one in await held(database, provider_id)] == ["withdrawn", "disposed"]


async def test_two_providers_may_use_the_same_numbers(database: Database) -> None:
    one, other = await a_provider(database), await a_provider(database)
    await imported(database, one, a_csv(LINES))

    report = await imported(database, other, a_csv([a_line(innerId="A-000", cname="别的")]))

    assert counts(report) == (1, 1, 0, 0, 0)
    assert {held.cname for held in await held(database, one)} == {"透射电子显微镜"}


async def test_nobody_imports_for_another_provider(database: Database) -> None:
    mine, theirs = await a_provider(database), await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=mine)

    with pytest.raises(InstrumentMissing):
        await imported(database, theirs, a_csv(LINES), actor=manager)

    landed = await imported(database, theirs, a_csv(LINES))
    assert landed.batch_id is not None
    with pytest.raises(ImportMissing):
        await atomically(database, queries.import_batch, landed.batch_id, actor=manager)


async def test_one_file_of_a_provider_at_a_time(database: Database) -> None:
    provider_id = await a_provider(database)
    command = ImportInstruments(provider_id, "a.csv", a_csv(LINES))

    async with transaction(database, actor=TEST) as tx:
        await import_instruments(tx, command)
        with pytest.raises(ImportRunning):
            await atomically(database, import_instruments, command, actor=TEST)


async def test_the_report_is_kept_and_stays(database: Database) -> None:
    provider_id = await a_provider(database)
    report = await imported(
        database, provider_id, a_csv([*LINES, a_line(worth="")]), file_name="C:\\x\\清单.csv"
    )
    assert report.batch_id is not None

    kept = await atomically(database, queries.import_batch, report.batch_id, actor=TEST)

    assert (kept.file_name, kept.file_sha256) == ("清单.csv", report.file_sha256)
    assert (kept.lines, kept.added, kept.refused) == (6, 5, 1)
    assert kept.report["errors"][0]["rule"] == "empty"


async def test_an_export_imports_without_a_change(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(
        database,
        provider_id,
        a_csv([*LINES, a_line(innerId="Z-1", acceptDate="2018-05-01", fee="300")]),
    )
    await an_instrument(
        database,
        provider_id=provider_id,
        worth_fen=50_000_001,
        technical='多行\n"引号", 逗号',
        further={"address": "；"},
    )

    content = await atomically(database, queries.export_csv, provider_id, actor=TEST)
    report = await imported(database, provider_id, content)

    assert counts(report) == (7, 0, 0, 7, 0)


async def test_a_file_on_disk_is_imported_with_its_progress(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_id = await a_provider(database)
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", 2)
    path = tmp_path / "仪器.csv"
    path.write_bytes(a_csv(LINES))
    heard: list[ImportProgress] = []

    report = await import_file(database, provider_id, path, progress=heard.append)

    assert counts(report) == (5, 5, 0, 0, 0)
    assert [progress.lines for progress in heard] == [5]


async def test_nothing_is_written_for_lines_that_do_not_differ(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES))

    async def versions(tx: Tx, _: None) -> list[Any]:
        rows = await tx.execute(select(text("ctid::text, xmin::text, xmax::text from instrument")))
        return [tuple(row) for row in rows]

    before = await atomically(database, versions, None, actor=TEST)
    await imported(database, provider_id, a_csv(LINES))

    assert await atomically(database, versions, None, actor=TEST) == before


async def test_an_import_tells_others_once(database: Database) -> None:
    provider_id = await a_provider(database)
    await imported(database, provider_id, a_csv(LINES))
    await imported(database, provider_id, a_csv(LINES), dry_run=True)

    async def batches(tx: Tx, _: None) -> Any:
        return await tx.scalar(select(func.count()).select_from(tables.import_batch))

    assert await atomically(database, batches, None, actor=TEST) == 1
