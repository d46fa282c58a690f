"""Quotes as they were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.orders import tables
from marketplace.orders.errors import QuoteMissing
from marketplace.orders.queries.access import sees_everything
from marketplace.orders.rules.sample_notice import earliest_arrival_on


@dataclass(frozen=True, slots=True)
class Quote:
    """What a buyer was told: price, voucher part, own part, rules, and until when that holds."""

    id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    instrument_id: int
    mode: str
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    customer_class: str
    purpose: str | None
    service_kind: str
    price_list_id: int
    lines: list[dict[str, Any]]
    total_fen: int
    voucher_fen: int
    own_fen: int
    explanation: dict[str, Any]
    terms: dict[str, Any]
    valid_until: datetime
    made_by: int
    made_at: datetime
    used_at: datetime | None
    priced_on: date
    amends_order_id: int | None
    arrives_on: date | None
    manual_unit: str | None
    manual_unit_fen: int | None
    # Every item as JSON, the main one first; `queries.items` reads them as rows.
    items: list[dict[str, Any]]

    @property
    def served_on(self) -> date | None:
        """The day of the service, where the quote names one: the voucher must be valid then."""
        return None if self.starts_at is None else shanghai_day(self.starts_at)

    @property
    def reimbursed_fen(self) -> int:
        """What vouchers pay back to the buyer, which pays in full first and claims afterwards."""
        return int(self.explanation["voucher"].get("reimbursed_fen", 0))

    @property
    def chosen_grants(self) -> tuple[int, ...] | None:
        """The vouchers that the buyer chose; None: the combination that pays most."""
        chosen = self.explanation["voucher"].get("chosen")
        return None if chosen is None else tuple(chosen)

    @property
    def persons(self) -> int:
        """How many persons the service trains, where a voucher pays for it by the person."""
        return int(self.explanation["voucher"].get("persons", 0))

    @property
    def samples_from(self) -> date | None:
        """The first day on which samples may arrive that are ordered when the quote was made."""
        if self.samples is None:
            return None
        notice = self.term("booking", "sample_notice_minutes")
        return earliest_arrival_on(self.made_at, notice_minutes=notice)

    def term(self, section: str, name: str) -> Any:
        """The value of a term frozen in the quote."""
        return self.terms[section][name]["value"]


@dataclass(frozen=True, slots=True)
class QuoteList:
    """Which quotes: those still usable, or all."""

    usable_only: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class QuotePage:
    """One page of quotes, newest first."""

    rows: list[Quote]
    total: int
    page: int
    page_size: int


def quote_columns() -> Select[Any]:
    """Every column that a `Quote` has, and its items."""
    of = tables.quote_item.c
    told = func.to_jsonb(tables.quote_item.table_valued()).op("-")("quote_id")
    items = (
        select(func.jsonb_agg(aggregate_order_by(told, of.position)))
        .where(of.quote_id == tables.quote.c.id)
        .correlate(tables.quote)
        .scalar_subquery()
        .label("items")
    )
    names = (name for name in Quote.__dataclass_fields__ if name != "items")
    return select(*(tables.quote.c[name] for name in names), items)


async def quote(tx: Tx, quote_id: int) -> Quote:
    """A quote of the caller's own: as its buyer, or as the station agent who asked for it.

    Raises:
        QuoteMissing: when there is none that the caller may see.
    """
    found = await tx.one(
        Quote, quote_columns().where(tables.quote.c.id == quote_id), missing=QuoteMissing
    )
    mine = tx.actor.organisation_id in (found.buyer_id, found.agent_id)
    if not (mine or sees_everything(tx.actor)):
        raise QuoteMissing()
    return found


async def quotes(tx: Tx, question: QuoteList) -> QuotePage:
    """The caller's own quotes, newest first."""
    table = tables.quote.c
    condition = or_(
        table.buyer_id == tx.actor.organisation_id, table.agent_id == tx.actor.organisation_id
    )
    if question.usable_only:
        condition &= table.used_at.is_(None) & (table.valid_until > tx.now)
    rows = await tx.all(
        Quote,
        quote_columns()
        .where(condition)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(tables.quote).where(condition))
    return QuotePage(rows, int(total), question.page, question.page_size)
