"""Groups: several instruments reserved as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.tables import reservation as table
from marketplace.booking.tables import reservation_group
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its reservations, in order of their start."""

    id: int
    organisation_id: int
    person_id: int
    note: str | None
    made_at: datetime
    reservations: tuple[Reservation, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupSearch:
    """Which groups to list: those of a person, those on an instrument, or all of one's own."""

    instrument_id: int | None = None
    person_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One page of groups, latest first, and how many there are in all."""

    groups: list[Group]
    total: int


async def group(tx: Tx, group_id: int) -> Group:
    """A group of the actor's organisation.

    Raises:
        Missing: also when it belongs to others: the two look the same.
    """
    found = await tx.all(
        Group,
        select(reservation_group).where(reservation_group.c.id == group_id, _visible(tx)),
    )
    if not found:
        raise Missing("There is no such group.")
    return (await _with_reservations(tx, found))[0]


async def groups(tx: Tx, search: GroupSearch) -> GroupPage:
    """The groups that the actor may see, latest first, in three statements."""
    wanted = [_visible(tx)]
    if search.person_id is not None:
        wanted.append(reservation_group.c.person_id == search.person_id)
    if search.instrument_id is not None:
        on_it = select(table.c.group_id).where(table.c.instrument_id == search.instrument_id)
        wanted.append(reservation_group.c.id.in_(on_it))
    total = await tx.scalar(select(func.count()).select_from(reservation_group).where(*wanted))
    found = await tx.all(
        Group,
        select(reservation_group)
        .where(*wanted)
        .order_by(reservation_group.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return GroupPage(await _with_reservations(tx, found), total)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    return reservation_group.c.organisation_id == tx.actor.organisation_id


async def _with_reservations(tx: Tx, found: list[Group]) -> list[Group]:
    if not found:
        return []
    members = await tx.all(
        made_reservation,
        reservation_select()
        .where(table.c.group_id.in_([one.id for one in found]))
        .order_by(func.lower(table.c.during), table.c.id),
    )
    by_group: dict[Any, list[Reservation]] = {one.id: [] for one in found}
    for member in members:
        by_group[member.group_id].append(member)
    return [
        Group(
            one.id,
            one.organisation_id,
            one.person_id,
            one.note,
            one.made_at,
            tuple(by_group[one.id]),
        )
        for one in found
    ]


async def locked_members(tx: Tx, group_id: int) -> list[Reservation]:
    """The reservations of a group, locked in one order for everybody."""
    return await tx.all(
        made_reservation,
        reservation_select()
        .where(table.c.group_id == group_id)
        .order_by(table.c.id)
        .with_for_update(),
    )
