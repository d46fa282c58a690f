"""Samples in other people's hands: what can be, and what was agreed."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import SHANGHAI
from marketplace.orders.rules.custody import (
    NOTED_BY_HAND,
    CustodyKind,
    CustodySide,
    Direction,
    DisposalTerms,
    Moment,
    Standing,
    check_custody,
    check_disposal,
    check_keeping,
    check_moment,
    check_receipt,
    check_sending,
    disposal_from,
    read_sample_code,
    sample_code,
)

NOW = datetime(2025, 3, 3, 9, tzinfo=SHANGHAI)
TODAY = date(2025, 3, 3)


def rules_of(reasons: Reasons) -> list[str]:
    return [each.rule for each in reasons.found]


@pytest.mark.parametrize(
    ("standing", "direction", "pieces", "refused"),
    [
        (Standing(5), Direction.OUT, 5, []),
        (Standing(5), Direction.OUT, 6, ["samples-ordered"]),
        (Standing(5, sent=4), Direction.OUT, 2, ["samples-ordered"]),
        (Standing(5, sent=5), Direction.BACK, 1, ["samples-received"]),
        (Standing(5, received=5), Direction.BACK, 5, []),
        (Standing(5, received=5, returned=2, disposed=2), Direction.BACK, 2, ["samples-held"]),
        (Standing(5, received=5, cleared=True), Direction.BACK, 1, ["samples-held"]),
    ],
)
def test_no_more_is_sent_than_there_is(
    standing: Standing, direction: Direction, pieces: int, refused: list[str]
) -> None:
    reasons = Reasons()

    check_sending(reasons, standing, direction, pieces)

    assert rules_of(reasons) == refused


@pytest.mark.parametrize(
    ("standing", "direction", "received", "refused"),
    [
        (Standing(5), Direction.OUT, 3, []),
        (Standing(5), Direction.OUT, 0, []),
        (Standing(5), Direction.OUT, 4, ["pieces-sent"]),
        (Standing(5, received=3), Direction.OUT, 3, ["samples-ordered"]),
        (Standing(5, received=3), Direction.OUT, 4, ["pieces-sent", "samples-ordered"]),
        (Standing(5, received=5), Direction.BACK, 3, []),
        (Standing(5, received=5), Direction.BACK, 4, ["pieces-sent"]),
    ],
)
def test_no_more_arrives_than_was_sent(
    standing: Standing, direction: Direction, received: int, refused: list[str]
) -> None:
    reasons = Reasons()

    check_receipt(reasons, standing, direction, sent=3, received=received)

    assert rules_of(reasons) == refused


def test_each_side_notes_by_hand_what_it_can_know() -> None:
    for side in CustodySide:
        for kind in CustodyKind:
            reasons = Reasons()
            check_custody(reasons, Standing(5, received=5), kind, side=side, samples=1)
            assert rules_of(reasons) == ([] if kind in NOTED_BY_HAND[side] else ["custody-kind"])


def test_nothing_is_done_to_samples_that_are_not_there() -> None:
    for kind in NOTED_BY_HAND[CustodySide.PROVIDER]:
        reasons = Reasons()
        check_custody(reasons, Standing(5), kind, side=CustodySide.PROVIDER, samples=1)
        assert rules_of(reasons) == ["samples-received"]
    reasons = Reasons()
    handed = CustodyKind.HANDED_OVER
    check_custody(reasons, Standing(5), handed, side=CustodySide.BUYER, samples=6)
    assert rules_of(reasons) == ["samples-ordered"]


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        (NOW, []),
        (NOW - timedelta(days=1), []),
        (NOW - timedelta(days=1, seconds=1), ["custody-moment"]),
        (NOW + timedelta(seconds=1), ["custody-moment"]),
    ],
)
def test_what_is_noted_has_happened(at: datetime, refused: list[str]) -> None:
    reasons = Reasons()

    check_moment(reasons, Moment(at, NOW - timedelta(days=1), NOW))

    assert rules_of(reasons) == refused


@pytest.mark.parametrize(
    ("disposal", "from_day", "certificate", "refused"),
    [
        ("destroy", TODAY, "No 7", []),
        ("keep", TODAY, "No 7", []),
        ("return", TODAY, "No 7", ["disposal-agreed"]),
        ("destroy", TODAY + timedelta(days=1), "No 7", ["disposal-day"]),
        ("destroy", None, "No 7", ["disposal-day"]),
        ("destroy", TODAY, " ", ["disposal-certificate"]),
        ("return", None, "", ["disposal-agreed", "disposal-day", "disposal-certificate"]),
    ],
)
def test_samples_are_destroyed_only_as_agreed(
    disposal: str, from_day: date | None, certificate: str, refused: list[str]
) -> None:
    reasons = Reasons()

    check_disposal(reasons, DisposalTerms(disposal, from_day, TODAY, certificate))

    assert rules_of(reasons) == refused


def test_the_declared_day_comes_before_the_end_of_the_review() -> None:
    assert disposal_from(None, None) is None
    assert disposal_from(None, TODAY) == TODAY
    assert disposal_from(TODAY + timedelta(days=9), TODAY) == TODAY + timedelta(days=9)


@pytest.mark.parametrize(
    ("days", "refused"),
    [(None, []), (0, []), (3650, []), (-1, ["keep-until"]), (3651, ["keep-until"])],
)
def test_samples_are_kept_from_today_for_ten_years_at_most(
    days: int | None, refused: list[str]
) -> None:
    reasons = Reasons()

    keep_until = None if days is None else TODAY + timedelta(days)
    check_keeping(reasons, keep_until=keep_until, today=TODAY)

    assert rules_of(reasons) == refused


@given(st.integers(1, 2**50), st.integers(1, 10_000))
def test_the_code_of_a_sample_is_read_as_it_was_written(order_id: int, number: int) -> None:
    code = sample_code(order_id, number)

    assert read_sample_code(code) == (order_id, number)
    assert read_sample_code(f" {code.lower()} ") == (order_id, number)


@given(st.text(max_size=30))
def test_other_texts_are_no_codes(text: str) -> None:
    named = read_sample_code(text)

    assert named is None or sample_code(*named) == text.strip().upper()
