"""Cost sheets and price lists as they were filed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from marketplace.billing.pricing.errors import PriceListMissing
from marketplace.billing.pricing.rules.cost import MINUTES_PER_HOUR, unit_cost
from marketplace.billing.pricing.tables import cost_component, cost_sheet, price, price_list
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
class CostSheet:
    """What an instrument costs its unit in a year; `unit_cost_fen` is per hour, rounded down."""

    id: int
    instrument_id: int
    year: int
    version: int
    planned_minutes: int
    total_fen: int
    unit_cost_fen: int
    filed_at: datetime
    components: tuple[CostComponent, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What a class of customers pays for a unit, and what that unit costs."""

    customer_class: str
    unit: str
    amount_fen: int
    minimum_fen: int
    minutes_per_sample: int | None
    cost_fen: int


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
    filed_at: datetime
    withdrawn_at: datetime | None
    planned_minutes: int
    total_fen: int
    prices: tuple[Price, ...] = ()


_SHEETS = select(
    cost_sheet.c.id,
    cost_sheet.c.instrument_id,
    cost_sheet.c.year,
    cost_sheet.c.version,
    cost_sheet.c.planned_minutes,
    cost_sheet.c.total_fen,
    cost_sheet.c.unit_cost_fen,
    cost_sheet.c.filed_at,
)

_LISTS = select(
    price_list.c.id,
    price_list.c.instrument_id,
    price_list.c.version,
    price_list.c.cost_sheet_id,
    price_list.c.state_set,
    price_list.c.state_source,
    price_list.c.notice_ends_on,
    price_list.c.in_force_from,
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
        _SHEETS.where(table.instrument_id == instrument_id)
        .order_by(table.year.desc(), table.version.desc())
        .limit(VERSIONS_MAX),
    )
    return await _with_components(tx, sheets)


async def cost_sheet_for(tx: Tx, instrument_id: int, year: int) -> CostSheet | None:
    """The newest cost sheet that holds in `year`: of that year, else of the last one before."""
    table = cost_sheet.c
    return await tx.first(
        CostSheet,
        _SHEETS.where(table.instrument_id == instrument_id, table.year <= year)
        .order_by(table.year.desc(), table.version.desc())
        .limit(1),
    )


async def cost_sheet_by_id(tx: Tx, cost_sheet_id: int) -> CostSheet:
    """One cost sheet with its components."""
    sheet = await tx.one(CostSheet, _SHEETS.where(cost_sheet.c.id == cost_sheet_id))
    return (await _with_components(tx, [sheet]))[0]


async def price_lists(tx: Tx, instrument_id: int) -> list[PriceList]:
    """Every version of an instrument's prices, newest first: in notice, in force, past.

    Raises:
        Missing: when there is no such instrument.

    Policy: J.15, J.21d
    """
    await catalogue.instrument(tx, instrument_id)
    lists = await tx.all(
        PriceList,
        _LISTS.where(price_list.c.instrument_id == instrument_id)
        .order_by(price_list.c.version.desc())
        .limit(VERSIONS_MAX),
    )
    return await _with_prices(tx, lists)


async def price_list_by_id(tx: Tx, price_list_id: int) -> PriceList:
    """One price list with its prices.

    Raises:
        PriceListMissing: when there is none.
    """
    found = await tx.one(
        PriceList,
        _LISTS.where(price_list.c.id == price_list_id),
        missing=PriceListMissing,
    )
    return (await _with_prices(tx, [found]))[0]


async def _with_components(tx: Tx, sheets: Sequence[CostSheet]) -> list[CostSheet]:
    table = cost_component.c
    components = await tx.all(
        CostComponent,
        select(table.cost_sheet_id, table.kind, table.amount_fen)
        .where(table.cost_sheet_id.in_([sheet.id for sheet in sheets]))
        .order_by(table.cost_sheet_id, table.kind),
    )
    return [
        replace(
            sheet,
            components=tuple(part for part in components if part.cost_sheet_id == sheet.id),
        )
        for sheet in sheets
    ]


@dataclass(frozen=True, slots=True)
class _PriceOfList:
    price_list_id: int
    customer_class: str
    unit: str
    amount_fen: int
    minimum_fen: int
    minutes_per_sample: int | None


async def _with_prices(tx: Tx, lists: Sequence[PriceList]) -> list[PriceList]:
    table = price.c
    found = await tx.all(
        _PriceOfList,
        select(
            table.price_list_id,
            table.customer_class,
            table.unit,
            table.amount_fen,
            table.minimum_fen,
            table.minutes_per_sample,
        )
        .where(table.price_list_id.in_([filed.id for filed in lists]))
        .order_by(table.price_list_id, table.customer_class, table.unit),
    )
    return [
        replace(
            filed,
            prices=tuple(
                _beside_cost(line, filed) for line in found if line.price_list_id == filed.id
            ),
        )
        for filed in lists
    ]


def _beside_cost(line: _PriceOfList, filed: PriceList) -> Price:
    return Price(
        customer_class=line.customer_class,
        unit=line.unit,
        amount_fen=line.amount_fen,
        minimum_fen=line.minimum_fen,
        minutes_per_sample=line.minutes_per_sample,
        cost_fen=unit_cost(
            total_fen=filed.total_fen,
            planned_minutes=filed.planned_minutes,
            minutes=line.minutes_per_sample or MINUTES_PER_HOUR,
        ),
    )
