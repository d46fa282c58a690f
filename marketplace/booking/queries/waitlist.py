"""Who waits for which time, and what stands in the way of offering it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, true, tuple_

from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.rules.waiting import OPEN, EntryStatus, Wish
from marketplace.booking.tables import reservation
from marketplace.booking.tables import waitlist_entry as table
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Entry:
    """A wish in a waiting list: whose, for what, and how it stands."""

    id: int
    instrument_id: int
    provider_id: int
    organisation_id: int
    person_id: int
    user_class: UserClass
    purpose: Purpose
    starts_at: datetime
    ends_at: datetime
    minutes: int
    weekdays: tuple[int, ...]
    earliest_minute: int
    latest_minute: int
    status: EntryStatus
    offers_lapsed: int
    reservation_id: int | None
    made_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    ended_because: str | None

    @property
    def wish(self) -> Wish:
        """What would do."""
        return Wish(
            During(self.starts_at, self.ends_at),
            self.minutes,
            self.weekdays,
            self.earliest_minute,
            self.latest_minute,
        )

    @property
    def is_ordered(self) -> bool:
        """Whether the time is taken by an order; else the provider's own people just take it."""
        return self.organisation_id != self.provider_id


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry with its place in the list of its instrument, or the time that is offered to it."""

    entry: Entry
    position: int | None
    offered_from: datetime | None
    offered_until: datetime | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class WaitlistSearch:
    """Which entries to list; what is left out does not restrict. `mine`: only the caller's own."""

    status: EntryStatus | None = None
    instrument_id: int | None = None
    mine: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class WaitlistPage:
    """One page of entries, in the order in which they are served, and how many there are."""

    entries: list[ListedEntry]
    total: int


def made_entry(**row: Any) -> Entry:
    """An `Entry` from a row of `entry_select`."""
    return Entry(
        **{
            **row,
            "user_class": UserClass(row["user_class"]),
            "purpose": Purpose(row["purpose"]),
            "status": EntryStatus(row["status"]),
            "weekdays": tuple(row["weekdays"]),
        }
    )


_ENTRY = tuple(Entry.__dataclass_fields__)


def entry_columns() -> list[Any]:
    """Every column of an `Entry`."""
    derived = {
        "starts_at": func.lower(table.c.during).label("starts_at"),
        "ends_at": func.upper(table.c.during).label("ends_at"),
    }
    return [derived[name] if name in derived else table.c[name] for name in _ENTRY]


def entry_select() -> Select[Any]:
    return select(*entry_columns())


async def waitlist(tx: Tx, search: WaitlistSearch) -> WaitlistPage:
    """The entries that the actor may see, in the order in which they are served."""
    wanted = and_(*_filters(tx, search))
    total = await tx.scalar(select(func.count()).select_from(table).where(wanted))
    page = await tx.all(
        _listed,
        _listing()
        .where(wanted)
        .order_by(table.c.made_at, table.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return WaitlistPage(page, total)


async def visible_entry(tx: Tx, entry_id: int) -> ListedEntry:
    """An entry of the actor's organisation, or for an instrument of it.

    Raises:
        Missing: also when it belongs to others: the two look the same.
    """
    found = await tx.first(_listed, _listing().where(table.c.id == entry_id, _visible(tx)))
    if found is None:
        raise Missing("There is no such entry in a waiting list.")
    return found


async def locked_entry(tx: Tx, entry_id: int) -> Entry:
    """An entry, its row locked until the transaction ends.

    Raises:
        Missing: when there is none.
    """
    return await tx.one(made_entry, entry_select().where(table.c.id == entry_id).with_for_update())


def _listing() -> Select[Any]:
    ahead = table.alias("ahead")
    position = (
        select(func.count() + 1)
        .where(
            table.c.status == EntryStatus.WAITING,
            ahead.c.instrument_id == table.c.instrument_id,
            ahead.c.status == EntryStatus.WAITING,
            tuple_(ahead.c.made_at, ahead.c.id) < tuple_(table.c.made_at, table.c.id),
        )
        .correlate(table)
        .scalar_subquery()
    )
    offered = and_(
        reservation.c.id == table.c.reservation_id, table.c.status == EntryStatus.OFFERED
    )
    return select(
        *entry_columns(),
        position.label("position"),
        func.lower(reservation.c.during).label("offered_from"),
        func.upper(reservation.c.during).label("offered_until"),
        reservation.c.held_until,
    ).outerjoin_from(table, reservation, offered)


def _listed(**row: Any) -> ListedEntry:
    rest = {name: row.pop(name) for name in ("offered_from", "offered_until", "held_until")}
    position = row.pop("position")
    entry = made_entry(**row)
    return ListedEntry(
        entry, position=position if entry.status is EntryStatus.WAITING else None, **rest
    )


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    mine = tx.actor.organisation_id
    return or_(table.c.organisation_id == mine, table.c.provider_id == mine)


def _filters(tx: Tx, search: WaitlistSearch) -> list[ColumnElement[bool]]:
    wanted = [_visible(tx)]
    if search.status is not None:
        wanted.append(table.c.status == search.status)
    if search.instrument_id is not None:
        wanted.append(table.c.instrument_id == search.instrument_id)
    if search.mine:
        wanted.append(table.c.person_id == tx.actor.person_id)
    return wanted


async def open_entries_of(tx: Tx, person_id: int) -> int:
    """How many open entries somebody has, no other join of theirs running meanwhile."""
    await tx.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:who, 0))"),
        {"who": f"waiting-person:{person_id}"},
    )
    counted: int = await tx.scalar(
        select(func.count())
        .select_from(table)
        .where(table.c.person_id == person_id, table.c.status.in_(OPEN))
    )
    return counted
