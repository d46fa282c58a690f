"""Calendars outside the platform, the busy times in them, and what they are in the way of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true

from marketplace.booking.errors import SourceMissing, SourceOfOtherKind
from marketplace.booking.queries.reservations import as_range
from marketplace.booking.rules.busy_sources import STALE_AFTER, SourceKind, is_stale
from marketplace.booking.rules.states import LIVE, Status
from marketplace.booking.tables import booking_rule, outside_busy, reservation
from marketplace.booking.tables import busy_source as table
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class Source:
    """A calendar in which an instrument is busy elsewhere, and how its last fetch went.

    `problems` are what was wrong with the file, each with its line.
    """

    id: int
    instrument_id: int
    provider_id: int
    kind: SourceKind
    name: str
    url: str | None
    due_at: datetime | None
    attempt: int
    tried_at: datetime | None
    fetched_at: datetime | None
    landed_at: datetime | None
    failed_at: datetime | None
    failures: int
    error: str | None
    problems: list[dict[str, Any]]
    paused: bool
    made_at: datetime
    changed_at: datetime
    times: int
    stale: bool


@dataclass(frozen=True, slots=True)
class SourceSearch:
    """Which outside calendars of one's own instruments to list."""

    instrument_id: int | None = None
    kind: SourceKind | None = None
    stale: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One page of outside calendars, the newest first, and how many there are in all."""

    sources: list[Source]
    total: int


@dataclass(frozen=True, slots=True)
class BusyTime:
    """A time in which an instrument is busy elsewhere."""

    source_id: int
    instrument_id: int
    uid: str
    recurrence_id: str
    starts_at: datetime
    ends_at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class TimesAsked:
    """The busy times of one outside calendar that touch a period."""

    source_id: int
    during: During | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class TimesPage:
    """One page of busy times in order, and how many there are in all."""

    times: list[BusyTime]
    total: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A reservation that stands, and a time outside the platform that is in its way."""

    source_id: int
    source_name: str
    instrument_id: int
    uid: str
    summary: str
    busy_starts_at: datetime
    busy_ends_at: datetime
    reservation_id: int
    reserved_instrument_id: int
    organisation_id: int
    order_id: int | None
    status: Status
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ConflictSearch:
    """Which conflicts on one's own instruments to list."""

    instrument_id: int | None = None
    source_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """One page of conflicts in order of the reservations, and how many there are in all."""

    conflicts: list[Conflict]
    total: int


_DERIVED = ("times", "stale")


def source_select() -> Select[Any]:
    """Every column of a `Source`."""
    counted = (
        select(func.count())
        .select_from(outside_busy)
        .where(outside_busy.c.source_id == table.c.id)
        .scalar_subquery()
    )
    kept = [name for name in Source.__dataclass_fields__ if name not in _DERIVED]
    return select(*(table.c[name] for name in kept), counted.label("times"))


def made_source(at: datetime) -> Any:
    """How a row of `source_select` becomes a `Source` at a moment."""

    def made(**row: Any) -> Source:
        kind = SourceKind(row["kind"])
        return Source(**{**row, "kind": kind}, stale=is_stale(kind, row["fetched_at"], at=at))

    return made


def _own(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has("system"):
        return true()
    return table.c.provider_id == tx.actor.organisation_id


async def sources(tx: Tx, search: SourceSearch) -> SourcePage:
    """Outside calendars of the actor's own instruments."""
    wanted = [_own(tx)]
    if search.instrument_id is not None:
        wanted.append(table.c.instrument_id == search.instrument_id)
    if search.kind is not None:
        wanted.append(table.c.kind == search.kind)
    if search.stale is not None:
        since = tx.now - STALE_AFTER
        stale = and_(
            table.c.kind == SourceKind.URL, func.coalesce(table.c.fetched_at < since, True)
        )
        wanted.append(stale if search.stale else ~stale)
    found = await tx.all(
        made_source(tx.now),
        source_select()
        .where(*wanted)
        .order_by(table.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(table).where(*wanted))
    return SourcePage(found, total)


async def own_source(tx: Tx, source_id: int) -> Source:
    """An outside calendar of one of the actor's own instruments.

    Raises:
        SourceMissing: when there is none.
    """
    return await tx.one(
        made_source(tx.now),
        source_select().where(table.c.id == source_id, _own(tx)),
        missing=SourceMissing,
    )


async def upload_source(tx: Tx, source_id: int) -> Source:
    """`own_source`, if its times are uploaded: asked before a file is read at all.

    Raises:
        SourceMissing: when there is none.
        SourceOfOtherKind: when its times are fetched or pushed.
    """
    source = await own_source(tx, source_id)
    require_kind(source, SourceKind.UPLOAD)
    return source


def require_kind(source: Source, kind: SourceKind) -> None:
    """Nothing, when a source gets its times as asked.

    Raises:
        SourceOfOtherKind: otherwise.
    """
    if source.kind is not kind:
        raise SourceOfOtherKind(
            f"This one is of the kind {source.kind}; add another of the kind {kind}.",
            kind=source.kind.value,
        )


async def locked_source(tx: Tx, source_id: int) -> Source:
    """`own_source`, its row locked: one landing at a time.

    Raises:
        SourceMissing: when there is none.
    """
    return await tx.one(
        made_source(tx.now),
        source_select().where(table.c.id == source_id, _own(tx)).with_for_update(of=table),
        missing=SourceMissing,
    )


async def busy_times(tx: Tx, asked: TimesAsked) -> TimesPage:
    """The busy times of an outside calendar of one's own, in order.

    Raises:
        SourceMissing: when there is none.
    """
    await own_source(tx, asked.source_id)
    c = outside_busy.c
    wanted = [c.source_id == asked.source_id]
    if asked.during is not None:
        wanted.append(c.during.op("&&", is_comparison=True)(as_range(asked.during)))
    begins = func.lower(c.during)
    found = await tx.all(
        BusyTime,
        select(
            c.source_id,
            c.instrument_id,
            c.uid,
            c.recurrence_id,
            begins.label("starts_at"),
            func.upper(c.during).label("ends_at"),
            c.summary,
        )
        .where(*wanted)
        .order_by(begins, c.uid, c.recurrence_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(outside_busy).where(*wanted))
    return TimesPage(found, total)


def _made_conflict(**row: Any) -> Conflict:
    return Conflict(**{**row, "status": Status(row["status"])})


async def conflicts(tx: Tx, search: ConflictSearch) -> ConflictPage:
    """Reservations to come on one's own instruments that an outside time is in the way of.

    Nothing is cancelled by itself: staff talk to the customer, or to their colleague.
    """
    busy, r, rule = outside_busy.c, reservation.c, booking_rule.c
    joined = (
        outside_busy.join(table, table.c.id == busy.source_id)
        .outerjoin(booking_rule, rule.instrument_id == busy.instrument_id)
        .join(
            reservation,
            and_(
                r.calendar_id == func.coalesce(rule.calendar_id, busy.instrument_id),
                r.status.in_(sorted(LIVE)),
                r.during.op("&&", is_comparison=True)(busy.during),
            ),
        )
    )
    wanted = [_own(tx), func.upper(r.during) > tx.now]
    if search.instrument_id is not None:
        wanted.append(busy.instrument_id == search.instrument_id)
    if search.source_id is not None:
        wanted.append(busy.source_id == search.source_id)
    begins = func.lower(r.during)
    found = await tx.all(
        _made_conflict,
        select(
            busy.source_id,
            table.c.name.label("source_name"),
            busy.instrument_id,
            busy.uid,
            busy.summary,
            func.lower(busy.during).label("busy_starts_at"),
            func.upper(busy.during).label("busy_ends_at"),
            r.id.label("reservation_id"),
            r.instrument_id.label("reserved_instrument_id"),
            r.organisation_id,
            r.order_id,
            r.status,
            begins.label("starts_at"),
            func.upper(r.during).label("ends_at"),
        )
        .select_from(joined)
        .where(*wanted)
        .order_by(begins, r.id, busy.source_id, busy.uid, busy.recurrence_id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(joined).where(*wanted))
    return ConflictPage(found, total)
