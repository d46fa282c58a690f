"""Keys of systems, without their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries.rows import Found
from marketplace.parties.roles import Role, Scope
from marketplace.parties.tables import api_key


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key: its secret is not.

    `person_id` is the person as whom its system acts; `last_used_at` is right to the hour.
    """

    id: int
    organisation_id: int
    person_id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    made_by: int
    made_at: datetime
    expires_at: datetime
    revoked_by: int | None
    revoked_at: datetime | None
    last_used_at: datetime | None


KEY_COLUMNS = tuple(api_key.c[name] for name in ApiKey.__dataclass_fields__)


def made_key(**row: Any) -> ApiKey:
    """An `ApiKey` from a row of `KEY_COLUMNS`."""
    return ApiKey(**{**row, "scopes": tuple(map(Scope, row["scopes"]))})


@dataclass(frozen=True, slots=True)
class KeySearch:
    """Which keys to list; `good` leaves those that still let somebody in, or the others."""

    organisation_id: int | None = None
    good: bool | None = None
    page: int = 1
    page_size: int = 50


async def api_keys(tx: Tx, search: KeySearch) -> Found[ApiKey]:
    """The keys of one's own organisation, latest first; an administrator sees those of all."""
    wanted: list[ColumnElement[bool]] = []
    if not tx.actor.has(Role.ADMINISTRATOR):
        wanted.append(api_key.c.organisation_id == tx.actor.organisation_id)
    if search.organisation_id is not None:
        wanted.append(api_key.c.organisation_id == search.organisation_id)
    if search.good is not None:
        good = api_key.c.revoked_at.is_(None) & (api_key.c.expires_at > tx.now)
        wanted.append(good if search.good else ~good)
    total = await tx.scalar(select(func.count()).select_from(api_key).where(*wanted))
    rows = await tx.all(
        made_key,
        select(*KEY_COLUMNS)
        .where(*wanted)
        .order_by(api_key.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return Found(rows, total)
