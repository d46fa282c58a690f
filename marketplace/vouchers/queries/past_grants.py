"""The grants of past orders: what each layer gave, who held them, and what was known of those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries import (
    controlling_group_ids,
    organisations,
    sme_profiles_of_year,
)
from marketplace.vouchers import tables
from marketplace.vouchers.queries.rows import Layer
from marketplace.vouchers.rules.dry_run import PastGrant, PastPart
from marketplace.vouchers.rules.regions import lies_in


async def past_grants(
    tx: Tx, grant_ids: Iterable[int], year: int, sharing: Sequence[Layer], *, by_group: bool
) -> dict[int, PastGrant]:
    """These grants with what was known of who held them; with `sharing`, of other regions too."""
    grant, part, layer = tables.voucher_grant, tables.grant_part, tables.programme_layer
    rows = (
        await tx.execute(
            select(
                grant.c.id,
                grant.c.organisation_id,
                part.c.layer_id,
                part.c.amount_fen,
                layer.c.funder,
                func.layer_ratio_on(layer.c.id, tx.today).label("ratio_basis_points"),
                layer.c.region_code,
            )
            .join_from(grant, part, part.c.grant_id == grant.c.id)
            .join(layer, layer.c.id == part.c.layer_id)
            .where(grant.c.id.in_(sorted(grant_ids)), part.c.amount_fen > 0)
            .order_by(part.c.id)
        )
    ).all()
    owners = {row.id: row.organisation_id for row in rows}
    smes = await organisations(tx, owners.values())
    profiles = await sme_profiles_of_year(tx, owners.values(), year)
    entities = {sme.legal_entity_id for sme in smes.values()}
    groups = await controlling_group_ids(tx, entities) if by_group else {}
    parts: dict[int, list[PastPart]] = {}
    for row in rows:
        parts.setdefault(row.id, []).append(
            PastPart(
                row.layer_id, row.funder, row.ratio_basis_points, row.amount_fen, row.region_code
            )
        )
    found = {}
    for grant_id, owner in owners.items():
        profile = profiles.get(owner)
        found[grant_id] = PastGrant(
            grant_id,
            smes[owner].region_code,
            groups.get(smes[owner].legal_entity_id, smes[owner].legal_entity_id),
            profile.staff if profile else None,
            profile.sales_fen if profile else None,
            profile.assets_fen if profile else None,
            (*parts[grant_id], *_hosts(sharing, parts[grant_id], smes[owner].region_code)),
        )
    return found


def _hosts(sharing: Sequence[Layer], own: Sequence[PastPart], region_code: str) -> list[PastPart]:
    """The layers of other regions that share the cost, each with its whole budget."""
    granted = {part.layer_id for part in own}
    return [
        PastPart(
            layer.id, layer.funder, layer.ratio_basis_points, layer.budget_fen, layer.region_code
        )
        for layer in sharing
        if layer.id not in granted and not lies_in(region_code, layer.region_code)
    ]
