"""What an order costs in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.money import share
from marketplace.orders.rules.settlement import Parts, ruled_value, settled_parts, used_value

HELD = Parts(voucher_fen=25_000, own_fen=75_000)


@pytest.mark.parametrize(
    ("repriced_fen", "used_fen"),
    [(0, 0), (60_000, 60_000), (100_000, 100_000), (100_001, 100_000), (900_000, 100_000)],
)
def test_use_beyond_what_was_held_costs_no_more(repriced_fen, used_fen):
    assert used_fen == used_value(repriced_fen=repriced_fen, held=HELD)


@pytest.mark.parametrize(
    ("used_fen", "voucher_fen", "own_fen"),
    [
        (100_000, 25_000, 75_000),
        (60_000, 15_000, 45_000),
        (0, 0, 0),
        # The voucher pays nothing any more: the buyer still pays no more than was held.
        (100_000, 0, 75_000),
        (80_000, 0, 75_000),
        (10_000, 10_000, 0),
    ],
)
def test_the_voucher_pays_first_and_the_buyer_the_rest(used_fen, voucher_fen, own_fen):
    expected = Parts(voucher_fen=voucher_fen, own_fen=own_fen)

    assert expected == settled_parts(used_fen, voucher_fen=voucher_fen, held=HELD)


@pytest.mark.parametrize(("used_fen", "voucher_fen"), [(100_000, 25_001), (10, 11), (10, -1)])
def test_a_voucher_cannot_settle_more_than_it_held_or_than_was_used(used_fen, voucher_fen):
    with pytest.raises(ValueError, match="at most what it held"):
        settled_parts(used_fen, voucher_fen=voucher_fen, held=HELD)


@given(
    total=st.integers(0, 10**12),
    ratio=st.integers(0, 10_000),
    repriced=st.integers(0, 2 * 10**12),
    ruling=st.integers(0, 10_000),
)
def test_what_is_settled_is_never_above_what_was_held_nor_above_what_was_used(
    total, ratio, repriced, ruling
):
    voucher = share(total, ratio, "down")
    held = Parts(voucher_fen=voucher, own_fen=total - voucher)
    used = ruled_value(used_value(repriced_fen=repriced, held=held), pay_basis_points=ruling)
    settled = settled_parts(used, voucher_fen=share(used, ratio, "down"), held=held)

    assert settled.total_fen <= used <= held.total_fen
    assert 0 <= settled.voucher_fen <= held.voucher_fen
    assert 0 <= settled.own_fen <= held.own_fen
    # A voucher that pays by ratio leaves the provider nothing short, but for a rounded fen.
    assert used - settled.total_fen <= 1
