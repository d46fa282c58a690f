"""Notices: the list of the centre, and those that pages show just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.operations.errors import NoticeMissing
from marketplace.operations.rules.notices import NoticeState, state_at
from marketplace.operations.tables import notice as table

# More than these on top of a page would be no notices.
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Notice:
    """What the centre tells, in both languages; without an audience everybody."""

    id: int
    severity: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    audience: Sequence[str]
    shown_from: datetime
    shown_until: datetime
    written_by: int
    written_at: datetime
    withdrawn_by: int | None
    withdrawn_at: datetime | None
    withdrawn_reason: str

    def state(self, now: datetime) -> NoticeState:
        """Whether readers see it at a moment."""
        return state_at(
            now,
            shown_from=self.shown_from,
            shown_until=self.shown_until,
            withdrawn_at=self.withdrawn_at,
        )

    def is_for(self, roles: frozenset[str]) -> bool:
        """Whether somebody with these roles, or nobody in particular, is told."""
        return not self.audience or not roles.isdisjoint(self.audience)


_COLUMNS = tuple(table.c[name] for name in Notice.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class NoticeSearch:
    """Which notices: with a text, of a severity, in a state, for a role, which page."""

    text: str = ""
    severity: str | None = None
    state: NoticeState | None = None
    role: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class NoticePage:
    """One page of notices, the latest first, as they stand at `now`."""

    rows: list[Notice]
    total: int
    now: datetime


async def notice(tx: Tx, notice_id: int, *, lock: bool = False) -> Notice:
    """The notice with this id.

    Raises:
        NoticeMissing: when there is none.
    """
    statement = select(*_COLUMNS).where(table.c.id == notice_id)
    return await tx.one(
        Notice, statement.with_for_update() if lock else statement, missing=NoticeMissing
    )


async def notices(tx: Tx, search: NoticeSearch) -> NoticePage:
    """Every notice that fits, the latest first."""
    wanted: list[ColumnElement[bool]] = []
    if search.text.strip():
        wanted.append(
            or_(
                *(
                    column.icontains(search.text.strip(), autoescape=True)
                    for column in (
                        table.c.title_zh,
                        table.c.title_en,
                        table.c.text_zh,
                        table.c.text_en,
                    )
                )
            )
        )
    if search.severity is not None:
        wanted.append(table.c.severity == search.severity)
    if search.role is not None:
        wanted.append(or_(table.c.audience == [], table.c.audience.contains([search.role])))
    if search.state is not None:
        wanted.append(_in_state(search.state, tx.now))
    total = await tx.scalar(select(func.count()).select_from(table).where(*wanted))
    rows = await tx.all(
        Notice,
        select(*_COLUMNS)
        .where(*wanted)
        .order_by(table.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return NoticePage(rows, int(total), tx.now)


def _in_state(state: NoticeState, now: datetime) -> ColumnElement[bool]:
    stands = table.c.withdrawn_at.is_(None)
    match state:
        case NoticeState.WITHDRAWN:
            return table.c.withdrawn_at.is_not(None)
        case NoticeState.OVER:
            return stands & (table.c.shown_until <= now)
        case NoticeState.PLANNED:
            return stands & (table.c.shown_from > now)
        case NoticeState.SHOWN:
            return stands & (table.c.shown_from <= now) & (table.c.shown_until > now)


async def notices_shown(tx: Tx, _: None = None) -> list[Notice]:
    """What is shown or about to be, whoever reads: the most urgent first."""
    found = await tx.all(
        Notice,
        select(*_COLUMNS)
        .where(table.c.withdrawn_at.is_(None), table.c.shown_until > tx.now)
        .order_by(table.c.shown_from, table.c.id)
        .limit(SHOWN_MAX),
    )
    order = ("critical", "warning", "info")
    return sorted(found, key=lambda each: order.index(each.severity))


async def notices_now(tx: Tx, _: None = None) -> list[Notice]:
    """What is shown at this moment to who asks."""
    return [
        each
        for each in await notices_shown(tx)
        if each.state(tx.now) is NoticeState.SHOWN and each.is_for(tx.actor.roles)
    ]
