"""What became of an export, and the code under which a unit reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.exchange.errors import ExportMissing
from marketplace.exchange.queries import NationalExport, UnitCode, made_export
from marketplace.exchange.rules.states import ExportStatus, Step, after_answer, require_step
from marketplace.exchange.tables import national_export, national_unit
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class NoteAnswer:
    """What the national platform answered, by its return code."""

    export_id: int
    code: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawExport:
    """An export that nobody will send, and why."""

    export_id: int
    note: str


@dataclass(frozen=True, slots=True)
class SetUnitCode:
    """The code that the national platform issued to the caller's unit."""

    ins_code: str


async def mark_sent(tx: Tx, export_id: int) -> NationalExport:
    """Note that the file was handed to the national platform.

    Raises:
        ExportMissing: when it is another provider's.
        ExportNotInState: unless it was made and not sent.
    """
    found = await _own(tx, export_id)
    require_step(found.status, Step.SEND)
    return await _move(
        tx, found, "send", status=ExportStatus.SENT, sent_by=tx.actor.person_id, sent_at=tx.now
    )


async def note_answer(tx: Tx, command: NoteAnswer) -> NationalExport:
    """Note the answer: accepted records are known there, rejected ones go into the next run.

    A code that asks for completion is noted and leaves the export open.

    Policy: F.record (return codes).

    Raises:
        ExportMissing: when it is another provider's.
        ExportNotInState: unless it was sent and waits for an answer.
    """
    found = await _own(tx, command.export_id)
    require_step(found.status, Step.ANSWER)
    return await _move(
        tx,
        found,
        "answer",
        status=after_answer(command.code),
        answered_by=tx.actor.person_id,
        answered_at=tx.now,
        return_code=command.code,
        return_note=command.note,
    )


async def withdraw_export(tx: Tx, command: WithdrawExport) -> NationalExport:
    """Reject an export by hand that was made and will not be sent; another may then be made.

    Raises:
        ExportMissing: when it is another provider's.
        ExportNotInState: when it was sent.
    """
    found = await _own(tx, command.export_id)
    require_step(found.status, Step.WITHDRAW)
    return await _move(
        tx,
        found,
        "withdraw",
        status=ExportStatus.REJECTED,
        answered_by=tx.actor.person_id,
        answered_at=tx.now,
        return_note=command.note,
    )


async def set_unit_code(tx: Tx, command: SetUnitCode) -> UnitCode:
    """Enter or change the code of the caller's unit; exports made from then on carry it."""
    given = insert(national_unit).values(
        provider_id=tx.actor.organisation_id,
        ins_code=command.ins_code.lower(),
        set_by=tx.actor.person_id,
        set_at=tx.now,
    )
    changed = {name: given.excluded[name] for name in ("ins_code", "set_by", "set_at")}
    tx.audit(
        "set",
        subject="national_unit",
        subject_id=tx.actor.organisation_id,
        ins_code=command.ins_code.lower(),
    )
    return await tx.one(
        UnitCode,
        given.on_conflict_do_update(index_elements=["provider_id"], set_=changed).returning(
            *national_unit.c
        ),
    )


async def _own(tx: Tx, export_id: int) -> NationalExport:
    return await tx.one(
        made_export,
        select(national_export)
        .where(
            national_export.c.id == export_id,
            national_export.c.provider_id == tx.actor.organisation_id,
        )
        .with_for_update(),
        missing=ExportMissing,
    )


async def _move(tx: Tx, found: NationalExport, action: str, **values: Any) -> NationalExport:
    tx.audit(
        action,
        subject="national_export",
        subject_id=found.id,
        before=found.status,
        after=values["status"],
        return_code=values.get("return_code"),
        note=values.get("return_note"),
    )
    return await tx.one(
        made_export,
        update(national_export)
        .where(national_export.c.id == found.id)
        .values(**values)
        .returning(*national_export.c),
    )
