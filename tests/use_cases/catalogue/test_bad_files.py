"""Files that cannot be read, and lines that cannot be taken: refused kindly, never a crash."""

import pytest

from marketplace.catalogue.errors import HeaderMissing, ImportTooLong
from marketplace.catalogue.use_cases import imports
from marketplace.kernel.db import Database
from marketplace.kernel.spreadsheets import FileUnreadable
from tests.builders.catalogue import a_csv, a_line, an_xlsx, counts, held, imported, rows_of
from tests.builders.parties import a_provider

LINES = [a_line(innerId=f"A-{number:03d}") for number in range(5)]


def _broken_workbook() -> bytes:
    whole = an_xlsx(rows_of(LINES))
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (_broken_workbook(), FileUnreadable),
        (b"PK\x03\x04 and nothing more", FileUnreadable),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), FileUnreadable),
        (bytes(range(256)) * 20, FileUnreadable),
        (b"\xff\xfe\x00", FileUnreadable),
        (b"hello,world\n1,2\n", HeaderMissing),
        ("仪器名称,单位内部编号,规格型号,产地国别\nA,1,,\n".encode("gbk"), HeaderMissing),
        (b"\n\n\n", HeaderMissing),
        (a_csv(LINES, above=[["说明"]] * 31), HeaderMissing),
        (an_xlsx([["a"], ["b"]]), HeaderMissing),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_whole(
    database: Database, content: bytes, error: type[Exception]
) -> None:
    provider_id = await a_provider(database)

    with pytest.raises(error):
        await imported(database, provider_id, content)


def _corner() -> bytes:
    return an_xlsx([["first"], *[[]] * 1_048_574, [""] * 16_383 + ["the last corner"]])


async def test_a_workbook_that_would_fill_the_memory_is_refused(database: Database) -> None:
    provider_id = await a_provider(database)

    with pytest.raises(FileUnreadable):
        await imported(database, provider_id, _corner())


async def test_a_header_with_missing_and_doubled_columns_tells_every_one(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    content = "仪器名称,设备名称,单位内部编号,规格型号,原值\n".encode()

    with pytest.raises(HeaderMissing) as refused:
        await imported(database, provider_id, content)

    told = [reason.message for reason in refused.value.reasons]
    assert len(told) == 7
    assert "required column missing: 仪器分类编码 (instrCategory)" in told
    assert "two columns say the same: 设备名称" in told


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"cname": "电\x00镜"}, "control-character"),
        ({"technical": "很" * 10_001}, "cell-long"),
        ({"function": "=1+1"}, "formula"),
        ({"innerId": "x" * 101}, "too-long"),
    ],
)
async def test_a_bad_cell_refuses_its_line_only(
    database: Database, changes: dict[str, str], rule: str
) -> None:
    provider_id = await a_provider(database)

    report = await imported(database, provider_id, a_csv([a_line(**changes), *LINES]))

    assert counts(report) == (6, 5, 0, 0, 1)
    assert [error.rule for error in report.errors] == [rule]


async def test_an_open_quote_and_a_huge_cell_break_lines_and_not_the_import(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    whole = a_csv(LINES[:2])
    broken = whole + b'X-1,"' + b"y" * 200_000 + b"\n" + a_csv(LINES[2:]).split(b"\n", 1)[1]

    report = await imported(database, provider_id, broken)

    assert report.added >= 2
    assert report.lines == report.added + report.refused
    assert "line-broken" in {error.rule for error in report.errors}


async def test_formula_cells_count_as_the_value_that_was_stored(database: Database) -> None:
    provider_id = await a_provider(database)
    rows = rows_of([a_line(innerId="F-1", worth="=500+12.34", technical="=1/0"), *LINES])

    report = await imported(database, provider_id, an_xlsx(rows))

    # xlsxwriter stores 0 for a formula that nobody has computed.
    assert counts(report) == (6, 6, 0, 0, 0)
    assert (await held(database, provider_id))[0].worth_fen == 0


async def test_too_many_lines_land_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_id = await a_provider(database)
    monkeypatch.setattr(imports, "LINES_MAX", 4)
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", 2)

    with pytest.raises(ImportTooLong):
        await imported(database, provider_id, a_csv(LINES))

    assert await held(database, provider_id) == []
