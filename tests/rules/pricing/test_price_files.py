"""Lines of a file of prices: what is written is read again, and what is wrong is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.billing.pricing.rules.cost import Ceiling
from marketplace.billing.pricing.rules.price_file import (
    LAYOUT,
    BadLine,
    PriceFileLine,
    cells_of_price,
    cost_errors,
    read_price_line,
    together_errors,
)
from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked, Tariff, Tier
from marketplace.kernel.money import AMOUNT_FEN_MAX
from tests.rules.pricing.test_worked_tables import rows

WRITTEN = LAYOUT.read_header(LAYOUT.written)
ENGLISH = ["Asset number", "Class", "Unit", "Price", "Minimum", "Minutes", "Tiers", "定价依据"]
GOOD = ["A-1", "中小企业", "样品", "80", "", "30", "4:60;10:50", ""]


@st.composite
def a_price(draw: st.DrawFn) -> PriceAsked:
    unit = draw(st.sampled_from(Unit))
    amounts = sorted(
        draw(st.lists(st.integers(0, AMOUNT_FEN_MAX), min_size=1, max_size=4)), reverse=True
    )
    starts = st.integers(2, 1_000_000)
    count = len(amounts) - 1
    froms = sorted(draw(st.lists(starts, min_size=count, max_size=count, unique=True)))
    return PriceAsked(
        draw(st.sampled_from(CustomerClass)),
        unit,
        amounts[0],
        draw(st.integers(0, AMOUNT_FEN_MAX)),
        None if unit is Unit.HOUR else draw(st.integers(1, 366 * 24 * 60)),
        tuple(map(Tier, froms, amounts[1:])),
    )


LINES = st.builds(
    PriceFileLine,
    line=st.just(2),
    inner_id=st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,9}", fullmatch=True),
    price=a_price(),
    state_source=st.sampled_from(["", "苏价费〔2019〕1号"]),
)


@settings(max_examples=100, deadline=None)
@given(LINES)
def test_what_is_written_into_a_file_is_read_again_as_it_was(line: PriceFileLine) -> None:
    assert read_price_line(2, cells_of_price(line), WRITTEN) == line


def test_a_price_is_read_in_chinese_under_english_headers() -> None:
    read = read_price_line(3, GOOD, LAYOUT.read_header(ENGLISH))

    asked = PriceAsked(
        CustomerClass.SME, Unit.SAMPLE, 8_000, 0, 30, (Tier(4, 6_000), Tier(10, 5_000))
    )
    assert read == PriceFileLine(3, "A-1", asked)


@pytest.mark.parametrize(
    ("place", "cell", "rule"),
    [
        (0, "", "empty"),
        (1, "外星人", "choice"),
        (1, "", "empty"),
        (2, "公斤", "choice"),
        (2, "小时", "minutes-given"),
        (3, "", "empty"),
        (3, "8 元/样", "amount"),
        (4, "-", "amount"),
        (5, "", "minutes-given"),
        (5, "0.5", "minutes"),
        (5, "527041", "minutes"),
        (6, "4", "tiers-form"),
        (6, "1:60", "tiers-form"),
        (6, ";".join(f"{n}:1" for n in range(2, 13)), "tiers-form"),
        (6, "4:x", "amount"),
        (6, "4:90", "tiers-unclear"),
        (7, "x" * 501, "source-long"),
    ],
)
def test_each_mistake_is_named_with_its_column(place: int, cell: str, rule: str) -> None:
    cells = [*GOOD[:place], cell, *GOOD[place + 1 :]]

    bad = read_price_line(7, cells, LAYOUT.read_header(ENGLISH))

    assert isinstance(bad, BadLine)
    column = "Minutes" if rule == "minutes-given" else ENGLISH[place]
    assert [(7, column, rule)] == [(one.line, one.column, one.rule) for one in bad.errors]
    assert bad.inner_id == ("A-1" if place else None)


def test_lines_of_one_instrument_say_each_price_once_and_rest_on_one_document() -> None:
    asked = PriceAsked(CustomerClass.SME, Unit.HOUR, 100)
    lines = [PriceFileLine(2, "A", asked), PriceFileLine(3, "A", asked, "苏价费")]

    errors = together_errors(lines, WRITTEN)

    assert [(3, "price-twice"), (3, "source-differs")] == [(one.line, one.rule) for one in errors]


def test_a_price_and_a_minimum_above_cost_are_told_with_the_cost() -> None:
    line = PriceFileLine(2, "A", PriceAsked(CustomerClass.SME, Unit.HOUR, 231_00, 230_01))

    errors = cost_errors([line], WRITTEN, tariff=Tariff(), ceiling=Ceiling(230_00, 60))

    assert [("单价(元)", "231.00"), ("最低收费(元)", "230.01")] == [
        (one.column, one.value) for one in errors
    ]
    assert all("230.00" in one.message for one in errors)


def test_the_page_names_every_column_and_headers_that_are_known() -> None:
    told = {row["column"].strip("`"): row["headers, for instance"] for row in rows("price file")}

    assert [column.name for column in LAYOUT.columns] == list(told)
    for name, headers in told.items():
        for header in headers.split(", "):
            assert [name] == list(LAYOUT.read_header([header]).columns), header
