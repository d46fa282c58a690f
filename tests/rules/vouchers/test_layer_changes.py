"""Policy: J.22a. A budget falls to what is bound at the least; a funder has each layer once."""

import pytest

from marketplace.vouchers.rules.layer_changes import (
    LayerAdded,
    LayerChanged,
    LayerNow,
    layers_after,
    wrong_layers,
)
from marketplace.vouchers.rules.regions import LayerRegion

PROVINCE = LayerNow(1, "province", "320000", None, 2_500, 1_000_000, 400_000)
CITY = LayerNow(2, "city", "320100", 2025, 2_500, 1_000_000, 0)
ZONE = LayerAdded("zone", "320115", 1_000, 300_000)


@pytest.mark.parametrize(
    ("changed", "added", "rules"),
    [
        ([LayerChanged(1, budget_fen=400_000)], [], []),
        ([LayerChanged(1, budget_fen=2_000_000), LayerChanged(2, ratio_basis_points=1)], [], []),
        ([LayerChanged(1, budget_fen=399_999)], [], ["budget"]),
        ([LayerChanged(2, budget_fen=1)], [], []),
        ([LayerChanged(1)], [], ["layer"]),
        ([LayerChanged(1, budget_fen=1_000_000, ratio_basis_points=2_500)], [], ["layer"]),
        ([LayerChanged(3, budget_fen=1)], [], ["layer"]),
        ([LayerChanged(2, budget_fen=1), LayerChanged(2, budget_fen=2)], [], ["layer"]),
        ([], [ZONE], []),
        ([], [ZONE, ZONE], ["layer-twice"]),
        ([], [LayerAdded("province", "320000", 1, 1)], ["layer-twice"]),
        ([], [LayerAdded("city", "320100", 1, 1, budget_year=2026)], []),
        ([], [LayerAdded("city", "320100", 1, 1, budget_year=2025)], ["layer-twice"]),
    ],
)
def test_layers_change_within_what_is_bound_and_each_once(
    changed: list[LayerChanged], added: list[LayerAdded], rules: list[str]
):
    found = wrong_layers([PROVINCE, CITY], changed, added)

    assert [reason.rule for reason in found] == rules


def test_the_bound_of_a_budget_is_told_with_what_to_do():
    [reason] = wrong_layers([PROVINCE], [LayerChanged(1, budget_fen=0)], [])

    assert (reason.limit, reason.asked, reason.source) == (400_000, 0, "J.22a")
    assert "4,000.00 CNY" in reason.message
    assert "Withdraw unused quota first" in reason.message


def test_the_layers_afterwards_have_the_new_shares_and_the_new_layers():
    found = layers_after(
        [PROVINCE, CITY], [LayerChanged(2, ratio_basis_points=3_000), LayerChanged(1, 5)], [ZONE]
    )

    assert found == [
        LayerRegion(1, "province", "320000", 2_500, None),
        LayerRegion(2, "city", "320100", 3_000, 2025),
        LayerRegion(-1, "zone", "320115", 1_000, None),
    ]
