"""Lists with a text to look for, filters and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.queries.access import CENTRE_ROLES
from marketplace.parties.queries.organisations import organisation
from marketplace.parties.queries.rows import Found, LegalEntity, Organisation, Person, columns
from marketplace.parties.roles import Role
from marketplace.parties.rules.identifiers import is_uscc, require_uscc

T = TypeVar("T")

SEARCHES_EVERYWHERE: frozenset[str] = CENTRE_ROLES | {Role.REGULATOR, "system"}


@dataclass(frozen=True, slots=True)
class Search:
    """A list asked for: the text to look for, the filters, the page."""

    text: str = ""
    kind: str | None = None
    region_code: str | None = None
    page: int = 1
    page_size: int = 50
    verified: bool | None = None
    """Of legal entities: whether somebody compared them with the public register."""


async def search_organisations(tx: Tx, search: Search) -> Found[Organisation]:
    """Organisations whose name contains the text, by name; a region takes in what it contains.

    Whoever has no work with everybody (a station agent) finds the SMEs of their own region.
    """
    table = tables.organisation
    where = [_contains(search.text, table.c.name, table.c.name_en)]
    if search.kind is not None:
        where.append(table.c.kind == search.kind)
    if search.region_code is not None:
        where.append(_within(table.c.region_code, search.region_code))
    if not tx.actor.has(*SEARCHES_EVERYWHERE):
        station = await organisation(tx, tx.actor.organisation_id)
        where += [table.c.kind == "sme", _within(table.c.region_code, station.region_code)]
    return await _page(
        tx, Organisation, select(*columns(Organisation, table)).where(*where), table, search
    )


async def search_legal_entities(tx: Tx, search: Search) -> Found[LegalEntity]:
    """Legal entities by code or by a part of the name."""
    table = tables.legal_entity
    if is_uscc(search.text):
        where = [table.c.uscc == require_uscc(search.text)]
    else:
        where = [_contains(search.text, table.c.name, table.c.name_en)]
    if search.kind is not None:
        where.append(table.c.kind == search.kind)
    if search.region_code is not None:
        where.append(_within(table.c.region_code, search.region_code))
    if search.verified is not None:
        seen = table.c.verified_at
        where.append(seen.is_not(None) if search.verified else seen.is_(None))
    return await _page(
        tx, LegalEntity, select(*columns(LegalEntity, table)).where(*where), table, search
    )


async def search_people(tx: Tx, search: Search) -> Found[Person]:
    """People by e-mail address or by a part of the name."""
    table = tables.person
    statement = select(*columns(Person, table)).where(
        or_(
            table.c.email == search.text.strip().lower(),
            _contains(search.text, table.c.name),
        )
    )
    return await _page(tx, Person, statement, table, search)


def _contains(text: str, *columns: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(column.icontains(text.strip(), autoescape=True) for column in columns))


def _within(column: ColumnElement[str], region_code: str) -> ColumnElement[bool]:
    # 320000 is a province and 320100 a city: trailing pairs of zeros stand for all below.
    prefix = region_code
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    return column.startswith(prefix, autoescape=True)


async def _page(
    tx: Tx, row_type: Callable[..., T], statement: Select[Any], table: Any, search: Search
) -> Found[T]:
    total = await tx.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await tx.all(
        row_type,
        statement.order_by(table.c.name, table.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return Found(rows, total)
