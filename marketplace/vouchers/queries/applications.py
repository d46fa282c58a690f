"""Applications, and whether an SME may have a voucher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries import SmeYear, organisation, sme_profile
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ApplicationMissing
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.programmes import layers, programme, visible_programme
from marketplace.vouchers.queries.rows import (
    Application,
    Eligibility,
    Layer,
    LayerAsked,
    Listed,
    Programme,
    columns,
)
from marketplace.vouchers.queries.sanctions import is_barred
from marketplace.vouchers.rules.eligibility import Applicant, Offer, Profile, eligibility
from marketplace.vouchers.rules.regions import layers_for
from marketplace.vouchers.rules.shares import grant_parts


@dataclass(frozen=True, slots=True)
class EligibilityQuestion:
    """May this organisation have that much of the programme, on this day?"""

    programme_id: int
    organisation_id: int
    asked_fen: int
    on: date


@dataclass(frozen=True, slots=True)
class ApplicationSearch:
    """Which applications: of a programme, in a state, which page."""

    programme_id: int | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


async def application(tx: Tx, application_id: int, *, lock: bool = False) -> Application:
    """The application, for the SME itself, the centre and the auditors.

    Raises:
        ApplicationMissing: for everybody else, and when there is none.
    """
    statement = select(*columns(Application, tables.voucher_application)).where(
        tables.voucher_application.c.id == application_id
    )
    found = await tx.one(
        Application, statement.with_for_update() if lock else statement, missing=ApplicationMissing
    )
    if not may_see(tx.actor, found.organisation_id):
        raise ApplicationMissing()
    return found


async def applications(tx: Tx, search: ApplicationSearch) -> Listed[Application]:
    """Applications, the newest first; an SME sees its own."""
    table = tables.voucher_application
    statement = select(*columns(Application, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.organisation_id == tx.actor.organisation_id)
    if search.programme_id is not None:
        statement = statement.where(table.c.programme_id == search.programme_id)
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, Application, statement, table.c.id, search.page)


async def visible_eligibility(tx: Tx, question: EligibilityQuestion) -> Eligibility:
    """`eligibility_of` for a programme that the caller may see."""
    await visible_programme(tx, question.programme_id)
    return await eligibility_of(tx, question)


async def eligibility_of(tx: Tx, question: EligibilityQuestion) -> Eligibility:
    """Every eligibility check of the question, passed or not, and the split over the layers."""
    asked_of = await programme(tx, question.programme_id)
    all_layers = await layers(tx, asked_of.id)
    who = await organisation(tx, question.organisation_id)
    parts = _parts(question.asked_fen, who.region_code, all_layers)
    by_funder: dict[str, int] = {}
    for part in parts:
        by_funder[part.layer.funder] = by_funder.get(part.layer.funder, 0) + part.amount_fen
    applicant = Applicant(
        kind=who.kind,
        region_code=who.region_code,
        suspended=who.suspended_at is not None
        or await is_barred(tx, who.id, asked_of.id, tx.today),
        profile=await _profile(tx, who.id, asked_of.year),
        granted_before=await _granted_before(tx, asked_of, who.id),
        granted_in_year_fen=await granted_in_year(tx, who.id, asked_of.year),
    )
    offer = Offer(
        status=asked_of.status,
        opens_on=asked_of.opens_on,
        closes_on=asked_of.closes_on,
        year=asked_of.year,
        region_codes=[layer.region_code for layer in all_layers],
        parts_fen=by_funder,
    )
    return Eligibility(eligibility(applicant, offer, asked_of.agreed, question.on), parts)


def _parts(asked_fen: int, region_code: str, all_layers: list[Layer]) -> tuple[LayerAsked, ...]:
    by_id = {layer.id: layer for layer in all_layers}
    paying = [
        by_id[region.layer_id]
        for region in layers_for(region_code, [layer.region for layer in all_layers])
    ]
    if not paying:
        return ()
    amounts = grant_parts(asked_fen, [layer.ratio_basis_points for layer in paying])
    return tuple(LayerAsked(layer, amount) for layer, amount in zip(paying, amounts, strict=True))


async def _profile(tx: Tx, organisation_id: int, year: int) -> Profile | None:
    filed = await sme_profile(tx, SmeYear(organisation_id, year))
    if filed is None:
        return None
    return Profile(
        filed.year, filed.staff, filed.sales_fen, filed.assets_fen, filed.registration_number
    )


async def _granted_before(tx: Tx, asked_of: Programme, organisation_id: int) -> bool:
    grant = tables.voucher_grant.c
    return bool(
        await tx.scalar(
            select(
                exists().where(
                    grant.programme_id == asked_of.id, grant.organisation_id == organisation_id
                )
            )
        )
    )


async def granted_in_year(tx: Tx, organisation_id: int, year: int) -> dict[str, int]:
    """What each funder granted to the SME in the programmes of a year."""
    table = tables.voucher_year.c
    rows = await tx.execute(
        select(table.funder, table.granted_fen).where(
            table.organisation_id == organisation_id, table.year == year
        )
    )
    return {row.funder: row.granted_fen for row in rows}
