"""Past orders without a voucher, and what is known of the SMEs that changed terms would let in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import BigInteger, Date, Select, Text, column, func, literal, select, table

from marketplace.kernel.db import Tx
from marketplace.parties.queries import (
    Organisation,
    SmeProfile,
    controlling_group_ids,
    organisations,
    sme_profiles_of_year,
)
from marketplace.vouchers import tables
from marketplace.vouchers.queries.applications import facts_of_many
from marketplace.vouchers.queries.rows import Layer, Programme
from marketplace.vouchers.queries.sanctions import barred
from marketplace.vouchers.rules.beneficiaries import Facts, Profile
from marketplace.vouchers.rules.dry_run import PastGrant, PastPart
from marketplace.vouchers.rules.let_in import Newcomer
from marketplace.vouchers.rules.regions import layers_for

without_voucher = table(
    "order_without_voucher",
    column("order_id", BigInteger),
    column("buyer_id", BigInteger),
    column("settled_on", Date),
    column("service_value_fen", BigInteger),
    column("service_kind", Text),
    column("provider_id", BigInteger),
    column("instrument_id", BigInteger),
)
"""Settled services of SMEs that no voucher paid for, bought from nobody affiliated."""


def orders_without_voucher(
    from_on: date, until_on: date, *, by_day: bool
) -> Select[tuple[int, date, int, str, int, int, int, int, int]]:
    """The orders with the fields of `PastOrder`, SME by SME or day by day.

    Nobody was asked how many persons they trained, so nobody is let in by the person.
    """
    of = without_voucher.c
    day = (of.settled_on, of.order_id)
    return (
        select(
            of.buyer_id,
            of.settled_on,
            of.service_value_fen,
            of.service_kind,
            of.provider_id,
            of.instrument_id,
            literal(0),
            literal(0),
            literal(0),
        )
        .where(of.settled_on.between(from_on, until_on))
        .order_by(*(day if by_day else (of.buyer_id, *day)))
    )


async def newcomers(
    tx: Tx,
    sme_ids: Iterable[int],
    of: Programme,
    layers: Sequence[Layer],
    on: date,
    *,
    by_group: bool,
) -> dict[int, Newcomer]:
    """What is known of these SMEs on a day, in as many questions however many they are."""
    ids = sorted(sme_ids)
    smes = await organisations(tx, ids)
    profiles = await sme_profiles_of_year(tx, ids, of.year)
    facts = await facts_of_many(tx, ids, on)
    sanctioned = await barred(tx, ids, tx.today)
    groups: dict[int, int] = {}
    if by_group:
        groups = await controlling_group_ids(tx, {sme.legal_entity_id for sme in smes.values()})
    left = await _left_of_grants(tx, of.id, ids)
    return {
        sme_id: Newcomer(
            _grant(
                smes[sme_id],
                profiles.get(sme_id),
                groups.get(smes[sme_id].legal_entity_id, smes[sme_id].legal_entity_id),
                left.get(sme_id) or _layers_of(smes[sme_id].region_code, layers, of.year),
            ),
            _profile(profiles.get(sme_id)),
            facts.get(sme_id, Facts()),
            suspended=smes[sme_id].suspended_at is not None
            or not {None, of.id}.isdisjoint(sanctioned.get(sme_id, ())),
            holds=sme_id in left,
        )
        for sme_id in ids
    }


def _grant(
    sme: Organisation, filed: SmeProfile | None, group_id: int, parts: Sequence[PastPart]
) -> PastGrant:
    return PastGrant(
        0,
        sme.region_code,
        group_id,
        filed.staff if filed else None,
        filed.sales_fen if filed else None,
        filed.assets_fen if filed else None,
        tuple(parts),
    )


def _layers_of(region_code: str, layers: Sequence[Layer], year: int) -> list[PastPart]:
    """The layers that would pay for an SME of the region, each with its whole budget."""
    by_id = {layer.id: layer for layer in layers}
    paying = layers_for(region_code, [layer.region for layer in layers], year)
    return [
        PastPart(
            each.layer_id,
            each.funder,
            each.ratio_basis_points,
            by_id[each.layer_id].budget_fen,
            each.region_code,
        )
        for each in paying
    ]


def _profile(filed: SmeProfile | None) -> Profile | None:
    if filed is None:
        return None
    return Profile(
        filed.year, filed.staff, filed.sales_fen, filed.assets_fen, filed.registration_number
    )


async def _left_of_grants(
    tx: Tx, programme_id: int, sme_ids: Sequence[int]
) -> dict[int, list[PastPart]]:
    """Of the SMEs that have a grant of the programme, what they have not used of each layer."""
    grant, part, layer = tables.voucher_grant, tables.grant_part, tables.programme_layer
    redeemed, used = tables.redemption, tables.redemption_part
    spent = (
        select(func.coalesce(func.sum(used.c.amount_fen), 0).cast(BigInteger))
        .join_from(used, redeemed, redeemed.c.id == used.c.redemption_id)
        .where(redeemed.c.grant_id == grant.c.id, used.c.layer_id == part.c.layer_id)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            grant.c.organisation_id,
            part.c.layer_id,
            layer.c.funder,
            func.layer_ratio_on(layer.c.id, tx.today).label("ratio_basis_points"),
            (part.c.amount_fen - spent).label("left_fen"),
            layer.c.region_code,
        )
        .join_from(grant, part, part.c.grant_id == grant.c.id)
        .join(layer, layer.c.id == part.c.layer_id)
        .where(
            grant.c.programme_id == programme_id,
            grant.c.organisation_id.in_(sme_ids),
            part.c.amount_fen > 0,
        )
        .order_by(part.c.id)
    )
    found: dict[int, list[PastPart]] = {}
    for row in rows:
        found.setdefault(row.organisation_id, []).append(
            PastPart(
                row.layer_id, row.funder, row.ratio_basis_points, row.left_fen, row.region_code
            )
        )
    return found
