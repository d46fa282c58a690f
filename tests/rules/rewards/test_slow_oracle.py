"""What the benchmark compares millions of lines with says the same as the rules, and by itself."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reward_oracle import RATES, slow_shares
from marketplace.billing.rewards.rules.entity import entity_reward, unit_shares
from tests.rules.rewards.test_entity import a_unit, the_terms

UNITS = st.lists(
    st.tuples(
        st.integers(0, 2_000_000_00) | st.integers(0, 5_000),
        st.sampled_from(sorted(RATES)),
        st.sampled_from([0, 1, 50, 100]),
    ),
    min_size=1,
    max_size=6,
)


@given(given_units=UNITS)
def test_the_slow_computation_gives_each_unit_what_the_rules_give(given_units):
    units = [
        a_unit(number, fen, grade=grade, paid_fen=fen * RATES[grade] // 10_000 * part // 100)
        for number, (fen, grade, part) in enumerate(given_units, 1)
    ]
    due = entity_reward(units, the_terms())

    by_rules = unit_shares(units, the_terms(), amount_fen=due.claimed_fen)

    assert by_rules == slow_shares(
        {unit.provider_id: unit.service_total_fen for unit in units},
        {unit.provider_id: RATES[unit.grade] for unit in units},
        {unit.provider_id: unit.paid_before_fen for unit in units},
    )
