"""Qualifications and requests for training, as typed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true

from marketplace.booking.rules.training import OPEN, TrainingStatus
from marketplace.booking.tables import qualification, reservation, training_request
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.errors import PersonMissing
from marketplace.parties.queries import places
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Qualification:
    """A person may operate an instrument, until `valid_until` or until it is revoked."""

    id: int
    instrument_id: int
    provider_id: int
    person_id: int
    granted_by: int
    granted_at: datetime
    valid_until: datetime | None
    reason: str
    reminded_at: datetime | None
    revoked_by: int | None
    revoked_at: datetime | None
    revoked_because: str | None


@dataclass(frozen=True, slots=True)
class QualificationSearch:
    """Which qualifications to list; `ends_within_days` finds those that run out soon."""

    instrument_id: int | None = None
    person_id: int | None = None
    in_force: bool = False
    ends_within_days: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class QualificationPage:
    """One page of qualifications: those that end first come first, then the newest."""

    qualifications: list[Qualification]
    total: int


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A person asks to be trained for an instrument; `held_at` is the date that was set."""

    id: int
    instrument_id: int
    provider_id: int
    organisation_id: int
    person_id: int
    status: TrainingStatus
    note: str
    asked_at: datetime
    trainer_id: int | None
    held_at: datetime | None
    place: str | None
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None
    qualification_id: int | None


@dataclass(frozen=True, slots=True)
class TrainingSearch:
    """Which training requests to list; what is left out does not restrict."""

    instrument_id: int | None = None
    person_id: int | None = None
    status: TrainingStatus | None = None
    open_only: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """One page of training requests, the newest first."""

    requests: list[TrainingRequest]
    total: int


QUALIFICATION = [qualification.c[name] for name in Qualification.__dataclass_fields__]
TRAINING = [training_request.c[name] for name in TrainingRequest.__dataclass_fields__]


def made_training(**row: Any) -> TrainingRequest:
    """A `TrainingRequest` from a row."""
    return TrainingRequest(**{**row, "status": TrainingStatus(row["status"])})


async def visible_qualification(tx: Tx, qualification_id: int) -> Qualification:
    """A qualification of the caller, or for an instrument of their organisation.

    Raises:
        Missing: for everybody else.
    """
    found = await tx.first(
        Qualification,
        select(*QUALIFICATION).where(qualification.c.id == qualification_id, _may_see(tx)),
    )
    if found is None:
        raise Missing("There is no such qualification.")
    return found


async def qualifications(tx: Tx, search: QualificationSearch) -> QualificationPage:
    """One's own qualifications, and those for the instruments of one's organisation."""
    c = qualification.c
    wanted = [_may_see(tx)]
    if search.instrument_id is not None:
        wanted.append(c.instrument_id == search.instrument_id)
    if search.person_id is not None:
        wanted.append(c.person_id == search.person_id)
    if search.in_force or search.ends_within_days is not None:
        wanted.append(c.revoked_at.is_(None))
        wanted.append(or_(c.valid_until.is_(None), c.valid_until > tx.now))
    if search.ends_within_days is not None:
        wanted.append(c.valid_until <= tx.now + timedelta(days=search.ends_within_days))
    found = await tx.all(
        Qualification,
        select(*QUALIFICATION)
        .where(*wanted)
        .order_by(c.valid_until.asc().nulls_last(), c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(qualification).where(and_(*wanted)))
    return QualificationPage(found, total)


def _may_see(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    c = qualification.c
    return or_(c.provider_id == tx.actor.organisation_id, c.person_id == tx.actor.person_id)


async def visible_training(tx: Tx, request_id: int, *, lock: bool = False) -> TrainingRequest:
    """A training request of one's organisation, or for one of its instruments.

    Raises:
        Missing: for everybody else.
    """
    asked = select(*TRAINING).where(training_request.c.id == request_id, _may_follow(tx))
    found = await tx.first(made_training, asked.with_for_update() if lock else asked)
    if found is None:
        raise Missing("There is no such training request.")
    return found


async def training_requests(tx: Tx, search: TrainingSearch) -> TrainingPage:
    """What one's organisation asked for, and what is asked of it; the newest first."""
    c = training_request.c
    wanted = [_may_follow(tx)]
    if search.instrument_id is not None:
        wanted.append(c.instrument_id == search.instrument_id)
    if search.person_id is not None:
        wanted.append(c.person_id == search.person_id)
    if search.status is not None:
        wanted.append(c.status == search.status)
    if search.open_only:
        wanted.append(c.status.in_(sorted(OPEN)))
    found = await tx.all(
        made_training,
        select(*TRAINING)
        .where(*wanted)
        .order_by(c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(training_request).where(and_(*wanted)))
    return TrainingPage(found, total)


def _may_follow(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    c = training_request.c
    mine = tx.actor.organisation_id
    return or_(c.provider_id == mine, c.organisation_id == mine)


async def require_known_person(tx: Tx, person_id: int, provider_id: int) -> None:
    """Nothing, when the person works for the provider, asked it for training or reserved there.

    Others a provider has no business to know.

    Raises:
        PersonMissing: also when there is no such person.
    """
    if any(one.organisation.id == provider_id for one in await places(tx, person_id)):
        return
    met = select(
        or_(
            exists().where(
                training_request.c.person_id == person_id,
                training_request.c.provider_id == provider_id,
            ),
            exists().where(
                reservation.c.person_id == person_id, reservation.c.provider_id == provider_id
            ),
        )
    )
    if not await tx.scalar(met):
        raise PersonMissing()


async def people_met(tx: Tx, limit: int) -> Sequence[int]:
    """Who reserved with the actor's organisation or asked it for training; the latest first."""
    mine = tx.actor.organisation_id
    reserved = select(reservation.c.person_id, reservation.c.placed_at.label("met_at")).where(
        reservation.c.provider_id == mine
    )
    asked = select(training_request.c.person_id, training_request.c.asked_at).where(
        training_request.c.provider_id == mine
    )
    met = reserved.union_all(asked).subquery()
    return await tx.scalars(
        select(met.c.person_id)
        .group_by(met.c.person_id)
        .order_by(func.max(met.c.met_at).desc(), met.c.person_id)
        .limit(limit)
    )


async def reservations_ahead(tx: Tx, instrument_id: int, person_id: int) -> Sequence[int]:
    """What a person still has reserved on an instrument; at most a hundred, the next first."""
    begins = func.lower(reservation.c.during)
    return await tx.scalars(
        select(reservation.c.id)
        .where(
            reservation.c.person_id == person_id,
            reservation.c.instrument_id == instrument_id,
            reservation.c.ended_at.is_(None),
            begins > tx.now,
        )
        .order_by(begins)
        .limit(100)
    )
