"""Handing over item by item: what is ready now, what never will be, and the end of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import ServiceUnfinished, StepNotOpen
from marketplace.orders.events import ServiceDelivered
from marketplace.orders.queries.items import OrderItem, QuoteItem, order_items, quote_items
from marketplace.orders.queries.orders import Order, order_quote
from marketplace.orders.rules.items import (
    DeliveryKind,
    added,
    check_due,
    check_extras,
    check_ready,
    check_runs,
    refuse,
    status_of,
)
from marketplace.orders.rules.review_window import review_ends_at
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import deliverable, item_delivery
from marketplace.orders.use_cases.items import item_at, write_items
from marketplace.orders.use_cases.steps import lock_as_provider, note, take_step

LIVE_RESERVATION = ("requested", "confirmed")
RUN = "run"
NOT_TESTED = "Not tested."
UNSTATED = "Say how much of each extra was used, 0 included, when you deliver the item."


@dataclass(frozen=True, slots=True)
class DeliverItem:
    """A part of an item, or what is left of it: so many samples, with the runs and extras used.

    Without a `quantity` it is everything that is ready; a session of machine time is one piece.
    """

    order_id: int
    item: int
    quantity: int | None = None
    runs: int | None = None
    extras: tuple[tuple[str, int], ...] = ()
    note: str = ""


async def deliver_item(tx: Tx, command: DeliverItem) -> Order:
    """Hand over what is ready of an item; when nothing of the order is due any more, all of it is.

    What of the extras was used is added up over the parts, and never passes what was agreed.
    Policy: J.18a, J.gap

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: when the order is not in service.
        ItemMissing: when the order has no such item.
        ServiceUnfinished: when its session is open, samples are untested or results are missing.
        DeliveryRefused: with every reason, when more is delivered or used than can be.
    """
    found = await lock_as_provider(tx, command.order_id)
    after(Status(found.status), Step.DELIVER)
    item = await item_at(tx, found.id, command.item)
    told = (await quote_items(tx, found.quote_id))[item.position - 1]
    finished = await finished_pieces(tx, item)
    if not item.is_machine_time:
        await require_results(tx, found.id)
    left = max(finished - item.delivered, 0) if item.is_due else 0
    quantity = left if command.quantity is None else command.quantity
    reasons = Reasons()
    check_ready(reasons, quantity, ready=left, item=item.position)
    whole = item.delivered + item.undeliverable + quantity >= item.quantity
    runs = _runs_used(reasons, item, told, command, whole=whole)
    stated = bool(command.extras) or item.extras_used is not None
    extras = added(item.stated_extras, command.extras)
    check_extras(reasons, extras, agreed=told.agreed_extras)
    if whole and told.extras and not stated:
        reasons.add("extras-stated", UNSTATED)
    refuse(reasons)
    part = _Part(DeliveryKind.DELIVERED, quantity, command.runs, command.extras, command.note)
    await _note_part(tx, found, item, part)
    await _count(
        tx,
        item,
        delivered=item.delivered + quantity,
        undeliverable=item.undeliverable,
        because=item.undeliverable_because,
        runs_used=runs,
        extras_used=[list(extra) for extra in extras] if stated else None,
    )
    return await deliver_if_nothing_is_due(tx, found)


@dataclass(frozen=True, slots=True)
class DeclareUndeliverable:
    """The provider cannot give an item, or the rest of it, and says why."""

    order_id: int
    item: int
    reason: str
    quantity: int | None = None


async def declare_undeliverable(tx: Tx, command: DeclareUndeliverable) -> Order:
    """Give up what is due of an item: nothing is charged for it, and its time is given back.

    Policy: J.18a, J.22b

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: before the order is confirmed, and after it was delivered.
        ItemMissing: when the order has no such item.
        DeliveryRefused: when no more of it is due, or nothing of the order would be left.
    """
    found = await lock_as_provider(tx, command.order_id)
    if found.status not in (Status.CONFIRMED, Status.IN_SERVICE):
        raise StepNotOpen(
            f"The order is {found.status}; what is due is given up before it is delivered.",
            order_status=found.status,
        )
    items = await order_items(tx, found.id)
    item = await item_at(tx, found.id, command.item)
    quantity = item.due if command.quantity is None else command.quantity
    reasons = Reasons()
    check_due(reasons, quantity, due=item.due, item=item.position)
    left = sum(one.due for one in items) - quantity
    if found.status == Status.CONFIRMED and left <= 0:
        reasons.add("order-left", "Nothing of the order would be left; call the order off instead.")
    refuse(reasons)
    await _give_time_back(tx, item, reason=command.reason)
    part = _Part(DeliveryKind.UNDELIVERABLE, quantity, None, (), command.reason)
    await _note_part(tx, found, item, part)
    await _count(
        tx,
        item,
        delivered=item.delivered,
        undeliverable=item.undeliverable + quantity,
        because=command.reason,
        runs_used=item.runs_used,
        extras_used=item.extras_used or [],
    )
    return await deliver_if_nothing_is_due(tx, found)


async def deliver_everything(tx: Tx, found: Order) -> Order:
    """Hand over every item that is due as it is ready; samples that were not tested are given up.

    Raises:
        ServiceUnfinished: when a session is open, samples are untested, results are missing, or it
            is not said what was used.
    """
    items = [item for item in await order_items(tx, found.id) if item.is_due]
    told = await quote_items(tx, found.quote_id)
    ready = [(item, await finished_pieces(tx, item)) for item in items]
    if any(not item.is_machine_time for item in items):
        await require_results(tx, found.id)
    for item, finished in ready:
        quoted = told[item.position - 1]
        if quoted.extras and item.extras_used is None:
            raise ServiceUnfinished(UNSTATED)
        if quoted.unit == RUN and item.runs_used is None and finished < item.quantity:
            raise ServiceUnfinished("Say how many runs were made when you deliver the item.")
        rest = item.quantity - item.undeliverable - finished
        part = _Part(DeliveryKind.DELIVERED, finished - item.delivered, None, (), "")
        await _note_part(tx, found, item, part)
        await _count(
            tx,
            item,
            delivered=finished,
            undeliverable=item.undeliverable + rest,
            because=NOT_TESTED if rest else item.undeliverable_because,
            runs_used=item.runs_used,
            extras_used=item.extras_used,
        )
    return await hand_over(tx, found)


async def deliver_if_nothing_is_due(tx: Tx, found: Order) -> Order:
    """Hand the order over when the last of its items is delivered, given up or lost."""
    if found.status != Status.IN_SERVICE:
        return found
    if any(item.is_due for item in await order_items(tx, found.id)):
        return found
    return await hand_over(tx, found)


async def hand_over(tx: Tx, found: Order) -> Order:
    """The buyer's review window begins. Policy: J.18a"""
    quote = await order_quote(tx, found)
    items = await order_items(tx, found.id)
    facts: dict[str, Any] = {}
    if len(items) > 1 or any(item.undeliverable for item in items):
        facts["items"] = [
            {
                "item": item.position,
                "title": item.title,
                "status": item.status,
                "delivered": item.delivered,
                "undeliverable": item.undeliverable,
                "because": item.undeliverable_because,
            }
            for item in items
        ]
    moved = await take_step(
        tx,
        found,
        Step.DELIVER,
        facts=facts,
        delivered_at=tx.now,
        review_ends_at=review_ends_at(
            tx.now, window_days=quote.term("orders", "review_window_days")
        ),
    )
    tx.record(ServiceDelivered(moved.id, moved.buyer_id, moved.provider_id))
    return moved


async def finished_pieces(tx: Tx, item: OrderItem) -> int:
    """How many pieces of an item are done with, delivered or not.

    Raises:
        ServiceUnfinished: when its session is open or doubtful, or none of its samples is tested.
    """
    if not item.is_machine_time:
        if item.tested is None:
            raise ServiceUnfinished("Say first how many samples were tested.")
        return item.tested
    assert item.reservation_id is not None
    session = await booking_queries.session_of(tx, item.reservation_id)
    if session is None or session.closed_at is None:
        raise ServiceUnfinished("Close the session first.")
    if session.problem is not None:
        raise ServiceUnfinished(
            f"The session waits in the problem queue ({session.problem});"
            " repair it or accept it as it stands first."
        )
    return 1


async def require_results(tx: Tx, order_id: int) -> None:
    """Tested samples come with at least one result.

    Raises:
        ServiceUnfinished: when there is none.
    """
    some = select(deliverable.c.id).where(deliverable.c.order_id == order_id).exists()
    if not await tx.scalar(select(some)):
        raise ServiceUnfinished("Upload the results of the tests first.")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an item, and what is said of it."""

    kind: DeliveryKind
    quantity: int
    runs: int | None
    extras: tuple[tuple[str, int], ...]
    reason: str


async def _note_part(tx: Tx, found: Order, item: OrderItem, part: _Part) -> None:
    extras = [list(extra) for extra in part.extras]
    await tx.execute(
        insert(item_delivery).values(
            order_id=found.id,
            position=item.position,
            kind=part.kind,
            quantity=part.quantity,
            runs=part.runs,
            extras=extras,
            reason=part.reason,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
    )
    await note(
        tx,
        found.id,
        f"item_{part.kind}",
        item=item.position,
        title=item.title,
        quantity=part.quantity,
        due=item.due - part.quantity,
        runs=part.runs,
        extras=extras,
        reason=part.reason,
    )


async def _count(
    tx: Tx, item: OrderItem, *, delivered: int, undeliverable: int, because: str | None, **used: Any
) -> None:
    await write_items(
        tx,
        item.order_id,
        [
            {
                "position": item.position,
                "delivered": delivered,
                "undeliverable": undeliverable,
                "undeliverable_because": because if undeliverable else None,
                "status": status_of(
                    quantity=item.quantity, delivered=delivered, undeliverable=undeliverable
                ),
                **used,
            }
        ],
    )


def _runs_used(
    reasons: Reasons, item: OrderItem, told: QuoteItem, command: DeliverItem, *, whole: bool
) -> int | None:
    """The runs made for the item so far; of the whole item at once those agreed, unless said."""
    if told.unit != RUN:
        if command.runs is not None:
            reasons.add("runs-priced", f"Item {item.position} is not priced by the run.")
        return None
    if command.runs is None:
        if whole and not item.delivered and not item.undeliverable:
            return told.runs
        reasons.add("runs-stated", "Say how many runs this part took.")
        return None
    used = (item.runs_used or 0) + command.runs
    check_runs(reasons, used, agreed=told.runs)
    return used


async def _give_time_back(tx: Tx, item: OrderItem, *, reason: str) -> None:
    """Free the time of an item that will not be used."""
    if item.reservation_id is None:
        return
    reserved = await booking_queries.reservation(tx, item.reservation_id)
    if reserved.status in LIVE_RESERVATION:
        await booking.cancel_reservation(
            tx, booking.CancelReservation(reserved.id, reason=reason, by_provider=True)
        )
