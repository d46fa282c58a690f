"""What handing on freed time reads: who waits, in which order, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select, text, tuple_

from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.waitlist import Entry, entry_select, made_entry
from marketplace.booking.rules.states import Status
from marketplace.booking.rules.waiting import OPEN, EntryStatus, OfferTerms
from marketplace.booking.tables import booking_rule, reservation, slot_offer, suspension
from marketplace.booking.tables import waitlist_entry as table
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class Machine:
    """A calendar and every instrument in it; `awaited` when somebody has an open entry for one."""

    calendar_id: int
    instrument_ids: tuple[int, ...]
    awaited: bool


@dataclass(frozen=True, slots=True)
class EndedOffer:
    """An entry whose offered time is not offered any more, or has lapsed; both rows locked."""

    entry: Entry
    reservation: Reservation


def offer_terms(tx: Tx) -> OfferTerms:
    """How long offered times are kept today."""
    terms = rulebook().booking
    return OfferTerms(
        offer_minutes=terms.offer_minutes.on(tx.today),
        decide_minutes=terms.offer_decide_minutes.on(tx.today),
    )


async def machine(tx: Tx, instrument_id: int) -> Machine:
    """The calendar in which an instrument stands, and whether anybody waits for its time."""
    own = select(booking_rule.c.calendar_id).where(booking_rule.c.instrument_id == instrument_id)
    calendar = select(
        func.coalesce(own.scalar_subquery(), instrument_id).label("calendar_id")
    ).subquery()
    sharing = select(func.array_agg(booking_rule.c.instrument_id)).where(
        booking_rule.c.calendar_id == calendar.c.calendar_id
    )
    row = (
        await tx.execute(select(calendar.c.calendar_id, sharing.scalar_subquery().label("sharing")))
    ).one()
    ids = (row.calendar_id, *(row.sharing or ()))
    awaited = select(table.c.id).where(table.c.instrument_id.in_(ids), table.c.status.in_(OPEN))
    return Machine(row.calendar_id, ids, await tx.scalar(select(awaited.exists())))


async def lock_calendar(tx: Tx, calendar_id: int) -> None:
    """One transaction at a time hands on the time of a calendar: so its order is kept."""
    await tx.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:calendar, 0))"),
        {"calendar": f"waiting:{calendar_id}"},
    )


async def next_in_order(
    tx: Tx, instrument_ids: Sequence[int], *, after: Entry | None, limit: int
) -> list[Entry]:
    """Who waits for any of these instruments, who came first before all; their rows locked.

    A row on which somebody is at work (its owner is leaving the list) is not waited for.
    """
    following = [] if after is None else [_place() > tuple_(after.made_at, after.id)]
    return await tx.all(
        made_entry,
        entry_select()
        .where(
            table.c.instrument_id.in_(instrument_ids),
            table.c.status == EntryStatus.WAITING,
            *following,
        )
        .order_by(table.c.made_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True),
    )


def _place() -> Any:
    return tuple_(table.c.made_at, table.c.id)


async def awaited_after(tx: Tx, instrument_id: int, *, limit: int) -> list[Entry]:
    """Everybody who waits for the next `limit` instruments after this one, by id."""
    awaited = (
        select(table.c.instrument_id)
        .where(table.c.status == EntryStatus.WAITING, table.c.instrument_id > instrument_id)
        .distinct()
        .order_by(table.c.instrument_id)
        .limit(limit)
    )
    return await tx.all(
        made_entry,
        entry_select()
        .where(table.c.instrument_id.in_(awaited), table.c.status == EntryStatus.WAITING)
        .order_by(table.c.instrument_id, table.c.made_at, table.c.id),
    )


async def let_go(tx: Tx, entry_ids: Sequence[int]) -> dict[int, list[During]]:
    """What was offered to each entry before, and not taken."""
    rows = await tx.execute(
        select(
            slot_offer.c.entry_id,
            func.lower(slot_offer.c.during).label("starts_at"),
            func.upper(slot_offer.c.during).label("ends_at"),
        ).where(slot_offer.c.entry_id.in_(entry_ids), slot_offer.c.ended_at.is_not(None))
    )
    found: dict[int, list[During]] = {}
    for row in rows:
        found.setdefault(row.entry_id, []).append(During(row.starts_at, row.ends_at))
    return found


async def suspended_among(tx: Tx, person_ids: Sequence[int]) -> set[int]:
    """Those of the people who may reserve nothing now."""
    return set(
        await tx.scalars(
            select(suspension.c.person_id).where(
                suspension.c.person_id.in_(person_ids),
                suspension.c.starts_at <= tx.now,
                suspension.c.ends_at > tx.now,
                suspension.c.lifted_at.is_(None),
            )
        )
    )


async def ended_offers(
    tx: Tx, *, instrument_ids: Sequence[int] | None = None, limit: int
) -> list[EndedOffer]:
    """Offers that ended otherwise than by their entry, or have lapsed; entry and time locked."""
    wanted = [
        table.c.status == EntryStatus.OFFERED,
        or_(reservation.c.status != Status.OFFERED, reservation.c.held_until <= tx.now),
    ]
    if instrument_ids is not None:
        wanted.append(table.c.instrument_id.in_(instrument_ids))
    entries = await tx.all(
        made_entry,
        entry_select()
        .join_from(table, reservation, reservation.c.id == table.c.reservation_id)
        .where(*wanted)
        .order_by(table.c.id)
        .limit(limit)
        .with_for_update(of=[table, reservation], skip_locked=True),
    )
    if not entries:
        return []
    times = await tx.all(
        made_reservation,
        reservation_select().where(reservation.c.id.in_([one.reservation_id for one in entries])),
    )
    by_id = {one.id: one for one in times}
    return [EndedOffer(one, by_id[one.reservation_id]) for one in entries if one.reservation_id]


async def offers_like(tx: Tx, reservation_id: int) -> list[Entry]:
    """Open offers of the very time that a reservation has, to its own organisation.

    That of the reservation itself comes first: on another seat the same time may be offered too.
    """
    placed = reservation.alias("placed")
    return await tx.all(
        made_entry,
        entry_select()
        .join_from(table, reservation, reservation.c.id == table.c.reservation_id)
        .join(
            placed,
            and_(
                placed.c.id == reservation_id,
                placed.c.organisation_id == table.c.organisation_id,
                placed.c.instrument_id == table.c.instrument_id,
                placed.c.during == reservation.c.during,
                placed.c.status != Status.OFFERED,
            ),
        )
        .where(table.c.status == EntryStatus.OFFERED)
        .order_by((reservation.c.id == reservation_id).desc(), table.c.made_at, table.c.id)
        .with_for_update(of=table),
    )
