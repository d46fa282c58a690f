"""What a provider has to do for orders: answer them, and look after their samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.queries.orders import Order, SampleSet, order_columns
from marketplace.orders.rules.states import Status
from marketplace.parties.queries import organisations

ORDER, QUOTE, SAMPLES = tables.service_order.c, tables.quote.c, tables.sample_set.c


@dataclass(frozen=True, slots=True)
class AwaitingList:
    """Which page of the orders that wait for the provider's answer."""

    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class AwaitedOrder:
    """An order without reserved time that waits, until when, and what it brings."""

    order: Order
    buyer: str
    answer_until: datetime
    samples: int | None
    arrives_on: date | None


@dataclass(frozen=True, slots=True)
class AwaitingPage:
    """One page of orders, soonest deadline first, and how many wait in all."""

    rows: list[AwaitedOrder]
    total: int


async def customers(tx: Tx) -> set[int]:
    """Every organisation that ever ordered from the actor's."""
    asked = select(ORDER.buyer_id).where(ORDER.provider_id == tx.actor.organisation_id).distinct()
    return set(await tx.scalars(asked))


async def awaiting(tx: Tx, question: AwaitingList) -> AwaitingPage:
    """The placed orders of the actor's organisation that have no time kept on an instrument.

    Those with time wait among the reservation requests. The quote's validity is the deadline.
    """
    wanted = [
        ORDER.provider_id == tx.actor.organisation_id,
        ORDER.status == Status.PLACED,
        ORDER.reservation_id.is_(None),
        QUOTE.valid_until > tx.now,
    ]
    joined = tables.service_order.join(tables.quote, QUOTE.id == ORDER.quote_id)
    total = await tx.scalar(select(func.count()).select_from(joined).where(*wanted))
    rows = await tx.execute(
        order_columns()
        .add_columns(
            QUOTE.valid_until.label("answer_until"),
            QUOTE.samples.label("samples"),
            QUOTE.arrives_on.label("arrives_on"),
        )
        .select_from(joined)
        .where(*wanted)
        .order_by(QUOTE.valid_until, ORDER.id)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size)
    )
    found = [dict(row) for row in rows.mappings()]
    buyers = await organisations(tx, (row["buyer_id"] for row in found))
    return AwaitingPage(
        [
            AwaitedOrder(
                answer_until=row.pop("answer_until"),
                samples=row.pop("samples"),
                arrives_on=row.pop("arrives_on"),
                buyer=buyers[row["buyer_id"]].name,
                order=Order(**row),
            )
            for row in found
        ],
        int(total),
    )


class BenchStage(StrEnum):
    """Where the samples of an order stand on the provider's bench."""

    AWAITED = "awaited"
    """Ordered and confirmed, not here yet."""
    TO_TEST = "to_test"
    """Here, not all tested."""
    TO_REPORT = "to_report"
    """Tested; the result is not handed over."""
    TO_CLEAR = "to_clear"
    """Handed over; the samples are still here."""


@dataclass(frozen=True, slots=True)
class BenchList:
    """Which orders of samples to list: by stage, and by words of title or number."""

    stage: BenchStage | None = None
    text: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class BenchRow:
    """The samples of an order with what is to be done next."""

    order: Order
    samples: SampleSet
    stage: BenchStage
    buyer: str
    arrives_on: date | None


@dataclass(frozen=True, slots=True)
class BenchPage:
    """One page of the bench, what is due first first, and how many there are of each stage."""

    rows: list[BenchRow]
    total: int
    counts: dict[BenchStage, int]


_AT_WORK = (Status.CONFIRMED, Status.IN_SERVICE)
_HANDED_OVER = (Status.DELIVERED, Status.SETTLED)
_STAGES: dict[BenchStage, ColumnElement[bool]] = {
    BenchStage.AWAITED: and_(ORDER.status.in_(_AT_WORK), SAMPLES.received.is_(None)),
    BenchStage.TO_TEST: and_(
        ORDER.status.in_(_AT_WORK), func.coalesce(SAMPLES.tested, 0) < SAMPLES.received
    ),
    BenchStage.TO_REPORT: and_(ORDER.status.in_(_AT_WORK), SAMPLES.tested >= SAMPLES.received),
    BenchStage.TO_CLEAR: and_(
        ORDER.status.in_(_HANDED_OVER),
        SAMPLES.returned_at.is_(None),
        SAMPLES.disposal == "return",
        SAMPLES.received.is_not(None),
    ),
}


async def sample_bench(tx: Tx, question: BenchList) -> BenchPage:
    """The samples that the actor's organisation waits for, has, or has to give back."""
    joined = tables.service_order.join(tables.sample_set, SAMPLES.order_id == ORDER.id).join(
        tables.quote, QUOTE.id == ORDER.quote_id
    )
    own = [ORDER.provider_id == tx.actor.organisation_id]
    if question.text:
        number = int(question.text) if question.text.isdecimal() else 0
        own.append(or_(ORDER.title.icontains(question.text, autoescape=True), ORDER.id == number))
    counted = (
        await tx.execute(
            select(
                *(
                    func.count().filter(condition).label(stage.value)
                    for stage, condition in _STAGES.items()
                )
            )
            .select_from(joined)
            .where(*own)
        )
    ).one()
    counts = {stage: int(getattr(counted, stage.value)) for stage in _STAGES}
    stages = [question.stage] if question.stage else list(_STAGES)
    samples = [SAMPLES[name].label(f"sample_{name}") for name in SampleSet.__dataclass_fields__]
    rows = await tx.execute(
        order_columns()
        .add_columns(*samples, QUOTE.arrives_on.label("arrives_on"))
        .select_from(joined)
        .where(*own, or_(*(_STAGES[stage] for stage in stages)))
        .order_by(
            SAMPLES.tested_at.is_not(None).desc(),
            func.coalesce(SAMPLES.tested_at, SAMPLES.received_at),
            QUOTE.arrives_on,
            ORDER.id,
        )
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size)
    )
    found = [dict(row) for row in rows.mappings()]
    buyers = await organisations(tx, (row["buyer_id"] for row in found))
    return BenchPage(
        [_bench_row(row, buyers[row["buyer_id"]].name) for row in found],
        sum(counts[stage] for stage in stages),
        counts,
    )


def _bench_row(row: dict[str, Any], buyer: str) -> BenchRow:
    arrives_on = row.pop("arrives_on")
    samples = SampleSet(
        **{name: row.pop(f"sample_{name}") for name in SampleSet.__dataclass_fields__}
    )
    found = Order(**row)
    return BenchRow(found, samples, _stage_of(found, samples), buyer, arrives_on)


def _stage_of(found: Order, samples: SampleSet) -> BenchStage:
    if found.status in _HANDED_OVER:
        return BenchStage.TO_CLEAR
    if samples.received is None:
        return BenchStage.AWAITED
    is_tested = (samples.tested or 0) >= samples.received
    return BenchStage.TO_REPORT if is_tested else BenchStage.TO_TEST
