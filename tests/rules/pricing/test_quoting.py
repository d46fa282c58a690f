"""What one service comes to, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.pricing.errors import ExtraNotPriced, UrgencyNotOffered
from marketplace.billing.pricing.rules.quoting import Counted, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import ExtraPrice, PriceAsked, Tariff

FREE = ("disaster-relief", "public-security")


OPERATOR = ExtraPrice("operator", ExtraKind.STAFF_HELP, "操作员", "hour", 80_00, 80_00)


def lines_of(
    amount_fen, quantity, *, unit=Unit.HOUR, minimum_fen=0, purpose=None, urgent=False, extras=()
):
    return price_lines(
        PriceAsked(CustomerClass.SME, unit, amount_fen, minimum_fen),
        Counted(quantity, urgent=urgent, extras=extras),
        tariff=Tariff(extras=(OPERATOR,)),
        price_list="price list 7",
        purpose=purpose,
        free_purposes=FREE,
    )


@pytest.mark.parametrize(
    ("amount_fen", "minutes", "total_fen"),
    [
        (230_00, 60, 230_00),
        (230_00, 90, 345_00),
        (1, 30, 1),  # Half a fen rounds up.
        (1, 29, 0),
        (100, 1, 2),  # 1.67
        (230_00, 0, 0),
    ],
)
def test_machine_time_is_rounded_once_half_up(amount_fen, minutes, total_fen):
    (line,) = lines_of(amount_fen, minutes)

    assert total_fen == line.amount_fen


def test_samples_are_counted():
    (line,) = lines_of(80_00, 7, unit=Unit.SAMPLE)

    assert ("sample", 7, 560_00) == (line.unit, line.quantity, line.amount_fen)


def test_a_minimum_charge_is_a_line_of_its_own():
    service, minimum = lines_of(100_00, 15, minimum_fen=50_00)

    assert (25_00, 25_00) == (service.amount_fen, minimum.amount_fen)
    assert "minimum" == minimum.kind


def test_a_minimum_that_is_reached_adds_nothing():
    assert 1 == len(lines_of(100_00, 30, minimum_fen=50_00))


def test_a_public_purpose_is_free_and_the_line_says_why():
    (line,) = lines_of(100_00, 15, minimum_fen=50_00, purpose="disaster-relief")

    assert ("free_purpose", 0, "N.25a") == (line.kind, line.amount_fen, line.source)
    assert "50.00" in line.text


def test_another_purpose_is_not_free():
    (line,) = lines_of(100_00, 60, purpose="marketing")

    assert 100_00 == line.amount_fen


def test_urgency_that_the_list_does_not_price_is_not_offered():
    with pytest.raises(UrgencyNotOffered):
        lines_of(100_00, 60, urgent=True)


def test_extras_that_the_list_does_not_have_are_named_with_those_it_has():
    with pytest.raises(ExtraNotPriced) as refusal:
        lines_of(100_00, 60, extras=(("operator", 60), ("gold", 1)))

    assert "gold" in str(refusal.value.detail)
    assert [{"code": "operator", "name": "操作员"}] == list(refusal.value.alternatives)


@given(
    amount_fen=st.integers(0, 10**9),
    minutes=st.integers(0, 10**6),
    minimum_fen=st.integers(0, 10**9),
)
def test_the_lines_sum_to_the_greater_of_service_and_minimum(amount_fen, minutes, minimum_fen):
    exact_fen = (2 * amount_fen * minutes + 60) // 120

    total_fen = sum(
        line.amount_fen for line in lines_of(amount_fen, minutes, minimum_fen=minimum_fen)
    )

    assert max(exact_fen, minimum_fen) == total_fen
