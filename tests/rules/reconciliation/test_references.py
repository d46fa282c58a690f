"""References in remarks, as people and banks write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.reconciliation.rules.references import (
    is_bank_fee,
    is_interest,
    references,
)
from marketplace.billing.reconciliation.rules.states import MatchKind, fits_direction


@pytest.mark.parametrize(
    "text",
    [
        "SC-W-7",
        "sc-w-7",
        "充值SC-W-7谢谢",
        "ＳＣ－Ｗ－７",
        "SC–W—7",
        "SC-W-007",
        "SC-W-7-张三",
        "(SC-W-7)",
    ],
)
def test_a_wallet_is_found_however_it_is_written(text):
    assert references(text).wallets == {7}


@pytest.mark.parametrize("text", ["SC-W-7-3", "ASC-W-7", "SC-W-7A", "SC-W-", "SCW7", "SC-X-7", "7"])
def test_what_is_cut_or_within_another_word_is_no_reference(text):
    assert references(text).count == 0


def test_a_second_attempt_is_another_payment():
    assert references("SC-P-12").payouts == {"SC-P-12"}
    assert references("退汇SC-P-12-2户名不符").payouts == {"SC-P-12-2"}
    assert references("SC-P-12-2X").count == 0


def test_all_references_of_a_text_are_counted():
    found = references("SC-W-7 SC-W-8 SC-V-2025 SC-R-2024 SC-P-1")

    assert found.wallets == {7, 8}
    assert found.voucher_funds == {2025}
    assert found.reward_funds == {2024}
    assert found.count == 5


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text):
    assert references(text).count >= 0


@given(st.integers(1, 10**14), st.text("甲乙丙 ,.", max_size=5), st.text("甲乙丙 ,.", max_size=5))
def test_a_reference_is_never_read_as_a_shorter_one(number, before, after):
    assert references(f"{before}SC-W-{number}{after}").wallets == {number}


@pytest.mark.parametrize(
    ("remark", "amount_fen", "fee"),
    [
        ("转账手续费", -500, True),
        ("账户管理费", -500, True),
        ("手续费", 500, False),
        ("退手续费", -500, False),
        ("手续费", -100_001, False),
        ("服务费", -500, False),
    ],
)
def test_a_fee_is_small_and_called_so(remark, amount_fen, fee):
    assert is_bank_fee(remark, amount_fen) is fee


def test_interest_has_nobodys_account_behind_it():
    assert is_interest("结息", "", 5)
    assert not is_interest("结息", "6222", 5)
    assert not is_interest("还利息", "", 5)
    assert not is_interest("利息", "", -5)


def test_every_kind_has_a_direction():
    assert [kind for kind in MatchKind if fits_direction(kind, -1)] == [
        "payout",
        "charge",
        "difference",
        "clearing",
        "contra",
    ]
    assert [kind for kind in MatchKind if not fits_direction(kind, 1)] == ["payout", "charge"]
