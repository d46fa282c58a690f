"""Objections to prices, and what years brought in beside their cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from marketplace.billing.pricing.queries.filed import price_list_by_id
from marketplace.billing.pricing.tables import price_objection, true_up
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection, and its answer once there is one. Who filed it is not told."""

    id: int
    price_list_id: int
    organisation_id: int
    filed_at: datetime
    text: str
    outcome: str | None
    answer: str | None
    answered_at: datetime | None


OBJECTION = tuple(price_objection.c[name] for name in Objection.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class ObjectionSearch:
    """The objections to one price list."""

    price_list_id: int
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ObjectionPage:
    """One page of objections, oldest first, and how many there are."""

    objections: list[Objection]
    total: int


async def objections(tx: Tx, search: ObjectionSearch) -> ObjectionPage:
    """What was said against prices and what the provider answered: public.

    Raises:
        PriceListMissing: when there is no such list.

    Policy: J.15, J.21d
    """
    found = await price_list_by_id(tx, search.price_list_id)
    await catalogue.instrument(tx, found.instrument_id)
    of_list = price_objection.c.price_list_id == found.id
    total = await tx.scalar(select(func.count()).select_from(price_objection).where(of_list))
    rows = await tx.all(
        Objection,
        select(*OBJECTION)
        .where(of_list)
        .order_by(price_objection.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ObjectionPage(rows, total)


@dataclass(frozen=True, slots=True)
class TrueUp:
    """A year's income beside its real cost."""

    id: int
    instrument_id: int
    year: int
    cost_sheet_id: int
    income_fen: int
    cost_fen: int
    surplus_fen: int
    made_by: int
    made_at: datetime


async def true_ups(tx: Tx, instrument_id: int) -> list[TrueUp]:
    """Every year of an instrument that was held against its cost, newest first: public.

    Raises:
        Missing: when there is no such instrument.

    Policy: J.21d
    """
    await catalogue.instrument(tx, instrument_id)
    return await tx.all(
        TrueUp,
        select(true_up)
        .where(true_up.c.instrument_id == instrument_id)
        .order_by(true_up.c.year.desc())
        .limit(100),
    )
