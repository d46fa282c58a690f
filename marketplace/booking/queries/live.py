"""What open calendars are told: that something changed, where and when, and never who."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.booking import events
from marketplace.booking.events import OutsideTimesChanged, ReservationMoved
from marketplace.booking.tables import booking_rule
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.events import (
    InstrumentClosed,
    InstrumentListed,
    InstrumentReopened,
    InstrumentWithdrawn,
)
from marketplace.catalogue.queries import instruments, visible_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.events import Event
from marketplace.kernel.live import Change, Describer
from marketplace.parties.errors import OrganisationMissing

CALENDAR = "calendar"

# Everything that booking tells of a reservation concerns its provider, also what is added later.
_OF_RESERVATIONS = frozenset(
    each
    for each in vars(events).values()
    if isinstance(each, type)
    and issubclass(each, Event)
    and each is not Event
    and {"reservation_id", "instrument_id"} <= {field.name for field in fields(each)}
)
_OF_INSTRUMENTS = frozenset[type[Event]](
    {
        InstrumentClosed,
        InstrumentListed,
        InstrumentReopened,
        InstrumentWithdrawn,
        OutsideTimesChanged,
    }
)
# What the public is told: what changes free time, and nothing else.
_PUBLIC_KINDS = {
    "ReservationPlaced": "reserved",
    "ReservationConfirmed": "reserved",
    "ReservationMoved": "moved",
    "ReservationCancelled": "freed",
    "ReservationRejected": "freed",
    "ReservationExpired": "freed",
    "ReservationNoShow": "freed",
    "SessionClosed": "freed",
    "SlotOffered": "reserved",
    "OfferDeclined": "freed",
    "OfferLapsed": "freed",
    "InstrumentListed": "changed",
    "InstrumentWithdrawn": "changed",
    "InstrumentClosed": "closed",
    "InstrumentReopened": "freed",
    "OutsideTimesChanged": "outside",
}
_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


def calendar_topic(calendar_id: int) -> str:
    """What pages listen to that show one calendar."""
    return f"calendar:{calendar_id}"


def provider_topic(provider_id: int) -> str:
    """What a provider's own pages listen to."""
    return f"provider:{provider_id}"


async def live_topic_of_instrument(tx: Tx, instrument_id: int) -> str:
    """The topic of the calendar in which an instrument is reserved.

    Raises:
        InstrumentMissing: when it is not listed and not the actor's to see.
    """
    found = await visible_instrument(tx, instrument_id)
    return calendar_topic((await _calendars(tx, [found.id]))[found.id])


async def live_topic_of_provider(tx: Tx, provider_id: int) -> str:
    """The topic of everything on a provider's instruments.

    Raises:
        OrganisationMissing: unless the actor is of that provider.
    """
    if tx.actor.organisation_id != provider_id:
        raise OrganisationMissing()
    return provider_topic(provider_id)


async def _calendars(tx: Tx, instrument_ids: Iterable[int]) -> dict[int, int]:
    """In whose calendar each instrument is reserved: its own, unless it shares another's."""
    ids = sorted(set(instrument_ids))
    rows = await tx.execute(
        select(booking_rule.c.instrument_id, booking_rule.c.calendar_id).where(
            booking_rule.c.instrument_id.in_(ids), booking_rule.c.calendar_id.is_not(None)
        )
    )
    return {each: each for each in ids} | {row.instrument_id: row.calendar_id for row in rows}


async def reservation_changes(tx: Tx, told: Sequence[Any]) -> list[Change]:
    """What pages are told of events about reservations. One question."""
    c = table.c
    rows = await tx.execute(
        select(
            c.id,
            c.calendar_id,
            c.provider_id,
            c.status,
            func.lower(c.during).label("starts_at"),
            func.upper(c.during).label("ends_at"),
        ).where(c.id.in_(sorted({event.reservation_id or 0 for event in told})))
    )
    found = {row.id: row for row in rows}
    changes = []
    for event in told:
        row = found.get(event.reservation_id)
        if row is None:
            continue
        for starts_at, ends_at in _periods(event, row.starts_at, row.ends_at):
            facts = _facts(event, starts_at, ends_at)
            if type(event).__name__ in _PUBLIC_KINDS:
                changes.append(Change(calendar_topic(row.calendar_id), CALENDAR, facts))
            own = facts | {
                "event": _WORDS.sub("-", type(event).__name__).lower(),
                "reservation_id": event.reservation_id,
                "status": row.status,
            }
            changes.append(Change(provider_topic(row.provider_id), CALENDAR, own))
    return changes


def _periods(event: Any, starts_at: datetime, ends_at: datetime) -> list[tuple[datetime, datetime]]:
    """The reserved time, and the one that it was moved away from."""
    if isinstance(event, ReservationMoved):
        before = (event.before_starts_at, event.before_ends_at)
        return sorted({before, (event.starts_at, event.ends_at)})
    return [(starts_at, ends_at)]


def _facts(event: Any, starts_at: datetime | None, ends_at: datetime | None) -> dict[str, Any]:
    return {
        "instrument_id": event.instrument_id,
        "kind": _PUBLIC_KINDS.get(type(event).__name__, "changed"),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }


async def instrument_changes(tx: Tx, told: Sequence[Any]) -> list[Change]:
    """What pages are told of closures, outside times, listing and withdrawal. Two questions."""
    ids = {event.instrument_id for event in told}
    found = await instruments(tx, ids)
    calendars = await _calendars(tx, ids)
    changes = []
    for event in told:
        if event.instrument_id not in found:
            continue
        starts_at = getattr(event, "starts_at", None)
        facts = _facts(event, starts_at, getattr(event, "ends_at", None))
        provider_id = found[event.instrument_id].provider_id
        changes.append(Change(calendar_topic(calendars[event.instrument_id]), CALENDAR, facts))
        changes.append(Change(provider_topic(provider_id), CALENDAR, facts))
    return changes


LIVE_DESCRIBERS = (
    Describer(_OF_RESERVATIONS, reservation_changes),
    Describer(_OF_INSTRUMENTS, instrument_changes),
)
