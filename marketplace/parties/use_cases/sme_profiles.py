"""What an SME says about itself for a year; the voucher rules judge it later."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from marketplace.kernel.db import Tx
from marketplace.parties import queries
from marketplace.parties.errors import OrganisationMissing, ProfileYearClosed
from marketplace.parties.queries import SmeProfile, SmeYear
from marketplace.parties.rules.states import OrganisationKind
from marketplace.parties.tables import sme_profile


@dataclass(frozen=True, slots=True)
class FileSmeProfile:
    """Staff, sales and assets of a year, and the registration number of that year."""

    organisation_id: int
    year: int
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str = ""


async def file_sme_profile(tx: Tx, command: FileSmeProfile) -> SmeProfile:
    """File the profile of a year, or correct it; the audit trail keeps each version.

    Policy: J.22b.

    Raises:
        OrganisationMissing: when it is another's organisation.
        OrganisationUnfit: when it is no SME.
        ProfileYearClosed: for a year further away than the next or the last.
        RegistrationNumberUsed: when another SME filed the number for this year.
    """
    if not tx.actor.has("system") and tx.actor.organisation_id != command.organisation_id:
        raise OrganisationMissing()
    await queries.require_organisation(tx, command.organisation_id, OrganisationKind.SME)
    if abs(command.year - tx.today.year) > 1:
        raise ProfileYearClosed(asked=command.year, limit=tx.today.year)

    filed = {
        "staff": command.staff,
        "sales_fen": command.sales_fen,
        "assets_fen": command.assets_fen,
        "registration_number": command.registration_number.strip(),
        "filed_by": tx.actor.person_id,
        "filed_at": tx.now,
    }
    await tx.execute(
        insert(sme_profile)
        .values(organisation_id=command.organisation_id, year=command.year, **filed)
        .on_conflict_do_update(constraint="sme_profile_pkey", set_=filed)
    )

    tx.audit(
        "file_sme_profile",
        subject="organisation",
        subject_id=command.organisation_id,
        year=command.year,
        staff=command.staff,
        sales_fen=command.sales_fen,
        assets_fen=command.assets_fen,
        registration_number=command.registration_number.strip(),
    )
    profile = await queries.sme_profile(tx, SmeYear(command.organisation_id, command.year))
    assert profile is not None
    return profile
