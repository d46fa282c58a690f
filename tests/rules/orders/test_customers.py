"""Which price a buyer pays, and whether its order counts for the provider's reward."""

import pytest

from marketplace.orders.rules.customers import counts_for_reward, customer_class


@pytest.mark.parametrize(
    ("kind", "same_legal_entity", "has_sme_profile", "expected"),
    [
        ("sme", False, True, "sme"),
        ("sme", False, False, "enterprise"),
        ("provider", False, False, "academic"),
        ("provider", True, False, "own_unit"),
        ("sme", True, True, "own_unit"),
    ],
)
def test_the_class_of_a_buyer(kind, same_legal_entity, has_sme_profile, expected):
    assert expected == customer_class(
        kind=kind, same_legal_entity=same_legal_entity, has_sme_profile=has_sme_profile
    )


@pytest.mark.parametrize(
    ("voucher_fen", "affiliated", "base_counts", "expected"),
    [
        (1, False, "voucher-orders", True),
        (0, False, "voucher-orders", False),
        (0, False, "all-orders", True),
        (1, True, "voucher-orders", False),
        (1, True, "all-orders", False),
    ],
)
def test_what_counts_for_the_reward(voucher_fen, affiliated, base_counts, expected):
    assert expected is counts_for_reward(
        voucher_fen=voucher_fen, affiliated=affiliated, base_counts=base_counts
    )
