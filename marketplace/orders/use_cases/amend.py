"""Performing a change of an order's time: reservation, quote, holds and contract, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.errors import ChangeRefused
from marketplace.orders.events import OrderChanged
from marketplace.orders.queries.changes import OrderChange
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.queries.story import standing_contract
from marketplace.orders.rules.contract import (
    Amends,
    Service,
    addendum_document,
    contract_text,
    document_sha256,
)
from marketplace.orders.rules.rescheduling import ChangeStatus
from marketplace.orders.rules.states import Status
from marketplace.orders.use_cases.appointment import change_time
from marketplace.orders.use_cases.items import agreed_items, reprice_items
from marketplace.orders.use_cases.look import ChangeView
from marketplace.orders.use_cases.make_quote import insert_quote
from marketplace.orders.use_cases.money import hold_anew
from marketplace.orders.use_cases.steps import note
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, when, and from which address."""

    person_id: int
    at: datetime
    signed_from: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """Both signatures under an addendum; the provider's may be its published offer."""

    buyer: Signature
    provider: Signature | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An order after somebody asked for another time, and what became of that."""

    order: Order
    change: OrderChange


def require_possible(view: ChangeView) -> None:
    """The change can be, apart from the money, which the wallet itself guards.

    Raises:
        ChangeRefused: with every reason, and what would be possible.
    """
    if view.reasons:
        raise ChangeRefused(
            " ".join(reason.message for reason in view.reasons),
            reasons=view.reasons,
            alternatives=view.alternatives,
        )


async def perform_change(
    tx: Tx,
    found: Order,
    view: ChangeView,
    *,
    signed: Signatures,
    reason: str,
    proposal: OrderChange | None = None,
) -> Changed:
    """Give the order its new time and price, in the order in which locks are taken.

    The reservation moves; a new quote takes the place of the old one, which stays to be read; the
    voucher and the buyer's own money are held anew, a fee beside them; an addendum repeats the
    contract as it is now. Whatever fails takes everything with it.
    Policy: J.18a, J.22b, N.24c, N.25b

    Raises:
        ReservationRefused, ReservationOverlaps: when the time cannot be had.
        FiguresChanged: when the voucher pays another part than was shown.
        WalletShort: with what is missing.
    """
    await change_time(tx, view.reserved, view.wanted, agreed=found.status != Status.PLACED)
    quote = await _amending_quote(tx, found, view)
    number = view.made.agreed + 1
    held = await hold_anew(tx, found, quote, fee_fen=view.figures.fee_fen, amendment=number)
    moved = await tx.one(
        Order,
        update(tables.service_order)
        .where(tables.service_order.c.id == found.id)
        .values(
            quote_id=quote.id,
            total_fen=quote.total_fen,
            voucher_fen=quote.voucher_fen,
            own_fen=quote.own_fen,
            own_hold_id=held.own_hold_id,
            move_fee_fen=found.move_fee_fen + view.figures.fee_fen,
            fee_hold_id=held.fee_hold_id,
        )
        .returning(*(tables.service_order.c[name] for name in Order.__dataclass_fields__)),
    )
    await reprice_items(tx, found.id, [item["total_fen"] for item in view.price.items])
    decided = await _decide(tx, found, view, quote, signed=signed, reason=reason, of=proposal)
    await _add_to_contract(tx, moved, quote, view, signed=signed, reason=reason)
    await _tell(tx, moved, decided)
    return Changed(moved, decided)


async def _amending_quote(tx: Tx, found: Order, view: ChangeView) -> Quote:
    """The new quote: accepted as it is made, with the terms and the price lists of the old one."""
    old, after = view.price.amends, view.figures.after
    kept = (
        "buyer_id",
        "provider_id",
        "agent_id",
        "customer_class",
        "purpose",
        "service_kind",
        "terms",
        "priced_on",
        "arrives_on",
        "manual_unit",
        "manual_unit_fen",
    )
    valid_days = rulebook().orders.quote_valid_days.on(tx.today)
    return await insert_quote(
        tx,
        {name: getattr(old, name) for name in kept}
        | {
            "total_fen": after.total_fen,
            "voucher_fen": after.voucher_fen,
            "own_fen": after.own_fen,
            "explanation": view.price.explanation,
            "valid_until": tx.now + timedelta(days=max(valid_days, 1)),
            "made_by": tx.actor.person_id,
            "made_at": tx.now,
            "used_at": tx.now,
            "amends_order_id": found.id,
        },
        view.price.items,
    )


async def _decide(
    tx: Tx,
    found: Order,
    view: ChangeView,
    quote: Quote,
    *,
    signed: Signatures,
    reason: str,
    of: OrderChange | None,
) -> OrderChange:
    table = tables.order_change
    decided = {
        "status": ChangeStatus.AGREED,
        "decided_by": tx.actor.person_id,
        "decided_at": tx.now,
        "new_quote_id": quote.id,
    }
    columns = [table.c[name] for name in OrderChange.__dataclass_fields__]
    if of is None:
        facts = change_facts(found, view, signer=signed.buyer, reason=reason)
        return await tx.one(OrderChange, insert(table).values(facts | decided).returning(*columns))
    return await tx.one(
        OrderChange,
        update(table)
        .where(table.c.id == of.id)
        .values(
            decided
            | amounts_of(view)
            | {"fee_fen": view.figures.fee_fen, "old_quote_id": found.quote_id}
        )
        .returning(*columns),
    )


def change_facts(
    found: Order, view: ChangeView, *, signer: Signature, reason: str
) -> dict[str, Any]:
    """What is written down of a change when somebody asks for it."""
    return {
        "order_id": found.id,
        "kind": view.wanted.kind,
        "side": view.wanted.side,
        "was_starts_at": view.standing.starts_at,
        "was_ends_at": view.standing.ends_at,
        "starts_at": view.wanted.starts_at,
        "ends_at": view.wanted.ends_at,
        "fee_fen": view.figures.fee_fen,
        "reason": reason,
        "proposed_by": signer.person_id,
        "proposed_at": signer.at,
        "proposed_from": signer.signed_from,
        "old_quote_id": found.quote_id,
        "position": view.figures.item,
    } | amounts_of(view)


def amounts_of(view: ChangeView) -> dict[str, int]:
    """The new price in its parts."""
    after = view.figures.after
    return {
        "total_fen": after.total_fen,
        "voucher_fen": after.voucher_fen,
        "own_fen": after.own_fen,
    }


async def _add_to_contract(
    tx: Tx,
    moved: Order,
    quote: Quote,
    view: ChangeView,
    *,
    signed: Signatures,
    reason: str,
) -> None:
    previous = await standing_contract(tx, moved.id)
    number = previous.amendment + 1
    document = addendum_document(
        previous.document,
        amends=Amends(
            number=number,
            sha256=previous.sha256,
            because=reason,
            fee_fen=view.figures.fee_fen,
        ),
        service=Service(
            order_id=moved.id,
            quote_id=quote.id,
            instrument_id=moved.instrument_id,
            instrument=moved.title,
            mode=moved.mode,
            starts_at=None if quote.starts_at is None else quote.starts_at.isoformat(),
            ends_at=None if quote.ends_at is None else quote.ends_at.isoformat(),
            samples=quote.samples,
            price_list_id=quote.price_list_id,
            lines=quote.lines,
            total_fen=moved.total_fen,
            voucher_fen=moved.voucher_fen,
            own_fen=moved.own_fen,
            items=await agreed_items(tx, moved),
            on_account=moved.credit_line_id is not None,
            reimbursed_fen=quote.reimbursed_fen,
        ),
        signed_at=signed.buyer.at.isoformat(),
    )
    await tx.execute(
        insert(tables.contract).values(
            order_id=moved.id,
            amendment=number,
            version=document["version"],
            document=document,
            text=contract_text(document),
            sha256=document_sha256(document),
            buyer_signed_by=signed.buyer.person_id,
            buyer_signed_at=signed.buyer.at,
            buyer_signed_from=signed.buyer.signed_from,
            # The technology contract's registration covers its addenda.
            registration_number=previous.registration_number,
            registered_on=previous.registered_on,
            **_provider_signature(tx, moved, signed),
        )
    )


def _provider_signature(tx: Tx, moved: Order, signed: Signatures) -> dict[str, Any]:
    """The person who agreed for the provider, or its standing offer; none before it answered."""
    if signed.provider is not None:
        return {
            "provider_signed_how": "person",
            "provider_signed_by": signed.provider.person_id,
            "provider_signed_at": signed.provider.at,
            "provider_signed_from": signed.provider.signed_from,
        }
    if moved.status == Status.PLACED:
        return {}
    return {"provider_signed_how": "standing_offer", "provider_signed_at": tx.now}


async def _tell(tx: Tx, moved: Order, change: OrderChange) -> None:
    await note(
        tx,
        moved.id,
        change.kind,
        change_id=change.id,
        item=change.position,
        was_starts_at=change.was_starts_at.isoformat(),
        was_ends_at=change.was_ends_at.isoformat(),
        starts_at=change.starts_at.isoformat(),
        ends_at=change.ends_at.isoformat(),
        total_fen=change.total_fen,
        voucher_fen=change.voucher_fen,
        own_fen=change.own_fen,
        fee_fen=change.fee_fen,
        old_quote_id=change.old_quote_id,
        quote_id=change.new_quote_id,
        reason=change.reason,
    )
    tx.record(
        OrderChanged(
            order_id=moved.id,
            buyer_id=moved.buyer_id,
            provider_id=moved.provider_id,
            kind=change.kind,
            starts_at=change.starts_at,
            ends_at=change.ends_at,
            total_fen=change.total_fen,
            fee_fen=change.fee_fen,
        )
    )
