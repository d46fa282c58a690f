"""Amounts and days as banks write them; what is not certain is an error, never a guess."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.reconciliation.rules.cells import amount_fen, clean, content, day, days_in


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,234.00", 123_400),
        ("+1,234.00", 123_400),
        ("-1,234.5", -123_450),
        ("1234", 123_400),
        ("67.0", 6_700),
        ("0.1", 10),
        ("12.340", 1_234),
        ("１，２３４．５６", 123_456),
        ("－５", -500),
        ("−5.00", -500),
        ("CNY13.50", 1_350),
        ("CNY 13.50", 1_350),
        ("¥13.50", 1_350),
        ("人民币 13.50元", 1_350),
        (" \t1 234.00\u3000", 123_400),
        ("0.00", 0),
        ("", None),
        ("-", None),
        ("--", None),
        ("\t-　", None),
    ],
)
def test_an_amount_is_read_as_it_is_meant(text, fen):
    assert amount_fen(text) == fen


@pytest.mark.parametrize(
    "text",
    ["abc", "1.234", "12,34.00", "1,2345", "1.2.3", "1e5", "+-1", "USD 5", "10000000000.01", "借5"],
)
def test_what_is_no_certain_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"amount|decimals|large"):
        amount_fen(text)


@given(st.integers(-(10**12), 10**12))
def test_every_amount_that_is_written_is_read_back(fen):
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)

    assert amount_fen(f"{sign}{yuan:,}.{rest:02d}") == fen
    assert amount_fen(f"{sign}{yuan}.{rest:02d}") == fen


@pytest.mark.parametrize(
    "text",
    [
        "20250303",
        "2025-03-03",
        "2025/3/3",
        "2025.03.03",
        "2025年3月3日",
        "２０２５０３０３",
        "2025-03-03 10:22:33",
        "20250303102233",
        "20250303 10:22:33",
        "2025年03月03日 10时22分33秒",
        "\t2025-03-03　",
    ],
)
def test_a_day_is_read_in_every_form(text):
    assert day(text) == date(2025, 3, 3)


@pytest.mark.parametrize(
    "text", ["", "03/03", "3月3日", "20250230", "2025-13-01", "1999-12-31", "45719", "合计", "2025"]
)
def test_what_is_no_certain_day_is_refused(text):
    with pytest.raises(ValueError, match=r"day|month"):
        day(text)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_every_day_that_is_written_is_read_back(named):
    forms = (f"{named:%Y%m%d}", f"{named:%Y-%m-%d}", f"{named.year}年{named.month}月{named.day}日")

    assert {day(form) for form in forms} == {named}
    assert days_in(f"{named:%Y%m%d}-{named + timedelta(0):%Y/%m/%d}") == [named, named]


@given(st.text(max_size=60))
def test_any_text_becomes_one_that_can_be_stored(text):
    cleaned = clean(text)

    assert cleaned == clean(cleaned)
    assert "\x00" not in cleaned
    assert not any("\ud800" <= char <= "\udfff" for char in cleaned)


def test_padding_goes_and_fillers_are_nothing():
    assert clean("\t某某　大学 \u200b(南京）\n") == "某某 大学 (南京)"
    assert content("—") == content(" - ") == ""
