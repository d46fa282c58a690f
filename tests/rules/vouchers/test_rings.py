"""Money that goes round: what blocks, what is only suspected, and what is honest trade."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.anomalies import Finding, Service
from marketplace.vouchers.rules.rings import Dealing, Roundness, Trade, circular_trade

DAY = date(2024, 9, 1)
SUSPECT, CERTAIN = Roundness(5_000, 1_000), Roundness(7_000, 2_500)


def sale(buyer: int, seller: int, *sums: tuple[int, int], whole_fen: int | None = None) -> Trade:
    """What `buyer` bought of `seller`: days after the first of September, and sums."""
    dealings = tuple(
        Dealing(
            DAY + timedelta(days=after),
            fen,
            Service(buyer * 1000 + seller * 10 + place, 1, 1, None, buyer, seller),
        )
        for place, (after, fen) in enumerate(sorted(sums))
    )
    return Trade(buyer, seller, whole_fen or sum(fen for _, fen in sums), dealings)


def found(*trades: Trade, closing_days: int = 60) -> list[Finding]:
    return circular_trade(
        trades, longest=4, closing_days=closing_days, suspect=SUSPECT, certain=CERTAIN
    )


def test_a_sum_that_goes_round_within_weeks_and_is_most_of_everybodys_trade_blocks() -> None:
    (one,) = found(sale(1, 2, (0, 500_000)), sale(2, 3, (9, 460_000)), sale(3, 1, (20, 430_000)))

    assert one.certain
    assert one.key == (1, 2, 3)
    assert "from 2024-09-01 to 2024-09-21" in one.summary
    assert [each["amount_fen"] for each in one.facts] == [500_000, 460_000, 430_000]


def test_what_is_a_small_part_of_the_trade_of_either_side_is_suspected_or_nothing() -> None:
    there = sale(1, 2, (0, 500_000))

    (suspected,) = found(there, sale(2, 1, (5, 500_000), whole_fen=3_000_000))
    assert not suspected.certain
    assert found(there, sale(2, 1, (5, 500_000), whole_fen=6_000_000)) == []


def test_sums_of_different_size_go_not_round() -> None:
    (suspected,) = found(sale(1, 2, (0, 500_000)), sale(2, 1, (5, 300_000)))
    assert not suspected.certain
    assert found(sale(1, 2, (0, 500_000)), sale(2, 1, (5, 200_000))) == []


def test_two_houses_that_serve_each_other_all_year_make_no_ring_of_any_month() -> None:
    monthly = [(month * 30, 100_000) for month in range(6)]
    assert found(sale(1, 2, *monthly), sale(2, 1, *monthly), closing_days=20)[0].certain is False
    far_apart = found(sale(1, 2, (0, 500_000)), sale(2, 1, (61, 500_000)))
    assert far_apart == []


def test_a_ring_is_found_once_and_none_longer_than_asked_for() -> None:
    around = [sale(each, each % 5 + 1, (each, 400_000)) for each in range(1, 6)]
    assert found(*around) == []
    assert len(found(*around[:3], sale(4, 1, (4, 400_000)))) == 1


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 90), st.integers(1, 10**6)),
        max_size=20,
    )
)
def test_what_is_found_closes_in_time_and_is_no_smaller_than_the_terms_say(
    orders: list[tuple[int, int, int, int]],
) -> None:
    sums: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for buyer, seller, after, fen in orders:
        sums.setdefault((buyer, seller), []).append((after, fen))
    whole = {
        key: max(
            sum(fen for pair, each in sums.items() if pair[0] == key[0] for _, fen in each),
            sum(fen for pair, each in sums.items() if pair[1] == key[1] for _, fen in each),
        )
        for key in sums
    }
    rings = found(*(sale(*key, *each, whole_fen=whole[key]) for key, each in sums.items()))

    assert len({each.fingerprint for each in rings}) == len(rings)
    for each in rings:
        level = CERTAIN if each.certain else SUSPECT
        amounts = [fact["amount_fen"] for fact in each.facts]
        assert 2 <= len(amounts) <= 4
        assert min(amounts) * 10_000 >= max(amounts) * level.similar_basis_points
        for fact in each.facts:
            share = fact["amount_fen"] * 10_000 // fact["of_all_trade_fen"]
            assert share >= level.share_basis_points
            assert fact["buyer_group"] != fact["provider_group"]
