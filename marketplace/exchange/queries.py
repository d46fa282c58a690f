"""What was exported, with which answer, and what the national platform knows already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.exchange.errors import ExportMissing
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.states import ExportStatus, RecordKind
from marketplace.exchange.tables import national_export, national_export_record, national_unit
from marketplace.kernel.db import Tx
from marketplace.parties.roles import SEES_EVERYTHING, Role

READS_ALL = (Role.EVALUATOR, Role.ADMINISTRATOR, *SEES_EVERYTHING)


@dataclass(frozen=True, slots=True)
class NationalExport:
    """One run: what it holds, what it left out and why, and what became of it."""

    id: int
    provider_id: int
    year: int
    quarter: int
    status: ExportStatus
    records: int
    refused: int
    unchanged: int
    sha256: str
    report: Mapping[str, Any]
    made_by: int
    made_at: datetime
    sent_by: int | None
    sent_at: datetime | None
    answered_by: int | None
    answered_at: datetime | None
    return_code: int | None
    return_note: str | None


@dataclass(frozen=True, slots=True)
class ExportSearch:
    """Which exports to list; None stands for any."""

    provider_id: int | None = None
    year: int | None = None
    quarter: int | None = None
    status: ExportStatus | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ExportPart:
    """A page of the records of one export: those sent, those left out, or both."""

    export_id: int
    refused: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """A record of an export; `reasons` is empty for those that are sent."""

    line: int
    record_inner_id: str
    kind: RecordKind
    instrument_id: int
    order_id: int | None
    minutes: int
    content: Mapping[str, str]
    sha256: str
    reasons: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class UnitCode:
    """The code that the national platform issued to a provider's unit."""

    provider_id: int
    ins_code: str
    set_by: int
    set_at: datetime


def made_export(**row: Any) -> NationalExport:
    """A row of the table as an export."""
    return NationalExport(**{**row, "status": ExportStatus(row["status"])})


async def export(tx: Tx, export_id: int) -> NationalExport:
    """An export that the caller may see.

    Raises:
        ExportMissing: when there is none, or it is another provider's.
    """
    return await tx.one(
        made_export,
        _visible(tx).where(national_export.c.id == export_id),
        missing=ExportMissing,
    )


async def exports(tx: Tx, search: ExportSearch) -> tuple[list[NationalExport], int]:
    """A page of exports, the latest first, and how many there are."""
    asked = _visible(tx)
    for name in ("provider_id", "year", "quarter", "status"):
        wanted = getattr(search, name)
        if wanted is not None:
            asked = asked.where(national_export.c[name] == wanted)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    rows = await tx.all(
        made_export,
        asked.order_by(national_export.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return rows, total


async def export_records(tx: Tx, part: ExportPart) -> tuple[list[ExportRecord], int]:
    """A page of the records of an export, by line, and how many there are.

    Raises:
        ExportMissing: when there is none, or it is another provider's.
    """
    await export(tx, part.export_id)
    of = national_export_record.c
    wanted: list[ColumnElement[bool]] = [of.export_id == part.export_id]
    if part.refused is not None:
        wanted.append((func.jsonb_array_length(of.reasons) > 0) == part.refused)
    rows = await tx.all(
        _made_record,
        _records()
        .where(*wanted)
        .order_by(of.line)
        .limit(part.page_size)
        .offset((part.page - 1) * part.page_size),
    )
    return rows, await tx.scalar(
        select(func.count()).select_from(national_export_record).where(*wanted)
    )


async def contents_to_send(tx: Tx, export_id: int) -> list[Mapping[str, str]]:
    """Every record that an export sends, in order.

    Raises:
        ExportMissing: when there is none, or it is another provider's.
    """
    await export(tx, export_id)
    of = national_export_record.c
    found = await tx.scalars(
        select(of.content)
        .where(of.export_id == export_id, func.jsonb_array_length(of.reasons) == 0)
        .order_by(of.line)
    )
    return list(found)


async def accepted_digests(tx: Tx, provider_id: int, quarter: Quarter) -> dict[str, str]:
    """What the national platform accepted of a quarter: the last digest of each record."""
    run, of = national_export.c, national_export_record.c
    rows = await tx.execute(
        select(of.record_inner_id, of.sha256)
        .join_from(national_export_record, national_export, run.id == of.export_id)
        .where(
            run.provider_id == provider_id,
            run.year == quarter.year,
            run.quarter == quarter.number,
            run.status == ExportStatus.ACCEPTED,
            func.jsonb_array_length(of.reasons) == 0,
        )
        .ext(distinct_on(of.record_inner_id))
        .order_by(of.record_inner_id, of.export_id.desc())
    )
    return {row.record_inner_id: row.sha256 for row in rows}


async def unit_code(tx: Tx, provider_id: int | None = None) -> UnitCode | None:
    """The code of a provider's unit, the caller's own by default; None until it is entered."""
    return await tx.first(
        UnitCode,
        select(national_unit).where(
            national_unit.c.provider_id == (provider_id or tx.actor.organisation_id)
        ),
    )


def _visible(tx: Tx) -> Select[Any]:
    seen = (
        true()
        if tx.actor.has("system", *READS_ALL)
        else national_export.c.provider_id == tx.actor.organisation_id
    )
    return select(national_export).where(seen)


def _records() -> Select[Any]:
    return select(*(national_export_record.c[name] for name in ExportRecord.__dataclass_fields__))


def _made_record(**row: Any) -> ExportRecord:
    return ExportRecord(**{**row, "kind": RecordKind(row["kind"])})
