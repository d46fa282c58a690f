"""Public holidays and make-up working days, against the State Council's own lists.

Written out here from the notices 国办发明电〔2024〕12号 (for 2025) and 国办发明电〔2025〕7号 (for
2026): the days off of each holiday, first to last, and the weekend days on which China works.
"""

from datetime import date, timedelta

import pytest

from marketplace.kernel.time import is_makeup_day, is_public_holiday, is_working_day

# Name, first and last day off.
DAYS_OFF = [
    ("元旦", "2025-01-01", "2025-01-01"),
    ("春节", "2025-01-28", "2025-02-04"),
    ("清明节", "2025-04-04", "2025-04-06"),
    ("劳动节", "2025-05-01", "2025-05-05"),
    ("端午节", "2025-05-31", "2025-06-02"),
    ("国庆节、中秋节", "2025-10-01", "2025-10-08"),
    ("元旦", "2026-01-01", "2026-01-03"),
    ("春节", "2026-02-15", "2026-02-23"),
    ("清明节", "2026-04-04", "2026-04-06"),
    ("劳动节", "2026-05-01", "2026-05-05"),
    ("端午节", "2026-06-19", "2026-06-21"),
    ("中秋节", "2026-09-25", "2026-09-27"),
    ("国庆节", "2026-10-01", "2026-10-07"),
]
WORKED = {
    2025: ["2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"],
    2026: ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"],
}


def days(first: str, last: str) -> set[date]:
    start = date.fromisoformat(first)
    return {start + timedelta(days=n) for n in range((date.fromisoformat(last) - start).days + 1)}


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_day_of_the_year_is_off_or_worked_as_the_state_council_published(year: int):
    off = {day for _, first, last in DAYS_OFF for day in days(first, last) if day.year == year}
    worked = {date.fromisoformat(day) for day in WORKED[year]}
    whole_year = sorted(days(f"{year}-01-01", f"{year}-12-31"))

    assert {day for day in whole_year if is_public_holiday(day)} == off
    assert {day for day in whole_year if is_makeup_day(day)} == worked
    assert {day for day in whole_year if is_working_day(day)} == {
        day for day in whole_year if day in worked or (day.weekday() < 5 and day not in off)
    }


def test_the_published_lists_have_as_many_days_off_as_the_state_council_counts():
    """The control: 2025 has 28 days off and 2026 has 33, weekends inside them included."""
    counted = {
        year: sum(len(days(first, last)) for _, first, last in DAYS_OFF if first[:4] == str(year))
        for year in (2025, 2026)
    }

    assert counted == {2025: 1 + 8 + 3 + 5 + 3 + 8, 2026: 3 + 9 + 3 + 5 + 3 + 3 + 7}


def test_an_ordinary_weekend_is_neither_a_holiday_nor_made_up_for():
    assert not is_public_holiday(date(2025, 3, 8))
    assert not is_makeup_day(date(2025, 3, 8))
    assert not is_makeup_day(date(2025, 3, 7))
