"""Monthly statements: digests, differences, due days, and what keeps a month from being stated."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import (
    StatementBlocked,
    StatementMonthNotOver,
    StatementSecondPerson,
)
from marketplace.booking.rules.statements import (
    BLOCKING,
    CheckKind,
    Counts,
    LineKey,
    differences,
    digest,
    due_on,
    during_of_month,
    months_before,
    require_month_over,
    require_nothing_blocking,
    require_second_person,
)

EXTERNAL = LineKey(7, "external", "enterprise")
TEACHING = LineKey(7, "teaching", "own_unit")
HOUR = Counts(minutes=60, session_minutes=70, idle_minutes=10, sessions=1)


def digest_of(lines, **changes) -> str:
    asked = {
        "provider_id": 3,
        "month": date(2025, 2, 1),
        "version": 1,
        "replaces_sha256": None,
        "lines": lines,
    }
    return digest(**(asked | changes))


def test_a_digest_is_of_what_is_said_and_not_of_the_order_in_which_it_was_found():
    lines = {EXTERNAL: HOUR, TEACHING: Counts(minutes=5, session_minutes=5)}

    assert digest_of(lines) == digest_of(dict(reversed(lines.items())))


def test_whatever_a_statement_says_changes_its_digest():
    lines = {EXTERNAL: HOUR}
    others = [
        digest_of({EXTERNAL: replace(HOUR, minutes=61, idle_minutes=9)}),
        digest_of({TEACHING: HOUR}),
        digest_of({}),
        digest_of(lines, month=date(2025, 3, 1)),
        digest_of(lines, provider_id=4),
        digest_of(lines, version=2, replaces_sha256="0" * 64),
        digest_of(lines, version=2, replaces_sha256="1" * 64),
    ]

    assert len({digest_of(lines), *others}) == 1 + len(others)


def test_whoever_has_the_figures_computes_the_same_digest():
    content = (
        '{"content_version":1,"lines":[{"idle_minutes":10,"instrument_id":7,'
        '"late_cancellations":0,"minutes":60,"no_shows":0,"overlap_minutes":0,'
        '"purpose":"external","reserved_minutes":0,"samples":0,"self_operated_minutes":0,'
        '"session_minutes":70,"sessions":1,"user_class":"enterprise"}],"month":"2025-02-01",'
        '"provider_id":3,"replaces_sha256":null,"version":1}'
    )

    assert hashlib.sha256(content.encode()).hexdigest() == digest_of({EXTERNAL: HOUR})


def test_a_repair_shows_as_the_change_of_its_line():
    (found,) = differences(
        {EXTERNAL: HOUR}, {EXTERNAL: replace(HOUR, minutes=45, session_minutes=55)}
    )

    assert (EXTERNAL, -15, 0) == (found.key, found.change.minutes, found.change.sessions)


def test_lines_that_came_or_went_are_differences_too():
    found = differences({EXTERNAL: HOUR}, {TEACHING: HOUR})

    assert [(EXTERNAL, -60), (TEACHING, 60)] == [(one.key, one.change.minutes) for one in found]


lines = st.dictionaries(
    st.builds(
        LineKey,
        st.integers(1, 3),
        st.sampled_from(["external", "teaching"]),
        st.sampled_from(["own_unit", "academic"]),
    ),
    st.builds(Counts, minutes=st.integers(1, 3), sessions=st.integers(1, 2)),
)


@given(lines, lines)
def test_what_was_confirmed_and_its_differences_are_what_is(confirmed, live):
    found = {one.key: one for one in differences(confirmed, live)}

    for key in {*confirmed, *live}:
        stated = confirmed.get(key, Counts())
        change = found[key].change if key in found else Counts()
        assert live.get(key, Counts()) == change.less(Counts().less(stated))
    assert (not found) == (confirmed == live)


def test_a_month_is_stated_when_it_is_over_and_not_before():
    require_month_over(date(2024, 2, 1), today=date(2024, 3, 1))
    with pytest.raises(StatementMonthNotOver) as refused:
        require_month_over(date(2024, 2, 1), today=date(2024, 2, 29))

    assert date(2024, 3, 1) == refused.value.extras["opens_on"]


def test_months_have_the_days_they_have():
    assert [29, 28, 31, 30] == [
        during_of_month(month).minutes // 1440
        for month in (date(2024, 2, 1), date(2025, 2, 1), date(2025, 12, 1), date(2025, 4, 1))
    ]


def test_a_statement_is_due_so_many_days_after_the_month():
    assert date(2025, 1, 10) == due_on(date(2024, 12, 1), due_days=10)
    assert date(2024, 3, 1) == due_on(date(2024, 2, 1), due_days=1)


def test_the_months_before_a_day_go_back_over_the_new_year():
    expected = [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1)]

    assert expected == months_before(date(2025, 2, 28), 3)


def test_nobody_confirms_what_they_drafted():
    require_second_person(drafted_by=1, confirming=2)
    with pytest.raises(StatementSecondPerson):
        require_second_person(drafted_by=2, confirming=2)


def test_everything_that_blocks_a_month_is_said_at_once():
    with pytest.raises(StatementBlocked) as refused:
        require_nothing_blocking(dict.fromkeys(CheckKind, 2))

    assert {kind.value for kind in BLOCKING} == {one.rule for one in refused.value.reasons}
    require_nothing_blocking({CheckKind.OVER_THE_EDGE: 3, CheckKind.NOTHING_RAN: 1})
