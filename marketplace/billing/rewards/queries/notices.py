"""Runs in public notice as anybody reads them, and the objections to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from marketplace.billing.rewards.errors import NoticeMissing, ObjectionMissing
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.tables import reward_entity_share, reward_objection, reward_run
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class Notice:
    """A run in public notice: for which year, how much, and until when one may object."""

    run_id: int
    year: int
    sequence: int
    through: date
    entities: int
    total_fen: int
    published_at: datetime
    notice_ends_on: date


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What a legal entity is to be paid."""

    legal_entity_id: int
    name: str
    name_en: str
    service_total_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class NoticeAsked:
    """A run in notice, and which page of its lines."""

    run_id: int
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A run in notice with one page of the legal entities that it pays, the largest first."""

    notice: Notice
    lines: list[NoticeLine]
    total: int


@dataclass(frozen=True, slots=True)
class Objection:
    """Why somebody thinks that a run should not be paid as it is, and what was answered."""

    id: int
    run_id: int
    name: str
    contact: str
    statement: str
    filed_at: datetime
    status: str
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObjectionSearch:
    """Which objections: to a run, in a state, and which page of them."""

    run_id: int | None = None
    status: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ObjectionPage:
    """One page of objections, the newest first."""

    results: list[Objection]
    total: int


_NOTICES = select(
    reward_run.c.id.label("run_id"),
    reward_run.c.year,
    reward_run.c.sequence,
    reward_run.c.through,
    reward_run.c.entities,
    reward_run.c.total_fen,
    reward_run.c.published_at,
    reward_run.c.notice_ends_on,
).where(reward_run.c.status == RunStatus.IN_NOTICE)


async def notices(tx: Tx, _: None = None) -> list[Notice]:
    """The runs in public notice: at most one a year."""
    return await tx.all(Notice, _NOTICES.order_by(reward_run.c.id.desc()).limit(100))


async def notice_page(tx: Tx, asked: NoticeAsked) -> NoticePage:
    """What anybody may know of a run in notice.

    Raises:
        NoticeMissing: when no run of this number is in public notice.
    """
    notice = await tx.one(
        Notice, _NOTICES.where(reward_run.c.id == asked.run_id), missing=NoticeMissing
    )
    share = reward_entity_share.c
    wanted = (share.run_id == asked.run_id, share.amount_fen > 0)
    body = parties.BODIES.subquery("body")
    total = await tx.scalar(select(func.count()).select_from(reward_entity_share).where(*wanted))
    lines = await tx.all(
        NoticeLine,
        select(
            share.legal_entity_id,
            body.c.name,
            body.c.name_en,
            share.service_total_fen,
            share.amount_fen,
        )
        .join(body, body.c.legal_entity_id == share.legal_entity_id)
        .where(*wanted)
        .order_by(share.amount_fen.desc(), share.legal_entity_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return NoticePage(notice, lines, total)


async def objection(tx: Tx, objection_id: int) -> Objection:
    """One objection.

    Raises:
        ObjectionMissing: when there is none.
    """
    return await tx.one(
        Objection,
        select(reward_objection).where(reward_objection.c.id == objection_id),
        missing=ObjectionMissing,
    )


async def objections(tx: Tx, search: ObjectionSearch) -> ObjectionPage:
    """Objections to runs, the newest first; the caller is one of those whose work they are."""
    table = reward_objection.c
    wanted: list[ColumnElement[bool]] = []
    if search.run_id is not None:
        wanted.append(table.run_id == search.run_id)
    if search.status is not None:
        wanted.append(table.status == search.status)
    total = await tx.scalar(select(func.count()).select_from(reward_objection).where(*wanted))
    results = await tx.all(
        Objection,
        select(reward_objection)
        .where(*wanted)
        .order_by(table.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ObjectionPage(results, total)
