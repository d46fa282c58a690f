"""Redemptions, claims, their evidence, and what the public sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries import (
    Organisation,
    Search,
    organisations,
    search_organisations,
)
from marketplace.parties.queries.search import SEARCHES_EVERYWHERE
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ClaimMissing
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import (
    Claim,
    ClaimNotice,
    ClaimPage,
    Evidence,
    Listed,
    Redemption,
    SpotCheck,
    columns,
)
from marketplace.vouchers.rules.paper_days import DatedPaper

# Whoever names more claimants than these asks for a longer part of the name.
NAMED_MAX = 200


@dataclass(frozen=True, slots=True)
class ClaimSearch:
    """Which claims: in a state, of a provider, with a text, which page.

    The text is looked for in the claimant's name, the claim's reason, and in its evidence: the
    references and the numbers of invoices.
    """

    status: str | None = None
    provider_id: int | None = None
    page: PageAsked = FIRST_PAGE
    text: str = ""


@dataclass(frozen=True, slots=True)
class RedemptionSearch:
    """Which redemptions: of a claim, or those not yet claimed, which page."""

    claim_id: int | None = None
    unclaimed: bool = False
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class EvidenceSearch:
    """The evidence of a claim, which page."""

    claim_id: int
    page: PageAsked = FIRST_PAGE


async def claim(tx: Tx, claim_id: int, *, lock: bool = False) -> Claim:
    """The claim, for its provider, the centre and the auditors.

    Raises:
        ClaimMissing: for everybody else, and when there is none.
    """
    statement = select(*columns(Claim, tables.claim)).where(tables.claim.c.id == claim_id)
    found = await tx.one(
        Claim, statement.with_for_update() if lock else statement, missing=ClaimMissing
    )
    if not may_see(tx.actor, found.payee_id):
        raise ClaimMissing()
    return found


async def claim_page(tx: Tx, claim_id: int) -> ClaimPage:
    """A claim with the spot checks drawn for it."""
    found = await claim(tx, claim_id)
    table = tables.redemption.c
    redemptions = await tx.scalar(
        select(func.count()).where(table.claim_id == claim_id, table.excluded_at.is_(None))
    )
    return ClaimPage(found, redemptions, tuple(await spot_checks(tx, claim_id)))


async def spot_checks(tx: Tx, claim_id: int) -> list[SpotCheck]:
    """The spot checks of a claim."""
    return await tx.all(
        SpotCheck,
        select(*columns(SpotCheck, tables.spot_check))
        .where(tables.spot_check.c.claim_id == claim_id)
        .order_by(tables.spot_check.c.redemption_id),
    )


async def claims(tx: Tx, search: ClaimSearch) -> Listed[Claim]:
    """Claims, the newest first; a provider sees its own."""
    table = tables.claim
    statement = select(*columns(Claim, table))
    if not sees_all(tx.actor):
        statement = statement.where(_payee(table) == tx.actor.organisation_id)
    if search.provider_id is not None:
        statement = statement.where(table.c.provider_id == search.provider_id)
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    if search.text:
        statement = statement.where(await _tells_of(tx, table, search.text))
    return await listed(tx, Claim, statement, table.c.id, search.page)


async def _tells_of(tx: Tx, table: Any, words: str) -> ColumnElement[bool]:
    proof, redeemed = tables.claim_evidence, tables.redemption
    proven = (
        select(redeemed.c.claim_id)
        .join_from(proof, redeemed, redeemed.c.id == proof.c.redemption_id)
        .where(
            redeemed.c.claim_id.is_not(None),
            or_(
                proof.c.reference.icontains(words, autoescape=True),
                proof.c.invoice_number == words,
            ),
        )
    )
    told = [table.c.reason.icontains(words, autoescape=True), table.c.id.in_(proven)]
    if tx.actor.has(*SEARCHES_EVERYWHERE):
        named = await search_organisations(tx, Search(words, page_size=NAMED_MAX))
        told.append(_payee(table).in_([each.id for each in named.rows]))
    return or_(*told)


def _payee(table: Any) -> ColumnElement[int]:
    return func.coalesce(table.c.provider_id, table.c.sme_id)


async def redemptions(tx: Tx, search: RedemptionSearch) -> Listed[Redemption]:
    """Redemptions, the newest first; a provider sees its own, and an SME those of its vouchers."""
    table, grant = tables.redemption, tables.voucher_grant
    statement = select(*columns(Redemption, table))
    if not sees_all(tx.actor):
        own = select(grant.c.id).where(grant.c.organisation_id == tx.actor.organisation_id)
        statement = statement.where(
            or_(table.c.provider_id == tx.actor.organisation_id, table.c.grant_id.in_(own))
        )
    if search.claim_id is not None:
        await claim(tx, search.claim_id)
        statement = statement.where(table.c.claim_id == search.claim_id)
    if search.unclaimed:
        statement = statement.where(table.c.claim_id.is_(None), table.c.excluded_at.is_(None))
    return await listed(tx, Redemption, statement, table.c.id, search.page)


async def evidence(tx: Tx, search: EvidenceSearch) -> Listed[Evidence]:
    """The evidence of a claim, for those who may see the claim."""
    await claim(tx, search.claim_id)
    table = tables.claim_evidence
    statement = (
        select(*columns(Evidence, table))
        .join_from(table, tables.redemption, tables.redemption.c.id == table.c.redemption_id)
        .where(tables.redemption.c.claim_id == search.claim_id)
    )
    return await listed(tx, Evidence, statement, table.c.id, search.page)


async def dated_papers(tx: Tx, claim_id: int) -> list[DatedPaper]:
    """Redemption, kind and day of the evidence of a claim."""
    proof, of = tables.claim_evidence, tables.redemption
    return await tx.all(
        DatedPaper,
        select(proof.c.redemption_id, proof.c.kind, proof.c.dated_on)
        .distinct()
        .join_from(proof, of, of.c.id == proof.c.redemption_id)
        .where(of.c.claim_id == claim_id),
    )


async def claimed_by_programme(tx: Tx, claim_id: int) -> dict[int, list[int]]:
    """The redemptions that count in a claim, by the programme whose terms they follow."""
    redemption, grant = tables.redemption, tables.voucher_grant
    rows = await tx.execute(
        select(grant.c.programme_id, redemption.c.id)
        .join_from(redemption, grant, grant.c.id == redemption.c.grant_id)
        .where(redemption.c.claim_id == claim_id, redemption.c.excluded_at.is_(None))
        .order_by(redemption.c.id)
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.programme_id, []).append(row.id)
    return found


async def claim_notices(tx: Tx, page: PageAsked) -> Listed[ClaimNotice]:
    """The claims that are in public notice: anybody may read and object."""
    table, redemption = tables.claim, tables.redemption
    statement = select(*columns(Claim, table)).where(table.c.status == "in_notice")
    found = await listed(tx, Claim, statement, table.c.id, page)
    counted = await tx.execute(
        select(redemption.c.claim_id, func.count().label("redemptions"))
        .where(
            redemption.c.claim_id.in_([each.id for each in found.rows]),
            redemption.c.excluded_at.is_(None),
        )
        .group_by(redemption.c.claim_id)
    )
    counts = {row.claim_id: row.redemptions for row in counted}
    providers = await organisations(tx, [each.payee_id for each in found.rows])
    return Listed([_notice(each, counts, providers) for each in found.rows], found.total)


def _notice(of: Claim, counts: dict[int, int], providers: dict[int, Organisation]) -> ClaimNotice:
    assert of.notice_starts_on is not None
    assert of.notice_ends_on is not None
    return ClaimNotice(
        claim_id=of.id,
        provider_id=of.payee_id,
        provider_name=providers[of.payee_id].name,
        provider_name_en=providers[of.payee_id].name_en,
        amount_fen=of.amount_fen,
        redemptions=counts.get(of.id, 0),
        notice_starts_on=of.notice_starts_on,
        notice_ends_on=of.notice_ends_on,
    )
