"""Starring instruments, keeping searches, and looking through them for what newly fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.orders.queries.saved import SavedSearch, fitting, own_search
from marketplace.orders.saved_errors import SavedSearchMissing, SavedSearchUnclear, TooManySaved
from marketplace.orders.tables import favourite, saved_search, saved_search_find

FAVOURITES_MAX = 500
SEARCHES_MAX = 50
WINDOW_DAYS_MAX = 60


@dataclass(frozen=True, slots=True)
class MarkInstrument:
    """Star an instrument, or take the star away."""

    instrument_id: int
    marked: bool = True


async def mark_instrument(tx: Tx, command: MarkInstrument) -> None:
    """Star an instrument for the actor; starring it twice is once.

    Raises:
        InstrumentMissing: when there is none for the actor.
        TooManySaved: when the actor keeps as many as one may.
    """
    found = await catalogue.visible_instrument(tx, command.instrument_id)
    person, organisation = tx.actor.person_id, tx.actor.organisation_id
    mine = (favourite.c.person_id == person, favourite.c.organisation_id == organisation)
    if not command.marked:
        await tx.execute(delete(favourite).where(*mine, favourite.c.instrument_id == found.id))
        return
    kept = await tx.scalar(select(func.count()).select_from(favourite).where(*mine))
    if kept >= FAVOURITES_MAX:
        raise TooManySaved(
            f"You starred {kept} instruments; take some away first.", limit=FAVOURITES_MAX
        )
    await tx.execute(
        upsert(favourite)
        .values(
            person_id=person,
            organisation_id=organisation,
            instrument_id=found.id,
            marked_at=tx.now,
        )
        .on_conflict_do_nothing()
    )


@dataclass(frozen=True, slots=True)
class SaveSearch:
    """Keep a search under a name; with days, only what is free in them for so long fits."""

    name: str
    words: str = ""
    category: str = ""
    region: str = ""
    free_from: date | None = None
    free_until: date | None = None
    minutes: int | None = None


async def save_search(tx: Tx, command: SaveSearch) -> SavedSearch:
    """Keep a search; what fits already is not new.

    Raises:
        SavedSearchUnclear: for days without an end or a length, past ones, or too many.
        TooManySaved: when the actor keeps as many as one may.
    """
    _require_clear(command, tx.today)
    person, organisation = tx.actor.person_id, tx.actor.organisation_id
    kept = await tx.scalar(
        select(func.count())
        .select_from(saved_search)
        .where(saved_search.c.person_id == person, saved_search.c.organisation_id == organisation)
    )
    if kept >= SEARCHES_MAX:
        raise TooManySaved(f"You keep {kept} searches; remove one first.", limit=SEARCHES_MAX)
    made = await tx.one(
        SavedSearch,
        insert(saved_search)
        .values(
            person_id=person,
            organisation_id=organisation,
            name=command.name,
            words=command.words,
            category=command.category,
            region=command.region,
            free_from=command.free_from,
            free_until=command.free_until,
            minutes=command.minutes,
            made_at=tx.now,
            looked_at=tx.now,
        )
        .returning(*(saved_search.c[name] for name in SavedSearch.__dataclass_fields__)),
    )
    await _note_found(tx, made, await fitting(tx, made), seen=True)
    return made


def _require_clear(command: SaveSearch, today: date) -> None:
    given = [command.free_from, command.free_until, command.minutes]
    if all(each is None for each in given):
        return
    if command.free_from is None or command.free_until is None or command.minutes is None:
        raise SavedSearchUnclear("Give the first day, the last day and the length together.")
    if command.free_until < max(today, command.free_from):
        raise SavedSearchUnclear("The last day is to come, and not before the first.")
    if (command.free_until - command.free_from).days > WINDOW_DAYS_MAX:
        raise SavedSearchUnclear(
            f"A search looks at {WINDOW_DAYS_MAX} days at most.", limit=WINDOW_DAYS_MAX
        )


@dataclass(frozen=True, slots=True)
class OfSearch:
    """One saved search."""

    search_id: int


async def see_finds(tx: Tx, command: OfSearch) -> SavedSearch:
    """What a search found is not new any more.

    Raises:
        SavedSearchMissing: when it is not the actor's.
    """
    found = await own_search(tx, command.search_id, lock=True)
    table = saved_search_find
    await tx.execute(
        update(table)
        .where(table.c.search_id == found.id, table.c.seen_at.is_(None))
        .values(seen_at=tx.now)
    )
    return found


async def remove_search(tx: Tx, command: OfSearch) -> SavedSearch:
    """Keep a search no longer.

    Raises:
        SavedSearchMissing: when it is not the actor's.
    """
    found = await own_search(tx, command.search_id, lock=True)
    await tx.execute(delete(saved_search).where(saved_search.c.id == found.id))
    return found


async def look_again(tx: Tx, command: OfSearch) -> int:
    """Look through a search: what newly fits, or fits again, is noted; how much that is.

    A slot that frees makes an instrument fit again.

    Raises:
        SavedSearchMissing: when it was removed meanwhile.
    """
    found = await tx.one(
        SavedSearch,
        select(*(saved_search.c[name] for name in SavedSearch.__dataclass_fields__))
        .where(saved_search.c.id == command.search_id)
        .with_for_update(),
        missing=SavedSearchMissing,
    )
    fits = await fitting(tx, found)
    table = saved_search_find
    await tx.execute(
        update(table)
        .where(
            table.c.search_id == found.id,
            table.c.gone_at.is_(None),
            table.c.instrument_id.not_in(fits),
        )
        .values(gone_at=tx.now)
    )
    await tx.execute(
        update(saved_search).where(saved_search.c.id == found.id).values(looked_at=tx.now)
    )
    return await _note_found(tx, found, fits, seen=False)


async def _note_found(tx: Tx, search: SavedSearch, fits: set[int], *, seen: bool) -> int:
    if not fits:
        return 0
    table = saved_search_find
    seen_at = tx.now if seen else None
    written = upsert(table).values(
        [
            {"search_id": search.id, "instrument_id": each, "found_at": tx.now, "seen_at": seen_at}
            for each in sorted(fits)
        ]
    )
    noted = await tx.execute(
        written.on_conflict_do_update(
            index_elements=[table.c.search_id, table.c.instrument_id],
            set_={"found_at": tx.now, "seen_at": None, "gone_at": None},
            where=table.c.gone_at.is_not(None),
        ).returning(table.c.instrument_id)
    )
    return len(noted.all())
