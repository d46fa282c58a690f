"""What a password must be, and when a sign-in is locked."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kernel.errors import Reasons
from marketplace.parties.errors import PasswordWeak

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
PASSWORD_CHARACTERS_MIN = 5

SIGN_IN_FAILURES_MAX = 5
SIGN_IN_LOCKED_MINUTES = 15


def require_password(password: str, *, email: str, name: str) -> None:
    """Length counts more than signs; what is known of the person is the first guess.

    Raises:
        PasswordWeak: with everything that is wrong with it.
    """
    reasons = Reasons()
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        reasons.add(
            "password-length",
            f"It needs {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.",
            limit=PASSWORD_LENGTH_MIN,
            asked=len(password),
        )
    if len(set(password)) < PASSWORD_CHARACTERS_MIN:
        reasons.add(
            "password-characters",
            f"It needs at least {PASSWORD_CHARACTERS_MIN} different characters.",
            limit=PASSWORD_CHARACTERS_MIN,
            asked=len(set(password)),
        )
    known = [email.partition("@")[0], name]
    if any(len(part) >= 3 and part.lower() in password.lower() for part in known):
        reasons.add("password-known", "It contains the name or the e-mail address.")
    reasons.raise_as(PasswordWeak)


def is_locked(locked_until: datetime | None, at: datetime) -> bool:
    """Whether nobody may try a password at `at`."""
    return locked_until is not None and at < locked_until


def failures_counted(failures: int, locked_until: datetime | None, at: datetime) -> int:
    """The count of failures with one more: after a lock has run out it begins again."""
    begun_again = locked_until is not None and not is_locked(locked_until, at)
    return 1 if begun_again else failures + 1


def locked_after(failures: int, at: datetime) -> datetime | None:
    """Until when a sign-in is locked that has failed `failures` times in a row, or None."""
    if failures < SIGN_IN_FAILURES_MAX:
        return None
    return at + timedelta(minutes=SIGN_IN_LOCKED_MINUTES)
