"""What a password must be, and when a sign-in is locked."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.parties.errors import PasswordWeak
from marketplace.parties.rules.passwords import (
    failures_counted,
    is_locked,
    locked_after,
    require_password,
)

NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
A_QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize("password", ["correct horse", "密码密码一二三四五六七", "x1y2z3a4b5"])
def test_a_long_password_needs_no_signs(password: str) -> None:
    require_password(password, email="li.ming@lab.cn", name="李明")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "password-length"),
        ("x1y2z3a4b5" * 21, "password-length"),
        ("aaaaaaaaaaaa", "password-characters"),
        ("my li.ming 2025", "password-known"),
        ("Wang Xiaoming 1", "password-known"),
    ],
)
def test_a_guessable_password_is_refused(password: str, rule: str) -> None:
    with pytest.raises(PasswordWeak) as refused:
        require_password(password, email="li.ming@lab.cn", name="Wang Xiaoming")

    assert rule in {reason.rule for reason in refused.value.reasons}


@pytest.mark.parametrize(("failures", "locked"), [(1, False), (4, False), (5, True), (6, True)])
def test_five_failures_lock_for_a_quarter_of_an_hour(failures: int, locked: bool) -> None:
    assert locked_after(failures, NOW) == (NOW + A_QUARTER if locked else None)


def test_a_lock_ends_on_the_minute() -> None:
    assert is_locked(NOW + A_QUARTER, NOW)
    assert not is_locked(NOW, NOW)
    assert not is_locked(None, NOW)


def test_after_a_lock_has_run_out_counting_begins_again() -> None:
    assert failures_counted(3, None, NOW) == 4
    assert failures_counted(5, NOW, NOW) == 1
