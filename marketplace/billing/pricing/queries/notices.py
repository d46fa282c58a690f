"""Prices that stand in public notice, over all providers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from marketplace.billing.pricing.tables import price_list, price_objection
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class PriceNotice:
    """New prices of a listed instrument: until when others may object, and how many have."""

    price_list_id: int
    instrument_id: int
    cname: str
    category_code: str
    provider_id: int
    version: int
    state_set: bool
    filed_at: datetime
    notice_ends_on: date
    in_force_from: date
    objections: int
    open_objections: int


@dataclass(frozen=True, slots=True)
class NoticeSearch:
    """Whose prices in notice, and of which category, by the beginning of its code."""

    provider_id: int | None = None
    category: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class NoticePage:
    """One page of notices, and how many there are."""

    notices: list[PriceNotice]
    total: int


async def price_notices(tx: Tx, search: NoticeSearch) -> NoticePage:
    """The running notices, those that end first before the others: public.

    Policy: J.15, J.21d
    """
    filed, machine = price_list.c, MACHINES.subquery("machine")
    wanted = [
        filed.notice_ends_on >= tx.today,
        filed.withdrawn_at.is_(None),
        machine.c.status == "listed",
    ]
    if search.provider_id is not None:
        wanted.append(machine.c.provider_id == search.provider_id)
    if search.category:
        wanted.append(machine.c.category_code.startswith(search.category, autoescape=True))
    running = price_list.join(machine, machine.c.instrument_id == filed.instrument_id)
    total = await tx.scalar(select(func.count()).select_from(running).where(*wanted))
    against = price_objection.c.price_list_id == filed.id
    count = select(func.count()).select_from(price_objection).where(against)
    rows = await tx.all(
        PriceNotice,
        select(
            filed.id.label("price_list_id"),
            filed.instrument_id,
            machine.c.cname,
            machine.c.category_code,
            machine.c.provider_id,
            filed.version,
            filed.state_set,
            filed.filed_at,
            filed.notice_ends_on,
            filed.in_force_from,
            count.scalar_subquery().label("objections"),
            count.where(price_objection.c.outcome.is_(None))
            .scalar_subquery()
            .label("open_objections"),
        )
        .select_from(running)
        .where(*wanted)
        .order_by(filed.notice_ends_on, filed.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return NoticePage(rows, total)
