"""What a provider may write into a booking rule."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from marketplace.booking.errors import BookingRuleRefused, HoursRefused
from marketplace.booking.rules.booking_rule import (
    Sharer,
    require_class,
    require_day,
    require_possible_rule,
    require_seats_of_sharers,
    require_sharing,
    require_week,
)
from marketplace.booking.rules.schedule import (
    BookingTerms,
    ClassTerms,
    DatedHours,
    Hours,
    PriorityHours,
)
from marketplace.booking.rules.states import UserClass

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


# ── Classes, calendars, hours ─────────────────────────────────────────────────────────────────────


def test_the_terms_of_a_class_answer_to_the_same_bounds_and_are_told_once():
    with pytest.raises(BookingRuleRefused) as refused:
        require_possible_rule(
            replace(PROVINCE, horizon_days=100),
            province=PROVINCE,
            classes=(
                ClassTerms(UserClass.OWN_UNIT, horizon_days=200),
                ClassTerms(UserClass.ACADEMIC, maximum_minutes=25),
                ClassTerms(UserClass.ACADEMIC, may_book=False),
            ),
        )

    assert [(one.rule, one.asked) for one in refused.value.reasons] == [
        ("horizon-province", 100),
        ("horizon-province", 200),
        ("maximum", 25),
        ("class-twice", None),
    ]
    assert refused.value.reasons[2].message.startswith("For academic users: ")


OWN = Sharer(1, 10, is_listed=True, seats=2, calendar_id=None)


@pytest.mark.parametrize(
    ("other", "shared_by_others", "rules"),
    [
        (replace(OWN, instrument_id=2), False, []),
        (None, False, ["calendar-missing"]),
        (replace(OWN, instrument_id=2, provider_id=11), False, ["calendar-missing"]),
        (OWN, False, ["calendar-itself"]),
        (
            Sharer(2, 10, is_listed=False, seats=1, calendar_id=3),
            True,
            ["calendar-listed", "calendar-shares", "calendar-seats", "calendar-shared"],
        ),
    ],
)
def test_a_calendar_is_shared_with_another_instrument_alike_that_has_its_own(
    other: Sharer | None, shared_by_others: bool, rules: list[str]
):
    if not rules:
        require_sharing(OWN, other, shared_by_others=shared_by_others)
        return
    with pytest.raises(BookingRuleRefused) as refused:
        require_sharing(OWN, other, shared_by_others=shared_by_others)

    assert [one.rule for one in refused.value.reasons] == rules


def test_seats_change_for_all_who_share_a_calendar_or_for_none():
    require_seats_of_sharers(2, [OWN])
    with pytest.raises(BookingRuleRefused):
        require_seats_of_sharers(3, [OWN])


@pytest.mark.parametrize(
    ("hours", "rules"),
    [
        ([Hours(0, 0, 60), Hours(0, 60, 90), Hours(1, 0, 1440)], []),
        ([Hours(0, 0, 60), Hours(0, 59, 90)], ["hours-overlap"]),
        ([Hours(0, 60, 60)], ["hours-minutes"]),
        ([Hours(0, 0, 1441)], ["hours-minutes"]),
        ([PriorityHours(0, 0, 60, -1)], ["lapses"]),
        ([Hours(0, minute, minute + 1) for minute in range(71)], ["hours-many"]),
    ],
)
def test_the_hours_of_a_week_fit_their_days(hours: list[Hours], rules: list[str]):
    if not rules:
        require_week(hours)
        return
    with pytest.raises(HoursRefused) as refused:
        require_week(hours)

    assert [one.rule for one in refused.value.reasons] == rules


DAY = date(2025, 3, 8)


@pytest.mark.parametrize(
    ("hours", "rules"),
    [
        ([DatedHours(DAY, 0, 60)], []),
        ([], ["hours-none"]),
        ([DatedHours(DAY, 0, 60), DatedHours(DAY, 30, 90)], ["hours-overlap"]),
        ([DatedHours(DAY, 0, 60), DatedHours(DAY + timedelta(days=1), 60, 90)], ["hours-days"]),
        ([DatedHours(DAY, 60 * n, 60 * n + 1) for n in range(11)], ["hours-many"]),
    ],
)
def test_the_hours_of_a_day_are_of_one_day_and_not_none(hours: list[DatedHours], rules: list[str]):
    if not rules:
        require_day(hours)
        return
    with pytest.raises(HoursRefused) as refused:
        require_day(hours)

    assert [one.rule for one in refused.value.reasons] == rules


def test_only_hours_of_a_class_name_one():
    require_class("class", UserClass.ACADEMIC)
    require_class("peak", None)
    for kind, user_class in (("class", None), ("priority", UserClass.OWN_UNIT)):
        with pytest.raises(HoursRefused):
            require_class(kind, user_class)
