"""Requests for services free of charge, their evidence, and how much was given free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, or_, select, true

from marketplace.kernel.db import Tx
from marketplace.orders.errors import FreeUseMissing
from marketplace.orders.tables import free_use, free_use_evidence
from marketplace.parties.roles import SEES_EVERYTHING, Role

FIGURES_ROWS_MAX = 50_000
# The centre counts what is given free; statement and evidence are for the two sides.
COUNTS = (*SEES_EVERYTHING, Role.EVALUATOR, Role.VOUCHER_OFFICER)


@dataclass(frozen=True, slots=True)
class FreeUse:
    """A request: for what, what it would have cost, what was found and decided, what was served."""

    id: int
    quote_id: int
    buyer_id: int
    provider_id: int
    instrument_id: int
    purpose: str
    statement: str
    list_value_fen: int
    status: str
    asked_by: int
    asked_at: datetime
    examined_by: int | None
    examined_at: datetime | None
    finding: str | None
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    served_on: date | None
    served_minutes: int | None
    served_samples: int | None
    served_value_fen: int | None


@dataclass(frozen=True, slots=True)
class FreeUseEvidence:
    """A file that shows the purpose."""

    id: int
    free_use_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    storage_key: str
    stored_by: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class FreeUseSearch:
    """Which requests."""

    status: str | None = None
    purpose: str | None = None
    instrument_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class FreeUsePage:
    """One page of requests, newest first."""

    rows: list[FreeUse]
    total: int
    page: int
    page_size: int


def free_use_columns() -> Select[Any]:
    """Every column that a `FreeUse` has."""
    return select(*(free_use.c[name] for name in FreeUse.__dataclass_fields__))


async def free_use_by_id(tx: Tx, free_use_id: int) -> FreeUse:
    """A request of the caller's organisation, as buyer or provider.

    Raises:
        FreeUseMissing: when there is none, or it is between others.
    """
    return await tx.one(
        FreeUse,
        free_use_columns().where(free_use.c.id == free_use_id, _between(tx)),
        missing=FreeUseMissing,
    )


async def free_uses(tx: Tx, search: FreeUseSearch) -> FreeUsePage:
    """The requests that the caller's organisation made or received."""
    table = free_use.c
    wanted = [_between(tx)]
    for column, value in (
        (table.status, search.status),
        (table.purpose, search.purpose),
        (table.instrument_id, search.instrument_id),
    ):
        if value is not None:
            wanted.append(column == value)
    total = await tx.scalar(select(func.count()).select_from(free_use).where(*wanted))
    rows = await tx.all(
        FreeUse,
        free_use_columns()
        .where(*wanted)
        .order_by(table.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return FreeUsePage(rows, int(total), search.page, search.page_size)


def _between(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has("system", Role.AUDITOR):
        return true()
    table, mine = free_use.c, tx.actor.organisation_id
    return or_(table.buyer_id == mine, table.provider_id == mine)


async def evidence_of(tx: Tx, free_use_id: int) -> list[FreeUseEvidence]:
    """The files of a request, in the order in which they came.

    Raises:
        FreeUseMissing: when there is no such request, or it is between others.
    """
    await free_use_by_id(tx, free_use_id)
    return await tx.all(
        FreeUseEvidence,
        select(*(free_use_evidence.c[name] for name in FreeUseEvidence.__dataclass_fields__))
        .where(free_use_evidence.c.free_use_id == free_use_id)
        .order_by(free_use_evidence.c.id),
    )


async def kept_evidence(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of some files of the store are evidence."""
    column = free_use_evidence.c.storage_key
    return await tx.scalars(select(column).distinct().where(column.in_(keys)))


@dataclass(frozen=True, slots=True)
class FiguresAsked:
    """What was given free of charge in a year; of one provider or all that the caller may see."""

    year: int
    provider_id: int | None = None
    purpose: str | None = None
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class FreeUseFigure:
    """What one provider gave free of charge for one purpose in a year."""

    year: int
    provider_id: int
    purpose: str
    orders: int
    minutes: int
    samples: int
    value_fen: int


@dataclass(frozen=True, slots=True)
class FreeUseFigures:
    """One page of figures, and what all pages come to."""

    rows: list[FreeUseFigure]
    total: int
    orders: int
    minutes: int
    samples: int
    value_fen: int
    page: int
    page_size: int


async def free_use_figures(tx: Tx, asked: FiguresAsked) -> FreeUseFigures:
    """Free hours and values by purpose and provider, by the day of settlement.

    A provider sees its own; the centre and those who check see all.
    Policy: N.25a, H.14
    """
    table = free_use.c
    wanted: list[ColumnElement[bool]] = [
        table.served_on.between(date(asked.year, 1, 1), date(asked.year, 12, 31)),
    ]
    if not tx.actor.has("system", *COUNTS):
        wanted.append(table.provider_id == tx.actor.organisation_id)
    if asked.provider_id is not None:
        wanted.append(table.provider_id == asked.provider_id)
    if asked.purpose is not None:
        wanted.append(table.purpose == asked.purpose)
    sums = [
        func.count().cast(BigInteger).label("orders"),
        *(
            func.coalesce(func.sum(table[f"served_{name}"]), 0).cast(BigInteger).label(name)
            for name in ("minutes", "samples", "value_fen")
        ),
    ]
    whole = (await tx.execute(select(*sums).where(*wanted))).one()
    groups = (
        select(table.provider_id, table.purpose, *sums)
        .where(*wanted)
        .group_by(table.provider_id, table.purpose)
        .subquery()
    )
    total = await tx.scalar(select(func.count()).select_from(groups))
    found = await tx.execute(
        select(groups)
        .order_by(groups.c.provider_id, groups.c.purpose)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size)
    )
    return FreeUseFigures(
        rows=[FreeUseFigure(year=asked.year, **row) for row in found.mappings()],
        total=int(total),
        orders=whole.orders,
        minutes=whole.minutes,
        samples=whole.samples,
        value_fen=whole.value_fen,
        page=asked.page,
        page_size=asked.page_size,
    )
