"""A POST sent twice happens once: its answer is stored in the transaction that made it happen.

The key belongs to the caller; it is bound to method, path and body. A replay gives the stored
answer, another request under the same key is refused, and a twin that arrives while the first
is still running gets 409 at once instead of waiting.
Refusals are not stored: they changed nothing, so asking again is safe.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Text, and_, bindparam, delete, func, insert, select

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.errors import Conflict, Malformed, Refused
from marketplace.kernel.tables import idempotency_key

KEY_LENGTH_MAX = 200
KEPT_DAYS = 30


class IdempotencyKeyMissing(Malformed):
    """A POST that changes something came without an `Idempotency-Key` header."""

    code = "idempotency-key-missing"
    title = "Send an Idempotency-Key header"


class IdempotencyKeyReused(Refused):
    """The key was used before for another request."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key belongs to another request"


class TwinInProgress(Conflict):
    """The same key is being worked on right now."""

    code = "request-in-progress"
    title = "The same request is still running"
    constraint = "idempotency_key_pkey"


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two requests the same."""

    key: str
    actor: Actor
    method: str
    path: str
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that the first request got."""

    status: int
    body: bytes


def key_of(*, header: str | None, actor: Actor, method: str, path: str, body: bytes) -> Key:
    """The key of a request.

    Raises:
        IdempotencyKeyMissing: without a usable header.
    """
    if not header or len(header) > KEY_LENGTH_MAX or not header.isprintable():
        raise IdempotencyKeyMissing(
            "Make up a value, for instance a UUID, and send it again if you have to retry.",
            limit=KEY_LENGTH_MAX,
        )
    return Key(header, actor, method, path, hashlib.sha256(body).digest())


# Built once, because every POST runs both. A lock that is not free is refused at once: waiting for
# a twin would tie up a connection. A twin that commits between this statement's snapshot and its
# lock is not seen here; then the primary key refuses to store a second answer, and with it
# everything that was done for it.
_LOCK = select(
    func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("owner", type_=Text), 0)).label(
        "locked"
    )
).subquery("lock")
_STORED = Prepared(
    select(
        _LOCK.c.locked,
        idempotency_key.c.method,
        idempotency_key.c.path,
        idempotency_key.c.body_sha256,
        idempotency_key.c.status,
        idempotency_key.c.body,
    ).outerjoin_from(
        _LOCK,
        idempotency_key,
        and_(
            idempotency_key.c.person_id == bindparam("of_person"),
            idempotency_key.c.organisation_id == bindparam("of_organisation"),
            idempotency_key.c.key == bindparam("of_key"),
        ),
    )
)
_STORE = Prepared(insert(idempotency_key), columns=idempotency_key.columns.keys())


async def stored_answer(tx: Tx, key: Key) -> StoredAnswer | None:
    """The answer given before, or None when this request is the first.

    Raises:
        TwinInProgress: when the first is still running.
        IdempotencyKeyReused: when the key belongs to another request.
    """
    asked = {
        "owner": f"{key.actor.person_id}:{key.actor.organisation_id}:{key.key}",
        "of_person": key.actor.person_id,
        "of_organisation": key.actor.organisation_id,
        "of_key": key.key,
    }
    (row,) = await tx.fetch(_STORED, asked)
    if not row["locked"]:
        raise TwinInProgress("Wait for its answer, or ask again with the same key in a moment.")
    if row["status"] is None:
        return None
    if (row["method"], row["path"], row["body_sha256"]) != (key.method, key.path, key.body_sha256):
        raise IdempotencyKeyReused("Use a new key for a new request.")
    return StoredAnswer(row["status"], row["body"])


async def store_answer(tx: Tx, key: Key, *, status: int, body: bytes) -> None:
    """Keep the answer with what it says happened."""
    await tx.fetch(
        _STORE,
        {
            "key": key.key,
            "person_id": key.actor.person_id,
            "organisation_id": key.actor.organisation_id,
            "method": key.method,
            "path": key.path,
            "body_sha256": key.body_sha256,
            "status": status,
            "body": body,
            "stored_at": tx.now,
        },
    )


async def forget_old(tx: Tx, _: None = None) -> int:
    """Remove answers older than `KEPT_DAYS`; a job calls this daily."""
    result = await tx.execute(
        delete(idempotency_key).where(
            idempotency_key.c.stored_at < tx.now - func.make_interval(0, 0, 0, KEPT_DAYS)
        )
    )
    return result.rowcount
