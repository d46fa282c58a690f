"""Calendar feeds: which there are, and what one shows to whoever knows its address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update

from marketplace.booking.errors import FeedMissing
from marketplace.booking.queries.reservations import as_range, visible_reservation
from marketplace.booking.rules.ical import (
    EVENTS_MAX,
    CalendarEvent,
    ClosedTime,
    FeedKind,
    Reader,
    ReservedTime,
    closure_event,
    reservation_event,
    shown_from,
)
from marketplace.booking.rules.states import LIVE, Purpose, Status
from marketplace.booking.tables import booking_rule
from marketplace.booking.tables import calendar_feed as table
from marketplace.booking.tables import reservation as reserved
from marketplace.catalogue.queries import Instrument, closures, instruments
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.parties.queries import names_of_people, organisations, person_with_places
from marketplace.parties.roles import Role

STAFF = frozenset({Role.TECHNICIAN, Role.PROVIDER_MANAGER})
# Who keeps an organisation sees its members' feeds, and may revoke them.
KEEPERS = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)
# A reservation that begins earlier than this before a period does not reach into it.
_LONGEST = timedelta(days=62)
_READ_NOTED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar that is read by a secret address: whose eyes it sees with, and of what."""

    id: int
    kind: FeedKind
    organisation_id: int
    person_id: int
    instrument_id: int | None
    name: str
    made_at: datetime
    rotated_at: datetime | None
    read_at: datetime | None
    revoked_at: datetime | None
    revoked_by: int | None


@dataclass(frozen=True, slots=True)
class FeedSearch:
    """Which feeds to list: one's own, or all of one's organisation for those who keep it."""

    kind: FeedKind | None = None
    instrument_id: int | None = None
    whole_organisation: bool = False
    revoked: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of feeds, the newest first, and how many there are in all."""

    feeds: list[Feed]
    total: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a feed shows at this moment."""

    name: str
    events: tuple[CalendarEvent, ...]
    note: str = ""

    @property
    def etag(self) -> str:
        """Says whether anything in it changed, without writing the file."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class FeedAsked:
    """The secret in an address, and the host that events are named after."""

    secret: str
    host: str


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def made_feed(**row: Any) -> Feed:
    """A `Feed` from a row."""
    return Feed(**{**row, "kind": FeedKind(row["kind"])})


def feed_select() -> Select[Any]:
    """Every column of a `Feed`; the digest of its secret is none."""
    return select(*(table.c[name] for name in Feed.__dataclass_fields__))


async def feeds(tx: Tx, search: FeedSearch) -> FeedPage:
    """Feeds of the actor, or of the organisation that the actor keeps; the newest first."""
    wanted = [table.c.organisation_id == tx.actor.organisation_id]
    if not (search.whole_organisation and tx.actor.has(*KEEPERS)):
        wanted.append(table.c.person_id == tx.actor.person_id)
    if search.kind is not None:
        wanted.append(table.c.kind == search.kind)
    if search.instrument_id is not None:
        wanted.append(table.c.instrument_id == search.instrument_id)
    if not search.revoked:
        wanted.append(table.c.revoked_at.is_(None))
    found = await tx.all(
        made_feed,
        feed_select()
        .where(*wanted)
        .order_by(table.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return FeedPage(found, await tx.scalar(select(func.count()).select_from(table).where(*wanted)))


async def locked_feed(tx: Tx, feed_id: int) -> Feed:
    """A feed that the actor made, or one of the organisation that the actor keeps; row locked.

    Raises:
        FeedMissing: when there is none for the actor.
    """
    mine = table.c.person_id == tx.actor.person_id
    if tx.actor.has(*KEEPERS):
        mine = or_(mine, table.c.organisation_id == tx.actor.organisation_id)
    return await tx.one(
        made_feed,
        feed_select()
        .where(table.c.id == feed_id, table.c.organisation_id == tx.actor.organisation_id, mine)
        .with_for_update(),
        missing=FeedMissing,
    )


async def contents_by_secret(tx: Tx, asked: FeedAsked) -> Contents:
    """What the feed with this secret shows now.

    Raises:
        FeedMissing: when there is none, it was revoked, or who made it has left.
    """
    feed = await tx.one(
        made_feed,
        feed_select().where(
            table.c.secret_sha256 == secret_digest(asked.secret), table.c.revoked_at.is_(None)
        ),
        missing=FeedMissing,
    )
    await _require_still_there(tx, feed)
    await _note_read(tx, feed)
    return await contents(tx, feed, host=asked.host)


async def _require_still_there(tx: Tx, feed: Feed) -> None:
    """An address outlives nobody's place in the organisation."""
    found = await person_with_places(tx, feed.person_id)
    roles = {
        role
        for place in found.places
        if place.organisation.id == feed.organisation_id and not place.organisation.suspended_at
        for role in place.roles
    }
    needed = bool(roles & STAFF) if feed.kind is FeedKind.PROVIDER else bool(roles)
    if found.person.disabled_at is not None or not needed:
        raise FeedMissing()


async def _note_read(tx: Tx, feed: Feed) -> None:
    if feed.read_at is None or feed.read_at < tx.now - _READ_NOTED:
        await tx.execute(update(table).where(table.c.id == feed.id).values(read_at=tx.now))


async def contents(tx: Tx, feed: Feed, *, host: str) -> Contents:
    """What `feed` shows now. At most seven statements, however much it is.

    Raises:
        FeedMissing: when its instrument is not to be seen any more.
    """
    shown = shown_from(tx.now)
    reader = Reader(feed.kind, feed.organisation_id, feed.person_id)
    events: list[CalendarEvent] = []
    if feed.instrument_id is not None:
        found = (await instruments(tx, [feed.instrument_id]))[feed.instrument_id]
        if not found.is_listed and found.provider_id != feed.organisation_id:
            raise FeedMissing()
        machine = await _same_machine(tx, found.id)
        wanted: ColumnElement[bool] = reserved.c.instrument_id.in_(machine)
        events += [
            closure_event(
                ClosedTime(each.id, each.starts_at, each.ends_at, each.reason),
                made_at=each.made_at,
                host=host,
            )
            for each in (await closures(tx, machine, shown))[:EVENTS_MAX]
        ]
    elif feed.kind is FeedKind.PROVIDER:
        wanted = reserved.c.provider_id == feed.organisation_id
    else:
        wanted = or_(
            and_(
                reserved.c.person_id == feed.person_id,
                reserved.c.organisation_id == feed.organisation_id,
            ),
            and_(
                reserved.c.operator_id == feed.person_id,
                reserved.c.provider_id == feed.organisation_id,
            ),
        )
    times = await tx.all(_made_time, _times(tx, wanted, shown))
    named = await with_names(tx, times[:EVENTS_MAX])
    events += [reservation_event(each, reader, host=host) for each in named]
    note = ""
    if len(times) > EVENTS_MAX:
        note = f"只显示最近的 {EVENTS_MAX} 条 Shows the nearest {EVENTS_MAX} events only."
    return Contents(
        feed.name, tuple(sorted(events, key=lambda each: (each.during, each.uid))), note
    )


async def _same_machine(tx: Tx, instrument_id: int) -> list[int]:
    """Every instrument that is reserved in the same calendar: what one takes, the others lack."""
    rule = booking_rule.c
    calendar_id = await tx.scalar(
        select(rule.calendar_id).where(rule.instrument_id == instrument_id)
    )
    shared = calendar_id or instrument_id
    others = await tx.scalars(select(rule.instrument_id).where(rule.calendar_id == shared))
    return sorted({instrument_id, shared, *others})


_NAMES = ("instrument", "place", "organisation", "person", "operator")
_FIELDS = tuple(name for name in ReservedTime.__dataclass_fields__ if name not in _NAMES)
_COLUMNS = tuple(name for name in _FIELDS if name not in ("starts_at", "ends_at"))


def _times(tx: Tx, wanted: ColumnElement[bool], shown: During) -> Select[Any]:
    """Reservations in a period, what is ahead first; those given up for as long as they show."""
    c = reserved.c
    begins, over = func.lower(c.during), func.upper(c.during) < tx.now
    kept = [*LIVE, Status.USED]
    return (
        select(
            *(c[name] for name in _COLUMNS),
            begins.label("starts_at"),
            func.upper(c.during).label("ends_at"),
        )
        .where(
            wanted,
            begins >= shown.starts_at - _LONGEST,
            begins < shown.ends_at,
            c.during.op("&&", is_comparison=True)(as_range(shown)),
            or_(c.status.in_(kept), c.changed_at >= shown.starts_at),
        )
        .order_by(over, case((~over, begins)), begins.desc(), c.id)
        .limit(EVENTS_MAX + 1)
    )


def _made_time(**row: Any) -> ReservedTime:
    return ReservedTime(
        **{**row, "status": Status(row["status"]), "purpose": Purpose(row["purpose"])}
    )


async def with_names(tx: Tx, times: Sequence[ReservedTime]) -> list[ReservedTime]:
    """`times` with the names that belong to them, in three questions for any number."""
    machines = await instruments(tx, {each.instrument_id for each in times})
    owners = await organisations(tx, {each.organisation_id for each in times})
    people = await names_of_people(
        tx,
        {each.person_id for each in times}
        | {each.operator_id for each in times if each.operator_id is not None},
    )
    found = []
    for each in times:
        machine = machines[each.instrument_id]
        found.append(
            replace(
                each,
                instrument=machine.cname,
                place=_place(machine),
                organisation=owners[each.organisation_id].name,
                person=people.get(each.person_id, ""),
                operator=people.get(each.operator_id or 0, ""),
            )
        )
    return found


def _place(machine: Instrument) -> str:
    parts = (machine.province, machine.city, machine.county, machine.street, machine.department)
    return "".join(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class ReservationFileAsked:
    """One reservation as a file, and the host that events are named after."""

    reservation_id: int
    host: str


@dataclass(frozen=True, slots=True)
class ReservationFile:
    """One event, its calendar's name, and the address of who publishes it."""

    name: str
    event: CalendarEvent
    organiser: str


async def reservation_file(tx: Tx, asked: ReservationFileAsked) -> ReservationFile:
    """A reservation that the actor may see, to be taken over into a calendar of their own.

    Raises:
        Missing: when there is none for the actor.
    """
    found = await visible_reservation(tx, asked.reservation_id)
    time = ReservedTime(**{name: getattr(found, name) for name in _FIELDS})
    (named,) = await with_names(tx, [time])
    machine = (await instruments(tx, [found.instrument_id]))[found.instrument_id]
    # Whoever may see it at all may see whose it is, auditors too.
    reader = Reader(FeedKind.PERSON, found.organisation_id, tx.actor.person_id)
    return ReservationFile(
        name=machine.cname,
        event=reservation_event(named, reader, host=asked.host),
        organiser=machine.email or f"no-reply@{asked.host}",
    )
