"""Publish a notice in both languages, and withdraw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.operations.errors import NoticeOver, NoticeRefused, NoticeWithdrawn
from marketplace.operations.events import NoticeChanged
from marketplace.operations.queries.notices import Notice, notice
from marketplace.operations.rules.notices import NoticeState, Severity, why_not
from marketplace.operations.tables import notice as table


@dataclass(frozen=True, slots=True)
class PublishNotice:
    """What is told, to which roles (none: everybody), from when until when."""

    severity: Severity
    title_zh: str
    title_en: str
    shown_from: datetime
    shown_until: datetime
    text_zh: str = ""
    text_en: str = ""
    audience: Sequence[str] = ()


async def publish_notice(tx: Tx, command: PublishNotice) -> Notice:
    """Show a notice on top of pages; its words are never changed afterwards.

    Raises:
        NoticeRefused: with everything that speaks against it.
    """
    titles = (command.title_zh.strip(), command.title_en.strip())
    texts = (command.text_zh.strip(), command.text_en.strip())
    reasons = why_not(
        titles=titles,
        texts=texts,
        audience=command.audience,
        shown_from=command.shown_from,
        shown_until=command.shown_until,
        now=tx.now,
    )
    if reasons:
        raise NoticeRefused(reasons=reasons)
    notice_id: int = await tx.scalar(
        insert(table)
        .values(
            severity=command.severity,
            title_zh=titles[0],
            title_en=titles[1],
            text_zh=texts[0],
            text_en=texts[1],
            audience=sorted(set(command.audience)),
            shown_from=command.shown_from,
            shown_until=command.shown_until,
            written_by=tx.actor.person_id,
            written_at=tx.now,
        )
        .returning(table.c.id)
    )
    tx.audit(
        "publish",
        subject="notice",
        subject_id=notice_id,
        severity=command.severity,
        audience=sorted(set(command.audience)),
        title=titles[0],
    )
    tx.record(NoticeChanged(notice_id))
    return await notice(tx, notice_id)


@dataclass(frozen=True, slots=True)
class WithdrawNotice:
    """A notice that shall no longer be shown, and why."""

    notice_id: int
    reason: str


async def withdraw_notice(tx: Tx, command: WithdrawNotice) -> Notice:
    """Take a notice off the pages; it stays in the list with the reason.

    Raises:
        NoticeMissing: when there is none.
        NoticeWithdrawn: when it was withdrawn before.
        NoticeOver: when its time is over anyway.
    """
    found = await notice(tx, command.notice_id, lock=True)
    state = found.state(tx.now)
    if state is NoticeState.WITHDRAWN:
        raise NoticeWithdrawn()
    if state is NoticeState.OVER:
        raise NoticeOver()
    await tx.execute(
        update(table)
        .where(table.c.id == found.id)
        .values(
            withdrawn_by=tx.actor.person_id,
            withdrawn_at=tx.now,
            withdrawn_reason=command.reason.strip(),
        )
    )
    tx.audit("withdraw", subject="notice", subject_id=found.id, reason=command.reason.strip())
    tx.record(NoticeChanged(found.id))
    return await notice(tx, found.id)
