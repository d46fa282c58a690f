"""Lines of a file of cost sheets: what is written is read again, and what is wrong is told."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.billing.pricing.rules.columns import LineError, hours_cell, minutes_of
from marketplace.billing.pricing.rules.cost import CostItemAsked
from marketplace.billing.pricing.rules.cost_file import (
    LAYOUT,
    PLANNED_MINUTES_MAX,
    CostLine,
    cells_of_cost_sheet,
    read_cost_line,
)
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind
from marketplace.kernel.money import AMOUNT_FEN_MAX
from marketplace.kernel.spreadsheets import FileFormat, row_batches, table_file
from tests.rules.pricing.test_worked_tables import rows

AMOUNTS = st.integers(0, AMOUNT_FEN_MAX)
# Everything that the API takes in a text, also what separates the parts of a cell.
TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32)))
    )
    | st.sampled_from(":;：；\\ \n\r\t,\"'=-n"),
    max_size=12,
)
ITEMS = st.builds(
    CostItemAsked,
    code=st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True),
    kind=st.sampled_from(ExtraKind),
    name=TEXTS,
    unit=TEXTS.filter(bool),
    cost_fen=AMOUNTS,
)
SHEETS = st.builds(
    CostLine,
    line=st.just(2),
    inner_id=st.from_regex(r"[A-Z0-9+@-][A-Z0-9-]{0,9}", fullmatch=True),
    year=st.integers(2000, 2100),
    planned_minutes=st.integers(1, PLANNED_MINUTES_MAX),
    components=st.dictionaries(st.sampled_from(CostKind), AMOUNTS, min_size=1).map(
        lambda parts: tuple((kind, parts[kind]) for kind in CostKind if kind in parts)
    ),
    items=st.lists(ITEMS, max_size=4, unique_by=lambda item: item.code).map(tuple),
    actual=st.booleans(),
)


async def read_back(content: bytes) -> list[CostLine | list[LineError]]:
    found = []
    async with contextlib.aclosing(row_batches(content)) as batches:
        lines = [row async for batch in batches for row in batch]
    header = LAYOUT.read_header(lines[0].cells)
    for row in lines[1:]:
        found.append(read_cost_line(2, row.cells, header))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SHEETS, min_size=1, max_size=3))
def test_what_is_written_into_a_file_is_read_again_as_it_was(sheets: list[CostLine]) -> None:
    table = [LAYOUT.written, *map(cells_of_cost_sheet, sheets)]

    content = asyncio.run(table_file(table, FileFormat.CSV))

    assert asyncio.run(read_back(content)) == sheets


def test_every_whole_minute_has_hours_of_its_own() -> None:
    told = [hours_cell(minutes) for minutes in range(1, 3_001)]

    assert len(set(told)) == 3_000
    assert [minutes_of(text) for text in told] == list(range(1, 3_001))
    assert ("1400", "0.3333") == (hours_cell(84_000), hours_cell(20))


ENGLISH = [
    "Year",
    "Asset number",
    "Machine hours",
    "Labour (CNY)",
    "Depreciation",
    "Help and material",
]
CHINESE = ["年度", "仪器编号", "年机时（小时）", "人工费（元）", "折旧费（万元）", "项目"]
GOOD = ["2025", "A-1", "1,400", "322,000", "", "operator:人工:操作员:hour:80"]


@pytest.mark.parametrize("names", [ENGLISH, CHINESE])
def test_headers_are_known_in_both_languages_and_any_order(names: list[str]) -> None:
    assert LAYOUT.is_header(names)

    read = read_cost_line(5, GOOD, LAYOUT.read_header(names))

    assert read == CostLine(
        5,
        "A-1",
        2025,
        84_000,
        ((CostKind.LABOUR, 32_200_000),),
        (CostItemAsked("operator", ExtraKind.STAFF_HELP, "操作员", "hour", 8_000),),
    )


def test_amounts_are_in_ten_thousands_where_the_header_says_so() -> None:
    read = read_cost_line(2, ["2025", "A-1", "10", "", "1.5", ""], LAYOUT.read_header(CHINESE))

    assert isinstance(read, CostLine)
    assert read.components == ((CostKind.DEPRECIATION, 1_500_000),)


@pytest.mark.parametrize(
    ("place", "cell", "rule"),
    [
        (0, "", "empty"),
        (0, "1999", "year"),
        (0, "二〇二五", "year"),
        (1, "", "empty"),
        (1, "=A1", "formula"),
        (1, "A\x07", "controls"),
        (2, "", "empty"),
        (2, "一千", "hours"),
        (2, "0.33", "hours"),
        (2, "0", "hours-range"),
        (2, "8784.5", "hours-range"),
        (3, "-1", "amount"),
        (3, "0.001", "amount"),
        (3, "1e5", "amount"),
        (3, "99999999999", "amount-large"),
        (3, "x" * 131_073, "cell-long"),
        (5, "operator:人工:操作员:hour", "items-form"),
        (5, "OP:人工:操作员:hour:80", "items-code"),
        (5, "op:机器人:操作员:hour:80", "choice"),
        (5, "op:人工:操作员::80", "items-text"),
        (5, "op:人工:操作员:hour:", "amount"),
        (5, "op:人工:a:hour:1;op:人工:b:hour:1", "items-twice"),
        (5, ";".join(f"a{n}:人工:a:hour:1" for n in range(101)), "items-many"),
    ],
)
def test_each_mistake_is_named_with_its_column(place: int, cell: str, rule: str) -> None:
    cells = [*GOOD[:place], cell, *GOOD[place + 1 :]]

    errors = read_cost_line(7, cells, LAYOUT.read_header(ENGLISH))

    assert isinstance(errors, list)
    assert [(7, ENGLISH[place], rule)] == [(one.line, one.column, one.rule) for one in errors]
    assert errors[0].message
    assert errors[0].message_en
    assert len(errors[0].value) <= 81


def test_every_mistake_of_a_line_is_told_from_left_to_right() -> None:
    errors = read_cost_line(7, ["x", "", "0"], LAYOUT.read_header(ENGLISH))

    assert isinstance(errors, list)
    assert ["year", "empty", "hours-range", "no-component"] == [one.rule for one in errors]


def test_the_page_names_every_column_and_headers_that_are_known() -> None:
    told = {row["column"].strip("`"): row["headers, for instance"] for row in rows("cost file")}

    assert [column.name for column in LAYOUT.columns] == list(told)
    for name, headers in told.items():
        for header in headers.split(", "):
            assert [name] == list(LAYOUT.read_header([header]).columns), header
