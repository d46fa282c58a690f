"""Weeks and closures."""

from datetime import datetime, timedelta

import pytest

from marketplace.catalogue.rules.opening import (
    INTERVALS_MAX,
    OpeningHours,
    check_closure,
    check_opening_hours,
)
from marketplace.kernel.time import SHANGHAI, During

MONDAY = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "rules"),
    [
        ([(0, 480, 720), (0, 720, 1080), (6, 0, 1440)], []),
        ([(0, 480, 1080), (0, 600, 660), (0, 1020, 1200)], ["opening-hours-overlap"] * 2),
        ([(0, 480, 720), (1, 480, 720)], []),
        ([(7, 0, 60), (0, 60, 60), (0, -1, 5)], ["opening-minutes", "opening-minutes", "weekday"]),
        ([(0, 0, 1441)], ["opening-minutes"]),
        ([(0, n, n + 1) for n in range(INTERVALS_MAX + 1)], ["opening-hours-many"]),
    ],
)
def test_everything_wrong_with_a_week_is_said_at_once(
    hours: list[tuple[int, int, int]], rules: list[str]
) -> None:
    reasons = check_opening_hours([OpeningHours(*interval) for interval in hours])

    assert rules == sorted(reason.rule for reason in reasons.found)


@pytest.mark.parametrize(
    ("days", "reason", "rules"),
    [
        (1, "检修", []),
        (366, "检修", []),
        (367, "检修", ["closure-long"]),
        (400, "  ", ["closure-long", "closure-reason"]),
    ],
)
def test_a_closure_is_bounded_and_says_why(days: int, reason: str, rules: list[str]) -> None:
    during = During(MONDAY, MONDAY + timedelta(days=days))

    assert rules == [found.rule for found in check_closure(during, reason).found]
