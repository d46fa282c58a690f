"""What a provider may write into a booking rule."""

from dataclasses import replace

import pytest

from marketplace.booking.errors import BookingRuleRefused
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.rules.booking_rule import require_possible_rule

PROVINCE = BookingTerms(30, 30, 1440, 1440, 90)


def test_a_narrower_rule_is_possible():
    require_possible_rule(BookingTerms(15, 30, 240, 60, 30), province=PROVINCE)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"minimum_minutes": 45}, ["minimum"]),
        ({"step_minutes": 60}, ["minimum"]),
        ({"maximum_minutes": 20}, ["maximum"]),
        ({"maximum_minutes": 2880}, ["maximum-province"]),
        ({"horizon_days": 91}, ["horizon-province"]),
        ({"notice_minutes": 90 * 1440}, ["notice"]),
        (
            {"minimum_minutes": 45, "maximum_minutes": 1500, "horizon_days": 100},
            ["minimum", "maximum-province", "horizon-province"],
        ),
    ],
)
def test_everything_that_is_wrong_with_a_rule_is_told_at_once(
    changes: dict[str, int], rules: list[str]
):
    with pytest.raises(BookingRuleRefused) as refused:
        require_possible_rule(replace(PROVINCE, **changes), province=PROVINCE)  # type: ignore[arg-type]

    assert [reason.rule for reason in refused.value.reasons] == rules
