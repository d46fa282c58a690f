"""Unified social credit codes and e-mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as standard

from marketplace.parties.errors import EmailInvalid, UsccInvalid
from marketplace.parties.rules.identifiers import is_uscc, require_email, require_uscc

RIGHT = "91110000600037341L"


@pytest.mark.parametrize(
    "written",
    [RIGHT, RIGHT.lower(), " 9111 0000 6000 37341L ", "９１１１００００６０００３７３４１Ｌ"],
)
def test_a_code_is_read_however_it_is_written(written: str) -> None:
    assert require_uscc(written) == RIGHT


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (RIGHT + "0", "19 characters"),
        (RIGHT[:-1], "17 characters"),
        ("", "0 characters"),
        (RIGHT[:-1] + "M", "last character"),
        (RIGHT.replace("3734", "3743"), "last character"),
        ("9111000060003734IL", "without I O S V Z"),
        ("A1110000600037341L", "first 8"),
        ("统一社会信用代码统一社会信用代码啊啊", "first 8"),
    ],
)
def test_a_wrong_code_is_refused_with_what_is_wrong(written: str, said: str) -> None:
    with pytest.raises(UsccInvalid, match=said):
        require_uscc(written)


@given(st.integers(0, 999_999_999))
def test_every_single_wrong_digit_is_noticed(number: int) -> None:
    body = f"91320000{number:09d}"
    code = body + standard.calc_check_digit(body)
    for place in (3, 9, 16):
        wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]

        assert is_uscc(code)
        assert not is_uscc(wrong)


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_rule(text: str) -> None:
    try:
        code = require_uscc(text)
    except UsccInvalid:
        return

    assert len(code) == 18


@pytest.mark.parametrize("written", ["Li.Ming@Lab.CN", "  li.ming@lab.cn "])
def test_an_address_is_kept_in_small_letters(written: str) -> None:
    assert require_email(written) == "li.ming@lab.cn"


@pytest.mark.parametrize(
    "written", ["", "li.ming", "@lab.cn", "li@", "a@b@c", "li ming@lab.cn", "李@lab.cn", "x" * 300]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(EmailInvalid):
        require_email(written)
