"""What blocks a month's sign-off, and what only wants attention."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from marketplace.closing.rules.checklist import (
    Found,
    ItemName,
    ItemState,
    OpenItems,
    checklist,
    held_until,
    open_questions,
)

CLEAN = Found(
    ledgers_open_before=(),
    accounts=1,
    accounts_not_stated=(),
    difference_fen=0,
    suspense_fen=0,
    unexplained=OpenItems(),
    payouts_returned=OpenItems(),
    holds_aged=OpenItems(),
    ledgers_unbalanced=(),
    entries=10,
    unsealed=0,
    unsealed_ids=(),
    covering_seal=3,
    verified_seal=3,
    verification_problems=0,
)
SOME = OpenItems(2, 700, date(2025, 1, 3), (4, 9))


def test_a_clean_month_is_ready():
    assert {item.state for item in checklist(CLEAN)} == {ItemState.OK}
    assert not open_questions(checklist(CLEAN)).found


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ledgers_open_before": ("cash",)}, ItemName.EARLIER),
        ({"accounts": 0}, ItemName.STATEMENTS),
        ({"accounts_not_stated": ("6222",)}, ItemName.STATEMENTS),
        ({"difference_fen": -5}, ItemName.BANK),
        ({"unexplained": SOME}, ItemName.UNEXPLAINED),
        ({"suspense_fen": 700}, ItemName.SUSPENSE),
        ({"payouts_returned": SOME}, ItemName.PAYOUTS_RETURNED),
        ({"ledgers_unbalanced": ("voucher",)}, ItemName.TRIAL_BALANCE),
        ({"unsealed": 1, "unsealed_ids": (7,), "verified_seal": 9}, ItemName.SEALS),
        ({"verified_seal": 2}, ItemName.VERIFIED),
        ({"verified_seal": None}, ItemName.VERIFIED),
        ({"verification_problems": 1}, ItemName.VERIFIED),
    ],
)
def test_each_blocking_item_is_a_reason_of_its_own(change, name):
    [reason] = open_questions(checklist(replace(CLEAN, **change))).found
    assert reason.rule == name


def test_aged_holds_want_attention_and_block_nothing():
    items = {item.name: item for item in checklist(replace(CLEAN, holds_aged=SOME))}
    aged = items[ItemName.HOLDS_AGED]
    assert (aged.state, aged.figure, aged.amount_fen) == (ItemState.ATTENTION, 2, 700)
    assert (aged.oldest_on, aged.ids) == (date(2025, 1, 3), (4, 9))
    assert not open_questions(list(items.values())).found
    assert held_until(date(2025, 3, 31)) == date(2024, 12, 31)
