"""Looking after open lines: an owner, a reason, a note, and papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import LineMissing, LineNotReady
from marketplace.billing.reconciliation.queries.cases import ATTACHMENT_COLUMNS, LineAttachment
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.tables import line_attachment, line_case
from marketplace.kernel.db import Tx
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import DOCUMENTS, received_file
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role

ATTACHMENT_AREA = "line_attachment"
ATTACHMENT_BYTES_MAX = 10 * 1024 * 1024
ATTACHMENTS_MAX = 20
FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)


@dataclass(frozen=True, slots=True)
class SetCase:
    """Who looks after an open line, and why it is left."""

    line_id: int
    owner_id: int | None
    reason_code: CaseReason
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetCases:
    """The same for several lines at once."""

    line_ids: Sequence[int]
    owner_id: int | None
    reason_code: CaseReason
    note: str = ""


@dataclass(frozen=True, slots=True)
class AttachFile:
    """A paper about a line: a receipt, a letter of the payer."""

    line_id: int
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DownloadFile:
    """Somebody of finance looks at a paper."""

    line_id: int
    attachment_id: int


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A paper with its bytes."""

    name: str
    media_type: str
    content: bytes


async def set_case(tx: Tx, command: SetCase) -> queries.StatementLine:
    """Give an open line to somebody of finance, with the reason why it is left. See `set_cases`."""
    await set_cases(
        tx,
        SetCases((command.line_id,), command.owner_id, command.reason_code, command.note),
    )
    return await queries.line_by_id(tx, command.line_id)


async def set_cases(tx: Tx, command: SetCases) -> int:
    """Give open lines to somebody of finance, with the reason why they are left; how many.

    Raises:
        LineMissing: when there is no such line.
        LineNotReady: when one is explained, or the owner is nobody of finance.
    """
    wanted = sorted(set(command.line_ids))
    found = {line.id for line in await queries.open_lines_by_id(tx, wanted)}
    if missing := next((each for each in wanted if each not in found), None):
        line = await queries.line_by_id(tx, missing)
        raise LineNotReady(f"Line {line.id} is {line.status}.", asked=line.status)
    if command.owner_id is not None and not await _of_finance(tx, command.owner_id):
        raise LineNotReady("Name somebody who works in finance here.", asked=command.owner_id)
    values = {
        "owner_id": command.owner_id,
        "reason_code": command.reason_code,
        "note": command.note,
        "changed_by": tx.actor.person_id,
        "changed_at": tx.now,
    }
    await tx.execute(
        upsert(line_case)
        .values([{"line_id": each} | values for each in wanted])
        .on_conflict_do_update(index_elements=["line_id"], set_=values)
    )
    for each in wanted:
        tx.audit(
            "set_case",
            subject="statement_line",
            subject_id=each,
            owner_id=command.owner_id,
            reason_code=str(command.reason_code),
        )
    return len(wanted)


async def _of_finance(tx: Tx, person_id: int) -> bool:
    members = await parties.members(tx, tx.actor.organisation_id)
    return any(
        one.person_id == person_id and one.role in FINANCE and one.disabled_at is None
        for one in members
    )


async def attach_file(tx: Tx, command: AttachFile) -> LineAttachment:
    """Keep a paper with a line, explained or not.

    Raises:
        LineMissing: when there is no such line.
        LineNotReady: when it has as many as it may have, or this very file.
        FileUnfit: when it is no document, too large, or infected.
    """
    await queries.line_by_id(tx, command.line_id)
    # The scanner may take seconds: nothing is locked meanwhile.
    checked = await received_file(
        command.name, command.content, allowed=DOCUMENTS, bytes_max=ATTACHMENT_BYTES_MAX
    )
    kept = await queries.attachments_of(tx, command.line_id)
    if len(kept) >= ATTACHMENTS_MAX or checked.sha256 in {one.sha256 for one in kept}:
        raise LineNotReady(f"A line has at most {ATTACHMENTS_MAX} files, each of them once.")
    key = await keep_file(tx, ATTACHMENT_AREA, command.content)
    stored = await tx.one(
        LineAttachment,
        insert(line_attachment)
        .values(
            line_id=command.line_id,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=checked.size,
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*ATTACHMENT_COLUMNS),
    )
    tx.audit("attach", subject="statement_line", subject_id=command.line_id, sha256=checked.sha256)
    return stored


async def download_file(tx: Tx, command: DownloadFile) -> AttachedFile:
    """The bytes of a paper; who took them is written down.

    Raises:
        LineMissing: when there is none.
        FileDamaged: when it is gone, or not as it was kept.
    """
    kept = await tx.one(
        LineAttachment,
        select(*ATTACHMENT_COLUMNS).where(
            line_attachment.c.line_id == command.line_id,
            line_attachment.c.id == command.attachment_id,
        ),
        missing=LineMissing,
    )
    content = await kept_file(kept.storage_key)
    tx.audit("download", subject="statement_line", subject_id=kept.line_id, sha256=kept.sha256)
    return AttachedFile(kept.name, kept.media_type, content)
