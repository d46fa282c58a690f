"""Objections to prices that stand in notice, and the provider's answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import (
    NoticeOver,
    ObjectionAnswered,
    ObjectionMissing,
    OwnPrices,
)
from marketplace.billing.pricing.events import PriceListTakenBack, PricesObjected
from marketplace.billing.pricing.tables import price_list, price_objection
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ObjectToPrices:
    """Somebody else's organisation says what is wrong with prices in notice."""

    price_list_id: int
    text: str


async def object_to_prices(tx: Tx, command: ObjectToPrices) -> queries.Objection:
    """Put an objection on record: the prices wait for its answer. Everybody can read both.

    Raises:
        PriceListMissing: when there is none.
        OwnPrices: for the provider itself: it can withdraw them.
        NoticeOver: after the last day of the notice, or when they are withdrawn.
        ObjectedAlready: when this organisation has objected before.

    Policy: J.15, J.21d
    """
    found = await queries.price_list_by_id(tx, command.price_list_id)
    instrument = await catalogue.instrument(tx, found.instrument_id)
    if instrument.provider_id == tx.actor.organisation_id:
        raise OwnPrices("Withdraw them and file others.")
    if tx.today > found.notice_ends_on or found.withdrawn_at is not None:
        raise NoticeOver(f"The notice ended on {found.notice_ends_on}.")
    made = await tx.one(
        queries.Objection,
        insert(price_objection)
        .values(
            price_list_id=found.id,
            organisation_id=tx.actor.organisation_id,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
            text=command.text,
        )
        .returning(*queries.OBJECTION),
    )
    tx.audit("object", subject="price_list", subject_id=found.id)
    tx.record(PricesObjected(found.id, found.instrument_id, made.id))
    return made


@dataclass(frozen=True, slots=True)
class AnswerObjection:
    """The provider's answer; upheld, it takes the prices back."""

    objection_id: int
    upheld: bool
    answer: str


async def answer_objection(tx: Tx, command: AnswerObjection) -> queries.Objection:
    """Answer an objection in public; the prices come into force when none is left open.

    Raises:
        ObjectionMissing: when there is none on prices of the actor's own.
        ObjectionAnswered: when it was answered before.

    Policy: J.15, J.21d
    """
    found = await tx.first(
        queries.Objection,
        select(*queries.OBJECTION)
        .where(price_objection.c.id == command.objection_id)
        .with_for_update(),
    )
    if found is None:
        raise ObjectionMissing()
    prices = await queries.price_list_by_id(tx, found.price_list_id)
    await catalogue.own_instrument(tx, prices.instrument_id)
    if found.outcome is not None:
        raise ObjectionAnswered(f"It was {found.outcome}.")
    answered = await tx.one(
        queries.Objection,
        update(price_objection)
        .where(price_objection.c.id == found.id)
        .values(
            outcome="upheld" if command.upheld else "rejected",
            answer=command.answer,
            answered_by=tx.actor.person_id,
            answered_at=tx.now,
        )
        .returning(*queries.OBJECTION),
    )
    tx.audit("answer", subject="price_objection", subject_id=found.id, upheld=command.upheld)
    if command.upheld:
        taken_back = await tx.execute(
            update(price_list)
            .where(price_list.c.id == prices.id, price_list.c.withdrawn_at.is_(None))
            .values(withdrawn_by=tx.actor.person_id, withdrawn_at=tx.now)
        )
        if taken_back.rowcount:
            tx.record(PriceListTakenBack(prices.id, prices.instrument_id))
    return answered
