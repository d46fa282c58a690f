"""The people of the platform as the centre keeps them, and who looked as whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from marketplace.kernel.actors import SYSTEM_PERSON_ID
from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.errors import PersonMissing, ViewingMissing
from marketplace.parties.queries.rows import Found, columns


class PersonState(StrEnum):
    """Whether somebody can sign in."""

    ACTIVE = "active"
    LOCKED = "locked"
    """For a while, after too many wrong passwords."""
    DISABLED = "disabled"
    NO_ROLE = "no-role"
    """Registered, and nobody granted a role yet."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person with what their sign-in went through."""

    id: int
    email: str
    name: str
    phone: str
    registered_at: datetime
    signed_in_at: datetime | None
    failed_sign_ins: int
    locked_until: datetime | None
    disabled_at: datetime | None
    sessions_ended_at: datetime | None

    def state(self, now: datetime, *, roles: bool) -> PersonState:
        """The state at a moment; `roles`: whether they hold any."""
        if self.disabled_at is not None:
            return PersonState.DISABLED
        if self.locked_until is not None and self.locked_until > now:
            return PersonState.LOCKED
        return PersonState.ACTIVE if roles else PersonState.NO_ROLE


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role of a person, and where."""

    person_id: int
    organisation_id: int
    organisation: str
    organisation_en: str
    kind: str
    role: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A person with their roles and state."""

    account: Account
    roles: list[HeldRole]
    state: PersonState


@dataclass(frozen=True, slots=True)
class AccountSearch:
    """Which people: by name or address, with a role, in an organisation, in a state."""

    text: str = ""
    role: str | None = None
    organisation_id: int | None = None
    state: PersonState | None = None
    page: int = 1
    page_size: int = 50


async def accounts(tx: Tx, search: AccountSearch) -> Found[Listing]:
    """People by name; systems that act by a key are not among them."""
    person, key = tables.person, tables.api_key
    wanted = select(*columns(Account, person)).where(
        person.c.id != SYSTEM_PERSON_ID, ~exists().where(key.c.person_id == person.c.id)
    )
    text = search.text.strip()
    if text:
        wanted = wanted.where(
            or_(person.c.email == text.lower(), person.c.name.icontains(text, autoescape=True))
        )
    wanted = _narrowed(wanted, search, tx.now)
    total = await tx.scalar(select(func.count()).select_from(wanted.subquery()))
    found = await tx.all(
        Account,
        wanted.order_by(person.c.name, person.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return Found(await _with_roles(tx, found), int(total))


def _narrowed(wanted: Select[Any], search: AccountSearch, now: datetime) -> Select[Any]:
    person, held = tables.person, tables.membership
    member: list[ColumnElement[bool]] = [held.c.person_id == person.c.id]
    if search.role is not None:
        member.append(held.c.role == search.role)
    if search.organisation_id is not None:
        member.append(held.c.organisation_id == search.organisation_id)
    if len(member) > 1:
        wanted = wanted.where(exists().where(*member))
    locked = person.c.disabled_at.is_(None) & (person.c.locked_until > now)
    free = person.c.disabled_at.is_(None) & or_(
        person.c.locked_until.is_(None), person.c.locked_until <= now
    )
    has_role = exists().where(held.c.person_id == person.c.id)
    match search.state:
        case PersonState.DISABLED:
            return wanted.where(person.c.disabled_at.is_not(None))
        case PersonState.LOCKED:
            return wanted.where(locked)
        case PersonState.NO_ROLE:
            return wanted.where(free, ~has_role)
        case PersonState.ACTIVE:
            return wanted.where(free, has_role)
        case None:
            return wanted


async def account(tx: Tx, person_id: int) -> Listing:
    """A person with their roles everywhere.

    Raises:
        PersonMissing: when there is none, and for the platform itself.
    """
    person = tables.person
    statement = select(*columns(Account, person)).where(
        person.c.id == person_id, person.c.id != SYSTEM_PERSON_ID
    )
    found = await tx.one(Account, statement, missing=PersonMissing)
    return (await _with_roles(tx, [found]))[0]


async def _with_roles(tx: Tx, found: list[Account]) -> list[Listing]:
    held, of = tables.membership, tables.organisation
    ids = [each.id for each in found]
    rows = await tx.all(
        HeldRole,
        select(
            held.c.person_id,
            held.c.organisation_id,
            of.c.name.label("organisation"),
            of.c.name_en.label("organisation_en"),
            of.c.kind,
            held.c.role,
            held.c.granted_at,
        )
        .join_from(held, of, of.c.id == held.c.organisation_id)
        .where(held.c.person_id.in_(ids))
        .order_by(held.c.organisation_id, held.c.role),
    )
    roles: dict[int, list[HeldRole]] = {each: [] for each in ids}
    for row in rows:
        roles[row.person_id].append(row)
    return [
        Listing(each, roles[each.id], each.state(tx.now, roles=bool(roles[each.id])))
        for each in found
    ]


@dataclass(frozen=True, slots=True)
class Viewing:
    """Somebody looked, or looks, at the pages as somebody else."""

    id: int
    viewer_id: int
    person_id: int
    organisation_id: int
    reason: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None


async def viewing(tx: Tx, viewing_id: int) -> Viewing:
    """A look at somebody's pages.

    Raises:
        ViewingMissing: when there is none.
    """
    table = tables.viewing
    return await tx.one(
        Viewing,
        select(*columns(Viewing, table)).where(table.c.id == viewing_id),
        missing=ViewingMissing,
    )


async def viewings_of(tx: Tx, person_id: int, *, limit: int = 20) -> list[Viewing]:
    """Who looked as a person, the latest first."""
    table = tables.viewing
    return await tx.all(
        Viewing,
        select(*columns(Viewing, table))
        .where(table.c.person_id == person_id)
        .order_by(table.c.id.desc())
        .limit(limit),
    )


async def organisations_of_entities(tx: Tx, ids: Iterable[int]) -> dict[int, list[str]]:
    """The names of the organisations of legal entities, by entity."""
    of = tables.organisation
    rows = await tx.execute(
        select(of.c.legal_entity_id, of.c.name)
        .where(of.c.legal_entity_id.in_(sorted(ids)))
        .order_by(of.c.id)
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.legal_entity_id, []).append(row.name)
    return found
