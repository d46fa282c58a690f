"""Applications, and whether an SME may have a voucher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select, tuple_

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.parties.queries import SmeYear, organisation, sme_profile
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ApplicationMissing,
)
from marketplace.vouchers.grant_errors import (
    DocumentMissing,
)
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.grant_rows import (
    ApplicationDocument,
    Approval,
    BeneficiaryFact,
)
from marketplace.vouchers.queries.layers import layers
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.programmes import programme, visible_programme
from marketplace.vouchers.queries.rows import (
    Application,
    Eligibility,
    Grant,
    Layer,
    LayerAsked,
    Listed,
    Programme,
    columns,
)
from marketplace.vouchers.queries.sanctions import is_barred
from marketplace.vouchers.queries.standings import balances_of_grants
from marketplace.vouchers.rules.eligibility import (
    Applicant,
    Facts,
    Offer,
    Profile,
    eligibility,
    kind_of,
)
from marketplace.vouchers.rules.regions import layers_for
from marketplace.vouchers.rules.shares import grant_parts
from marketplace.vouchers.rules.states import ApplicationStatus, FactKind, FactStatus
from marketplace.vouchers.rules.waiting import waiting_rank


@dataclass(frozen=True, slots=True)
class EligibilityQuestion:
    """May this organisation have that much of the programme, on this day?"""

    programme_id: int
    organisation_id: int
    asked_fen: int
    on: date
    grant_id: int | None = None
    """The grant that would be topped up."""
    application_id: int | None = None
    """The application that is asked about, which does not count as another one."""


@dataclass(frozen=True, slots=True)
class ApplicationSearch:
    """Which applications: of a programme, an SME, in a state, made when, for what, which page."""

    programme_id: int | None = None
    status: str | None = None
    organisation_id: int | None = None
    top_ups: bool | None = None
    made_from: date | None = None
    made_until: date | None = None
    text: str = ""
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
    statement = _narrowed(statement, search)
    if search.status == ApplicationStatus.WAITING:
        # In the order in which their turn comes.
        turn = tuple_(table.c.waiting_rank, table.c.waiting_since, table.c.id)
        return await listed(tx, Application, statement, turn, search.page, oldest=True)
    return await listed(tx, Application, statement, table.c.id, search.page)


def _narrowed(statement: Select[Any], search: ApplicationSearch) -> Select[Any]:
    table = tables.voucher_application.c
    if search.organisation_id is not None:
        statement = statement.where(table.organisation_id == search.organisation_id)
    if search.top_ups is not None:
        is_one = table.grant_id.is_not(None)
        statement = statement.where(is_one if search.top_ups else ~is_one)
    if search.made_from is not None:
        statement = statement.where(table.made_at >= shanghai_instant(search.made_from))
    if search.made_until is not None:
        statement = statement.where(
            table.made_at < shanghai_instant(search.made_until + timedelta(days=1))
        )
    if search.text:
        statement = statement.where(table.purpose.icontains(search.text, autoescape=True))
    return statement


async def document_kinds(tx: Tx, application_id: int) -> set[str]:
    """The kinds of documents that an application has."""
    table = tables.application_document.c
    return set(
        await tx.scalars(
            select(table.kind)
            .distinct()
            .where(table.application_id == application_id, table.removed_at.is_(None))
        )
    )


async def application_document(
    tx: Tx, application_id: int, document_id: int
) -> ApplicationDocument:
    """A document of an application that the caller may see.

    Raises:
        DocumentMissing: when it has no such document.
    """
    table = tables.application_document
    return await tx.one(
        ApplicationDocument,
        select(*columns(ApplicationDocument, table)).where(
            table.c.application_id == application_id, table.c.id == document_id
        ),
        missing=DocumentMissing,
    )


async def application_documents(tx: Tx, application_id: int) -> list[ApplicationDocument]:
    """The documents of an application, for the SME itself, the centre and the auditors."""
    await application(tx, application_id)
    table = tables.application_document
    return await tx.all(
        ApplicationDocument,
        select(*columns(ApplicationDocument, table))
        .where(table.c.application_id == application_id, table.c.removed_at.is_(None))
        .order_by(table.c.id),
    )


async def approvals(tx: Tx, application_id: int, *, round_: int | None = None) -> list[Approval]:
    """Who approved an application, of one round or of all."""
    table = tables.application_approval
    statement = select(*columns(Approval, table)).where(table.c.application_id == application_id)
    if round_ is not None:
        statement = statement.where(table.c.round == round_)
    return await tx.all(Approval, statement.order_by(table.c.id))


async def visible_approvals(tx: Tx, application_id: int) -> list[Approval]:
    """`approvals` for the SME itself, the centre and the auditors."""
    await application(tx, application_id)
    return await approvals(tx, application_id)


async def visible_eligibility(tx: Tx, question: EligibilityQuestion) -> Eligibility:
    """`eligibility_of` for a programme that the caller may see."""
    await visible_programme(tx, question.programme_id)
    return await eligibility_of(tx, question)


async def eligibility_of(tx: Tx, question: EligibilityQuestion) -> Eligibility:
    """Every eligibility check of the question, passed or not, and the split over the layers."""
    asked_of = await programme(tx, question.programme_id)
    all_layers = await layers(tx, asked_of.id, on=tx.today)
    who = await organisation(tx, question.organisation_id)
    parts = parts_for(question.asked_fen, who.region_code, all_layers, question.on.year)
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
        facts=await facts_of(tx, who.id, question.on),
        applications_in_year=await _applications_in_year(tx, question),
    )
    if question.grant_id is not None:
        applicant = await _topping_up(tx, applicant, question.grant_id)
    offer = Offer(
        status=asked_of.status,
        opens_on=asked_of.opens_on,
        closes_on=asked_of.closes_on,
        year=asked_of.year,
        region_codes=[layer.region_code for layer in all_layers],
        parts_fen=by_funder,
    )
    return Eligibility(
        eligibility(applicant, offer, asked_of.agreed, question.on),
        parts,
        kind_of(applicant, offer, asked_of.agreed, question.on),
    )


def parts_for(
    asked_fen: int, region_code: str, all_layers: Sequence[Layer], year: int
) -> tuple[LayerAsked, ...]:
    """What each layer of a year would pay of an amount, for an SME of a region; or nothing."""
    by_id = {layer.id: layer for layer in all_layers}
    paying = [
        by_id[region.layer_id]
        for region in layers_for(region_code, [layer.region for layer in all_layers], year)
    ]
    if not paying:
        return ()
    amounts = grant_parts(asked_fen, [layer.ratio_basis_points for layer in paying])
    return tuple(LayerAsked(layer, amount) for layer, amount in zip(paying, amounts, strict=True))


async def granted_in_batches(tx: Tx, programme_id: int) -> dict[int, int]:
    """What each round of a programme has granted, by its number."""
    table = tables.voucher_batch.c
    rows = await tx.execute(
        select(table.number, table.granted_fen).where(table.programme_id == programme_id)
    )
    return {row.number: row.granted_fen for row in rows}


async def _topping_up(tx: Tx, applicant: Applicant, grant_id: int) -> Applicant:
    found = await tx.one(
        Grant,
        select(*columns(Grant, tables.voucher_grant)).where(tables.voucher_grant.c.id == grant_id),
    )
    left = (await balances_of_grants(tx, [grant_id]))[grant_id]
    return replace(
        applicant,
        topping_up=found.status,
        granted_fen=found.amount_fen,
        unspent_fen=sum(each.available_fen + each.held_fen for each in left),
    )


async def _applications_in_year(tx: Tx, question: EligibilityQuestion) -> int:
    """How often the SME applied in the programme this year; what it took back does not count."""
    table = tables.voucher_application.c
    first = shanghai_instant(date(question.on.year, 1, 1))
    next_year = shanghai_instant(date(question.on.year + 1, 1, 1))
    return int(
        await tx.scalar(
            select(func.count()).where(
                table.organisation_id == question.organisation_id,
                table.programme_id == question.programme_id,
                table.made_at >= first,
                table.made_at < next_year,
                table.status != ApplicationStatus.WITHDRAWN,
                table.id != (question.application_id or 0),
            )
        )
    )


async def facts_of(tx: Tx, organisation_id: int, on: date) -> Facts:
    """What is verified of an SME and valid on the day; of two facts of a kind the newer one."""
    return (await facts_of_many(tx, [organisation_id], on)).get(organisation_id, Facts())


async def facts_of_many(tx: Tx, organisation_ids: Sequence[int], on: date) -> dict[int, Facts]:
    """`facts_of` for each of these SMEs, in one question; of whom nothing is known, nothing."""
    table = tables.beneficiary_fact
    found = await tx.all(
        BeneficiaryFact,
        select(*columns(BeneficiaryFact, table))
        .where(
            table.c.organisation_id.in_(organisation_ids),
            table.c.status == FactStatus.VERIFIED,
            table.c.starts_on <= on,
            (table.c.ends_on.is_(None)) | (table.c.ends_on >= on),
        )
        .order_by(table.c.id),
    )
    by_sme: dict[int, list[BeneficiaryFact]] = {}
    for each in found:
        by_sme.setdefault(each.organisation_id, []).append(each)
    return {sme_id: _facts(of) for sme_id, of in by_sme.items()}


def _facts(found: Sequence[BeneficiaryFact]) -> Facts:
    by_kind = {each.kind: each for each in found}

    def number(kind: FactKind) -> int | None:
        return by_kind[kind].number if kind in by_kind else None

    def since(kind: FactKind) -> date | None:
        return by_kind[kind].starts_on if kind in by_kind else None

    return Facts(
        certificates={
            each.name: each.ends_on for each in found if each.kind == FactKind.CERTIFICATE
        },
        capital_fen=number(FactKind.CAPITAL),
        founded_on=since(FactKind.FOUNDED),
        incubated_since=since(FactKind.INCUBATED),
        members=number(FactKind.TEAM),
    )


async def waiting_rank_of(tx: Tx, of: Programme, organisation_id: int) -> int:
    """Where an SME stands today among those that wait: which preference of the terms it meets."""
    preferences = of.agreed.waiting_first
    if not preferences:
        return 0
    return waiting_rank(await facts_of(tx, organisation_id, tx.today), preferences)


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
