"""Open lines that somebody looks after, with what was attached to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import func, literal, select

from marketplace.billing.reconciliation.tables import (
    bank_statement,
    line_attachment,
    line_case,
    statement_line,
)
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A line that nobody has explained, who looks after it and why it is left."""

    line_id: int
    account_number: str
    booked_on: date
    amount_fen: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    note: str
    age_days: int
    owner_id: int | None
    reason_code: str | None
    case_note: str | None
    changed_by: int | None
    changed_at: datetime | None
    attachments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSearch:
    """Which open lines to list; the oldest come first."""

    line_ids: Sequence[int] | None = None
    owner_id: int | None = None
    unowned: bool = False
    reason_code: str | None = None
    at_least_days: int = 0
    text: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class LineAttachment:
    """A paper about a line."""

    id: int
    line_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    storage_key: str
    stored_by: int
    stored_at: datetime


ATTACHMENT_COLUMNS = tuple(line_attachment.c[field.name] for field in fields(LineAttachment))
_attachments = (
    select(func.count())
    .where(line_attachment.c.line_id == statement_line.c.id)
    .correlate(statement_line)
    .scalar_subquery()
)


async def open_cases(tx: Tx, search: CaseSearch) -> tuple[list[OpenCase], int]:
    """A page of the exception queue, and how many there are in all."""
    line, case = statement_line.c, line_case.c
    age = literal(tx.today) - line.booked_on
    wanted = [line.status == "unmatched", age >= search.at_least_days]
    if search.line_ids is not None:
        wanted.append(line.id.in_(search.line_ids))
    if search.owner_id is not None:
        wanted.append(case.owner_id == search.owner_id)
    if search.unowned:
        wanted.append(case.owner_id.is_(None))
    if search.reason_code is not None:
        wanted.append(case.reason_code == search.reason_code)
    if search.text.strip():
        text = search.text.strip()
        wanted.append(
            line.remark.icontains(text, autoescape=True)
            | line.counterparty_name.icontains(text, autoescape=True)
            | case.note.icontains(text, autoescape=True)
        )
    joined = statement_line.join(
        bank_statement, bank_statement.c.id == line.statement_id
    ).outerjoin(line_case, case.line_id == line.id)
    total = await tx.scalar(select(func.count()).select_from(joined).where(*wanted))
    found = await tx.all(
        OpenCase,
        select(
            line.id.label("line_id"),
            bank_statement.c.account_number,
            line.booked_on,
            line.amount_fen,
            line.counterparty_name,
            line.counterparty_account,
            line.remark,
            line.note,
            age.label("age_days"),
            case.owner_id,
            case.reason_code,
            case.note.label("case_note"),
            case.changed_by,
            case.changed_at,
            _attachments.label("attachments"),
        )
        .select_from(joined)
        .where(*wanted)
        .order_by(line.booked_on, line.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return found, total


async def attachments_of(tx: Tx, line_id: int) -> list[LineAttachment]:
    """What was attached to a line."""
    return await tx.all(
        LineAttachment,
        select(*ATTACHMENT_COLUMNS)
        .where(line_attachment.c.line_id == line_id)
        .order_by(line_attachment.c.id),
    )


async def kept_attachments(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Which of these files a line names."""
    column = line_attachment.c.storage_key
    return list(await tx.scalars(select(column).where(column.in_(keys)).distinct()))
