"""Organisations, the legal entities behind them, and which of those are tied to each other."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.errors import (
    LegalEntityMissing,
    OrganisationMissing,
    OrganisationUnfit,
)
from marketplace.parties.queries.access import require_own_or_staff
from marketplace.parties.queries.ownership import valid_on, ways
from marketplace.parties.queries.rows import (
    LegalEntity,
    Organisation,
    Pair,
    SmeProfile,
    SmeYear,
    columns,
)
from marketplace.parties.rules.affiliation import Affiliation, Control
from marketplace.parties.rules.affiliation import affiliation as tie
from marketplace.parties.rules.identifiers import is_uscc, require_uscc
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.rulebook import rulebook


async def organisation(tx: Tx, organisation_id: int) -> Organisation:
    """The organisation with this id.

    Raises:
        OrganisationMissing: when there is none.
    """
    return await tx.one(
        Organisation,
        select(*columns(Organisation, tables.organisation)).where(
            tables.organisation.c.id == organisation_id
        ),
        missing=OrganisationMissing,
    )


async def organisations(tx: Tx, ids: Iterable[int]) -> dict[int, Organisation]:
    """The organisations with these ids, in one question."""
    found = await tx.all(
        Organisation,
        select(*columns(Organisation, tables.organisation)).where(
            tables.organisation.c.id.in_(sorted(set(ids)))
        ),
    )
    return {each.id: each for each in found}


async def organisations_of(tx: Tx, legal_entity_id: int) -> list[Organisation]:
    """The organisations of a legal entity, in the order in which they were registered."""
    table = tables.organisation
    return await tx.all(
        Organisation,
        select(*columns(Organisation, table))
        .where(table.c.legal_entity_id == legal_entity_id)
        .order_by(table.c.id),
    )


async def organisations_by_code(tx: Tx, uscc: str) -> list[Organisation]:
    """The organisations of the legal entity with this whole code; none of what is no code."""
    if not is_uscc(uscc):
        return []
    entity = tables.legal_entity.c
    number = await tx.scalar(select(entity.id).where(entity.uscc == require_uscc(uscc)))
    return [] if number is None else await organisations_of(tx, number)


async def require_organisation(tx: Tx, organisation_id: int, kind: str) -> Organisation:
    """The organisation with this id, which must be a `kind`.

    Raises:
        OrganisationMissing: when there is none.
        OrganisationUnfit: when it is of another kind.
    """
    found = await organisation(tx, organisation_id)
    if found.kind != kind:
        raise OrganisationUnfit(
            f"{found.name} is a {found.kind}, not a {kind}.", limit=kind, asked=found.kind
        )
    return found


async def visible_organisation(tx: Tx, organisation_id: int) -> Organisation:
    """The public page of an organisation; an SME has none for those who are not signed in.

    Raises:
        OrganisationMissing: when there is none that the caller may see.
    """
    found = await organisation(tx, organisation_id)
    if found.kind == "sme" and not tx.actor.person_id:
        raise OrganisationMissing()
    return found


async def legal_entity(tx: Tx, legal_entity_id: int) -> LegalEntity:
    """The legal entity with this id.

    Raises:
        LegalEntityMissing: when there is none.
    """
    return await tx.one(
        LegalEntity,
        select(*columns(LegalEntity, tables.legal_entity)).where(
            tables.legal_entity.c.id == legal_entity_id
        ),
        missing=LegalEntityMissing,
    )


async def legal_entities(tx: Tx, ids: Iterable[int]) -> dict[int, LegalEntity]:
    """The legal entities with these ids, in one question."""
    found = await tx.all(
        LegalEntity,
        select(*columns(LegalEntity, tables.legal_entity)).where(
            tables.legal_entity.c.id.in_(sorted(set(ids)))
        ),
    )
    return {each.id: each for each in found}


async def affiliation(tx: Tx, pair: Pair, common_control_basis_points: int) -> Affiliation | None:
    """Why two legal entities are affiliated, or None; see `rules.affiliation`.

    Raises:
        LegalEntityMissing: when one of them does not exist.
    """
    found = await affiliations(
        tx, pair.legal_entity_id, [pair.other_id], common_control_basis_points
    )
    return found[pair.other_id]


async def affiliations(
    tx: Tx, legal_entity_id: int, others: Iterable[int], common_control_basis_points: int
) -> dict[int, Affiliation | None]:
    """Why each of `others` is affiliated with the legal entity, or None; three questions in all.

    Raises:
        LegalEntityMissing: when one of them does not exist.
    """
    other_ids = sorted(set(others))
    controls = await _controls(tx, {legal_entity_id, *other_ids})
    return {
        other_id: tie(
            controls[legal_entity_id],
            controls[other_id],
            common_control_basis_points=common_control_basis_points,
        )
        for other_id in other_ids
    }


async def _controls(tx: Tx, ids: set[int]) -> dict[int, Control]:
    entities = await legal_entities(tx, ids)
    if len(entities) < len(ids):
        raise LegalEntityMissing()
    holders: dict[int, list[Shareholding]] = {each: [] for each in ids}
    held = tables.shareholding.c
    rows = await tx.execute(
        select(held.legal_entity_id, held.holder, held.basis_points)
        .where(held.legal_entity_id.in_(sorted(ids)), valid_on(tx.today))
        .order_by(held.basis_points.desc(), held.holder)
    )
    found = await ways(tx, ids, tx.today)
    for row in rows:
        holders[row.legal_entity_id].append(Shareholding(row.holder, row.basis_points))
    return {
        entity.id: Control(
            legal_entity_id=entity.id,
            uscc=entity.uscc,
            name=entity.name,
            legal_representative=entity.legal_representative,
            holders=tuple(holders[entity.id]),
            ways=tuple(found[entity.id]),
        )
        for entity in entities.values()
    }


async def affiliation_today(tx: Tx, pair: Pair) -> Affiliation | None:
    """`affiliation` with the degree of common control that counts today. Policy: J.22b."""
    return await affiliation(tx, pair, rulebook().voucher.common_control_basis_points.on(tx.today))


async def sme_profile(tx: Tx, asked: SmeYear) -> SmeProfile | None:
    """What the SME filed for the year, or None."""
    return await tx.first(
        SmeProfile,
        select(*columns(SmeProfile, tables.sme_profile)).where(
            tables.sme_profile.c.organisation_id == asked.organisation_id,
            tables.sme_profile.c.year == asked.year,
        ),
    )


async def sme_profiles_of_year(
    tx: Tx, organisation_ids: Iterable[int], year: int
) -> dict[int, SmeProfile]:
    """What these SMEs filed for the year, in one question; who filed nothing is left out."""
    table = tables.sme_profile
    found = await tx.all(
        SmeProfile,
        select(*columns(SmeProfile, table)).where(
            table.c.organisation_id.in_(sorted(set(organisation_ids))), table.c.year == year
        ),
    )
    return {each.organisation_id: each for each in found}


async def sme_profiles(tx: Tx, organisation_id: int) -> list[SmeProfile]:
    """Every profile that the SME filed, the latest year first.

    Raises:
        OrganisationMissing: when the caller may not see the organisation's figures.
    """
    require_own_or_staff(tx, organisation_id)
    await organisation(tx, organisation_id)
    return await tx.all(
        SmeProfile,
        select(*columns(SmeProfile, tables.sme_profile))
        .where(tables.sme_profile.c.organisation_id == organisation_id)
        .order_by(tables.sme_profile.c.year.desc()),
    )
