"""What may be granted, when it may be used, what a payment pays, when one is reminded."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.credit.errors import CreditRefused, CreditTermsUnfit, NothingOwed
from marketplace.billing.credit.rules.credit import (
    Bounds,
    Owed,
    oldest_first,
    require_grantable,
    require_usable,
)
from marketplace.billing.credit.rules.states import Age, age_of
from marketplace.kernel.reminders import reminder_step

TODAY = date(2025, 3, 3)
BOUNDS = Bounds(limit_max_fen=1_000_000, due_days_max=90, valid_days_max=366)
STEPS = (-3, 0, 15, 30)


def test_terms_beyond_every_bound_are_refused_with_every_reason():
    with pytest.raises(CreditTermsUnfit) as refusal:
        require_grantable(
            limit_fen=1_000_001, due_days=91, valid_until=TODAY, today=TODAY, bounds=BOUNDS
        )

    assert [reason.rule for reason in refusal.value.reasons] == [
        "credit-limit",
        "credit-due-days",
        "credit-valid-until",
    ]


def test_terms_within_the_bounds_are_grantable():
    last = TODAY + timedelta(days=366)
    require_grantable(
        limit_fen=1_000_000, due_days=90, valid_until=last, today=TODAY, bounds=BOUNDS
    )


def test_without_terms_nothing_is_ordered_on_account():
    with pytest.raises(CreditRefused, match="grants this buyer no credit"):
        require_usable(valid_until=None, today=TODAY, overdue_since=None, block_after_days=15)


def test_on_the_last_day_of_the_terms_one_still_orders_and_the_day_after_not():
    require_usable(valid_until=TODAY, today=TODAY, overdue_since=None, block_after_days=15)
    with pytest.raises(CreditRefused, match="ended on"):
        require_usable(
            valid_until=TODAY - timedelta(days=1),
            today=TODAY,
            overdue_since=None,
            block_after_days=15,
        )


@pytest.mark.parametrize(("days", "blocked"), [(1, False), (15, False), (16, True)])
def test_a_buyer_overdue_beyond_the_term_orders_nothing_on_account(days, blocked):
    asked: dict[str, Any] = {
        "valid_until": TODAY,
        "today": TODAY,
        "overdue_since": TODAY - timedelta(days=days),
        "block_after_days": 15,
    }
    if not blocked:
        require_usable(**asked)
        return
    with pytest.raises(CreditRefused) as refusal:
        require_usable(**asked)
    assert [reason.rule for reason in refusal.value.reasons] == ["credit-overdue"]


owed = st.lists(st.integers(1, 1_000), min_size=1, max_size=8).map(
    lambda amounts: [Owed(place, amount) for place, amount in enumerate(amounts)]
)


@given(owed, st.data())
def test_a_payment_is_spent_whole_and_leaves_nothing_older_open(debts, data):
    total = sum(each.left_fen for each in debts)
    amount = data.draw(st.integers(1, total))

    parts = oldest_first(debts, amount)

    assert sum(part for _, part in parts) == amount
    assert [debt for debt, _ in parts] == list(range(len(parts)))
    assert all(part == debts[debt].left_fen for debt, part in parts[:-1])


@pytest.mark.parametrize("amount", [0, 301])
def test_one_pays_at_least_a_fen_and_at_most_what_is_owed(amount):
    with pytest.raises(NothingOwed):
        oldest_first([Owed(1, 100), Owed(2, 200)], amount)


@pytest.mark.parametrize(
    ("days_after_due", "sent", "step"),
    [
        (-4, [], None),
        (-3, [], -3),
        (-2, [-3], None),
        (0, [-3], 0),
        (1, [], 0),
        (20, [-3], 15),
        (20, [15], None),
        (400, [-3, 0, 15], 30),
        (400, [30], None),
    ],
)
def test_a_buyer_gets_the_sharpest_reminder_that_is_reached_once(days_after_due, sent, step):
    due_on = TODAY - timedelta(days=days_after_due)

    assert reminder_step(due_on, today=TODAY, steps=STEPS, sent=sent) == step


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, Age.NOT_DUE),
        (1, Age.DAYS_1_30),
        (30, Age.DAYS_1_30),
        (31, Age.DAYS_31_60),
        (90, Age.DAYS_61_90),
        (91, Age.DAYS_OVER_90),
    ],
)
def test_a_debt_is_as_old_as_the_days_since_it_was_due(days, age):
    assert age_of(days) == age
