"""Lists of reservations: filtered, in order, by the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from marketplace.booking.queries.reservations import (
    ReservationPage,
    as_range,
    made_reservation,
    reservation_select,
    visible,
)
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import reservation as table
from marketplace.booking.tables import usage_session
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


class ListOrder(StrEnum):
    """In which order reservations are listed."""

    LATEST = "latest"
    """Last placed first."""
    OLDEST = "oldest"
    """First placed first."""
    STARTS = "starts"
    """Which begins first."""
    STARTS_LAST = "starts-last"
    """Which begins last."""


@dataclass(frozen=True, slots=True)
class ReservationSearch:
    """Which reservations to list; what is left out does not restrict.

    `during` is what they touch; `starts_from` and `starts_before` are about their beginning;
    `mine` leaves those of the person who asks.
    """

    statuses: Sequence[Status] = ()
    purpose: Purpose | None = None
    instrument_id: int | None = None
    during: During | None = None
    with_problem: bool = False
    page: int = 1
    page_size: int = 50
    person_id: int | None = None
    organisation_id: int | None = None
    user_class: UserClass | None = None
    series_id: int | None = None
    group_id: int | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    mine: bool = False
    order: ListOrder = ListOrder.LATEST


async def reservations(tx: Tx, search: ReservationSearch) -> ReservationPage:
    """The reservations that the actor may see, by the page."""
    wanted = and_(*_filters(tx, search))
    total = await tx.scalar(select(func.count()).select_from(table).where(wanted))
    page = await tx.all(
        made_reservation,
        reservation_select()
        .where(wanted)
        .order_by(*_in_order(search.order))
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ReservationPage(page, total)


def _in_order(order: ListOrder) -> Sequence[ColumnElement[Any]]:
    starts_at = func.lower(table.c.during)
    return {
        ListOrder.LATEST: (table.c.id.desc(),),
        ListOrder.OLDEST: (table.c.id,),
        ListOrder.STARTS: (starts_at, table.c.id),
        ListOrder.STARTS_LAST: (starts_at.desc(), table.c.id.desc()),
    }[order]


def _filters(tx: Tx, search: ReservationSearch) -> list[ColumnElement[bool]]:
    wanted = [visible(tx)]
    equal: list[tuple[ColumnElement[Any], object]] = [
        (table.c.purpose, search.purpose),
        (table.c.instrument_id, search.instrument_id),
        (table.c.organisation_id, search.organisation_id),
        (table.c.person_id, search.person_id),
        (table.c.user_class, search.user_class),
        (table.c.series_id, search.series_id),
        (table.c.group_id, search.group_id),
    ]
    wanted += [column == value for column, value in equal if value is not None]
    if search.statuses:
        wanted.append(table.c.status.in_(search.statuses))
    if search.mine:
        wanted.append(table.c.person_id == tx.actor.person_id)
    if search.during is not None:
        wanted.append(table.c.during.op("&&")(as_range(search.during)))
    starts_at = func.lower(table.c.during)
    if search.starts_from is not None:
        wanted.append(starts_at >= search.starts_from)
    if search.starts_before is not None:
        wanted.append(starts_at < search.starts_before)
    if search.with_problem:
        problems = select(usage_session.c.reservation_id).where(
            usage_session.c.problem.is_not(None)
        )
        wanted.append(table.c.id.in_(problems))
    return wanted
