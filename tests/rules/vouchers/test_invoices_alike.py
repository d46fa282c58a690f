"""One service that was invoiced twice under two numbers, and honest invoices that look alike."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.anomalies import Finding, Service
from marketplace.vouchers.rules.invoices_alike import Invoiced, one_slip, similar_invoices

FIRST = "24322000012345678901"
NUMBERS = st.text("0123456789", min_size=20, max_size=20)


def an_invoice(number: str, order_id: int, **changes: Any) -> Invoiced:
    return Invoiced(
        number,
        changes.get("on", date(2024, 9, 3)),
        300_000,
        changes.get("recorded", True),
        Service(order_id, order_id, 1, None, 1, 2),
    )


def found(number: str, **changes: Any) -> list[Finding]:
    pair = an_invoice(FIRST, 1), an_invoice(number, 2, **changes)
    return similar_invoices([pair], neighbours=1_000)


def test_a_wrong_digit_or_two_that_changed_places_are_one_invoice() -> None:
    for number in ("24322000012345878901", "24322000012354678901"):
        (one,) = found(number, on=date(2024, 9, 20))
        assert one.certain
        assert one.key == (1, 2)
        assert "one slip of the hand" in one.summary


def test_numbers_that_a_tax_bureau_gives_out_one_after_the_other_are_two_invoices() -> None:
    assert found("24322000012345678902") == []
    assert found("24322000012345678910") == []


def test_a_second_invoice_of_a_day_without_a_service_is_suspected_and_does_not_block() -> None:
    (one,) = found("24322000099999999999", recorded=False)
    assert not one.certain
    assert "nothing was recorded" in one.summary
    assert found("24322000099999999999") == []
    assert found("24322000099999999999", recorded=False, on=date(2024, 9, 4)) == []


@given(NUMBERS, st.integers(0, 19), st.integers(1, 9))
def test_any_one_wrong_digit_is_a_slip_and_the_number_itself_is_none(
    number: str, place: int, by: int
) -> None:
    wrong = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    assert one_slip(number, wrong)
    assert one_slip(wrong, number)
    assert not one_slip(number, number)
    assert not one_slip(number, wrong[:-1])
