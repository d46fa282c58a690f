"""Programmes and what became of their budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ProgrammeMissing, ProgrammeVersionMissing
from marketplace.vouchers.queries.access import sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import (
    Listed,
    Programme,
    ProgrammeVersion,
    columns,
)
from marketplace.vouchers.rules.terms import Terms, terms_of

FIRST_VERSION = 1
"""The terms that a programme was approved with; later ones are rows of their own."""


@dataclass(frozen=True, slots=True)
class ProgrammeSearch:
    """Which programmes: of a year, in a state, which page."""

    year: int | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


def programme_select(on: date) -> Select[Any]:
    """Programmes with the terms in force on a day."""
    table, version = tables.programme, tables.programme_version
    of_table = [
        table.c[name] for name in Programme.__dataclass_fields__ if name not in {"terms", "version"}
    ]

    def in_force(column: ColumnElement[Any]) -> Any:
        return (
            select(column)
            .where(
                version.c.programme_id == table.c.id,
                version.c.status == "approved",
                version.c.starts_on <= on,
            )
            .order_by(version.c.starts_on.desc())
            .limit(1)
            .correlate(table)
            .scalar_subquery()
        )

    return select(
        *of_table,
        func.coalesce(in_force(version.c.terms), table.c.terms, type_=table.c.terms.type).label(
            "terms"
        ),
        func.coalesce(in_force(version.c.version), FIRST_VERSION).label("version"),
    )


async def programme(
    tx: Tx, programme_id: int, *, lock: bool = False, on: date | None = None
) -> Programme:
    """The programme with its terms of today, or of `on`, as the platform itself knows it.

    Raises:
        ProgrammeMissing: when there is none.
    """
    statement = programme_select(on or tx.today).where(tables.programme.c.id == programme_id)
    return await tx.one(
        Programme,
        statement.with_for_update(of=tables.programme) if lock else statement,
        missing=ProgrammeMissing,
    )


async def programme_named(tx: Tx, name: str) -> Programme:
    """The programme with this id, or the newest one made from a file of this code.

    Raises:
        ProgrammeMissing: when there is none.
    """
    table = tables.programme
    if name.isdecimal():
        return await programme(tx, min(int(name), 2**53 - 1))
    found = await tx.scalar(
        select(table.c.id)
        .where(table.c.code == name, table.c.code != "")
        .order_by(table.c.year.desc())
        .limit(1)
    )
    if found is None:
        raise ProgrammeMissing()
    return await programme(tx, found)


async def terms_of_version(tx: Tx, programme_id: int, version: int) -> Terms:
    """The terms of a version of a programme: what is held under it is settled by it.

    Raises:
        ProgrammeVersionMissing: when there is none.
    """
    table: Table = tables.programme
    statement = select(table.c.terms).where(table.c.id == programme_id)
    if version != FIRST_VERSION:
        table = tables.programme_version
        statement = select(table.c.terms).where(
            table.c.programme_id == programme_id, table.c.version == version
        )
    found = await tx.scalar(statement)
    if found is None:
        raise ProgrammeVersionMissing()
    return terms_of(found)


@dataclass(frozen=True, slots=True)
class VersionPair:
    """Two versions of a programme to compare."""

    programme_id: int
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class TermCompared:
    """A term that two versions say differently; None: a version that says nothing of it."""

    term: str
    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None


async def compare_versions(tx: Tx, pair: VersionPair) -> list[TermCompared]:
    """Every term that differs between two versions, by its name.

    Raises:
        ProgrammeVersionMissing: when there is no such version that the caller may see.
    """
    await visible_programme(tx, pair.programme_id)
    first = await _snapshot(tx, pair.programme_id, pair.first)
    second = await _snapshot(tx, pair.programme_id, pair.second)
    return [
        TermCompared(term, first.get(term), second.get(term))
        for term in sorted(first.keys() | second.keys())
        if first.get(term) != second.get(term)
    ]


async def _snapshot(tx: Tx, programme_id: int, version: int) -> Mapping[str, Any]:
    if version != FIRST_VERSION:
        return (await version_of(tx, programme_id, version)).terms
    table = tables.programme.c
    found: Mapping[str, Any] = await tx.scalar(select(table.terms).where(table.id == programme_id))
    return found


@dataclass(frozen=True, slots=True)
class NewestTerms:
    """What the next version changes."""

    version: int
    terms: Mapping[str, Any]
    starts_on: date


async def newest_terms(tx: Tx, of: Programme) -> NewestTerms:
    """The last approved terms of a programme, though they may not be in force yet."""
    table = tables.programme_version
    found = await tx.first(
        NewestTerms,
        select(table.c.version, table.c.terms, table.c.starts_on)
        .where(table.c.programme_id == of.id, table.c.status == "approved")
        .order_by(table.c.starts_on.desc())
        .limit(1),
    )
    return found or NewestTerms(of.version, of.terms, of.opens_on)


@dataclass(frozen=True, slots=True)
class VersionsAsked:
    """Which versions of a programme."""

    programme_id: int
    page: PageAsked = FIRST_PAGE


async def versions(tx: Tx, asked: VersionsAsked) -> Listed[ProgrammeVersion]:
    """The later versions of a programme, the newest first; drafts for the centre only."""
    await visible_programme(tx, asked.programme_id)
    table = tables.programme_version
    statement = select(*columns(ProgrammeVersion, table)).where(
        table.c.programme_id == asked.programme_id
    )
    if not sees_all(tx.actor):
        statement = statement.where(table.c.status == "approved")
    return await listed(tx, ProgrammeVersion, statement, table.c.id, asked.page)


async def version_of(
    tx: Tx, programme_id: int, version: int, *, lock: bool = False
) -> ProgrammeVersion:
    """A later version of a programme.

    Raises:
        ProgrammeVersionMissing: when there is none that the caller may see.
    """
    table = tables.programme_version
    statement = select(*columns(ProgrammeVersion, table)).where(
        table.c.programme_id == programme_id, table.c.version == version
    )
    found = await tx.one(
        ProgrammeVersion,
        statement.with_for_update() if lock else statement,
        missing=ProgrammeVersionMissing,
    )
    if found.status != "approved" and not sees_all(tx.actor):
        raise ProgrammeVersionMissing()
    return found


async def visible_programme(tx: Tx, programme_id: int) -> Programme:
    """The programme; a draft exists for the centre and the auditors only.

    Raises:
        ProgrammeMissing: when there is none that the caller may see.
    """
    found = await programme(tx, programme_id)
    if found.status == "draft" and not sees_all(tx.actor):
        raise ProgrammeMissing()
    return found


async def programmes(tx: Tx, search: ProgrammeSearch) -> Listed[Programme]:
    """Programmes, the newest first; drafts for the centre and the auditors only."""
    table = tables.programme
    statement = programme_select(tx.today)
    if not sees_all(tx.actor):
        statement = statement.where(table.c.status != "draft")
    if search.year is not None:
        statement = statement.where(table.c.year == search.year)
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, Programme, statement, table.c.id, search.page)
