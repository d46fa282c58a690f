"""Until which day a voucher pays."""

from datetime import date
from typing import Any

import pytest

from marketplace.vouchers.rules.terms import missing_terms
from marketplace.vouchers.rules.validity import (
    grant_valid_until,
    months_after,
    programme_valid_until,
)


@pytest.mark.parametrize(
    ("validity", "granted_on", "last"),
    [
        ("year-end", date(2025, 3, 3), date(2025, 12, 31)),
        ("months-3", date(2025, 3, 3), date(2025, 6, 3)),
        ("months-3", date(2025, 11, 30), date(2026, 2, 28)),
        ("months-12", date(2024, 2, 29), date(2025, 2, 28)),
    ],
)
def test_a_grant_lasts_as_long_as_the_rulebook_says(validity, granted_on, last):
    assert grant_valid_until(validity, granted_on=granted_on, year=2025) == last


def test_a_programme_lasts_as_long_as_its_last_grant():
    closes_on = date(2025, 10, 31)

    assert programme_valid_until("months-3", closes_on=closes_on, year=2025) == date(2026, 1, 31)


def test_months_run_over_the_end_of_a_year():
    assert months_after(date(2025, 12, 31), 2) == date(2026, 2, 28)


def test_a_rulebook_that_says_too_little_names_what_it_lacks():
    assert "layers" in missing_terms({"validity": {"value": "year-end"}})


def test_a_grant_may_last_to_a_fixed_day_or_to_the_end_of_the_programme():
    granted: dict[str, Any] = {"granted_on": date(2025, 3, 3), "year": 2025}

    assert grant_valid_until("day-2025-12-15", **granted) == date(2025, 12, 15)
    assert grant_valid_until("months-24", **granted) == date(2027, 3, 3)
    assert grant_valid_until("programme-end", **granted, ends_on=date(2026, 6, 30)) == date(
        2026, 6, 30
    )
    for wrong in ("programme-end", "weeks-3", "day-2025-13-01", "months-0"):
        with pytest.raises(ValueError, match=r".+"):
            grant_valid_until(wrong, **granted)
