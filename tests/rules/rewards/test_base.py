"""Through which day a run may be drawn up."""

from datetime import date

import pytest

from marketplace.billing.rewards.errors import TermsMissing, ThroughRefused
from marketplace.billing.rewards.rules.base import counted_total, require_through
from marketplace.billing.rewards.rules.terms import RewardTerms, changed
from marketplace.rulebook import load, rulebook_path

TODAY = date(2025, 7, 1)


@pytest.mark.parametrize("last", [None, date(2025, 3, 31), date(2025, 6, 30)])
def test_a_run_may_reach_up_to_today_and_not_behind_the_last(last):
    require_through(year=2025, through=date(2025, 6, 30), today=TODAY, last_through=last)


@pytest.mark.parametrize(
    ("through", "last", "rules"),
    [
        (date(2024, 12, 31), None, ["through-in-year"]),
        (date(2025, 7, 2), None, ["through-not-to-come"]),
        (date(2025, 6, 29), date(2025, 6, 30), ["through-not-back"]),
        (date(2026, 1, 1), None, ["through-in-year", "through-not-to-come"]),
    ],
)
def test_another_day_is_refused_with_every_reason(through, last, rules):
    with pytest.raises(ThroughRefused) as refusal:
        require_through(year=2025, through=through, today=TODAY, last_through=last)

    assert rules == [reason.rule for reason in refusal.value.reasons]


def test_corrections_take_a_total_to_nothing_and_not_below():
    assert [0, 0, 7] == [counted_total(-5), counted_total(0), counted_total(7)]


@pytest.mark.parametrize("province", ["jiangsu", "hunan", "national"])
def test_every_rulebook_has_the_terms_of_a_run(province):
    snapshot = load(rulebook_path(province)).reward.snapshot(date(2025, 12, 31))

    terms = RewardTerms.of(snapshot)

    assert terms.cap_fen > 0
    assert {"excellent", "good", "qualified", "unqualified"} == set(terms.rate_by_grade)


def test_a_day_without_terms_is_refused():
    snapshot = load(rulebook_path("jiangsu")).reward.snapshot(date(2019, 12, 31))

    with pytest.raises(TermsMissing):
        RewardTerms.of(snapshot)


def test_a_what_if_changes_values_and_keeps_the_rest():
    snapshot = load(rulebook_path("jiangsu")).reward.snapshot(date(2025, 12, 31))

    values = {"share_cap_basis_points": 600, "base_counts": None}

    terms = RewardTerms.of(changed(snapshot, values, {"good": 400}))

    assert {"excellent": 500, "good": 400, "qualified": 100, "unqualified": 0} == (
        terms.rate_by_grade
    )
    assert 300 == snapshot["rate_by_grade"]["value"]["good"]
    assert (600, 50_000_000, "voucher-orders") == (
        terms.share_cap_basis_points,
        terms.cap_fen,
        terms.base_counts,
    )
