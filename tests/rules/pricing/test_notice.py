"""Prices stand public for the notice before they are in force."""

from datetime import date

import pytest

from marketplace.billing.pricing.errors import NoticeTooShort
from marketplace.billing.pricing.rules.notice import Notice, notice


@pytest.mark.parametrize(
    ("filed_on", "ends_on", "in_force_from"),
    [
        # A plain week: Monday to the Monday after.
        (date(2025, 3, 3), date(2025, 3, 10), date(2025, 3, 11)),
        # Filed on a Saturday: the notice starts on Monday.
        (date(2025, 3, 8), date(2025, 3, 14), date(2025, 3, 15)),
        # Over the National Day holiday, with the make-up working days around it.
        (date(2025, 9, 26), date(2025, 10, 10), date(2025, 10, 11)),
    ],
)
def test_five_working_days_after_the_day_of_filing(filed_on, ends_on, in_force_from):
    found = notice(filed_on, working_days=5, wanted_from=None)

    assert Notice(ends_on, in_force_from) == found


def test_prices_may_be_wanted_later():
    found = notice(date(2025, 3, 3), working_days=5, wanted_from=date(2025, 6, 1))

    assert Notice(date(2025, 3, 10), date(2025, 6, 1)) == found


def test_prices_wanted_on_the_last_day_of_the_notice_are_refused():
    with pytest.raises(NoticeTooShort) as refusal:
        notice(date(2025, 3, 3), working_days=5, wanted_from=date(2025, 3, 10))

    assert "2025-03-11" == refusal.value.reasons[0].limit
