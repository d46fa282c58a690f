"""What buyers said of services, with its counts, and how fast providers answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Numeric,
    Select,
    case,
    cast,
    false,
    func,
    select,
    union_all,
)

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.orders import tables
from marketplace.orders.queries.access import is_side, sees_everything
from marketplace.orders.rules.enquiries import EnquiryStatus
from marketplace.orders.rules.reviews import RESPONSE_DAYS, Step, masked, mean_of
from marketplace.orders.rules.states import Status
from marketplace.parties import queries as parties
from marketplace.parties.errors import OrganisationMissing


@dataclass(frozen=True, slots=True)
class ReviewList:
    """Reviews of a provider or of one instrument, of one step, with words only."""

    provider_id: int | None = None
    instrument_id: int | None = None
    stars: int | None = None
    with_words: bool = False
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True, slots=True)
class PublicReview:
    """A review as everybody reads it; the order only for those who may see it."""

    order_id: int | None
    instrument_id: int
    stars: int
    buyer: str
    written_on: date
    text: str
    reply: str | None
    replied_on: date | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One page of reviews, newest first; counts and mean are of all, hidden words or not."""

    rows: list[PublicReview]
    total: int
    counts: dict[Step, int]
    mean: Decimal | None
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class _Written:
    order_id: int
    buyer_id: int
    provider_id: int
    instrument_id: int
    stars: int
    text: str
    written_at: datetime
    reply: str | None
    replied_at: datetime | None
    hidden_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Counted:
    stars: int
    reviews: int


_REVIEWED = tables.review.join(
    tables.service_order, tables.service_order.c.id == tables.review.c.order_id
)


async def provider_reviews(tx: Tx, question: ReviewList) -> ReviewPage:
    """The reviews of a provider.

    Policy: J.25

    Raises:
        OrganisationMissing: when it is no provider.
    """
    assert question.provider_id is not None
    await _require_provider(tx, question.provider_id)
    return await _reviews(tx, question, tables.service_order.c.provider_id == question.provider_id)


async def instrument_reviews(tx: Tx, question: ReviewList) -> ReviewPage:
    """The reviews of the services on one instrument.

    Policy: J.25

    Raises:
        InstrumentMissing: when there is none.
    """
    assert question.instrument_id is not None
    await catalogue.instrument(tx, question.instrument_id)
    return await _reviews(
        tx, question, tables.service_order.c.instrument_id == question.instrument_id
    )


async def _require_provider(tx: Tx, provider_id: int) -> None:
    found = await parties.organisation(tx, provider_id)
    if found.kind != "provider":
        raise OrganisationMissing()


async def _reviews(tx: Tx, question: ReviewList, of: ColumnElement[bool]) -> ReviewPage:
    written, ordered = tables.review.c, tables.service_order.c
    counted = await tx.all(
        _Counted,
        select(written.stars, func.count().label("reviews"))
        .select_from(_REVIEWED)
        .where(of)
        .group_by(written.stars),
    )
    counts = {Step(each.stars): each.reviews for each in counted}
    conditions = [of]
    if question.stars is not None:
        conditions.append(written.stars == question.stars)
    if question.with_words:
        conditions += [written.text != "", written.hidden_at.is_(None)]
    rows = await tx.all(
        _Written,
        select(
            written.order_id,
            ordered.buyer_id,
            ordered.provider_id,
            ordered.instrument_id,
            written.stars,
            written.text,
            written.written_at,
            written.reply,
            written.replied_at,
            written.hidden_at,
        )
        .select_from(_REVIEWED)
        .where(*conditions)
        .order_by(written.written_at.desc(), written.order_id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(_REVIEWED).where(*conditions))
    buyers = await parties.organisations(tx, {row.buyer_id for row in rows})
    return ReviewPage(
        rows=[_public(tx, row, buyers[row.buyer_id].name) for row in rows],
        total=int(total),
        counts={step: counts.get(step, 0) for step in Step},
        mean=mean_of(counts),
        page=question.page,
        page_size=question.page_size,
    )


def _public(tx: Tx, row: _Written, buyer: str) -> PublicReview:
    actor = tx.actor
    sees_order = sees_everything(actor) or is_side(
        actor, buyer_id=row.buyer_id, provider_id=row.provider_id
    )
    hidden = row.hidden_at is not None
    return PublicReview(
        order_id=row.order_id if sees_order else None,
        instrument_id=row.instrument_id,
        stars=row.stars,
        buyer=masked(buyer),
        written_on=shanghai_day(row.written_at),
        text="" if hidden else row.text,
        reply=None if hidden else row.reply,
        replied_on=None if row.replied_at is None or hidden else shanghai_day(row.replied_at),
        hidden=hidden,
    )


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How long a provider took to answer orders and enquiries, in minutes.

    `at_once` were taken by its standing offer and count in neither figure; `unanswered` lapsed.
    """

    provider_id: int
    days: int
    answered: int
    at_once: int
    unanswered: int
    median_minutes: int | None
    p90_minutes: int | None


async def response_time(tx: Tx, provider_id: int) -> ResponseTime:
    """Requests answered in the last 90 days, in one question.

    Orders from placed to confirmed or rejected; enquiries from asked to the first answer.

    Policy: J.25

    Raises:
        OrganisationMissing: when it is no provider.
    """
    await _require_provider(tx, provider_id)
    answers = union_all(_order_answers(provider_id), _enquiry_answers(provider_id)).subquery().c
    by_hand = ~answers.lapsed & ~answers.at_once
    minutes = func.extract("epoch", answers.ended_at - answers.begun_at) / 60
    counted = await tx.one(
        _Answers,
        select(
            func.count().filter(by_hand).label("answered"),
            func.count().filter(answers.at_once).label("at_once"),
            func.count().filter(answers.lapsed).label("unanswered"),
            _percentile(0.5, minutes, by_hand).label("median_minutes"),
            _percentile(0.9, minutes, by_hand).label("p90_minutes"),
        ).where(answers.ended_at > tx.now - timedelta(days=RESPONSE_DAYS)),
    )
    return ResponseTime(
        provider_id=provider_id,
        days=RESPONSE_DAYS,
        answered=counted.answered,
        at_once=counted.at_once,
        unanswered=counted.unanswered,
        median_minutes=counted.median_minutes,
        p90_minutes=counted.p90_minutes,
    )


def _order_answers(provider_id: int) -> Select[Any]:
    table = tables.service_order.c
    ended_at = case(
        (table.confirmed_at.is_not(None), table.confirmed_at),
        (table.status.in_((Status.REJECTED, Status.EXPIRED)), table.ended_at),
    )
    return select(
        table.placed_at.label("begun_at"),
        ended_at.label("ended_at"),
        table.confirmed_at.is_not_distinct_from(table.placed_at).label("at_once"),
        (table.status == Status.EXPIRED).label("lapsed"),
    ).where(table.provider_id == provider_id)


def _enquiry_answers(provider_id: int) -> Select[Any]:
    """What the buyer took back unanswered counts neither for nor against the provider."""
    table = tables.enquiry.c
    lapsed = table.answered_at.is_(None) & (table.status == EnquiryStatus.LAPSED)
    return select(
        table.asked_at,
        case((lapsed, table.ended_at), else_=table.answered_at),
        false(),
        lapsed,
    ).where(table.provider_id == provider_id)


@dataclass(frozen=True, slots=True)
class _Answers:
    answered: int
    at_once: int
    unanswered: int
    median_minutes: int | None
    p90_minutes: int | None


def _percentile(
    share: float, minutes: ColumnElement[Any], which: ColumnElement[bool]
) -> ColumnElement[Any]:
    """Between the two nearest answers where it falls between them, in whole minutes."""
    found = func.percentile_cont(share).within_group(minutes.asc()).filter(which)
    return cast(func.round(cast(found, Numeric)), Integer)
