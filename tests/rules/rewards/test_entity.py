"""A legal entity's year: whatever the runs, the total is the same and no cap is passed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.billing.rewards.rules.entity import UnitYear, entity_reward, unit_shares
from marketplace.billing.rewards.rules.terms import RewardTerms

CAP_FEN = 500_000_00
GRADES = (None, "excellent", "good", "qualified", "unqualified")


def the_terms(*, share_cap=500, cap_fen=CAP_FEN, excellent=500):
    return RewardTerms(
        share_cap_basis_points=share_cap,
        cap_fen=cap_fen,
        rate_by_grade={
            "excellent": excellent,
            "good": 300,
            "qualified": 100,
            "unqualified": 0,
        },
        base_counts="voucher-orders",
        sources={},
    )


def a_unit(provider_id, service_total_fen, *, grade="excellent", paid_fen=0):
    return UnitYear(provider_id, service_total_fen, grade, paid_fen)


def test_two_units_share_one_cap_in_proportion():
    units = [a_unit(1, 10_000_000_00), a_unit(2, 30_000_000_00)]

    due = entity_reward(units, the_terms())

    assert (2_000_000_00, CAP_FEN) == (due.entitled_fen, due.claimed_fen)
    assert {1: 125_000_00, 2: 375_000_00} == unit_shares(
        units, the_terms(), amount_fen=due.claimed_fen
    )


def test_units_at_the_full_five_percent_get_exactly_what_each_may_have():
    # 100.0, 0.95 and 1.95 fen: the largest remainder alone would give the second unit a fen.
    units = [a_unit(1, 2000), a_unit(2, 19), a_unit(3, 39)]

    due = entity_reward(units, the_terms())

    assert {1: 100, 2: 0, 3: 1} == unit_shares(units, the_terms(), amount_fen=due.claimed_fen)


def test_a_refund_after_a_paid_reward_is_taken_off_the_next_run():
    before = [a_unit(1, 100_000, paid_fen=5_000), a_unit(2, 0)]
    refunded = [a_unit(1, 60_000, paid_fen=5_000), a_unit(2, 0)]
    later = [a_unit(1, 60_000, paid_fen=5_000), a_unit(2, 100_000)]

    claims = [entity_reward(units, the_terms()).claimed_fen for units in (before, refunded, later)]

    # Overpaid by 2,000 fen, then 5,000 earned by the other unit: 3,000 are paid, to that unit.
    assert [0, 0, 3_000] == claims
    assert {1: 0, 2: 3_000} == unit_shares(later, the_terms(), amount_fen=3_000)


def test_a_unit_keeps_its_reward_when_another_fills_the_cap_later():
    units = [a_unit(1, 4_000_000_00, paid_fen=200_000_00), a_unit(2, 40_000_000_00)]

    due = entity_reward(units, the_terms())
    parts = unit_shares(units, the_terms(), amount_fen=due.claimed_fen)

    assert 300_000_00 == due.claimed_fen
    assert {1: 0, 2: 300_000_00} == parts


def test_what_an_earlier_budget_left_unpaid_is_made_good():
    # Both earned 100; a budget left the first 50 of it.
    units = [a_unit(1, 2_000, paid_fen=50), a_unit(2, 2_000)]

    due = entity_reward(units, the_terms())

    assert {1: 50, 2: 100} == unit_shares(units, the_terms(), amount_fen=due.claimed_fen)


@st.composite
def years(draw):
    """Units with grades, and for each of several runs what each unit served since the last."""
    grades = draw(st.lists(st.sampled_from(GRADES), min_size=1, max_size=5))
    served = st.lists(
        st.integers(0, 10**9) | st.integers(0, 100),
        min_size=len(grades),
        max_size=len(grades),
    )
    cap_fen = draw(st.sampled_from([0, 1, 7, 1000, CAP_FEN, 10**8]))
    return grades, draw(st.lists(served, min_size=1, max_size=6)), cap_fen


def live(grades, runs, terms, *, budgets=None):
    """Pay a year run by run; answer what each run paid each unit."""
    totals = [0] * len(grades)
    paid = [0] * len(grades)
    history = []
    for number, served in enumerate(runs):
        totals = [total + more for total, more in zip(totals, served, strict=True)]
        units = [UnitYear(i, totals[i], grade, paid[i]) for i, grade in enumerate(grades)]
        claim_fen = entity_reward(units, terms).claimed_fen
        amount_fen = claim_fen if budgets is None else min(claim_fen, budgets[number])
        parts = unit_shares(units, terms, amount_fen=amount_fen)
        paid = [paid[i] + parts[i] for i in range(len(grades))]
        history.append((units, amount_fen, parts))
    return totals, paid, history


@settings(max_examples=300)
@given(years())
def test_the_total_does_not_depend_on_how_the_year_is_split_into_runs(year):
    grades, runs, cap_fen = year
    terms = the_terms(cap_fen=cap_fen)
    at_once = [[sum(column) for column in zip(*runs, strict=True)]]

    _, in_parts, _ = live(grades, runs, terms)
    _, whole, _ = live(grades, at_once, terms)

    assert sum(whole) == sum(in_parts)


@settings(max_examples=300)
@given(years(), st.data())
def test_no_run_passes_a_cap_loses_a_fen_or_asks_one_back(year, data):
    grades, runs, cap_fen = year
    terms = the_terms(cap_fen=cap_fen)
    budgets = data.draw(
        st.none() | st.lists(st.integers(0, 10**7), min_size=len(runs), max_size=len(runs))
    )

    totals, paid, history = live(grades, runs, terms, budgets=budgets)

    for _, amount_fen, parts in history:
        assert amount_fen == sum(parts.values())
        assert all(part >= 0 for part in parts.values())
    assert sum(paid) <= cap_fen
    assert sum(paid) * 10_000 <= sum(
        total * terms.rate_by_grade.get(grade or "", 0)
        for total, grade in zip(totals, grades, strict=True)
    )
    assert all(each * 20 <= total for each, total in zip(paid, totals, strict=True))


@given(years())
def test_the_same_figures_give_the_same_fen(year):
    grades, runs, cap_fen = year
    _, _, history = live(grades, runs, the_terms(cap_fen=cap_fen))

    for units, amount_fen, parts in history:
        again = unit_shares(
            list(reversed(units)), the_terms(cap_fen=cap_fen), amount_fen=amount_fen
        )
        assert parts == again


@given(years())
def test_drafting_again_after_a_run_was_paid_yields_nothing(year):
    grades, runs, cap_fen = year
    terms = the_terms(cap_fen=cap_fen)
    totals, paid, _ = live(grades, runs, terms)

    again = [UnitYear(i, totals[i], grade, paid[i]) for i, grade in enumerate(grades)]

    assert 0 == entity_reward(again, terms).claimed_fen
