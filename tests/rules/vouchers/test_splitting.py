"""One undertaking cut up below a cap, whatever the cap adds money up over."""

from datetime import date, timedelta
from typing import Any

import pytest

from marketplace.vouchers.rules.anomalies import Finding, Service
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.splitting import CappedPart, split_orders

DAY = date(2024, 9, 1)


def part(order_id: int, fen: int, after: int = 0, **changes: Any) -> CappedPart:
    return CappedPart(
        Service(order_id, order_id, 1, None, 1, 2),
        changes.get("scope", CapScope.ORDER),
        changes.get("funder", ""),
        (1, 7, 2, 4),
        (changes.get("piece", order_id),),
        DAY + timedelta(days=after),
        fen,
        changes.get("cap_fen", 1_000_000),
    )


def found(*parts: CappedPart) -> list[Finding]:
    return split_orders(parts, window_days=30, near_basis_points=8_000)


def test_orders_just_below_a_cap_within_a_month_are_one_order_that_was_cut() -> None:
    (one,) = found(part(1, 900_000), part(2, 850_000, 10), part(3, 990_000, 29))
    assert one.certain
    assert one.proof == (1, 2, 3)
    assert "3 orders from 2024-09-01 to 2024-09-30" in one.summary

    assert found(part(1, 900_000), part(2, 850_000, 31)) == []
    assert found(part(1, 900_000), part(2, 700_000)) == []


def test_what_was_cut_to_the_cap_exactly_was_not_split() -> None:
    assert found(part(1, 1_000_000), part(2, 1_000_000, 3)) == []


# Neither limits an order: what an SME holds unspent, and what each person's training costs.
NO_PIECES = {CapScope.HELD, CapScope.PERSON}


@pytest.mark.parametrize("scope", sorted(set(CapScope) - {CapScope.ORDER, *NO_PIECES}))
def test_pieces_of_other_caps_are_filled_by_several_orders_and_only_warn(scope: CapScope) -> None:
    (one,) = found(
        part(1, 450_000, 0, scope=scope, piece=2024),
        part(2, 450_000, 5, scope=scope, piece=2024),
        part(3, 900_000, 9, scope=scope, piece=2025),
    )
    assert not one.certain
    assert one.proof == (1, 2, 3)
    # One piece alone is what the cap allows.
    assert (
        found(part(1, 450_000, scope=scope, piece=1), part(2, 450_000, scope=scope, piece=1)) == []
    )


def test_each_funders_cap_is_looked_at_by_itself() -> None:
    assert found(part(1, 900_000, funder="province"), part(2, 900_000, funder="city")) == []
    (one,) = found(part(1, 900_000, funder="city"), part(2, 900_000, funder="city"))
    assert one.facts[0]["cap"] == "order"
