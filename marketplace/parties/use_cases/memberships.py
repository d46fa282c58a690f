"""Granting roles and taking them away."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from marketplace.kernel.actors import SYSTEM_PERSON_ID
from marketplace.kernel.db import Tx
from marketplace.parties import queries
from marketplace.parties.errors import MembershipMissing, OrganisationMissing, PersonMissing
from marketplace.parties.queries import Membership, Person
from marketplace.parties.roles import Role
from marketplace.parties.rules.membership import require_another_person, require_role_fits
from marketplace.parties.tables import membership
from marketplace.parties.use_cases.people import RegisterPerson, register_person


@dataclass(frozen=True, slots=True)
class GrantRole:
    """A role for a person in an organisation."""

    person_id: int
    organisation_id: int
    role: str


async def grant_role(tx: Tx, command: GrantRole) -> Membership:
    """Grant a role; granting it again changes nothing.

    An administrator grants to anybody, an organisation's own keeper to its members.

    Raises:
        OrganisationMissing: when the caller does not keep this organisation's members.
        PersonMissing: when there is no such person, or none whom the keeper may know.
        RoleToOneself: when both are one person.
        RoleUnfit: when the organisation's kind does not have the role.
    """
    _require_keeper(tx, command.organisation_id)
    require_another_person(tx.actor.person_id, command.person_id)
    organisation = await queries.organisation(tx, command.organisation_id)
    require_role_fits(command.role, organisation.kind)
    await _require_known_person(tx, command)

    granted = await tx.execute(
        insert(membership)
        .values(
            person_id=command.person_id,
            organisation_id=command.organisation_id,
            role=command.role,
            granted_by=tx.actor.person_id,
            granted_at=tx.now,
        )
        .on_conflict_do_nothing()
    )
    if granted.rowcount:
        tx.audit(
            "grant_role",
            subject="person",
            subject_id=command.person_id,
            organisation_id=command.organisation_id,
            role=command.role,
        )
    return await _membership(tx, command)


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """A role that a person shall no longer hold in an organisation."""

    person_id: int
    organisation_id: int
    role: str


async def revoke_role(tx: Tx, command: RevokeRole) -> Membership:
    """Take a role away; a token that names it is good for some minutes more.

    Raises:
        OrganisationMissing: when the caller does not keep this organisation's members.
        MembershipMissing: when the person does not hold the role there.
        RoleToOneself: when both are one person.
    """
    _require_keeper(tx, command.organisation_id)
    require_another_person(tx.actor.person_id, command.person_id)
    held = await _membership(tx, command)

    await tx.execute(
        delete(membership).where(
            membership.c.person_id == command.person_id,
            membership.c.organisation_id == command.organisation_id,
            membership.c.role == command.role,
        )
    )

    tx.audit(
        "revoke_role",
        subject="person",
        subject_id=command.person_id,
        organisation_id=command.organisation_id,
        role=command.role,
    )
    return held


@dataclass(frozen=True, slots=True)
class AddMember:
    """A new person and their first role in an organisation."""

    organisation_id: int
    role: str
    person: RegisterPerson


async def add_member(tx: Tx, command: AddMember) -> Person:
    """Register a person and grant them a role, both or neither.

    Raises:
        OrganisationMissing: when the caller does not keep this organisation's members.
        RoleUnfit: when the organisation's kind does not have the role.
        EmailInvalid, PasswordWeak, EmailRegistered: see `register_person`.
    """
    _require_keeper(tx, command.organisation_id)
    organisation = await queries.organisation(tx, command.organisation_id)
    require_role_fits(command.role, organisation.kind)

    registered = await register_person(tx, command.person)
    await _grant_first(tx, registered.id, command)
    return registered


async def _grant_first(tx: Tx, person_id: int, command: AddMember) -> None:
    await tx.execute(
        insert(membership).values(
            person_id=person_id,
            organisation_id=command.organisation_id,
            role=command.role,
            granted_by=tx.actor.person_id,
            granted_at=tx.now,
        )
    )
    tx.audit(
        "grant_role",
        subject="person",
        subject_id=person_id,
        organisation_id=command.organisation_id,
        role=command.role,
    )


def _may_keep_everybody(tx: Tx) -> bool:
    return tx.actor.has(Role.ADMINISTRATOR, "system")


def _require_keeper(tx: Tx, organisation_id: int) -> None:
    own = tx.actor.organisation_id == organisation_id
    keeper = own and tx.actor.has(Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
    if not (keeper or _may_keep_everybody(tx)):
        raise OrganisationMissing()


async def _require_known_person(tx: Tx, command: GrantRole) -> None:
    """A keeper knows the people of the organisation; others come in through `add_member`."""
    await queries.person(tx, command.person_id)
    if command.person_id == SYSTEM_PERSON_ID:
        raise PersonMissing()
    if _may_keep_everybody(tx):
        return
    known = await tx.scalar(
        select(membership.c.person_id).where(
            membership.c.person_id == command.person_id,
            membership.c.organisation_id == command.organisation_id,
        )
    )
    if known is None:
        raise PersonMissing()


async def _membership(tx: Tx, named: GrantRole | RevokeRole) -> Membership:
    return await tx.one(
        Membership,
        select(membership).where(
            membership.c.person_id == named.person_id,
            membership.c.organisation_id == named.organisation_id,
            membership.c.role == named.role,
        ),
        missing=MembershipMissing,
    )
