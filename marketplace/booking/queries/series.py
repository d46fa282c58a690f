"""Series: what recurs, with every date that it names."""

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
from marketplace.booking.rules.states import Purpose
from marketplace.booking.tables import reservation as table
from marketplace.booking.tables import reservation_series, series_occurrence
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring reservation.

    `follows_id` is the series that it was cut off from; `ended_at` when it was cut or cancelled.
    """

    id: int
    instrument_id: int
    organisation_id: int
    person_id: int
    purpose: Purpose
    rule: str
    starts_at: datetime
    minutes: int
    follows_id: int | None
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A date of a series: where it was to begin, its reservation, or why there is none."""

    starts_at: datetime
    reservation: Reservation | None
    skipped_because: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesWithDates:
    """A series and its dates in order."""

    series: Series
    occurrences: tuple[Occurrence, ...]


@dataclass(frozen=True, slots=True)
class SeriesSearch:
    """Which series to list; `running` leaves those that were neither cut nor cancelled."""

    instrument_id: int | None = None
    person_id: int | None = None
    running: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """One page of series, latest first, and how many there are in all."""

    series: list[Series]
    total: int


def _made_series(**row: Any) -> Series:
    return Series(**{**row, "purpose": Purpose(row["purpose"])})


async def series(tx: Tx, series_id: int) -> SeriesWithDates:
    """A series of the actor's organisation, with its dates.

    Raises:
        Missing: also when it belongs to others: the two look the same.
    """
    found = await tx.first(
        _made_series,
        select(reservation_series).where(reservation_series.c.id == series_id, _visible(tx)),
    )
    if found is None:
        raise Missing("There is no such series.")
    return SeriesWithDates(found, tuple(await occurrences(tx, series_id)))


async def all_series(tx: Tx, search: SeriesSearch) -> SeriesPage:
    """The series that the actor may see, latest first."""
    c = reservation_series.c
    wanted = [_visible(tx)]
    if search.instrument_id is not None:
        wanted.append(c.instrument_id == search.instrument_id)
    if search.person_id is not None:
        wanted.append(c.person_id == search.person_id)
    if search.running is not None:
        wanted.append(c.ended_at.is_(None) if search.running else c.ended_at.is_not(None))
    total = await tx.scalar(select(func.count()).select_from(reservation_series).where(*wanted))
    found = await tx.all(
        _made_series,
        select(reservation_series)
        .where(*wanted)
        .order_by(c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return SeriesPage(found, total)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    return reservation_series.c.organisation_id == tx.actor.organisation_id


async def locked_series(tx: Tx, series_id: int) -> Series:
    """A series of the actor's own organisation, its row locked: one change at a time.

    Raises:
        Missing: when there is none.
    """
    found = await tx.first(
        _made_series,
        select(reservation_series)
        .where(
            reservation_series.c.id == series_id,
            reservation_series.c.organisation_id == tx.actor.organisation_id,
        )
        .with_for_update(),
    )
    if found is None:
        raise Missing("There is no such series.")
    return found


async def occurrences(tx: Tx, series_id: int, *, lock: bool = False) -> list[Occurrence]:
    """The dates of a series in order; with `lock` their reservations are locked in one order."""
    dates = (
        await tx.execute(
            select(series_occurrence)
            .where(series_occurrence.c.series_id == series_id)
            .order_by(series_occurrence.c.starts_at)
        )
    ).all()
    ids = [date.reservation_id for date in dates if date.reservation_id is not None]
    members = reservation_select().where(table.c.id.in_(ids)).order_by(table.c.id)
    found = {
        one.id: one
        for one in await tx.all(made_reservation, members.with_for_update() if lock else members)
    }
    return [
        Occurrence(
            date.starts_at,
            None if date.reservation_id is None else found[date.reservation_id],
            tuple(date.skipped_because or ()),
        )
        for date in dates
    ]
