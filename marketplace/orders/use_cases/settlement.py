"""Acceptance, and the settlement in which it ends; a ruling ends in the same one."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.orders.events import OrderSettled
from marketplace.orders.queries.orders import Order, order_quote, sample_set_of
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.settlement import ruled_value, used_value
from marketplace.orders.rules.states import Status, Step, after, allows
from marketplace.orders.use_cases.money import pay_for_service
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_order, take_step

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class AcceptOrder:
    """The buyer has what it ordered."""

    order_id: int


async def accept_order(tx: Tx, command: AcceptOrder) -> Order:
    """Accept what was delivered: the provider has what was used, the rest goes back, at once.

    Policy: J.18a, J.22b

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: when nothing was delivered, or it was disputed or accepted.
    """
    found = await lock_as_buyer(tx, command.order_id)
    after(Status(found.status), Step.ACCEPT)
    return await settle(tx, found, Step.ACCEPT, because="accepted")


async def accept_after_review(tx: Tx, command: AcceptOrder) -> Order:
    """Accept an order whose review window is over; one that moved on is left as it is."""
    found = await lock_order(tx, command.order_id)
    ends_at = found.review_ends_at
    if not allows(found.status, Step.ACCEPT) or ends_at is None or ends_at > tx.now:
        return found
    return await settle(tx, found, Step.ACCEPT, because="review-window-over")


async def settle(
    tx: Tx, found: Order, step: Step, *, because: str, pay_basis_points: int = WHOLE
) -> Order:
    """Lead a locked order to its settlement: the provider has what was used, the rest goes back."""
    quote = await order_quote(tx, found)
    used_fen = used_value(repriced_fen=await _repriced(tx, found, quote), held=found.held)
    ruled_fen = ruled_value(used_fen, pay_basis_points=pay_basis_points)
    parts = await pay_for_service(tx, found, ruled_fen)
    moved = await take_step(
        tx,
        found,
        step,
        facts={
            "because": because,
            "used_fen": used_fen,
            "pay_basis_points": pay_basis_points,
            "settled_fen": parts.total_fen,
            "voucher_fen": parts.voucher_fen,
            "own_fen": parts.own_fen,
        },
        ended_at=tx.now,
        ended_because=because,
        settled_fen=parts.total_fen,
        settled_voucher_fen=parts.voucher_fen,
        settled_own_fen=parts.own_fen,
    )
    tx.record(
        OrderSettled(
            order_id=moved.id,
            buyer_id=moved.buyer_id,
            provider_id=moved.provider_id,
            service_value_fen=parts.total_fen,
            voucher_fen=parts.voucher_fen,
            own_fen=parts.own_fen,
            settled_on=tx.today,
        )
    )
    return moved


async def _repriced(tx: Tx, found: Order, quote: Quote) -> int:
    """What was used costs by the frozen price list: billable minutes, or tested samples.

    A service that was never finished has no count of its own; a ruling on it starts from the
    quoted total.
    """
    minutes = samples = 0
    if found.reservation_id is not None:
        session = await booking.settle_session(tx, found.reservation_id)
        if session is None or session.billable_minutes is None or session.problem:
            return found.total_fen
        minutes = session.billable_minutes
    else:
        sent = await sample_set_of(tx, found.id)
        if sent is None or sent.tested is None:
            return found.total_fen
        samples = sent.tested
    if minutes == samples == 0:
        return 0
    priced = await pricing.price_service_by_list(
        tx,
        quote.price_list_id,
        pricing.ServiceAsked(
            instrument_id=found.instrument_id,
            customer_class=quote.customer_class,
            mode=quote.mode,
            on=quote.priced_on,
            minutes=minutes,
            samples=samples,
            starts_at=quote.starts_at,
            purpose=quote.purpose,
            unit=quote.manual_unit,
            manual_fen=quote.manual_unit_fen,
        ),
    )
    return priced.total_fen
