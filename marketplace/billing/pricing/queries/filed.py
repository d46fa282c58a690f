"""Cost sheets and price lists as they were filed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, any_, cast, select

from marketplace.billing.pricing.errors import PriceListMissing
from marketplace.billing.pricing.rules.cost import Ceiling
from marketplace.billing.pricing.rules.states import ExtraKind
from marketplace.billing.pricing.rules.tariff import (
    MINUTES_PER_HOUR,
    ExtraPrice,
    HoursFactor,
    Tier,
)
from marketplace.billing.pricing.tables import (
    cost_component,
    cost_item,
    cost_sheet,
    price,
    price_extra,
    price_hours,
    price_list,
    price_tier,
    true_up,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx

VERSIONS_MAX = 200


@dataclass(frozen=True, slots=True)
class CostComponent:
    """One component of a cost sheet."""

    cost_sheet_id: int
    kind: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class CostItem:
    """What a unit of help or material costs."""

    cost_sheet_id: int
    code: str
    kind: str
    name: str
    unit: str
    cost_fen: int


@dataclass(frozen=True, slots=True)
class CostSheet:
    """What an instrument costs its unit in a year; `unit_cost_fen` is per hour, rounded down."""

    id: int
    instrument_id: int
    year: int
    version: int
    basis: str
    planned_minutes: int
    total_fen: int
    unit_cost_fen: int
    filed_at: datetime
    components: tuple[CostComponent, ...] = ()
    items: tuple[CostItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What a class of customers pays for a unit, and what that unit costs."""

    customer_class: str
    unit: str
    amount_fen: int
    minimum_fen: int
    minutes_per_unit: int | None
    cost_fen: int
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceList:
    """A version of an instrument's prices with the cost sheet that they rest on."""

    id: int
    instrument_id: int
    version: int
    cost_sheet_id: int
    state_set: bool
    state_source: str
    notice_ends_on: date
    in_force_from: date
    urgent_basis_points: int | None
    carried_surplus_fen: int
    filed_at: datetime
    withdrawn_at: datetime | None
    planned_minutes: int
    total_fen: int
    prices: tuple[Price, ...] = ()
    hours: tuple[HoursFactor, ...] = ()
    extras: tuple[ExtraPrice, ...] = ()

    @property
    def ceiling(self) -> Ceiling:
        """What these prices may not pass."""
        return Ceiling(self.total_fen, self.planned_minutes, self.carried_surplus_fen)


SHEETS = select(
    cost_sheet.c.id,
    cost_sheet.c.instrument_id,
    cost_sheet.c.year,
    cost_sheet.c.version,
    cost_sheet.c.basis,
    cost_sheet.c.planned_minutes,
    cost_sheet.c.total_fen,
    cost_sheet.c.unit_cost_fen,
    cost_sheet.c.filed_at,
)

LISTS = select(
    price_list.c.id,
    price_list.c.instrument_id,
    price_list.c.version,
    price_list.c.cost_sheet_id,
    price_list.c.state_set,
    price_list.c.state_source,
    price_list.c.notice_ends_on,
    price_list.c.in_force_from,
    price_list.c.urgent_basis_points,
    price_list.c.carried_surplus_fen,
    price_list.c.filed_at,
    price_list.c.withdrawn_at,
    cost_sheet.c.planned_minutes,
    cost_sheet.c.total_fen,
).join(cost_sheet, cost_sheet.c.id == price_list.c.cost_sheet_id)


async def cost_sheets(tx: Tx, instrument_id: int) -> list[CostSheet]:
    """The public cost breakdowns of an instrument, newest first.

    Raises:
        Missing: when there is no such instrument.

    Policy: J.21d
    """
    await catalogue.instrument(tx, instrument_id)
    table = cost_sheet.c
    sheets = await tx.all(
        CostSheet,
        SHEETS.where(table.instrument_id == instrument_id)
        .order_by(table.year.desc(), table.version.desc())
        .limit(VERSIONS_MAX),
    )
    return await with_components(tx, sheets)


async def cost_sheet_for(tx: Tx, instrument_id: int, year: int) -> CostSheet | None:
    """The newest plan that holds in `year`: of that year, else of the last one before."""
    table = cost_sheet.c
    sheet = await tx.first(
        CostSheet,
        SHEETS.where(
            table.instrument_id == instrument_id, table.year <= year, table.basis == "planned"
        )
        .order_by(table.year.desc(), table.version.desc())
        .limit(1),
    )
    return (await with_components(tx, [sheet]))[0] if sheet else None


async def surplus_of(tx: Tx, instrument_id: int, year: int) -> int:
    """What customers of `year` paid above the real cost; 0 until that is known."""
    found: int | None = await tx.scalar(
        select(true_up.c.surplus_fen).where(
            true_up.c.instrument_id == instrument_id, true_up.c.year == year
        )
    )
    return found or 0


async def cost_sheet_by_id(tx: Tx, cost_sheet_id: int) -> CostSheet:
    """One cost sheet with its components."""
    sheet = await tx.one(CostSheet, SHEETS.where(cost_sheet.c.id == cost_sheet_id))
    return (await with_components(tx, [sheet]))[0]


async def price_lists(tx: Tx, instrument_id: int) -> list[PriceList]:
    """Every version of an instrument's prices, newest first: in notice, in force, past.

    Raises:
        Missing: when there is no such instrument.

    Policy: J.15, J.21d
    """
    await catalogue.instrument(tx, instrument_id)
    lists = await tx.all(
        PriceList,
        LISTS.where(price_list.c.instrument_id == instrument_id)
        .order_by(price_list.c.version.desc())
        .limit(VERSIONS_MAX),
    )
    return await with_prices(tx, lists)


async def price_list_by_id(tx: Tx, price_list_id: int) -> PriceList:
    """One price list with its prices.

    Raises:
        PriceListMissing: when there is none.
    """
    found = await tx.one(
        PriceList,
        LISTS.where(price_list.c.id == price_list_id),
        missing=PriceListMissing,
    )
    return (await with_prices(tx, [found]))[0]


async def with_components(tx: Tx, sheets: Sequence[CostSheet]) -> list[CostSheet]:
    """The sheets with what they consist of, in two questions for any number of them."""
    ids = [sheet.id for sheet in sheets]
    table, item = cost_component.c, cost_item.c
    components = await tx.all(
        CostComponent,
        select(table.cost_sheet_id, table.kind, table.amount_fen)
        .where(table.cost_sheet_id == any_(cast(ids, ARRAY(BigInteger))))
        .order_by(table.cost_sheet_id, table.kind),
    )
    items = await tx.all(
        CostItem,
        select(cost_item)
        .where(item.cost_sheet_id == any_(cast(ids, ARRAY(BigInteger))))
        .order_by(item.cost_sheet_id, item.code),
    )
    parts_of: dict[int, list[CostComponent]] = defaultdict(list)
    for part in components:
        parts_of[part.cost_sheet_id].append(part)
    items_of: dict[int, list[CostItem]] = defaultdict(list)
    for one in items:
        items_of[one.cost_sheet_id].append(one)
    return [
        replace(sheet, components=tuple(parts_of[sheet.id]), items=tuple(items_of[sheet.id]))
        for sheet in sheets
    ]


async def with_prices(tx: Tx, lists: Sequence[PriceList]) -> list[PriceList]:
    """The lists with what they consist of, in four questions for any number of them."""
    whose = any_(cast([filed.id for filed in lists], ARRAY(BigInteger)))
    prices = await _rows(tx, select(price).where(price.c.price_list_id == whose))
    tiers = await _rows(tx, select(price_tier).where(price_tier.c.price_list_id == whose))
    hours = await _rows(tx, select(price_hours).where(price_hours.c.price_list_id == whose))
    extras = await _rows(
        tx,
        select(
            price_extra, cost_item.c.kind, cost_item.c.name, cost_item.c.unit, cost_item.c.cost_fen
        )
        .join(price_list, price_list.c.id == price_extra.c.price_list_id)
        .join(
            cost_item,
            (cost_item.c.cost_sheet_id == price_list.c.cost_sheet_id)
            & (cost_item.c.code == price_extra.c.code),
        )
        .where(price_extra.c.price_list_id == whose),
    )
    prices_of, tiers_of = _by_list(prices), _by_list(tiers)
    hours_of, extras_of = _by_list(hours), _by_list(extras)
    return [
        replace(
            filed,
            prices=tuple(
                _beside_cost(line, filed, tiers_of[filed.id]) for line in prices_of[filed.id]
            ),
            hours=tuple(
                HoursFactor(
                    one["name"],
                    one["weekday"],
                    one["opens_minute"],
                    one["closes_minute"],
                    one["factor_basis_points"],
                )
                for one in hours_of[filed.id]
            ),
            extras=tuple(
                ExtraPrice(
                    one["code"],
                    ExtraKind(one["kind"]),
                    one["name"],
                    one["unit"],
                    one["amount_fen"],
                    one["cost_fen"],
                )
                for one in extras_of[filed.id]
            ),
        )
        for filed in lists
    ]


def _by_list(rows: Sequence[Mapping[Any, Any]]) -> Mapping[int, list[Mapping[Any, Any]]]:
    found: dict[int, list[Mapping[Any, Any]]] = defaultdict(list)
    for row in rows:
        found[row["price_list_id"]].append(row)
    return found


async def _rows(tx: Tx, statement: Select[Any]) -> Sequence[Mapping[Any, Any]]:
    """Every row, in the order of its first columns: the key."""
    found = await tx.execute(statement.order_by(*list(statement.selected_columns)[:4]))
    return found.mappings().all()


def _beside_cost(
    line: Mapping[Any, Any], filed: PriceList, tiers: Sequence[Mapping[Any, Any]]
) -> Price:
    key = ("price_list_id", "customer_class", "unit")
    return Price(
        customer_class=line["customer_class"],
        unit=line["unit"],
        amount_fen=line["amount_fen"],
        minimum_fen=line["minimum_fen"],
        minutes_per_unit=line["minutes_per_unit"],
        cost_fen=filed.ceiling.for_minutes(line["minutes_per_unit"] or MINUTES_PER_HOUR),
        tiers=tuple(
            Tier(tier["from_quantity"], tier["amount_fen"])
            for tier in tiers
            if all(tier[name] == line[name] for name in key)
        ),
    )
