"""What waits for somebody: sessions nobody vouches for, and problems reported of instruments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from marketplace.booking.queries.sessions import UsageSession
from marketplace.booking.rules.sessions import Problem, RepairKind, Severity
from marketplace.booking.tables import (
    machine_reading,
    problem_report,
    reservation,
    session_repair,
    usage_session,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class SessionProblem:
    """A session in the problem queue, with what is known of it from all sides.

    `proposal_id` is the user's word that waits, `proposed_end_at` what it says; `log_started_at`
    and `log_stopped_at` are what the instrument's own log says.
    """

    session: UsageSession
    provider_id: int
    organisation_id: int
    person_id: int
    order_id: int | None
    starts_at: datetime
    ends_at: datetime
    age_minutes: int
    proposal_id: int | None
    proposed_end_at: datetime | None
    log_started_at: datetime | None
    log_stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProblemSearch:
    """Which sessions of the queue to list; what is left out does not restrict."""

    problem: Problem | None = None
    instrument_id: int | None = None
    older_than_hours: int | None = None
    proposed: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """One page of the queue, what waits longest first, and how many there are in all."""

    problems: list[SessionProblem]
    total: int


_ANSWER = session_repair.alias("answer")
_OPEN_PROPOSAL = (
    select(
        session_repair.c.session_id,
        session_repair.c.id.label("proposal_id"),
        session_repair.c.after["closed_at"].astext.label("proposed_end_at"),
    )
    .outerjoin(_ANSWER, _ANSWER.c.answers_id == session_repair.c.id)
    .where(session_repair.c.kind == RepairKind.PROPOSAL, _ANSWER.c.id.is_(None))
    .subquery("open_proposal")
)


async def session_problems(tx: Tx, search: ProblemSearch) -> ProblemPage:
    """The problem queue of one's own instruments; whoever sees everything sees all."""
    session, wanted = usage_session.c, _wanted(tx, search)
    source = usage_session.join(reservation, reservation.c.id == session.reservation_id).outerjoin(
        _OPEN_PROPOSAL, _OPEN_PROPOSAL.c.session_id == session.id
    )
    total = await tx.scalar(select(func.count()).select_from(source).where(wanted))
    rows = await tx.execute(
        select(
            usage_session,
            reservation.c.provider_id,
            reservation.c.organisation_id,
            reservation.c.person_id,
            reservation.c.order_id,
            func.lower(reservation.c.during).label("starts_at"),
            func.upper(reservation.c.during).label("ends_at"),
            _OPEN_PROPOSAL.c.proposal_id,
            _OPEN_PROPOSAL.c.proposed_end_at,
            _log(func.min(machine_reading.c.started_at)).label("log_started_at"),
            _log(func.max(machine_reading.c.stopped_at)).label("log_stopped_at"),
        )
        .select_from(source)
        .where(wanted)
        .order_by(session.closed_at, session.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size)
    )
    return ProblemPage([_problem(tx, dict(row)) for row in rows.mappings()], total)


def _log(moment: ColumnElement[Any]) -> Any:
    return (
        select(moment)
        .where(machine_reading.c.reservation_id == usage_session.c.reservation_id)
        .scalar_subquery()
    )


def _problem(tx: Tx, row: dict[str, Any]) -> SessionProblem:
    session = UsageSession(**{name: row.pop(name) for name in UsageSession.__dataclass_fields__})
    proposed = row.pop("proposed_end_at")
    waited = tx.now - (session.closed_at or session.opened_at)
    return SessionProblem(
        session=session,
        age_minutes=max(0, waited // timedelta(minutes=1)),
        proposed_end_at=None if proposed is None else datetime.fromisoformat(proposed),
        **row,
    )


def _wanted(tx: Tx, search: ProblemSearch) -> ColumnElement[bool]:
    session = usage_session.c
    wanted: list[ColumnElement[bool]] = [
        session.problem.is_not(None),
        true()
        if tx.actor.has(*SEES_EVERYTHING)
        else reservation.c.provider_id == tx.actor.organisation_id,
    ]
    if search.problem is not None:
        wanted.append(session.problem == search.problem)
    if search.instrument_id is not None:
        wanted.append(session.instrument_id == search.instrument_id)
    if search.older_than_hours is not None:
        wanted.append(session.closed_at <= tx.now - timedelta(hours=search.older_than_hours))
    if search.proposed is not None:
        there = _OPEN_PROPOSAL.c.proposal_id.is_not(None)
        wanted.append(there if search.proposed else ~there)
    return and_(*wanted)


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """What somebody who used an instrument found wrong with it."""

    id: int
    instrument_id: int
    provider_id: int
    reservation_id: int
    organisation_id: int
    severity: Severity
    note: str
    made_by: int
    made_at: datetime
    closure_id: int | None
    resolved_by: int | None
    resolved_at: datetime | None
    resolution: str | None


def made_report(**row: Any) -> ProblemReport:
    """A `ProblemReport` from its row."""
    return ProblemReport(**{**row, "severity": Severity(row["severity"])})


@dataclass(frozen=True, slots=True)
class ReportSearch:
    """Which reports to list; what is left out does not restrict."""

    instrument_id: int | None = None
    reservation_id: int | None = None
    severity: Severity | None = None
    resolved: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of reports, latest first, and how many there are in all."""

    reports: list[ProblemReport]
    total: int


async def problem_reports(tx: Tx, search: ReportSearch) -> ReportPage:
    """Reports on one's own instruments, and those that one's own organisation made."""
    report = problem_report.c
    wanted: list[ColumnElement[bool]] = [_visible_report(tx)]
    if search.instrument_id is not None:
        wanted.append(report.instrument_id == search.instrument_id)
    if search.reservation_id is not None:
        wanted.append(report.reservation_id == search.reservation_id)
    if search.severity is not None:
        wanted.append(report.severity == search.severity)
    if search.resolved is not None:
        done = report.resolved_at.is_not(None)
        wanted.append(done if search.resolved else ~done)
    total = await tx.scalar(select(func.count()).select_from(problem_report).where(*wanted))
    page = await tx.all(
        made_report,
        select(problem_report)
        .where(*wanted)
        .order_by(report.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ReportPage(page, total)


async def own_report(tx: Tx, report_id: int) -> ProblemReport:
    """A report on an instrument of the actor's organisation, its row locked.

    Raises:
        Missing: otherwise.
    """
    found = await tx.first(
        made_report,
        select(problem_report)
        .where(
            problem_report.c.id == report_id,
            problem_report.c.provider_id == tx.actor.organisation_id,
        )
        .with_for_update(),
    )
    if found is None:
        raise Missing("There is no such report.")
    return found


def _visible_report(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    mine = tx.actor.organisation_id
    return or_(problem_report.c.provider_id == mine, problem_report.c.organisation_id == mine)
