"""Windows, periods, outcomes of lines, debts and sanctions, case by case."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.claims import (
    LineDecided,
    LineOutcome,
    claimable_through,
    line_outcome,
    line_reasons,
    outside_windows,
)
from marketplace.vouchers.rules.clawbacks import Owed, PaidLine, clawback_reasons, oldest_first
from marketplace.vouchers.rules.limits import Window
from marketplace.vouchers.rules.returns import shared_out, spendable_again


@pytest.mark.parametrize(
    ("day", "every", "through"),
    [
        (date(2025, 5, 12), None, None),
        (date(2025, 5, 12), "month", date(2025, 4, 30)),
        (date(2025, 5, 12), "quarter", date(2025, 3, 31)),
        (date(2025, 4, 1), "quarter", date(2025, 3, 31)),
        (date(2025, 5, 12), "half-year", date(2024, 12, 31)),
        (date(2025, 7, 1), "half-year", date(2025, 6, 30)),
        (date(2025, 12, 31), "year", date(2024, 12, 31)),
    ],
)
def test_a_claim_takes_whole_periods(day: date, every: str | None, through: date | None):
    assert claimable_through(day, every) == through


def test_both_days_of_a_window_belong_to_it():
    windows = [
        Window(date(2025, 4, 1), date(2025, 4, 15)),
        Window(date(2025, 10, 1), date(2025, 10, 15)),
    ]
    for day in (date(2025, 4, 1), date(2025, 4, 15), date(2025, 10, 8)):
        assert outside_windows(day, windows, programme="P") == []
    (reason,) = outside_windows(date(2025, 4, 16), windows, programme="P")
    assert "2025-10-01" in reason.message
    assert outside_windows(date(2025, 4, 16), [], programme="P") == []


@pytest.mark.parametrize(
    ("approved", "left", "before", "outcome"),
    [
        (50_000, 50_000, 0, LineOutcome.PAID),
        (20_001, 50_000, 0, LineOutcome.CUT),
        (20_001, 50_000, 5, LineOutcome.CUT),
        (0, 50_000, 0, LineOutcome.REFUSED),
        (0, 50_000, 1, LineOutcome.LOST),
        (0, 0, 0, LineOutcome.PAID),
    ],
)
def test_what_becomes_of_a_line(approved: int, left: int, before: int, outcome: LineOutcome):
    assert line_outcome(LineDecided(approved, left, before), 1) is outcome


def test_less_than_claimed_needs_a_reason_and_more_is_refused():
    assert [each.rule for each in line_reasons(5, 4, "x").found] == ["claimed"]
    assert [each.rule for each in line_reasons(3, 4, " ").found] == ["reason"]
    assert [each.rule for each in line_reasons(-1, 4, "").found] == ["claimed", "reason"]
    assert line_reasons(4, 4, "").found == []


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), st.data())
def test_no_layer_gives_back_more_than_it_has_left(nets: list[int], data: st.DataObject):
    amount = data.draw(st.integers(0, sum(nets)))
    shares = shared_out(amount, nets)
    assert sum(shares) == amount
    assert all(0 <= share <= net for share, net in zip(shares, nets, strict=True))
    with pytest.raises(ValueError, match="no more comes back"):
        shared_out(sum(nets) + 1, nets)


@given(st.lists(st.integers(1, 10**9), max_size=8), st.integers(0, 10**10))
def test_the_oldest_debt_is_paid_first(debts: list[int], there: int):
    due = [Owed(number, fen) for number, fen in enumerate(debts)]
    taken = oldest_first(due, there)
    assert sum(each.amount_fen for each in taken) == min(there, sum(debts))
    assert [each.clawback_id for each in taken] == list(range(len(taken)))
    assert all(each.amount_fen == debts[each.clawback_id] for each in taken[:-1])


def test_a_refund_is_spendable_until_the_vouchers_last_day():
    last = date(2025, 12, 31)

    def again(status: str, on: date, *, restores: bool = True) -> bool:
        return spendable_again(
            restores=restores, grant_status=status, valid_until=last, returned_on=on
        )

    assert again("active", last)
    assert again("exhausted", last)
    assert not again("revoked", last)
    assert not again("active", date(2026, 1, 1))
    assert not again("active", last, restores=False)


def test_only_what_is_left_of_approved_lines_is_clawed_back():
    lines = [PaidLine(1, 100), PaidLine(2, 0)]
    found = clawback_reasons({1: 101, 2: None, 3: None}, lines).found
    assert [each.rule for each in found] == ["amount", "amount", "line"]
    assert clawback_reasons({1: None}, lines).found == []
