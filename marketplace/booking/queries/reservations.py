"""Reservations and their sessions as typed rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.dialects.postgresql import Range

from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import reservation as table
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Reservation:
    """A stretch of time on one seat of an instrument, for somebody and for a purpose.

    `organisation_id` is whose reservation it is, `provider_id` whose instrument.
    """

    id: int
    instrument_id: int
    provider_id: int
    calendar_id: int
    seat: int
    starts_at: datetime
    ends_at: datetime
    status: Status
    organisation_id: int
    person_id: int
    user_class: UserClass
    purpose: Purpose
    operator_id: int | None
    group_id: int | None
    series_id: int | None
    order_id: int | None
    held_until: datetime | None
    override_reason: str | None
    placed_at: datetime
    confirmed_at: datetime | None
    decided_by: int | None
    ended_at: datetime | None
    reason: str | None
    revision: int
    changed_at: datetime

    @property
    def during(self) -> During:
        """The reserved time, without buffers."""
        return During(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class ReservationPage:
    """One page of reservations, and how many there are in all."""

    reservations: list[Reservation]
    total: int


def as_range(during: During) -> Range[datetime]:
    """`during` as a parameter for PostgreSQL."""
    return Range(during.starts_at, during.ends_at, bounds="[)")


def driver_range(during: During) -> asyncpg.Range[datetime]:
    """`during` as a parameter of a `Prepared` statement."""
    return asyncpg.Range(during.starts_at, during.ends_at)


def made_reservation(**row: Any) -> Reservation:
    """A `Reservation` from a row of `reservation_select`."""
    return Reservation(
        **{
            **row,
            "status": Status(row["status"]),
            "user_class": UserClass(row["user_class"]),
            "purpose": Purpose(row["purpose"]),
        }
    )


def reservation_select() -> Select[Any]:
    """Every column of a `Reservation`."""
    c = table.c
    return select(
        c.id,
        c.instrument_id,
        c.provider_id,
        c.calendar_id,
        c.seat,
        func.lower(c.during).label("starts_at"),
        func.upper(c.during).label("ends_at"),
        c.status,
        c.organisation_id,
        c.person_id,
        c.user_class,
        c.purpose,
        c.operator_id,
        c.group_id,
        c.series_id,
        c.order_id,
        c.held_until,
        c.override_reason,
        c.placed_at,
        c.confirmed_at,
        c.decided_by,
        c.ended_at,
        c.reason,
        c.revision,
        c.changed_at,
    )


async def reservation(tx: Tx, reservation_id: int) -> Reservation:
    """The reservation, whoever asks: for other domains.

    Raises:
        Missing: when there is none.
    """
    return await tx.one(made_reservation, reservation_select().where(table.c.id == reservation_id))


async def visible_reservation(tx: Tx, reservation_id: int) -> Reservation:
    """The reservation, if the actor's organisation reserved it or owns the instrument.

    Raises:
        Missing: also when it belongs to others: the two look the same.
    """
    found = await tx.first(
        made_reservation,
        reservation_select().where(table.c.id == reservation_id, visible(tx)),
    )
    if found is None:
        raise Missing("There is no such reservation.")
    return found


async def locked_reservation(tx: Tx, reservation_id: int) -> Reservation:
    """The reservation, its row locked until the transaction ends: one step at a time.

    Raises:
        Missing: when there is none.
    """
    return await tx.one(
        made_reservation,
        reservation_select().where(table.c.id == reservation_id).with_for_update(),
    )


async def locked_reservations(tx: Tx, reservation_ids: Iterable[int]) -> list[Reservation]:
    """Those of the reservations that exist, locked in one order for everybody."""
    return await tx.all(
        made_reservation,
        reservation_select()
        .where(table.c.id.in_(sorted(set(reservation_ids))))
        .order_by(table.c.id)
        .with_for_update(),
    )


async def reservations_by_id(tx: Tx, reservation_ids: Iterable[int]) -> dict[int, Reservation]:
    """Those of the reservations that exist, whoever asks."""
    found = await tx.all(
        made_reservation,
        reservation_select().where(table.c.id.in_(sorted(set(reservation_ids)))),
    )
    return {one.id: one for one in found}


def visible(tx: Tx) -> ColumnElement[bool]:
    """Reserved by the actor's organisation, or on its instruments; auditors see all."""
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    mine = tx.actor.organisation_id
    return or_(table.c.organisation_id == mine, table.c.provider_id == mine)
