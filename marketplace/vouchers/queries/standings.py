"""What is known of an SME's grants before they pay: terms, money, caps and earlier use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries import controlling_group
from marketplace.vouchers import tables
from marketplace.vouchers.queries.balances import part_balances
from marketplace.vouchers.queries.hosts import hosts_of_grants
from marketplace.vouchers.queries.programmes import programme_select
from marketplace.vouchers.queries.rows import (
    Application,
    Grant,
    GrantPart,
    PartBalance,
    Programme,
    columns,
)
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.shares import LayerRoom
from marketplace.vouchers.rules.states import HoldStatus
from marketplace.vouchers.rules.terms import Terms

# An SME holds one grant per programme; more than this many at once is not a wallet.
GRANTS_MAX = 100

COUNTED_AT_ORDERS = (CapScope.SME_YEAR, CapScope.GROUP_YEAR, CapScope.INSTRUMENT_YEAR)
"""The caps that orders of a year count towards, each in a row of its own."""


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """A grant with its programme, the accounts of its money, and what counts against it."""

    grant: Grant
    programme: Programme
    terms: Terms
    balances: tuple[PartBalance, ...]
    spent: Mapping[tuple[CapScope, str | None], int] = field(default_factory=dict)
    first_use: bool = False
    value_in_year_fen: int = 0
    hosts: tuple[PartBalance, ...] = ()
    """The budgets of regions that share the cost of what is bought from their providers."""

    @property
    def left_fen(self) -> int:
        """What is left of the voucher itself."""
        return sum(each.available_fen for each in self.balances)

    @property
    def rooms(self) -> list[LayerRoom]:
        """What is left of each layer, those of other regions last."""
        return [
            LayerRoom(
                each.part.layer_id,
                each.part.funder,
                each.part.ratio_basis_points,
                each.available_fen,
                each.part.region_code,
            )
            for each in (*self.balances, *self.hosts)
        ]

    def with_freed(self, freed: Mapping[int, int]) -> GrantStanding:
        """The same grant once these amounts, by grant part, are held no more."""

        def without(balances: tuple[PartBalance, ...]) -> tuple[PartBalance, ...]:
            return tuple(
                replace(
                    each,
                    available_fen=each.available_fen + freed.get(each.part.id, 0),
                    held_fen=each.held_fen - freed.get(each.part.id, 0),
                )
                for each in balances
            )

        return replace(self, balances=without(self.balances), hosts=without(self.hosts))


@dataclass(frozen=True, slots=True)
class Counting:
    """Whose use counts where: the SME, its legal entity, the instrument, the day of the service.

    What `instead_of_order_id` holds does not count: it would let go of it.
    """

    organisation_id: int
    legal_entity_id: int
    instrument_id: int | None
    on: date
    instead_of_order_id: int | None = None


async def grant_parts_of(tx: Tx, grant_ids: Sequence[int]) -> list[GrantPart]:
    """The parts that these grants were given, with what their layers pay today."""
    part, layer = tables.grant_part, tables.programme_layer
    return await tx.all(
        GrantPart,
        select(
            part.c.id,
            part.c.grant_id,
            part.c.layer_id,
            part.c.amount_fen,
            layer.c.funder,
            layer.c.region_code,
            func.layer_ratio_on(layer.c.id, tx.today).label("ratio_basis_points"),
        )
        .join_from(part, layer, layer.c.id == part.c.layer_id)
        .where(part.c.grant_id.in_(grant_ids), part.c.amount_fen > 0)
        .order_by(part.c.id),
    )


async def balances_of_grants(tx: Tx, grant_ids: Sequence[int]) -> dict[int, list[PartBalance]]:
    """What is left and frozen of each layer of these grants."""
    return await part_balances(tx, await grant_parts_of(tx, grant_ids))


async def grants_of(tx: Tx, organisation_id: int) -> list[Grant]:
    """The grants of an SME, the newest first."""
    table = tables.voucher_grant
    return await tx.all(
        Grant,
        select(*columns(Grant, table))
        .where(table.c.organisation_id == organisation_id)
        .order_by(table.c.id.desc())
        .limit(GRANTS_MAX),
    )


async def programmes_of(
    tx: Tx, of: Iterable[Grant | Application], on: date
) -> dict[int, Programme]:
    """The programmes of these with their terms of a day, by their ids, in one question."""
    found = await tx.all(
        Programme,
        programme_select(on).where(tables.programme.c.id.in_({each.programme_id for each in of})),
    )
    return {each.id: each for each in found}


async def standings_of(
    tx: Tx, organisation_id: int, counting: Counting | None = None
) -> list[GrantStanding]:
    """The SME's grants with their terms and what is left of them; with `counting`, of caps too."""
    grants = await grants_of(tx, organisation_id)
    if not grants:
        return []
    balances = await balances_of_grants(tx, [grant.id for grant in grants])
    programmes = await programmes_of(tx, grants, tx.today)
    found = [
        GrantStanding(
            grant,
            programmes[grant.programme_id],
            programmes[grant.programme_id].agreed,
            tuple(balances[grant.id]),
        )
        for grant in grants
    ]
    return found if counting is None else await _counted(tx, found, counting)


async def _counted(
    tx: Tx, standings: Sequence[GrantStanding], counting: Counting
) -> list[GrantStanding]:
    subjects = await subjects_of(tx, [each.terms for each in standings], counting)
    spent = await _spent(tx, [each.programme.id for each in standings], subjects, counting)
    used = await _used_before(tx, standings, counting)
    values = await _values_in_year(tx, standings, counting)
    hosts = await hosts_of(tx, standings, counting)
    found = [
        replace(
            each,
            spent=spent.get(each.programme.id, {}),
            first_use=minds_first_use(each.terms) and each.grant.id not in used,
            value_in_year_fen=values.get(each.grant.id, 0),
            hosts=tuple(hosts.get(each.grant.id, ())),
        )
        for each in standings
    ]
    if counting.instead_of_order_id is None:
        return found
    freed = await _held_for(tx, counting.instead_of_order_id)
    return [each.with_freed(freed) for each in found]


async def hosts_of(
    tx: Tx, standings: Sequence[GrantStanding], counting: Counting
) -> dict[int, list[PartBalance]]:
    """The budgets that share the cost, of those grants whose terms split it between regions."""
    split = [each.grant.id for each in standings if each.terms.cost_split is not None]
    return await hosts_of_grants(tx, split, counting.organisation_id, counting.on.year)


def minds_first_use(terms: Terms) -> bool:
    """Whether a first use is paid otherwise than a later one."""
    return any(rate.first_use is not None for rate in terms.rates) or any(
        cap.first_use is not None for cap in terms.caps
    )


async def subjects_of(tx: Tx, terms: Sequence[Terms], counting: Counting) -> dict[CapScope, int]:
    """Whose year each cap counts: the SME's, its controlling group's, the instrument's."""
    found = {CapScope.SME_YEAR: counting.organisation_id}
    scopes = {cap.scope for each in terms for cap in each.caps}
    if CapScope.GROUP_YEAR in scopes:
        group = await controlling_group(tx, counting.legal_entity_id, tx.today)
        found[CapScope.GROUP_YEAR] = group.id
    if CapScope.INSTRUMENT_YEAR in scopes and counting.instrument_id is not None:
        found[CapScope.INSTRUMENT_YEAR] = counting.instrument_id
    return found


async def _spent(
    tx: Tx, programme_ids: Sequence[int], subjects: Mapping[CapScope, int], counting: Counting
) -> dict[int, dict[tuple[CapScope, str | None], int]]:
    table, counted, held = tables.voucher_cap, tables.voucher_hold_cap, tables.voucher_hold
    own: ColumnElement[bool] = or_(
        *(
            (table.c.kind == scope.value) & (table.c.subject == subject)
            for scope, subject in subjects.items()
        )
    )
    freed = (
        select(func.coalesce(func.sum(counted.c.held_fen), 0))
        .join_from(counted, held, held.c.id == counted.c.hold_id)
        .where(
            held.c.order_id == (counting.instead_of_order_id or 0),
            held.c.status == HoldStatus.HELD,
            *(
                counted.c[name] == table.c[name]
                for name in ("programme_id", "kind", "subject", "funder", "year")
            ),
        )
        .correlate(table)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            table.c.programme_id,
            table.c.kind,
            table.c.funder,
            (table.c.used_fen - freed).label("used_fen"),
        ).where(table.c.programme_id.in_(programme_ids), table.c.year == counting.on.year, own)
    )
    spent: dict[int, dict[tuple[CapScope, str | None], int]] = {}
    for row in rows:
        key = (CapScope(row.kind), row.funder or None)
        spent.setdefault(row.programme_id, {})[key] = int(row.used_fen)
    return spent


async def _used_before(tx: Tx, standings: Sequence[GrantStanding], counting: Counting) -> set[int]:
    """The grants, of those whose terms mind, that have paid for an order already."""
    asked = [each.grant.id for each in standings if minds_first_use(each.terms)]
    if not asked:
        return set()
    held = tables.voucher_hold.c
    return set(
        await tx.scalars(
            select(held.grant_id)
            .distinct()
            .where(
                held.grant_id.in_(asked),
                held.status != HoldStatus.RELEASED,
                held.order_id != (counting.instead_of_order_id or 0),
            )
        )
    )


async def _values_in_year(
    tx: Tx, standings: Sequence[GrantStanding], counting: Counting
) -> dict[int, int]:
    asked = [each.grant.id for each in standings if each.terms.steps_over == "sme-year"]
    return await values_in_year(tx, asked, counting.on.year, counting.instead_of_order_id)


async def values_in_year(
    tx: Tx,
    grant_ids: Sequence[int],
    year: int,
    but_order_id: int | None = None,
    *,
    before_hold_id: int | None = None,
) -> dict[int, int]:
    """What the services cost that each grant pays for and that count in a year.

    With `before_hold_id`, of the holds before that one: those that came first fill the lower steps.
    """
    if not grant_ids:
        return {}
    held, redeemed = tables.voucher_hold.c, tables.redemption
    value = func.coalesce(redeemed.c.service_value_fen, held.service_value_fen)
    statement = (
        select(held.grant_id, func.sum(value).label("value_fen"))
        .join_from(
            tables.voucher_hold,
            redeemed,
            (redeemed.c.order_id == held.order_id) & (redeemed.c.grant_id == held.grant_id),
            isouter=True,
        )
        .where(
            held.grant_id.in_(grant_ids),
            held.status != HoldStatus.RELEASED,
            held.order_id != (but_order_id or 0),
            held.counted_year == year,
        )
        .group_by(held.grant_id)
    )
    if before_hold_id is not None:
        statement = statement.where(held.id < before_hold_id)
    return {row.grant_id: int(row.value_fen) for row in await tx.execute(statement)}


async def _held_for(tx: Tx, order_id: int) -> dict[int, int]:
    """What is held for an order, by grant part."""
    held, part = tables.voucher_hold, tables.voucher_hold_part
    rows = await tx.execute(
        select(part.c.grant_part_id, part.c.amount_fen)
        .join_from(held, part, part.c.hold_id == held.c.id)
        .where(held.c.order_id == order_id, held.c.status == HoldStatus.HELD)
    )
    return {row.grant_part_id: row.amount_fen for row in rows}
