"""People, and where they hold roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.errors import PersonMissing
from marketplace.parties.queries.access import require_own_or_staff
from marketplace.parties.queries.organisations import organisation, organisations
from marketplace.parties.queries.rows import Member, Person, Place, columns

# An organisation that has more roles than this to show is not an organisation.
MEMBERS_MAX = 1_000


async def person(tx: Tx, person_id: int) -> Person:
    """The person with this id.

    Raises:
        PersonMissing: when there is none.
    """
    return await tx.one(
        Person,
        select(*columns(Person, tables.person)).where(tables.person.c.id == person_id),
        missing=PersonMissing,
    )


async def names_of_people(tx: Tx, ids: Iterable[int]) -> dict[int, str]:
    """The names of people by id, in one question."""
    found = await tx.execute(
        select(tables.person.c.id, tables.person.c.name).where(
            tables.person.c.id.in_(sorted(set(ids)))
        )
    )
    return {row.id: row.name for row in found}


async def people(tx: Tx, ids: Iterable[int]) -> dict[int, Person]:
    """The people with these ids, in one question; for records that have to name them."""
    found = await tx.all(
        Person,
        select(*columns(Person, tables.person)).where(tables.person.c.id.in_(sorted(set(ids)))),
    )
    return {each.id: each for each in found}


async def places(tx: Tx, person_id: int) -> list[Place]:
    """Where a person holds roles, in the order in which the organisations were registered."""
    rows = (
        await tx.execute(
            select(tables.membership.c.organisation_id, tables.membership.c.role).where(
                tables.membership.c.person_id == person_id
            )
        )
    ).all()
    roles: dict[int, set[str]] = {}
    for row in rows:
        roles.setdefault(row.organisation_id, set()).add(row.role)
    found = await organisations(tx, roles)
    return [Place(found[each], frozenset(roles[each])) for each in sorted(roles)]


@dataclass(frozen=True, slots=True)
class PersonWithPlaces:
    """A person and every organisation in which they hold roles."""

    person: Person
    places: list[Place]


async def person_with_places(tx: Tx, person_id: int) -> PersonWithPlaces:
    """A person and where they hold roles.

    Raises:
        PersonMissing: when there is no such person.
    """
    return PersonWithPlaces(await person(tx, person_id), await places(tx, person_id))


async def members(tx: Tx, organisation_id: int) -> list[Member]:
    """Everybody with a role in the organisation, a line for each role.

    Raises:
        OrganisationMissing: when the caller may not see who they are.
    """
    require_own_or_staff(tx, organisation_id)
    await organisation(tx, organisation_id)
    return await tx.all(
        Member,
        select(
            tables.membership.c.person_id,
            tables.person.c.name,
            tables.person.c.email,
            tables.person.c.phone,
            tables.membership.c.role,
            tables.membership.c.granted_at,
            tables.person.c.disabled_at,
        )
        .join(tables.person, tables.person.c.id == tables.membership.c.person_id)
        .where(tables.membership.c.organisation_id == organisation_id)
        .order_by(tables.person.c.name, tables.membership.c.person_id, tables.membership.c.role)
        .limit(MEMBERS_MAX),
    )
