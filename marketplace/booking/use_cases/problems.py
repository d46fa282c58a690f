"""Problems of instruments: users report them, staff close the instrument for them or mend it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, update

from marketplace.booking.errors import (
    InstrumentClosedForReport,
    ProblemReportResolved,
    WindowRefused,
)
from marketplace.booking.events import ProblemReported
from marketplace.booking.queries.problems import ProblemReport, made_report, own_report
from marketplace.booking.queries.reservations import visible_reservation
from marketplace.booking.rules.sessions import Severity
from marketplace.booking.tables import problem_report
from marketplace.catalogue.queries import ClosureKind
from marketplace.catalogue.use_cases import CloseInstrument, close_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class ReportProblem:
    """Somebody who used an instrument says what is wrong with it."""

    reservation_id: int
    severity: Severity
    note: str


async def report_problem(tx: Tx, command: ReportProblem) -> ProblemReport:
    """Keep the report for the instrument's staff. It closes nothing: that is for them to decide.

    Raises:
        Missing: when the reservation is neither of one's own nor on an instrument of one's own.
    """
    present = await visible_reservation(tx, command.reservation_id)
    made = await tx.one(
        made_report,
        insert(problem_report)
        .values(
            instrument_id=present.instrument_id,
            provider_id=present.provider_id,
            reservation_id=present.id,
            organisation_id=present.organisation_id,
            severity=command.severity,
            note=command.note,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(*problem_report.c),
    )
    tx.record(
        ProblemReported(
            report_id=made.id,
            instrument_id=made.instrument_id,
            reservation_id=made.reservation_id,
            severity=made.severity,
        )
    )
    return made


@dataclass(frozen=True, slots=True)
class CloseForProblem:
    """Staff close the instrument from now on until it should work again."""

    report_id: int
    until: datetime
    reason: str


async def close_for_problem(tx: Tx, command: CloseForProblem) -> ProblemReport:
    """Close the instrument as broken down; booking then finds what was reserved in that time.

    Raises:
        Missing: when the report is not on an instrument of one's own.
        ProblemReportResolved, InstrumentClosedForReport: when it was dealt with.
        ClosureRefused: when the closure is too long.
        WindowRefused: when it would end before now.
    """
    found = await _open_report(tx, command.report_id)
    if found.closure_id is not None:
        raise InstrumentClosedForReport("Change the closure itself.", closure_id=found.closure_id)
    if command.until <= tx.now:
        raise WindowRefused("It ends before it starts.", starts_at=tx.now, ends_at=command.until)
    closure = await close_instrument(
        tx,
        CloseInstrument(
            found.instrument_id,
            During(tx.now, command.until),
            command.reason,
            kind=ClosureKind.BREAKDOWN,
        ),
    )
    return await _change(tx, found.id, closure_id=closure.id)


@dataclass(frozen=True, slots=True)
class ResolveProblem:
    """Staff say what was done about it."""

    report_id: int
    resolution: str


async def resolve_problem(tx: Tx, command: ResolveProblem) -> ProblemReport:
    """Take the report off the list.

    Raises:
        Missing: when the report is not on an instrument of one's own.
        ProblemReportResolved: when it is off already.
    """
    found = await _open_report(tx, command.report_id)
    tx.audit(
        "resolve",
        subject="problem_report",
        subject_id=found.id,
        instrument_id=found.instrument_id,
        resolution=command.resolution,
    )
    return await _change(
        tx,
        found.id,
        resolved_by=tx.actor.person_id,
        resolved_at=tx.now,
        resolution=command.resolution,
    )


async def _open_report(tx: Tx, report_id: int) -> ProblemReport:
    found = await own_report(tx, report_id)
    if found.resolved_at is not None:
        raise ProblemReportResolved(found.resolution or "", resolved_at=found.resolved_at)
    return found


async def _change(tx: Tx, report_id: int, **values: object) -> ProblemReport:
    return await tx.one(
        made_report,
        update(problem_report)
        .where(problem_report.c.id == report_id)
        .values(**values)
        .returning(*problem_report.c),
    )
