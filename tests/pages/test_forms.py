"""Forms are read field by field, and everything that is wrong with them is said at once."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from litestar.datastructures import FormMultiDict

from marketplace.kernel.time import SHANGHAI
from marketplace.web.forms import FormWrong, Typed
from marketplace.web.visitor import SignInNeeded, own_path
from marketplace.web.words import Speech


def a_form(**fields: str) -> Typed:
    return Typed(FormMultiDict(list(fields.items())), Speech("en"))


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("1,234.5", 123_450), ("¥8", 800), ("0", 0), ("1，000", 100_000)],
)
def test_an_amount_is_read_as_people_write_it(typed, fen):
    form = a_form(amount=typed)

    assert form.amount("amount") == fen
    assert form.problems == {}


@pytest.mark.parametrize("typed", ["", "1.234", "-1", "many", "NaN", "1e30", "Infinity"])
def test_what_is_no_amount_is_said_so(typed):
    form = a_form(amount=typed)

    assert form.amount("amount") is None
    assert "amount" in form.problems


@pytest.mark.parametrize(
    ("typed", "points"), [("5", 500), ("12.5 %", 1250), ("100", 10_000), ("101", None), ("x", None)]
)
def test_a_percentage_is_read_as_basis_points(typed, points):
    assert a_form(share=typed).percentage("share") == points


def test_a_day_and_a_time_are_those_of_shanghai():
    form = a_form(day="2025-03-10", start="09:30", never="2025-02-30", late="1999-12-31")

    assert form.moment("day", "start") == datetime(2025, 3, 10, 9, 30, tzinfo=SHANGHAI)
    assert form.day("day") == date(2025, 3, 10)
    assert (form.day("never"), form.day("late")) == (None, None)
    assert {"never", "late"} == form.problems.keys()


def test_everything_wrong_is_said_at_once_and_only_once():
    form = a_form(count="three", kind="other", note="x" * 11)
    form.whole("count")
    form.whole("count", needed=False)
    form.choice("kind", ["this", "that"])
    form.text("note", length_max=10)
    form.text("name")

    with pytest.raises(FormWrong) as refused:
        form.require()
    assert [reason.rule for reason in refused.value.reasons] == ["count", "kind", "note", "name"]
    assert form.raw("count") == "three"


def test_a_form_that_reads_goes_on():
    form = a_form(count="1,200", kind="this")

    assert (form.whole("count"), form.choice("kind", ["this"])) == (1200, "this")
    form.require()


def test_nobody_is_led_to_another_site_after_signing_in():
    assert SignInNeeded.status == 401
    assert own_path("/orders?status=settled") == "/orders?status=settled"
    assert [own_path(each) for each in ("//evil", "http://evil", "\\evil", "", "orders")] == [
        "/"
    ] * 5
