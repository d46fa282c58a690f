"""Operators of instruments, their hours, absences and calendars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from marketplace.booking.queries.reservations import (
    Reservation,
    as_range,
    made_reservation,
    reservation_select,
)
from marketplace.booking.rules.operators import Operator, at_work
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.tables import LIVE, operator, operator_absence, operator_hours
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries import instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During
from marketplace.parties.errors import PersonMissing
from marketplace.parties.queries import names_of_people, places
from marketplace.parties.roles import SEES_EVERYTHING

# An operator attends one machine at a time; nobody attends more in 62 days.
ATTENDED_MAX = 2_000


@dataclass(frozen=True, slots=True)
class NamedOperator:
    """Somebody who attends reservations on an instrument."""

    person_id: int
    name: str
    named_by: int
    named_at: datetime


@dataclass(frozen=True, slots=True)
class Absence:
    """Time in which an operator is away, for whatever unit they work."""

    id: int
    provider_id: int
    person_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    noted_by: int
    noted_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class AbsenceSearch:
    """Which absences to list; `within` finds those that touch a period."""

    person_id: int
    within: During | None = None
    with_withdrawn: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class AbsencePage:
    """One page of absences, the latest first."""

    absences: list[Absence]
    total: int


@dataclass(frozen=True, slots=True)
class CalendarAsked:
    """What an operator does in a period."""

    person_id: int
    during: During


@dataclass(frozen=True, slots=True)
class OperatorCalendar:
    """When an operator works for the caller's organisation, and what they attend there."""

    person_id: int
    during: During
    at_work: tuple[During, ...]
    absences: list[Absence]
    reservations: list[Reservation]


_ABSENCE = (
    operator_absence.c.id,
    operator_absence.c.provider_id,
    operator_absence.c.person_id,
    func.lower(operator_absence.c.during).label("starts_at"),
    func.upper(operator_absence.c.during).label("ends_at"),
    operator_absence.c.reason,
    operator_absence.c.noted_by,
    operator_absence.c.noted_at,
    operator_absence.c.withdrawn_at,
)


async def operators(tx: Tx, instrument_id: int) -> list[NamedOperator]:
    """Who attends reservations on an instrument of one's own organisation.

    Raises:
        InstrumentMissing: when it belongs to others.
    """
    found = await instrument(tx, instrument_id)
    if found.provider_id != tx.actor.organisation_id and not tx.actor.has(*SEES_EVERYTHING):
        raise InstrumentMissing()
    rows = (
        await tx.execute(
            select(operator.c.person_id, operator.c.named_by, operator.c.named_at)
            .where(operator.c.instrument_id == instrument_id)
            .order_by(operator.c.person_id)
        )
    ).all()
    names = await names_of_people(tx, [row.person_id for row in rows])
    return [
        NamedOperator(row.person_id, names[row.person_id], row.named_by, row.named_at)
        for row in rows
    ]


async def require_colleague(tx: Tx, person_id: int) -> None:
    """Nothing, when somebody is on the staff of the caller's organisation, or was its operator.

    Raises:
        PersonMissing: for everybody else.
    """
    mine = tx.actor.organisation_id
    if any(one.organisation.id == mine for one in await places(tx, person_id)):
        return
    worked = select(
        or_(
            exists().where(
                operator_hours.c.person_id == person_id, operator_hours.c.provider_id == mine
            ),
            exists().where(
                operator_absence.c.person_id == person_id, operator_absence.c.provider_id == mine
            ),
        )
    )
    if not await tx.scalar(worked):
        raise PersonMissing()


async def hours_of_operator(tx: Tx, person_id: int) -> list[Hours]:
    """The weekly hours in which somebody works for the caller's organisation.

    Raises:
        PersonMissing: when they are not on its staff.
    """
    await require_colleague(tx, person_id)
    return await _hours(tx, person_id)


async def _hours(tx: Tx, person_id: int) -> list[Hours]:
    c = operator_hours.c
    return await tx.all(
        Hours,
        select(c.weekday, c.opens_minute, c.closes_minute)
        .where(c.person_id == person_id, c.provider_id == tx.actor.organisation_id)
        .order_by(c.weekday, c.opens_minute),
    )


async def own_absence(tx: Tx, absence_id: int) -> Absence:
    """An absence that the caller's organisation noted.

    Raises:
        Missing: when another one did.
    """
    found = await tx.first(
        Absence,
        select(*_ABSENCE).where(
            operator_absence.c.id == absence_id,
            operator_absence.c.provider_id == tx.actor.organisation_id,
        ),
    )
    if found is None:
        raise Missing("There is no such absence.")
    return found


async def absences(tx: Tx, search: AbsenceSearch) -> AbsencePage:
    """When somebody is away, as the caller's organisation noted it; the latest first.

    Raises:
        PersonMissing: when they are not on its staff.
    """
    await require_colleague(tx, search.person_id)
    c = operator_absence.c
    wanted: list[Any] = [
        c.person_id == search.person_id,
        c.provider_id == tx.actor.organisation_id,
    ]
    if search.within is not None:
        wanted.append(c.during.op("&&")(as_range(search.within)))
    if not search.with_withdrawn:
        wanted.append(c.withdrawn_at.is_(None))
    found = await tx.all(
        Absence,
        select(*_ABSENCE)
        .where(*wanted)
        .order_by(func.lower(c.during).desc(), c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(operator_absence).where(and_(*wanted)))
    return AbsencePage(found, total)


async def attended_in(
    tx: Tx, person_id: int, during: During, *, instrument_ids: list[int] | None = None
) -> list[Reservation]:
    """The live reservations that somebody attends in a period for the caller's organisation."""
    wanted: list[Any] = [
        table.c.operator_id == person_id,
        LIVE,
        table.c.during.op("&&")(as_range(during)),
        table.c.provider_id == tx.actor.organisation_id,
    ]
    if instrument_ids is not None:
        wanted.append(table.c.instrument_id.in_(instrument_ids))
    return await tx.all(
        made_reservation,
        reservation_select()
        .where(*wanted)
        .order_by(func.lower(table.c.during))
        .limit(ATTENDED_MAX),
    )


async def operator_calendar(tx: Tx, asked: CalendarAsked) -> OperatorCalendar:
    """An operator's own calendar: when they work, are away, and whom they attend.

    Raises:
        PersonMissing: when they are not on the staff of the caller's organisation.
    """
    hours = await hours_of_operator(tx, asked.person_id)
    away = await absences(
        tx, AbsenceSearch(asked.person_id, within=asked.during, page_size=ATTENDED_MAX)
    )
    worker = Operator(
        asked.person_id,
        hours=tuple(hours),
        away=tuple(During(one.starts_at, one.ends_at) for one in away.absences),
    )
    return OperatorCalendar(
        person_id=asked.person_id,
        during=asked.during,
        at_work=tuple(at_work(worker, asked.during)),
        absences=away.absences,
        reservations=await attended_in(tx, asked.person_id, asked.during),
    )
