"""Keys of systems: what they look like, and what one may be."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.kernel.errors import Reasons
from marketplace.kernel.keys import KEY_WORD
from marketplace.parties.errors import ApiKeyRefused
from marketplace.parties.roles import Scope

LIFETIME_DAYS_MAX = 730
_SHAPE = re.compile(rf"{KEY_WORD}([a-z0-9]{{10}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A key taken apart: what it is found by, and what it is proved by."""

    prefix: str
    secret: str

    @property
    def text(self) -> str:
        """The key as its system sends it."""
        return f"{KEY_WORD}{self.prefix}_{self.secret}"


def key_parts(text: str) -> KeyParts | None:
    """A key taken apart, or None when it never was one."""
    found = _SHAPE.fullmatch(text)
    return None if found is None else KeyParts(found[1], found[2])


def require_key(name: str, scopes: Collection[str], expires_at: datetime, *, at: datetime) -> None:
    """Nothing, when a key of this name may be made at `at`.

    Raises:
        ApiKeyRefused: with every reason why not.
    """
    reasons = Reasons()
    if not name:
        reasons.add("key-name", "Say which system uses the key.")
    if not scopes:
        reasons.add("key-scopes", "A key without a scope is good for nothing.", limit=1)
    unknown = sorted(set(scopes) - set(Scope))
    if unknown:
        reasons.add("key-scopes", "There is no such scope.", limit=sorted(Scope), asked=unknown)
    if expires_at <= at:
        reasons.add("key-lifetime", "It would be expired already.", limit=at, asked=expires_at)
    if expires_at > at + timedelta(days=LIFETIME_DAYS_MAX):
        reasons.add(
            "key-lifetime",
            f"A key is good for at most {LIFETIME_DAYS_MAX} days; make a new one in time.",
            limit=at + timedelta(days=LIFETIME_DAYS_MAX),
            asked=expires_at,
        )
    reasons.raise_as(ApiKeyRefused)


def is_good(
    *,
    expires_at: datetime,
    revoked_at: datetime | None,
    suspended_at: datetime | None,
    at: datetime,
) -> bool:
    """Whether a key lets its system in at `at`."""
    return at < expires_at and revoked_at is None and suspended_at is None
