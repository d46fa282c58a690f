"""An entry checks itself before the database does."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from marketplace.billing.ledger.rules.chart import CHART, AccountType, LedgerName, require_owner
from marketplace.billing.ledger.rules.entries import LINES_MAX, Entry, Line, transfer
from marketplace.billing.ledger.rules.kinds import EntryKind
from marketplace.kernel.money import AMOUNT_FEN_MAX


def entry(**changes) -> Entry:
    asked: dict[str, Any] = {
        "kind": EntryKind.WALLET_TOP_UP,
        "effective_on": date(2025, 3, 3),
        "lines": transfer(debit=1, credit=2, amount_fen=100),
        "key": "k",
        "source_kind": "statement_line",
        "source_id": 1,
    }
    return Entry(**(asked | changes))


def lines(*amounts_fen: int) -> tuple[Line, ...]:
    return tuple(
        Line(account_id=account, amount_fen=amount) for account, amount in enumerate(amounts_fen, 1)
    )


@pytest.mark.parametrize("amount_fen", [0, AMOUNT_FEN_MAX + 1, -AMOUNT_FEN_MAX - 1, 1.0, "1", True])
def test_a_line_moves_a_whole_number_of_fen_within_bounds(amount_fen):
    with pytest.raises(ValidationError):
        Line(account_id=1, amount_fen=amount_fen)


@pytest.mark.parametrize("account_id", [0, -1, 2**63, "1", 1.0])
def test_a_line_names_an_account(account_id):
    with pytest.raises(ValidationError):
        Line(account_id=account_id, amount_fen=1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lines": lines(100, -99)}, "differ by 1 fen"),
        ({"lines": ()}, "at least 2"),
        ({"lines": lines(1)}, "at least 2"),
        ({"lines": lines(1, -1) * 2}, "once"),
        ({"lines": lines(*([1, -1] * (LINES_MAX // 2)), 1, -1)}, "at most"),
        ({"kind": "gift"}, "kind"),
        ({"key": ""}, "key"),
        ({"key": "k" * 201}, "key"),
        ({"source_kind": "Order 7"}, "source_kind"),
        ({"source_id": -1}, "source_id"),
        ({"effective_on": date(1999, 12, 31)}, "effective_on"),
        ({"effective_on": date(2101, 1, 1)}, "effective_on"),
        ({"remark": "x" * 501}, "remark"),
        ({"made_by": 5, "approved_by": 5}, "nobody approves"),
        ({"reverses": 5}, "a reversal, and nothing else"),
        ({"kind": EntryKind.REVERSAL}, "a reversal, and nothing else"),
        ({"amount_fen": 5}, "Extra inputs"),
    ],
)
def test_an_entry_that_says_something_impossible_is_refused(changes, why):
    with pytest.raises(ValidationError, match=why):
        entry(**changes)


def test_an_entry_is_what_it_was_when_it_was_made():
    with pytest.raises(ValidationError):
        entry().key = "another"  # type: ignore[misc]


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**9)), min_size=1, max_size=20,
             unique_by=lambda line: line[0])
)  # fmt: skip
def test_lines_come_in_order_of_account_whatever_the_order_they_were_given_in(amounts):
    moved = [Line(account_id=account, amount_fen=amount) for account, amount in amounts]
    balancing = Line(account_id=10**6 + 1, amount_fen=-sum(amount for _, amount in amounts))

    made = entry(lines=(balancing, *moved))

    accounts = [line.account_id for line in made.lines]
    assert accounts == sorted(accounts)
    assert sum(line.amount_fen for line in made.lines) == 0


def test_a_transfer_debits_one_account_and_credits_the_other():
    moved = transfer(debit=7, credit=3, amount_fen=5)

    assert [(line.account_id, line.amount_fen) for line in moved] == [(7, 5), (3, -5)]


def test_every_type_of_account_is_on_the_chart():
    assert set(CHART) == set(AccountType)
    assert {facts.ledger for facts in CHART.values()} == set(LedgerName)


@pytest.mark.parametrize(
    ("type", "owner_id", "fine"),
    [
        (AccountType.WALLET, 5, True),
        (AccountType.WALLET, None, False),
        (AccountType.BANK, None, True),
        (AccountType.BANK, 5, False),
    ],
)
def test_an_account_names_an_owner_where_its_type_has_one(type, owner_id, fine):
    if fine:
        require_owner(type, owner_id)
    else:
        with pytest.raises(ValueError, match="belongs to"):
            require_owner(type, owner_id)
