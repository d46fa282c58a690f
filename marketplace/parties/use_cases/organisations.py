"""Registering organisations, suspending them and letting them back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.parties import queries
from marketplace.parties.errors import OrganisationUnfit
from marketplace.parties.queries import Organisation
from marketplace.parties.rules.states import OrganisationKind
from marketplace.parties.tables import organisation


@dataclass(frozen=True, slots=True)
class RegisterOrganisation:
    """A unit of a legal entity that takes part: a laboratory, an SME, a station.

    `is_agency` says that a provider operates instruments of others by authorisation (J.23).
    """

    legal_entity_id: int
    kind: str
    name: str
    region_code: str
    name_en: str = ""
    is_agency: bool = False


async def register_organisation(tx: Tx, command: RegisterOrganisation) -> Organisation:
    """Register an organisation under its legal entity.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
        OrganisationUnfit: for another platform, or an agency that is no provider.
        OrganisationRegistered: when the legal entity has one of this kind and name.
    """
    await queries.legal_entity(tx, command.legal_entity_id)
    if command.kind == OrganisationKind.PLATFORM:
        raise OrganisationUnfit("There is one platform, and it is registered.")

    organisation_id = await tx.scalar(
        insert(organisation)
        .values(
            legal_entity_id=command.legal_entity_id,
            kind=command.kind,
            name=command.name.strip(),
            name_en=command.name_en.strip(),
            region_code=command.region_code,
            is_agency=command.is_agency,
            registered_by=tx.actor.person_id,
            registered_at=tx.now,
        )
        .returning(organisation.c.id)
    )

    tx.audit("register", subject="organisation", subject_id=organisation_id, kind=command.kind)
    return await queries.organisation(tx, organisation_id)


@dataclass(frozen=True, slots=True)
class SuspendOrganisation:
    """Nobody signs in for a suspended organisation; what it had stays."""

    organisation_id: int
    reason: str


async def suspend_organisation(tx: Tx, command: SuspendOrganisation) -> Organisation:
    """Suspend an organisation; suspending it again changes the reason and not the day.

    Raises:
        OrganisationMissing: when there is no such organisation.
        OrganisationUnfit: for the platform, and for the organisation of the one who asks.
    """
    found = await queries.organisation(tx, command.organisation_id)
    if found.kind == OrganisationKind.PLATFORM or found.id == tx.actor.organisation_id:
        raise OrganisationUnfit("Suspending it would lock the platform's own doors.")

    await tx.execute(
        update(organisation)
        .where(organisation.c.id == found.id)
        .values(suspended_at=found.suspended_at or tx.now, suspended_reason=command.reason)
    )

    tx.audit("suspend", subject="organisation", subject_id=found.id, reason=command.reason)
    return await queries.organisation(tx, found.id)


async def resume_organisation(tx: Tx, organisation_id: int) -> Organisation:
    """End a suspension; nothing happens where there is none.

    Raises:
        OrganisationMissing: when there is no such organisation.
    """
    found = await queries.organisation(tx, organisation_id)
    if found.suspended_at is None:
        return found

    await tx.execute(
        update(organisation)
        .where(organisation.c.id == found.id)
        .values(suspended_at=None, suspended_reason="")
    )

    tx.audit("resume", subject="organisation", subject_id=found.id)
    return await queries.organisation(tx, found.id)
