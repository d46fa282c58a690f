"""Which price a buyer pays."""

import pytest

from marketplace.orders.rules.customers import CustomerClass, customer_class, user_class


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


def test_a_customer_reserves_in_the_class_in_which_it_buys_but_smes_are_enterprises():
    assert {one.value: user_class(one) for one in CustomerClass} == {
        "own_unit": "own_unit",
        "academic": "academic",
        "sme": "enterprise",
        "enterprise": "enterprise",
    }
