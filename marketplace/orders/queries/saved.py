"""What somebody keeps an eye on: starred instruments, saved searches, and what newly fits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_instant
from marketplace.orders.saved_errors import SavedSearchMissing
from marketplace.orders.tables import favourite, saved_search, saved_search_find

# Beyond this a search is too wide to be told what is new in it.
FINDS_MAX = 200


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that a person keeps; with days only what is free in them fits."""

    id: int
    person_id: int
    organisation_id: int
    name: str
    words: str
    category: str
    region: str
    free_from: date | None
    free_until: date | None
    minutes: int | None
    made_at: datetime
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Find:
    """An instrument that fits a saved search, and since when."""

    search_id: int
    instrument_id: int
    found_at: datetime
    seen_at: datetime | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptSearch:
    """A saved search with what fits it and was not seen yet."""

    search: SavedSearch
    new: list[Find]


@dataclass(frozen=True, slots=True)
class Favourite:
    """An instrument that somebody starred."""

    instrument_id: int
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class FavouriteList:
    """Which page of one's starred instruments."""

    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class FavouritePage:
    """One page of starred instruments, the latest first."""

    rows: list[Favourite]
    total: int


def _columns(row: Any, table: Any) -> Select[Any]:
    return select(*(table.c[name] for name in row.__dataclass_fields__))


def _mine(tx: Tx, table: Any) -> ColumnElement[bool]:
    return and_(
        table.c.person_id == tx.actor.person_id,
        table.c.organisation_id == tx.actor.organisation_id,
    )


async def favourites(tx: Tx, asked: FavouriteList) -> FavouritePage:
    """The instruments that the actor starred, the latest first."""
    mine = _mine(tx, favourite)
    rows = await tx.all(
        Favourite,
        _columns(Favourite, favourite)
        .where(mine)
        .order_by(favourite.c.marked_at.desc(), favourite.c.instrument_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(favourite).where(mine))
    return FavouritePage(rows, int(total))


async def favourites_among(tx: Tx, instrument_ids: Collection[int]) -> set[int]:
    """Those of the instruments that the actor starred."""
    found = await tx.scalars(
        select(favourite.c.instrument_id).where(
            _mine(tx, favourite), favourite.c.instrument_id.in_(instrument_ids)
        )
    )
    return set(found)


async def saved_searches(tx: Tx, _: None = None) -> list[KeptSearch]:
    """The actor's searches, the latest first, with what newly fits each."""
    kept = await tx.all(
        SavedSearch,
        _columns(SavedSearch, saved_search)
        .where(_mine(tx, saved_search))
        .order_by(saved_search.c.id.desc()),
    )
    finds = await tx.all(
        Find,
        _columns(Find, saved_search_find)
        .where(
            saved_search_find.c.search_id.in_([each.id for each in kept]),
            saved_search_find.c.seen_at.is_(None),
            saved_search_find.c.gone_at.is_(None),
        )
        .order_by(saved_search_find.c.found_at.desc(), saved_search_find.c.instrument_id),
    )
    return [
        KeptSearch(each, [find for find in finds if find.search_id == each.id]) for each in kept
    ]


async def own_search(tx: Tx, search_id: int, *, lock: bool = False) -> SavedSearch:
    """A search that the actor keeps.

    Raises:
        SavedSearchMissing: when there is none, or it is another person's.
    """
    asked = _columns(SavedSearch, saved_search).where(
        saved_search.c.id == search_id, _mine(tx, saved_search)
    )
    return await tx.one(
        SavedSearch, asked.with_for_update() if lock else asked, missing=SavedSearchMissing
    )


async def due_searches(tx: Tx, limit: int) -> Sequence[int]:
    """Searches that were not looked through for longest; those whose days are over are left."""
    return await tx.scalars(
        select(saved_search.c.id)
        .where((saved_search.c.free_until.is_(None)) | (saved_search.c.free_until >= tx.today))
        .order_by(saved_search.c.looked_at, saved_search.c.id)
        .limit(limit)
    )


async def fitting(tx: Tx, search: SavedSearch) -> set[int]:
    """The instruments that fit a search just now, the first `FINDS_MAX` of them."""
    found = await catalogue.search(
        tx,
        catalogue.InstrumentSearch(
            text=search.words,
            category=search.category,
            region=search.region,
            page_size=FINDS_MAX,
        ),
    )
    ids = [hit.id for hit in found.hits]
    if search.free_from is None or search.free_until is None or not ids:
        return set(ids)
    begins = max(shanghai_instant(search.free_from), tx.now)
    ends = shanghai_instant(search.free_until + timedelta(days=1))
    if begins >= ends:
        return set()
    free = booking.FreeIn(ids, During(begins, ends), minutes=search.minutes)
    return await booking.free_among(tx, free)
