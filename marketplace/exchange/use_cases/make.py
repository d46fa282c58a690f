"""Make an export of a quarter's service records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_once

from marketplace.booking import queries as booking
from marketplace.exchange.errors import ExportOpen, NothingToExport
from marketplace.exchange.queries import NationalExport, accepted_digests, made_export
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.run import GONE_MAX, CheckedRecord, Run, run_of
from marketplace.exchange.rules.states import ExportStatus, RecordKind
from marketplace.exchange.tables import national_export, national_export_record
from marketplace.exchange.use_cases.gather import Gathered, gather
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

ROWS_PER_INSERT = 2_000


@dataclass(frozen=True, slots=True)
class MakeExport:
    """The caller's quarter, from 1 to 4."""

    year: int
    quarter: int


async def make_export(tx: Tx, command: MakeExport) -> NationalExport:
    """Draw up the service records of a quarter that are not known to the national platform yet.

    A record whose fields do not pass is listed with every reason and left out. What was accepted
    before in the same words is not sent again: an export after the first one is the difference.

    Policy: F.289-15 (records are reported once a quarter), F.record, F.289-17.

    Raises:
        QuarterNotOver: while it lasts.
        ExportOpen: while an earlier export of the quarter waits to be sent or answered.
        NothingToExport: when there is neither anything new nor anything wrong.
    """
    quarter = Quarter(command.year, command.quarter)
    quarter.require_over(tx.today)
    provider_id = tx.actor.organisation_id
    gathered = await gather(tx, provider_id, quarter)
    run = run_of(
        gathered.records,
        quarter,
        accepted=await accepted_digests(tx, provider_id, quarter),
        masks=rulebook().booking.record_masks.on(tx.today),
    )
    if not run.new and not run.refused:
        raise NothingToExport(unchanged=len(run.unchanged))
    made = await _store(tx, provider_id, quarter, run, await _report(tx, quarter, run, gathered))
    tx.audit(
        "make",
        subject="national_export",
        subject_id=made.id,
        year=quarter.year,
        quarter=quarter.number,
        records=made.records,
        refused=made.refused,
        sha256=made.sha256,
    )
    return made


async def _store(
    tx: Tx, provider_id: int, quarter: Quarter, run: Run, report: dict[str, Any]
) -> NationalExport:
    made = await tx.one(
        made_export,
        insert_once(national_export)
        .values(
            provider_id=provider_id,
            year=quarter.year,
            quarter=quarter.number,
            status=ExportStatus.MADE,
            records=len(run.new),
            refused=len(run.refused),
            unchanged=len(run.unchanged),
            sha256=run.sha256,
            report=report,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .on_conflict_do_nothing()
        .returning(*national_export.c),
        missing=ExportOpen,
    )
    rows = [_row(made.id, one) for one in (*run.new, *run.refused)]
    for first in range(0, len(rows), ROWS_PER_INSERT):
        await tx.execute(insert(national_export_record), rows[first : first + ROWS_PER_INSERT])
    return made


def _row(export_id: int, one: CheckedRecord) -> dict[str, Any]:
    return {
        "export_id": export_id,
        "line": one.line,
        "record_inner_id": one.record.record_inner_id,
        "kind": one.record.kind,
        "instrument_id": one.record.instrument_id,
        "order_id": one.record.order_id,
        "minutes": one.record.minutes,
        "content": one.content,
        "sha256": one.sha256,
        "reasons": [asdict(reason) for reason in one.reasons],
    }


async def _report(tx: Tx, quarter: Quarter, run: Run, gathered: Gathered) -> dict[str, Any]:
    """What somebody should read before sending: reasons, reconciliation, months not confirmed."""
    unconfirmed, _ = await booking.missing_statements(
        tx,
        booking.MonthsAsked(
            quarter.months[0], quarter.months[2], provider_id=tx.actor.organisation_id
        ),
    )
    return {
        "reasons": run.reasons,
        "gone": list(run.gone[:GONE_MAX]),
        "gone_count": len(run.gone),
        "months_unconfirmed": sorted(one.month.isoformat() for one in unconfirmed),
        "sessions_in_doubt": gathered.totals.sessions_in_doubt,
        "minutes": _reconciled(run, gathered),
    }


def _reconciled(run: Run, gathered: Gathered) -> dict[str, int]:
    """Minutes of the records, made into machine-hours; `unexplained` is what that leaves open.

    Policy: F.hours.
    """
    totals = gathered.totals
    order, own = (_minutes(gathered.records, kind) for kind in RecordKind)
    by_records = order - totals.before_minutes + totals.after_minutes + own
    machine = by_records + totals.upkeep_minutes - totals.overlap_minutes
    return {
        "exported": _minutes([one.record for one in run.new]),
        "refused": _minutes([one.record for one in run.refused]),
        "unchanged": _minutes([one.record for one in run.unchanged]),
        "orders": order,
        "own_use": own,
        "before_quarter": totals.before_minutes,
        "after_quarter": totals.after_minutes,
        "upkeep": totals.upkeep_minutes,
        "overlap": totals.overlap_minutes,
        "machine_minutes": totals.machine_minutes,
        "unexplained": machine - totals.machine_minutes,
    }


def _minutes(records: Sequence[Any], kind: RecordKind | None = None) -> int:
    return sum(one.minutes for one in records if kind is None or one.kind is kind)
