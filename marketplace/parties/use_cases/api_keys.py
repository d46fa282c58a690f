"""Keys with which systems of an organisation call: made, used, revoked.

A system acts as a person of its own, who has no password and no role: so the audit trail says which
system did what, its retries and its rate of requests are its own, and who made the key may decide
on what the system brought.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update

from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tokens import TokenRefused
from marketplace.parties.errors import ApiKeyMissing
from marketplace.parties.queries.api_keys import KEY_COLUMNS, ApiKey, made_key
from marketplace.parties.roles import Role
from marketplace.parties.rules.api_keys import KeyParts, is_good, key_parts, require_key
from marketplace.parties.tables import api_key, organisation, person

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NOT_IN = "It is unknown, expired or revoked; ask who keeps your organisation's keys."
# Written at most this often: a busy system would else write with each request.
USED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MakeApiKey:
    """A key for one system of the actor's own organisation."""

    name: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKeyMade:
    """A new key and its text, which nobody can read again."""

    key: ApiKey
    text: str


async def make_api_key(tx: Tx, command: MakeApiKey) -> ApiKeyMade:
    """Make a key and the person as whom its system acts.

    Raises:
        ApiKeyRefused: with everything that is wrong with it.
        ApiKeyNameUsed: when a key of this name is not revoked.
    """
    name = command.name.strip()
    require_key(name, command.scopes, command.expires_at, at=tx.now)
    parts = KeyParts(
        "".join(secrets.choice(_LETTERS) for _ in range(10)), secrets.token_urlsafe(32)
    )
    person_id = await tx.scalar(
        insert(person)
        .values(
            # A top-level domain that nobody can have (RFC 2606).
            email=f"{parts.prefix}@keys.invalid",
            name=name,
            password_hash="",
            password_changed_at=tx.now,
            disabled_at=tx.now,
            registered_at=tx.now,
        )
        .returning(person.c.id)
    )
    made = await tx.one(
        made_key,
        insert(api_key)
        .values(
            organisation_id=tx.actor.organisation_id,
            person_id=person_id,
            name=name,
            prefix=parts.prefix,
            secret_sha256=_digest(parts.secret),
            scopes=sorted(command.scopes),
            made_by=tx.actor.person_id,
            made_at=tx.now,
            expires_at=command.expires_at,
        )
        .returning(*KEY_COLUMNS),
    )
    tx.audit(
        "make",
        subject="api_key",
        subject_id=made.id,
        name=made.name,
        prefix=made.prefix,
        scopes=sorted(made.scopes),
        expires_at=made.expires_at.isoformat(),
    )
    return ApiKeyMade(made, parts.text)


async def revoke_api_key(tx: Tx, key_id: int) -> ApiKey:
    """Let the system in no more, from its next request on; revoking it again changes nothing.

    Raises:
        ApiKeyMissing: when it is another organisation's and the actor no administrator.
    """
    wanted = [api_key.c.id == key_id]
    if not tx.actor.has(Role.ADMINISTRATOR):
        wanted.append(api_key.c.organisation_id == tx.actor.organisation_id)
    found = await tx.one(
        made_key,
        select(*KEY_COLUMNS).where(*wanted).with_for_update(),
        missing=ApiKeyMissing,
    )
    if found.revoked_at is not None:
        return found
    tx.audit("revoke", subject="api_key", subject_id=found.id, prefix=found.prefix)
    return await tx.one(
        made_key,
        update(api_key)
        .where(api_key.c.id == found.id)
        .values(revoked_by=tx.actor.person_id, revoked_at=tx.now)
        .returning(*KEY_COLUMNS),
    )


async def act_by_key(database: Database, text: str) -> Actor:
    """Who acts by a key: a person without roles, for its organisation, with the key's scopes.

    Raises:
        TokenRefused: when it is unknown, wrong, expired or revoked, or the organisation suspended:
            the answer does not say which.
    """
    return await atomically(database, _act_by_key, text, actor=NOBODY)


async def _act_by_key(tx: Tx, text: str) -> Actor:
    parts = key_parts(text)
    if parts is None:
        raise TokenRefused(_NOT_IN)
    row = (
        await tx.execute(
            select(api_key, organisation.c.kind, organisation.c.suspended_at)
            .join(organisation, organisation.c.id == api_key.c.organisation_id)
            .where(api_key.c.prefix == parts.prefix)
        )
    ).one_or_none()
    digest = _digest(parts.secret)
    # An unknown prefix takes as long as a wrong secret.
    right = hmac.compare_digest(digest, bytes(32) if row is None else row.secret_sha256)
    if (
        row is None
        or not right
        or not is_good(
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            suspended_at=row.suspended_at,
            at=tx.now,
        )
    ):
        raise TokenRefused(_NOT_IN)
    if row.last_used_at is None or row.last_used_at < tx.now - USED_EVERY:
        await _note_use(tx, row.id)
    return Actor(
        person_id=row.person_id,
        organisation_id=row.organisation_id,
        organisation_kind=row.kind,
        label=f"key:{row.prefix}",
        scopes=frozenset(row.scopes),
    )


async def _note_use(tx: Tx, key_id: int) -> None:
    used = api_key.c.last_used_at
    await tx.execute(
        update(api_key)
        .where(api_key.c.id == key_id, or_(used.is_(None), used < tx.now - USED_EVERY))
        .values(last_used_at=tx.now)
    )


def _digest(secret: str) -> bytes:
    """What is kept of a secret. It is 256 bits of chance: no guess is worth a slow digest."""
    return hashlib.sha256(secret.encode()).digest()
