"""Anomalies: lists, one with its evidence, and what organisations may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, exists, func, literal, select, text

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.parties.queries import names_of_people
from marketplace.vouchers import tables
from marketplace.vouchers.errors import AnomalyMissing
from marketplace.vouchers.queries.access import sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import Listed, columns
from marketplace.vouchers.rules.anomalies import (
    AnomalyStatus,
    Subject,
    SubjectKind,
)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What was found, and where its decision stands."""

    id: int
    kind: str
    severity: str
    summary: str
    detector_version: int
    found_at: datetime
    seen_at: datetime
    status: str
    assigned_to: int | None
    assigned_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class AnomalyEvent:
    """What happened to an anomaly."""

    kind: str
    at: datetime
    person_id: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnomalyStatement:
    """What an organisation answered."""

    id: int
    organisation_id: int
    statement: str
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class AnomalyPage:
    """An anomaly with its evidence, what it is about, what happened, and what was answered."""

    anomaly: Anomaly
    evidence: list[dict[str, Any]]
    subjects: tuple[Subject, ...]
    events: tuple[AnomalyEvent, ...]
    statements: tuple[AnomalyStatement, ...]
    names: dict[int, str]
    """The people named in it."""


@dataclass(frozen=True, slots=True)
class AnomalySearch:
    """Which anomalies: by what they are, whose they are, when they were found, which page."""

    kind: str | None = None
    severity: str | None = None
    status: str | None = None
    organisation_id: int | None = None
    order_id: int | None = None
    claim_id: int | None = None
    assigned_to: int | None = None
    found_from: date | None = None
    found_until: date | None = None
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class AnomalyRun:
    """A run of the detectors: what it looked at and what it found."""

    id: int
    since: date | None
    through: date
    claim_id: int | None
    redemptions: int
    found: int
    changed: int
    detector_version: int
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmedFinding:
    """A confirmed anomaly as an organisation that it concerns sees it."""

    id: int
    kind: str
    severity: str
    decided_at: datetime
    reason: str
    order_ids: tuple[int, ...]
    """Its own orders among those concerned."""
    statements: tuple[AnomalyStatement, ...]


async def anomaly(tx: Tx, anomaly_id: int, *, lock: bool = False) -> Anomaly:
    """The anomaly, for the centre and the auditors.

    Raises:
        AnomalyMissing: for everybody else, and when there is none.
    """
    if not sees_all(tx.actor):
        raise AnomalyMissing()
    statement = select(*columns(Anomaly, tables.anomaly)).where(tables.anomaly.c.id == anomaly_id)
    return await tx.one(
        Anomaly, statement.with_for_update() if lock else statement, missing=AnomalyMissing
    )


async def anomaly_page(tx: Tx, anomaly_id: int) -> AnomalyPage:
    """An anomaly with everything that a decision needs.

    Raises:
        AnomalyMissing: when there is none that the caller may see.
    """
    found = await anomaly(tx, anomaly_id)
    evidence = await tx.scalar(
        select(tables.anomaly.c.evidence).where(tables.anomaly.c.id == anomaly_id)
    )
    about = tables.anomaly_subject.c
    subjects = await tx.execute(
        select(about.kind, about.subject_id)
        .where(about.anomaly_id == anomaly_id)
        .order_by(about.kind, about.subject_id)
    )
    happened = tables.anomaly_event
    events = await tx.all(
        AnomalyEvent,
        select(*columns(AnomalyEvent, happened))
        .where(happened.c.anomaly_id == anomaly_id)
        .order_by(happened.c.id),
    )
    statements = await _statements(tx, [anomaly_id])
    people = {each.person_id for each in events} | {each.made_by for each in statements}
    people |= {each for each in (found.assigned_to, found.decided_by) if each is not None}
    return AnomalyPage(
        anomaly=found,
        evidence=evidence,
        subjects=tuple(Subject(SubjectKind(row.kind), row.subject_id) for row in subjects),
        events=tuple(events),
        statements=tuple(statements),
        names=await names_of_people(tx, people),
    )


async def _statements(tx: Tx, anomaly_ids: list[int]) -> list[AnomalyStatement]:
    table = tables.anomaly_statement
    return await tx.all(
        AnomalyStatement,
        select(*columns(AnomalyStatement, table))
        .where(table.c.anomaly_id.in_(anomaly_ids))
        .order_by(table.c.id),
    )


async def anomalies(tx: Tx, search: AnomalySearch) -> Listed[Anomaly]:
    """Anomalies, the newest first, for the centre and the auditors."""
    table = tables.anomaly
    statement = select(*columns(Anomaly, table))
    if not sees_all(tx.actor):
        statement = statement.where(literal(False))
    for column, wanted in (
        (table.c.kind, search.kind),
        (table.c.severity, search.severity),
        (table.c.status, search.status),
        (table.c.assigned_to, search.assigned_to),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    for kind, subject_id in (
        (SubjectKind.ORGANISATION, search.organisation_id),
        (SubjectKind.ORDER, search.order_id),
        (SubjectKind.CLAIM, search.claim_id),
    ):
        if subject_id is not None:
            statement = _about(statement, kind, subject_id)
    if search.found_from is not None:
        statement = statement.where(table.c.found_at >= shanghai_instant(search.found_from))
    if search.found_until is not None:
        statement = statement.where(table.c.found_at < shanghai_instant(search.found_until, 1440))
    return await listed(tx, Anomaly, statement, table.c.id, search.page)


def _about(statement: Select[Any], kind: SubjectKind, subject_id: int) -> Select[Any]:
    about = tables.anomaly_subject.c
    return statement.where(
        exists().where(
            about.anomaly_id == tables.anomaly.c.id,
            about.kind == kind,
            about.subject_id == subject_id,
        )
    )


async def anomaly_runs(tx: Tx, page: PageAsked) -> Listed[AnomalyRun]:
    """The runs of the detectors, the latest first."""
    table = tables.anomaly_run
    return await listed(tx, AnomalyRun, select(*columns(AnomalyRun, table)), table.c.id, page)


async def last_run_through(tx: Tx) -> date | None:
    """The day up to which the detectors have looked at everything, or None before the first."""
    run = tables.anomaly_run.c
    found: date | None = await tx.scalar(
        select(func.max(run.through)).where(run.claim_id.is_(None))
    )
    return found


async def involved_persons(tx: Tx, anomaly_id: int) -> set[int]:
    """Who placed, submitted, audited, approved or decided what the anomaly is about."""
    return set(await tx.scalars(select(func.involved_persons(anomaly_id))))


async def findings(tx: Tx, page: PageAsked) -> Listed[ConfirmedFinding]:
    """What was confirmed about the caller's organisation, the newest first; nothing before."""
    found = await listed(
        tx,
        Anomaly,
        _confirmed_about(tx.actor.organisation_id),
        tables.anomaly.c.id,
        page,
    )
    return Listed(await _seen_by(tx, found.rows), found.total)


async def finding(tx: Tx, anomaly_id: int) -> ConfirmedFinding:
    """One of the caller's organisation's `findings`.

    Raises:
        AnomalyMissing: when it is not confirmed, or not about the organisation.
    """
    found = await tx.one(
        Anomaly,
        _confirmed_about(tx.actor.organisation_id).where(tables.anomaly.c.id == anomaly_id),
        missing=AnomalyMissing,
    )
    return (await _seen_by(tx, [found]))[0]


def _confirmed_about(organisation_id: int) -> Select[Any]:
    statement = select(*columns(Anomaly, tables.anomaly)).where(
        tables.anomaly.c.status == AnomalyStatus.CONFIRMED
    )
    return _about(statement, SubjectKind.ORGANISATION, organisation_id)


_OWN_ORDERS = text(
    "select distinct a.anomaly_id, a.subject_id from anomaly_subject a"
    " join redeemed_service s on s.order_id = a.subject_id"
    " where a.anomaly_id = any (:ids) and a.kind = 'order'"
    " and :own in (s.buyer_id, s.provider_id) order by 1, 2"
)


async def _seen_by(tx: Tx, found: list[Anomaly]) -> list[ConfirmedFinding]:
    """Anomalies as the caller's organisation sees them: its own orders and its own answers."""
    ids = [each.id for each in found]
    own = tx.actor.organisation_id
    orders: dict[int, list[int]] = {}
    for row in await tx.execute(_OWN_ORDERS, {"ids": ids, "own": own}):
        orders.setdefault(row.anomaly_id, []).append(row.subject_id)
    table = tables.anomaly_statement
    answers: dict[int, list[AnomalyStatement]] = {}
    rows = await tx.execute(
        select(table.c.anomaly_id, *columns(AnomalyStatement, table))
        .where(table.c.anomaly_id.in_(ids), table.c.organisation_id == own)
        .order_by(table.c.id)
    )
    for row in rows:
        given = dict(row._mapping)
        answers.setdefault(given.pop("anomaly_id"), []).append(AnomalyStatement(**given))
    seen = []
    for each in found:
        assert each.decided_at is not None, "what is confirmed was decided"
        seen.append(
            ConfirmedFinding(
                id=each.id,
                kind=each.kind,
                severity=each.severity,
                decided_at=each.decided_at,
                reason=each.reason,
                order_ids=tuple(orders.get(each.id, ())),
                statements=tuple(answers.get(each.id, ())),
            )
        )
    return seen
