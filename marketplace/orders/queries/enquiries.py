"""Enquiries as buyer, agent and provider see them, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Select, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, array

from marketplace.kernel.db import Tx
from marketplace.kernel.time import SHANGHAI
from marketplace.orders.enquiry_errors import EnquiryMissing
from marketplace.orders.rules.enquiries import EnquiryStatus, side_of
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.tables import enquiry, enquiry_instrument
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What a buyer asks of a provider, and where that stands."""

    id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    status: str
    subject: str
    need: str
    wished_from: date | None
    wished_until: date | None
    samples: int | None
    budget_fen: int | None
    asked_by: int
    asked_at: datetime
    answer_until: datetime
    answered_at: datetime | None
    due_at: datetime | None
    changed_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    instrument_ids: list[int]

    def side(self, organisation_id: int) -> Side | None:
        """For which side an organisation speaks here."""
        return side_of(
            organisation_id,
            buyer_id=self.buyer_id,
            provider_id=self.provider_id,
            agent_id=self.agent_id,
        )


@dataclass(frozen=True, slots=True)
class EnquiryList:
    """Which of the caller's enquiries; days are those of Shanghai, both included."""

    statuses: tuple[EnquiryStatus, ...] = ()
    side: Side | None = None
    text: str = ""
    instrument_id: int | None = None
    organisation_id: int | None = None
    asked_from: date | None = None
    asked_until: date | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class EnquiryPage:
    """One page of enquiries, the newest first, and what their organisations are called."""

    rows: list[Enquiry]
    names: Mapping[int, str]
    total: int
    page: int
    page_size: int


def enquiry_columns() -> Select[Any]:
    """Every column that an `Enquiry` has."""
    own = [enquiry.c[name] for name in Enquiry.__dataclass_fields__ if name != "instrument_ids"]
    named = enquiry_instrument.c
    ids = (
        select(
            func.coalesce(func.array_agg(named.instrument_id), cast(array([]), ARRAY(BigInteger)))
        )
        .where(named.enquiry_id == enquiry.c.id)
        .correlate(enquiry)
        .scalar_subquery()
    )
    return select(*own, ids.label("instrument_ids"))


async def enquiry_by_id(tx: Tx, enquiry_id: int) -> Enquiry:
    """An enquiry of the caller's own: as its buyer, its agent or its provider.

    Raises:
        EnquiryMissing: for everybody else.
    """
    found = await tx.one(
        Enquiry, enquiry_columns().where(enquiry.c.id == enquiry_id), missing=EnquiryMissing
    )
    require_side(tx, found)
    return found


def require_side(tx: Tx, found: Enquiry) -> Side:
    """For which side the caller speaks.

    Raises:
        EnquiryMissing: when it speaks for none.
    """
    side = found.side(tx.actor.organisation_id)
    if side is None:
        raise EnquiryMissing()
    return side


def named_in(found: Sequence[Enquiry]) -> set[int]:
    """The organisations that take part in some enquiries."""
    return {
        each
        for one in found
        for each in (one.buyer_id, one.provider_id, one.agent_id)
        if each is not None
    }


async def enquiries(tx: Tx, question: EnquiryList) -> EnquiryPage:
    """The caller's enquiries, the newest first."""
    conditions = _conditions(tx, question)
    rows = await tx.all(
        Enquiry,
        enquiry_columns()
        .where(*conditions)
        .order_by(enquiry.c.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    found = await parties.organisations(tx, named_in(rows))
    total = await tx.scalar(select(func.count()).select_from(enquiry).where(*conditions))
    return EnquiryPage(
        rows=rows,
        names={each.id: each.name for each in found.values()},
        total=int(total),
        page=question.page,
        page_size=question.page_size,
    )


def _conditions(tx: Tx, question: EnquiryList) -> list[ColumnElement[bool]]:
    table, own = enquiry.c, tx.actor.organisation_id
    mine = {
        Side.BUYER: table.buyer_id == own,
        Side.PROVIDER: table.provider_id == own,
        Side.AGENT: table.agent_id == own,
    }
    asked_on = cast(func.timezone(SHANGHAI.key, table.asked_at), Date)
    conditions = [or_(*mine.values()) if question.side is None else mine[question.side]]
    if question.statuses:
        conditions.append(table.status.in_(question.statuses))
    if question.text:
        conditions.append(table.subject.icontains(question.text, autoescape=True))
    if question.instrument_id is not None:
        named = enquiry_instrument.c
        conditions.append(
            exists().where(
                named.enquiry_id == table.id, named.instrument_id == question.instrument_id
            )
        )
    if question.organisation_id is not None:
        other = question.organisation_id
        conditions.append(
            or_(table.buyer_id == other, table.provider_id == other, table.agent_id == other)
        )
    if question.asked_from is not None:
        conditions.append(asked_on >= question.asked_from)
    if question.asked_until is not None:
        conditions.append(asked_on <= question.asked_until)
    return conditions


async def due_enquiries(tx: Tx, limit: int) -> Sequence[int]:
    """Enquiries whose time is over, the oldest first."""
    return await tx.scalars(
        select(enquiry.c.id)
        .where(enquiry.c.due_at <= tx.now)
        .order_by(enquiry.c.due_at, enquiry.c.id)
        .limit(limit)
    )
