"""What recurs: the offered part of RFC 5545, on the clocks of Shanghai, within bounds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import RecurrenceMalformed
from marketplace.booking.rules.series import (
    OCCURRENCES_MAX,
    Recurrence,
    cut_before,
    dates_of,
    recurrence_of,
    rest_after,
    series_dates,
)
from marketplace.kernel.time import SHANGHAI, shanghai_day, shanghai_instant

MONDAY = date(2025, 3, 3)
NOW = shanghai_instant(MONDAY, 9 * 60)


def at_ten(day: date) -> datetime:
    return shanghai_instant(day, 600)


def days_of(text: str, starts_on: date = MONDAY, *, most: int = OCCURRENCES_MAX) -> list[str]:
    found = dates_of(recurrence_of(text), at_ten(starts_on), most=most)
    assert all(one.astimezone(SHANGHAI).strftime("%H:%M") == "10:00" for one in found)
    return [shanghai_day(one).strftime("%m-%d") for one in found]


@pytest.mark.parametrize(
    ("text", "starts_on", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", MONDAY, ["03-03", "03-04", "03-05"]),
        ("FREQ=DAILY;INTERVAL=2;UNTIL=20250307", MONDAY, ["03-03", "03-05", "03-07"]),
        # The last instant counts itself; a minute earlier it does not.
        ("FREQ=DAILY;UNTIL=20250305T020000Z", MONDAY, ["03-03", "03-04", "03-05"]),
        ("FREQ=DAILY;UNTIL=20250305T015959Z", MONDAY, ["03-03", "03-04"]),
        ("FREQ=WEEKLY;COUNT=3", MONDAY, ["03-03", "03-10", "03-17"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", MONDAY, ["03-03", "03-05", "03-10", "03-12"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=3", MONDAY, ["03-03", "03-17", "03-31"]),
        ("RRULE:freq=weekly;byday=mo;count=2", MONDAY, ["03-03", "03-10"]),
        ("FREQ=MONTHLY;COUNT=3", MONDAY, ["03-03", "04-03", "05-03"]),
        # Months without a 31st are left out, as the standard says.
        ("FREQ=MONTHLY;COUNT=4", date(2025, 1, 31), ["01-31", "03-31", "05-31", "07-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", date(2025, 1, 31), ["01-31", "02-28", "03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=29;COUNT=3", date(2024, 1, 29), ["01-29", "02-29", "03-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=29;COUNT=3", date(2025, 1, 29), ["01-29", "03-29", "04-29"]),
        ("FREQ=MONTHLY;BYDAY=1MO;COUNT=3", MONDAY, ["03-03", "04-07", "05-05"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", date(2025, 3, 28), ["03-28", "04-25", "05-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=3", date(2025, 3, 15), ["03-15", "04-01", "04-15"]),
    ],
)
def test_a_rule_names_its_dates(text: str, starts_on: date, expected: list[str]):
    assert expected == days_of(text, starts_on)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ["part"]),
        ("FREQ=YEARLY;COUNT=2", ["freq"]),
        ("FREQ=DAILY", ["end"]),
        ("FREQ=DAILY;COUNT=2;UNTIL=20250401", ["end"]),
        ("FREQ=DAILY;COUNT=0", ["count"]),
        ("FREQ=DAILY;COUNT=１", ["count"]),
        ("FREQ=DAILY;COUNT=2;COUNT=3", ["part"]),
        ("FREQ=DAILY;COUNT=2;BYSETPOS=1", ["part"]),
        ("FREQ=DAILY;COUNT=2;INTERVAL=", ["part"]),
        ("FREQ=DAILY;UNTIL=20250230", ["until"]),
        ("FREQ=DAILY;UNTIL=tomorrow", ["until"]),
        ("FREQ=WEEKLY;BYDAY=1MO;COUNT=2", ["byday"]),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=2", ["byday"]),
        ("FREQ=WEEKLY;BYMONTHDAY=3;COUNT=2", ["bymonthday"]),
        ("FREQ=MONTHLY;BYMONTHDAY=0,32;COUNT=2", ["bymonthday", "bymonthday"]),
        ("FREQ=HOURLY;INTERVAL=0;COUNT=x", ["interval", "count", "freq"]),
    ],
)
def test_a_rule_that_is_not_offered_is_refused_with_everything_that_is_wrong(
    text: str, rules: list[str]
):
    with pytest.raises(RecurrenceMalformed) as refused:
        recurrence_of(text)

    assert [reason.rule for reason in refused.value.reasons] == rules


@given(text=st.text(max_size=60) | st.from_regex(r"(FREQ|COUNT|BYDAY|UNTIL|INTERVAL)=.{0,9};?"))
def test_whatever_is_written_is_read_or_refused(text: str):
    try:
        made = recurrence_of(text)
    except RecurrenceMalformed:
        return

    assert recurrence_of(str(made)) == made


rules = st.builds(
    Recurrence,
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    interval=st.integers(1, 4),
    count=st.integers(1, 12),
).flatmap(
    lambda rule: st.builds(
        lambda days, month_days: Recurrence(
            rule.frequency,
            rule.interval,
            by_day=tuple((0, day) for day in sorted(days)),
            by_month_day=() if rule.frequency == "WEEKLY" else tuple(sorted(month_days)),
            count=rule.count,
        ),
        days=st.sets(st.integers(0, 6), max_size=3),
        month_days=st.sets(st.integers(1, 31), max_size=2),
    )
)


def told_day_by_day(rule: Recurrence, start: date) -> list[date]:
    """The slow way: every day asked whether the rule names it."""
    found: list[date] = []
    first_week = start - timedelta(days=start.weekday())
    for ahead in range(9 * 366):
        day = start + timedelta(days=ahead)
        months = (day.year - start.year) * 12 + day.month - start.month
        weeks = (day - first_week).days // 7
        turn = {"DAILY": ahead, "WEEKLY": weeks, "MONTHLY": months}[rule.frequency]
        weekdays = {weekday for _, weekday in rule.by_day}
        month_days = set(rule.by_month_day)
        if rule.frequency == "WEEKLY" and not weekdays:
            weekdays = {start.weekday()}
        if rule.frequency == "MONTHLY" and not weekdays and not month_days:
            month_days = {start.day}
        if (
            turn % rule.interval == 0
            and (not weekdays or day.weekday() in weekdays)
            and (not month_days or day.day in month_days)
        ):
            found.append(day)
        if len(found) == rule.count:
            break
    return found


@given(rule=rules, start=st.dates(date(2024, 1, 1), date(2026, 12, 31)))
def test_a_rule_names_what_asking_every_day_finds(rule: Recurrence, start: date):
    found = dates_of(rule, at_ten(start))

    assert [shanghai_day(one) for one in found] == told_day_by_day(rule, start)


def told(text: str, *, minutes: int = 60, starts_at: datetime | None = None) -> list[str]:
    _, wrong = series_dates(recurrence_of(text), starts_at or at_ten(MONDAY), minutes, at=NOW)
    return [reason.rule for reason in wrong.found]


def test_a_series_has_at_most_a_hundred_dates_within_a_year_that_begin_on_its_first():
    assert told("FREQ=DAILY;COUNT=100") == []
    assert told("FREQ=DAILY;COUNT=101") == ["occurrences"]
    assert told("FREQ=DAILY;UNTIL=20250610") == []
    assert told("FREQ=DAILY;UNTIL=20250611") == ["occurrences"]
    assert told("FREQ=MONTHLY;COUNT=13") == []
    assert told("FREQ=MONTHLY;COUNT=14") == ["too-far"]
    assert told("FREQ=WEEKLY;BYDAY=TU;COUNT=2") == ["first-date"]
    # Never on 30 February: named nothing, and found so at once.
    never = recurrence_of("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30;COUNT=1")
    assert series_dates(never, at_ten(date(2025, 2, 3)), 60, at=NOW)[0] == []


def test_a_series_does_not_run_into_itself():
    assert told("FREQ=DAILY;COUNT=3", minutes=1440) == []
    assert told("FREQ=DAILY;COUNT=3", minutes=1441) == ["overlaps-itself"]
    assert told("FREQ=DAILY;COUNT=1", minutes=1441) == []


@given(rule=rules, start=st.dates(date(2025, 1, 1), date(2025, 12, 31)), at=st.integers(1, 11))
def test_a_series_that_is_cut_names_before_and_after_what_it_named_whole(
    rule: Recurrence, start: date, at: int
):
    whole = dates_of(rule, at_ten(start))
    at = min(at, len(whole) - 1)
    if at < 1:
        return
    kept = dates_of(cut_before(rule, whole[:at]), at_ten(start))
    rest = dates_of(rest_after(rule, at), whole[at])

    assert kept == whole[:at]
    assert rest[: len(whole) - at] == whole[at:]


def test_what_is_written_down_reads_the_same():
    text = "FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO,-1FR;UNTIL=20250630T155959Z"

    assert str(recurrence_of(text)) == text
    assert recurrence_of("FREQ=DAILY;UNTIL=20250630").until == datetime(
        2025, 6, 30, 15, 59, 59, tzinfo=UTC
    )
