"""Parties for tests: valid by default, made through the domain's own use cases."""

import itertools
from typing import Any

from stdnum.cn import uscc as standard

from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.parties import queries
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.use_cases import (
    FileSmeProfile,
    GrantRole,
    RegisterLegalEntity,
    RegisterOrganisation,
    RegisterPerson,
    file_sme_profile,
    grant_role,
    register_legal_entity,
    register_organisation,
    register_person,
)

PASSWORD = "correct horse battery"
TEST = system_actor("test")

_numbers = itertools.count(1)


def a_uscc(number: int | None = None) -> str:
    """A unified social credit code with a right check digit, another one on each call."""
    body = f"91320000{next(_numbers) if number is None else number:09d}"
    return body + standard.calc_check_digit(body)


async def a_legal_entity(database: Database, **changes: Any) -> int:
    """A company with private capital in Nanjing."""
    uscc = changes.pop("uscc", None) or a_uscc()
    asked: dict[str, Any] = {
        "uscc": uscc,
        "name": f"法人{uscc[-7:]}",
        "region_code": "320100",
        "kind": "company",
        "capital": "social",
        "legal_representative": f"张{uscc[-7:]}",
    }
    command = RegisterLegalEntity(**(asked | changes))
    return (await atomically(database, register_legal_entity, command, actor=TEST)).id


async def an_organisation(
    database: Database, *, kind: str, legal_entity_id: int | None = None, **changes: Any
) -> int:
    """An organisation of its own legal entity unless one is given."""
    asked: dict[str, Any] = {
        "legal_entity_id": legal_entity_id or await a_legal_entity(database),
        "kind": kind,
        "name": f"{kind} {next(_numbers)}",
        "region_code": "320100",
    }
    command = RegisterOrganisation(**(asked | changes))
    return (await atomically(database, register_organisation, command, actor=TEST)).id


async def a_provider(database: Database, **changes: Any) -> int:
    """A unit of a university that opens its instruments."""
    if "legal_entity_id" not in changes:
        changes["legal_entity_id"] = await a_legal_entity(
            database, kind="university", capital="fiscal"
        )
    return await an_organisation(database, kind="provider", **changes)


async def an_sme(database: Database, *, profile_year: int | None = 2025, **changes: Any) -> int:
    """A small company with an eligible profile for `profile_year` (None: without one)."""
    sme_id = await an_organisation(database, kind="sme", **changes)
    if profile_year is not None:
        await a_profile(database, organisation_id=sme_id, year=profile_year)
    return sme_id


async def a_profile(database: Database, *, organisation_id: int, **changes: Any) -> None:
    """A profile well inside every limit."""
    asked: dict[str, Any] = {
        "organisation_id": organisation_id,
        "year": 2025,
        "staff": 40,
        "sales_fen": 20_000_000_00,
        "assets_fen": 10_000_000_00,
        "registration_number": f"2025320100{next(_numbers):08d}",
    }
    await atomically(database, file_sme_profile, FileSmeProfile(**(asked | changes)), actor=TEST)


async def a_centre(database: Database, **changes: Any) -> int:
    """The centre that runs the platform."""
    return await an_organisation(database, kind="centre", **changes)


async def a_station(database: Database, **changes: Any) -> int:
    """A regional service station."""
    return await an_organisation(database, kind="station", **changes)


async def a_regulator(database: Database, **changes: Any) -> int:
    """An authority that reads."""
    return await an_organisation(database, kind="regulator", **changes)


async def a_person(
    database: Database,
    *,
    organisation_id: int | None = None,
    roles: tuple[str, ...] = (),
    **changes: Any,
) -> int:
    """Somebody with `PASSWORD`, and with `roles` in the organisation when one is given."""
    number = next(_numbers)
    asked: dict[str, Any] = {
        "email": f"person{number}@example.com",
        "name": f"李{number}",
        "password": PASSWORD,
        "phone": "13800000000",
    }
    command = RegisterPerson(**(asked | changes))
    person_id = (await atomically(database, register_person, command, actor=TEST)).id
    if organisation_id is not None:
        for role in roles:
            granted = GrantRole(person_id, organisation_id, role)
            await atomically(database, grant_role, granted, actor=TEST)
    return person_id


def kind_for(role: str) -> str:
    """The first kind of organisation that has `role`."""
    return next(kind for kind, roles in ROLES_BY_ORGANISATION_KIND.items() if role in roles)


async def an_actor(database: Database, *roles: Role, organisation_id: int | None = None) -> Actor:
    """A new person who holds `roles` in the organisation, or in a new one of a fitting kind."""
    if organisation_id is None:
        kind = kind_for(roles[0])
        organisation_id = await (
            a_provider(database)
            if kind == "provider"
            else an_sme(database)
            if kind == "sme"
            else an_organisation(database, kind=kind)
        )

    async def kind_of(tx: Tx, of: int) -> str:
        return (await queries.organisation(tx, of)).kind

    person_id = await a_person(
        database, organisation_id=organisation_id, roles=tuple(map(str, roles))
    )
    return Actor(
        person_id=person_id,
        organisation_id=organisation_id,
        organisation_kind=await atomically(database, kind_of, organisation_id, actor=TEST),
        roles=frozenset(map(str, roles)),
    )


def bearer(services: Services, actor: Actor) -> dict[str, str]:
    """The header with which `actor` calls the API."""
    return {"Authorization": f"Bearer {services.access_tokens.issue(actor)}"}
