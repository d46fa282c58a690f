"""Headers and lines of the national layout."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from marketplace.catalogue.rules.categories import MIDDLE_CLASSES, TOP_CLASSES, normal_code
from marketplace.catalogue.rules.content import CONTENT_FIELDS, InstrumentContent, content_sha256
from marketplace.catalogue.rules.export import HEADER, cells_of
from marketplace.catalogue.rules.identifier import local_cstr
from marketplace.catalogue.rules.layout import LAYOUT, PASSED_ON, Header, is_header, read_header
from marketplace.catalogue.rules.line import (
    FEN_PER_WAN_YUAN,
    InstrumentLine,
    LineError,
    day_of,
    fen_of,
    read_line,
    wan_yuan,
)
from marketplace.catalogue.rules.states import (
    Condition,
    Exemption,
    Funds,
    Kind,
    ShareMode,
    Source,
)
from marketplace.kernel.money import AMOUNT_FEN_MAX
from tests.builders.catalogue import a_line, rows_of

TODAY = date(2025, 3, 3)


def read(chinese: bool = True, **changes: str) -> InstrumentLine | list[LineError]:
    header, cells = rows_of([a_line(**changes)], chinese=chinese)
    return read_line(2, cells, read_header(header), today=TODAY)


def rules(**changes: str) -> list[tuple[str, str]]:
    found = read(chinese=False, **changes)
    assert isinstance(found, list)
    return [(error.column, error.rule) for error in found]


@pytest.mark.parametrize("chinese", [True, False])
def test_a_line_reads_the_same_under_chinese_and_english_headers(chinese: bool) -> None:
    line = read(chinese=chinese)

    assert isinstance(line, InstrumentLine)
    assert line.worth_fen == 512_340_000
    assert (line.funds, line.kind, line.share_mode) == (
        Funds.CENTRAL,
        Kind.GENERAL,
        ShareMode.EXTERNAL,
    )
    assert line.began_on == date(2018, 6, 1)
    assert line.further == {"runMachine": "1200"}


def test_all_errors_of_a_line_are_told_from_left_to_right() -> None:
    found = rules(
        innerId="",
        cname="镜" * 201,
        instrCategory="990",
        worth="12.3万",
        funds="国家",
        instrSupervise="maybe",
        beginDate="2018-13-01",
        type="",
        shareMode="=1+1",
    )

    assert found == [
        ("innerId", "empty"),
        ("cname", "too-long"),
        ("instrCategory", "category-unknown"),
        ("worth", "amount"),
        ("funds", "choice"),
        ("instrSupervise", "yes-or-no"),
        ("beginDate", "day"),
        ("type", "empty"),
        ("shareMode", "formula"),
    ]


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        ("cname", "电\x00镜", "control-character"),
        ("technical", "x" * 10_001, "cell-long"),
        ("runMachine", "x" * 10_001, "cell-long"),
        ("address", "=HYPERLINK(1)", "formula"),
        ("function", '=cmd|"/c calc"!A1', "formula"),
        ("beginDate", "2025-03-04", "day-ahead"),
        ("beginDate", "1066-10-14", "date-implausible"),
        ("worth", "1000000.01", "amount-large"),
        ("worth", "-1", "amount"),
        ("worth", "1.0000001", "amount"),
        ("worth", "", "empty"),
        ("worth", "1e3", "amount"),
        ("worth", "NaN", "amount"),
        ("worth", "١٢", "amount"),
    ],
)
def test_a_cell_that_cannot_be_taken_says_why(field: str, text: str, rule: str) -> None:
    assert rules(**{field: text}) == [(field, rule)]


def test_an_error_is_told_in_both_languages_and_shows_a_short_printable_value() -> None:
    found = read(cname="电\x00" + "镜" * 300)

    assert isinstance(found, list)
    (error,) = found
    assert error.column == "仪器名称"
    assert "控制字符" in error.message
    assert "control character" in error.message_en
    assert error.value.startswith("电\N{REPLACEMENT CHARACTER}镜")
    assert len(error.value) <= 81


def test_a_number_that_keeps_its_zeros_is_a_number_and_no_formula() -> None:
    line = read(innerId='="00123"')

    assert isinstance(line, InstrumentLine)
    assert line.inner_id == "00123"


def test_a_short_row_has_empty_cells_at_its_end() -> None:
    header, cells = rows_of([a_line()])

    line = read_line(2, cells[:17], read_header(header), today=TODAY)

    assert isinstance(line, InstrumentLine)
    assert line.province == ""


@pytest.mark.parametrize(
    ("header", "text", "fen"),
    [
        ("原值（万元）", "123.45", 123_450_000),
        ("原值", "1,234.5", 1_234_500_000),
        ("仪器原值(元)", "1234567.89", 123_456_789),
        ("原值（人民币元）", "50", 5_000),
        ("worth", "0", 0),
    ],
)
def test_worth_is_in_ten_thousands_of_yuan_unless_the_header_says_yuan(
    header: str, text: str, fen: int
) -> None:
    first, cells = rows_of([a_line(worth=text)])
    first[list(a_line()).index("worth")] = header

    line = read_line(2, cells, read_header(first), today=TODAY)

    assert isinstance(line, InstrumentLine)
    assert line.worth_fen == fen


@given(st.decimals(min_value=0, max_value=1_000_000, places=2))
def test_two_decimals_of_ten_thousand_yuan_are_exact(amount: Decimal) -> None:
    assert fen_of(f"{amount:f}", fen_per_unit=FEN_PER_WAN_YUAN) == int(amount * 100) * 10_000


@given(st.integers(min_value=0, max_value=AMOUNT_FEN_MAX))
def test_worth_is_written_as_it_is_read(fen: int) -> None:
    assert fen_of(wan_yuan(fen), fen_per_unit=FEN_PER_WAN_YUAN) == fen


@pytest.mark.parametrize(
    "text", ["2018-06-01", "2018/6/1", "2018.06.01", "2018年6月1日", "20180601", "2018-06-01 00:00"]
)
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    assert day_of(text) == date(2018, 6, 1)


@pytest.mark.parametrize("text", ["2018-02-30", "01/06/2018", "2018-06", "June", "43252"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        day_of(text)


def test_headers_come_in_any_order_with_remarks_and_required_signs() -> None:
    header = read_header(["备注2", "*共享模式（必填）", "仪器 名称", "InnerID", "INSTR_CATEGORY"])

    assert {name: place for name, (place, _) in header.columns.items()} == {
        "share_mode": 1,
        "cname": 2,
        "inner_id": 3,
        "category_code": 4,
    }
    assert header.ignored == ("备注2",)
    assert "原值 (worth)" in header.missing


def test_a_column_that_stands_twice_is_told() -> None:
    assert read_header(["仪器名称", "cname"]).doubled == ("cname",)


def test_no_spelling_of_a_header_means_two_fields() -> None:
    spellings: dict[str, set[str]] = {}
    for field in LAYOUT:
        for spelling in (*field.headers, field.national, field.name):
            (found,) = read_header([spelling]).columns
            spellings.setdefault(spelling, set()).add(found)
            assert found == field.name


def test_a_title_is_no_header() -> None:
    assert not is_header(["仪器名称", "备注", "填表说明", "2024年"])
    assert is_header(list(HEADER))


def test_every_middle_class_lies_in_a_top_class() -> None:
    assert {code[:2] for code in MIDDLE_CLASSES} == set(TOP_CLASSES)


@pytest.mark.parametrize(
    ("code", "stored"),
    [
        ("030122", "030122"),
        ("999999", "990000"),
        ("990000", "990000"),
        ("120000", "120000"),
        ("011401", None),
        ("0101", None),
        ("01010a", None),
        ("０１０１０１", None),
    ],
)
def test_a_category_code_is_checked_by_its_middle_class(code: str, stored: str | None) -> None:
    assert normal_code(code) == stored


def test_the_identifier_has_the_shape_of_a_cstr() -> None:
    assert local_cstr(province_region_code="32", provider_id=7, inner_id="A-1") == "L3200.02.7.A-1"


_texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40).map(
    lambda text: text.strip().lstrip("=")
)
_names = _texts.filter(lambda text: bool(text.strip()))


@st.composite
def descriptions(draw: st.DrawFn) -> InstrumentContent:
    values = {
        name: draw(_texts)
        for name in CONTENT_FIELDS
        if InstrumentContent.model_fields[name].annotation is str
    }
    return InstrumentContent.model_validate(
        values
        | {
            "inner_id": draw(_names),
            "cname": draw(_names),
            "category_code": draw(st.sampled_from(sorted(MIDDLE_CLASSES))) + "01",
            "worth_fen": draw(st.integers(min_value=0, max_value=AMOUNT_FEN_MAX)),
            "funds": draw(st.sampled_from(Funds)),
            "source": draw(st.none() | st.sampled_from(Source)),
            "customs_supervised": draw(st.booleans()),
            "began_on": draw(st.none() | st.dates(date(1900, 1, 1), TODAY)),
            "accepted_on": draw(st.none() | st.dates(date(1900, 1, 1), TODAY)),
            "kind": draw(st.sampled_from(Kind)),
            "share_mode": draw(st.sampled_from(ShareMode)),
            "exemption": draw(st.none() | st.sampled_from(Exemption)),
            "condition": draw(st.sampled_from(Condition)),
            "further": draw(st.dictionaries(st.sampled_from(sorted(PASSED_ON)), _texts)),
        }
    )


@given(descriptions())
def test_what_is_exported_is_imported_as_the_same_content(content: InstrumentContent) -> None:
    cells = cells_of(content.model_dump())

    line = read_line(2, cells, _exported_header(), today=TODAY)

    assert isinstance(line, InstrumentLine), line
    assert content_sha256(line.__dict__) == content_sha256(content.__dict__)


def _exported_header() -> Header:
    return read_header(HEADER)
