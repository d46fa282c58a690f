"""What calling off or missing a service costs."""

import pytest

from marketplace.orders.rules.cancellation import fee_due


@pytest.mark.parametrize(
    ("own_fen", "fee_basis_points", "quoted_basis_points", "confirmed", "fee"),
    [
        (101, 5_000, 5_000, True, 50),
        (75_000, 10_000, 10_000, True, 75_000),
        # In time, or the provider's own doing: booking says that nothing stays due.
        (101, 0, 5_000, True, 0),
        # The offer was not accepted yet.
        (101, 5_000, 5_000, False, 0),
        # The terms rose after the quote; the buyer was told half.
        (100, 8_000, 5_000, True, 50),
        (100, 3_000, 5_000, True, 30),
        # Nothing of the buyer's own: the voucher pays no fees.
        (0, 10_000, 10_000, True, 0),
    ],
)
def test_a_fee_is_a_share_of_the_buyers_own_money_as_it_was_told(
    own_fen, fee_basis_points, quoted_basis_points, confirmed, fee
):
    assert fee == fee_due(
        own_fen,
        fee_basis_points=fee_basis_points,
        quoted_basis_points=quoted_basis_points,
        confirmed=confirmed,
    )
