"""Passwords are kept as argon2id hashes; hashing runs in a thread, so that others are served."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# About 20 ms and 19 MiB on one core, after OWASP's recommendation. A new cost applies to a person
# at the next sign-in. Tests lower it.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# What an unknown address is checked against, so that it takes as long as a known one.
_nobody: dict[PasswordHasher, str] = {}


async def hashed(password: str) -> str:
    """The hash to keep instead of `password`."""
    return await asyncio.to_thread(HASHER.hash, password)


async def verified(password_hash: str | None, password: str) -> bool:
    """Whether `password` is right; `None`, an unknown person, takes as long and is never right."""
    return await asyncio.to_thread(_verified, password_hash, password)


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return HASHER.check_needs_rehash(password_hash)


def _verified(password_hash: str | None, password: str) -> bool:
    # The platform itself has an empty hash: like nobody, it is never right.
    if not password_hash and HASHER not in _nobody:
        _nobody[HASHER] = HASHER.hash("a password that nobody has")
    try:
        HASHER.verify(password_hash or _nobody[HASHER], password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(password_hash)
