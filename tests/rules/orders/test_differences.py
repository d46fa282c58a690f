"""Settlements by item: shares sum to what was paid, lines to what was settled, in any order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import DeliveryRefused
from marketplace.orders.rules.differences import AS_QUOTED, Used, differences
from marketplace.orders.rules.items import (
    ItemStatus,
    added,
    check_due,
    check_extras,
    check_ready,
    check_runs,
    refuse,
    status_of,
)
from marketplace.orders.rules.settlement import Parts, shares_of


def a_line(kind: str = "service", *, quantity: int = 1, amount_fen: int = 100) -> dict[str, Any]:
    return {
        "kind": kind,
        "text": kind.title(),
        "unit": "sample",
        "quantity": quantity,
        "unit_price_fen": 100,
        "amount_fen": amount_fen,
    }


lines = st.lists(
    st.builds(
        a_line,
        st.sampled_from(["service", "urgent", "minimum", "staff_help"]),
        quantity=st.integers(0, 100),
        amount_fen=st.integers(0, 10**6),
    ),
    max_size=6,
)


@given(quoted=lines, used=lines, data=st.data())
def test_what_was_quoted_and_what_is_settled_are_the_sums_of_their_lines(quoted, used, data):
    repriced_fen = sum(line["amount_fen"] for line in used)
    value_fen = data.draw(st.integers(0, repriced_fen))
    ruled_fen = data.draw(st.integers(0, value_fen))
    paid_fen = data.draw(st.integers(0, ruled_fen))
    amounts = Used(
        repriced_fen, value_fen, ruled_fen, paid_fen, fee_fen=data.draw(st.integers(0, 9))
    )

    told = differences(quoted, used, amounts, why="less was used")

    assert sum(line["quoted_fen"] for line in told) == sum(line["amount_fen"] for line in quoted)
    assert sum(line["settled_fen"] for line in told) == amounts.settled_fen


def test_each_line_says_why_it_differs():
    quoted = [a_line(quantity=4, amount_fen=400), a_line("staff_help", amount_fen=60)]
    used = [a_line(quantity=3, amount_fen=300), a_line("staff_help", amount_fen=60)]

    told = differences(quoted, used, Used(360, 360, 180, 180), why="3 of 4 samples.")

    assert [(line["kind"], line["settled_fen"], line["why"]) for line in told] == [
        ("service", 300, "3 of 4 samples."),
        ("staff_help", 60, AS_QUOTED),
        ("ruling", -180, "By the end of the dispute."),
    ]


values = st.lists(st.integers(0, 10**7), min_size=1, max_size=10)


@given(values=values, data=st.data())
def test_the_shares_of_the_items_sum_to_what_was_paid_and_none_passes_its_value(values, data):
    total = data.draw(st.integers(0, sum(values)))
    voucher = data.draw(st.integers(0, total))

    shares = shares_of(Parts(voucher_fen=voucher, own_fen=total - voucher), values)

    assert sum(share.voucher_fen for share in shares) == voucher
    assert sum(share.own_fen for share in shares) == total - voucher
    for share, value in zip(shares, values, strict=True):
        assert 0 <= share.voucher_fen <= share.total_fen <= value


@given(values=st.lists(st.integers(1, 10**7), min_size=1, max_size=10, unique=True), data=st.data())
def test_the_order_of_the_items_changes_no_sum_and_no_share_by_more_than_a_fen(values, data):
    total = data.draw(st.integers(0, sum(values)))
    parts = Parts(voucher_fen=total // 2, own_fen=total - total // 2)
    mixed = data.draw(st.permutations(values))

    told = dict(zip(values, shares_of(parts, values), strict=True))
    again = dict(zip(mixed, shares_of(parts, mixed), strict=True))

    for value in values:
        assert abs(told[value].total_fen - again[value].total_fen) <= 1
        assert abs(told[value].voucher_fen - again[value].voucher_fen) <= 1


def test_items_are_not_paid_more_than_was_used():
    with pytest.raises(ValueError, match="at most what was used"):
        shares_of(Parts(voucher_fen=0, own_fen=3), [1, 1])


@pytest.mark.parametrize(
    ("delivered", "undeliverable", "expected"),
    [
        (0, 0, ItemStatus.IN_SERVICE),
        (3, 0, ItemStatus.IN_SERVICE),
        (3, 1, ItemStatus.DELIVERED),
        (4, 0, ItemStatus.DELIVERED),
        (0, 4, ItemStatus.UNDELIVERABLE),
    ],
)
def test_an_item_is_done_with_when_each_piece_is(delivered, undeliverable, expected):
    found = status_of(quantity=4, delivered=delivered, undeliverable=undeliverable)

    assert found is expected


def test_every_reason_against_a_delivery_is_told_at_once():
    reasons = Reasons()
    check_ready(reasons, 0, ready=2, item=1)
    check_due(reasons, 3, due=2, item=1)
    check_runs(reasons, 3, agreed=2)
    check_extras(reasons, added([("stub", 1)], [("stub", 2)]), agreed=[("stub", 2)])

    with pytest.raises(DeliveryRefused) as refusal:
        refuse(reasons)

    assert [reason.rule for reason in refusal.value.reasons] == [
        "item-ready",
        "item-due",
        "runs-agreed",
        "extra-agreed",
    ]
