"""Giving the service: sessions for machine time, receiving and testing for samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import (
    CustodyRefused,
    SamplesUncounted,
    WrongMode,
)
from marketplace.orders.queries.items import OrderItem, order_items
from marketplace.orders.queries.orders import Order, SampleSet, sample_set_of
from marketplace.orders.rules.custody import CustodyKind, CustodySide
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.rules.states import Mode, Status, Step, after
from marketplace.orders.tables import sample_set
from marketplace.orders.use_cases.custody import (
    Link,
    add_link,
    check_agreed_disposal,
    clear_samples,
)
from marketplace.orders.use_cases.items import chosen_item, reservation_of, write_items
from marketplace.orders.use_cases.steps import lock_as_provider, note, take_step


@dataclass(frozen=True, slots=True)
class OpenService:
    """The buyer has come; the instrument is handed over. Of several items it says which."""

    order_id: int
    item: int | None = None


async def open_service(tx: Tx, command: OpenService) -> Order:
    """Open the usage session of an item: the first one brings the order into service.

    A session that was opened in booking already is taken over as it is.

    Raises:
        WrongMode: for samples.
        ItemMissing, ItemUnclear: when it is not clear which item is meant.
        StepNotOpen: when the order is not confirmed, or the item's session was opened before.
    """
    found = await lock_as_provider(tx, command.order_id)
    item = await _machine_time(tx, found, command.item)
    _require_open(found, item)
    reserved = await booking_queries.reservation(tx, reservation_of(item))
    if reserved.status == "confirmed":
        await booking.open_session(tx, booking.OpenSession(reserved.id))
    await _set_status(tx, found, [item])
    if found.status == Status.IN_SERVICE:
        await note(tx, found.id, "item_open", item=item.position, title=item.title)
        return found
    return await take_step(tx, found, Step.OPEN)


def _require_open(found: Order, *items: OrderItem) -> None:
    """The service of these items may begin: none has, and the order is confirmed or in service."""
    begun = any(item.status != ItemStatus.ORDERED for item in items)
    if found.status != Status.IN_SERVICE or begun:
        after(Status(found.status), Step.OPEN)


async def _machine_time(tx: Tx, found: Order, position: int | None) -> OrderItem:
    return await chosen_item(
        tx,
        found.id,
        position,
        mode=Mode.MACHINE_TIME,
        otherwise="Samples are received and tested; they have no session.",
    )


async def _set_status(tx: Tx, found: Order, items: Sequence[OrderItem]) -> None:
    await write_items(
        tx,
        found.id,
        [{"position": item.position, "status": ItemStatus.IN_SERVICE} for item in items],
    )


@dataclass(frozen=True, slots=True)
class CloseService:
    """The work is done; its minutes are told apart as the machine-hours' rules need them."""

    order_id: int
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0
    samples_run: int | None = None
    note: str | None = None
    item: int | None = None


async def close_service(tx: Tx, command: CloseService) -> Order:
    """Close the usage session of an item in service.

    Raises:
        WrongMode: for samples.
        ItemMissing, ItemUnclear: when it is not clear which item is meant.
        StepNotOpen: when the order is not in service.
    """
    found = await lock_as_provider(tx, command.order_id)
    item = await _machine_time(tx, found, command.item)
    after(Status(found.status), Step.DELIVER)
    session = await booking.close_session(
        tx,
        booking.CloseSession(
            reservation_of(item),
            preparation_minutes=command.preparation_minutes,
            test_minutes=command.test_minutes,
            post_minutes=command.post_minutes,
            samples_run=command.samples_run,
            note=command.note,
        ),
    )
    await note(
        tx,
        found.id,
        "close",
        item=item.position,
        actual_minutes=session.actual_minutes,
        billable_minutes=session.billable_minutes,
    )
    return found


@dataclass(frozen=True, slots=True)
class ReceiveSamples:
    """The samples have arrived, so many of them."""

    order_id: int
    count: int


async def receive_samples(tx: Tx, command: ReceiveSamples) -> Order:
    """Take the samples of an order into custody, those of all its items.

    Raises:
        WrongMode: for machine time.
        StepNotOpen: when the order is not confirmed.
        SamplesUncounted: when more arrived than were ordered.
    """
    found = await lock_as_provider(tx, command.order_id)
    samples = await sample_set_of(tx, found.id)
    if samples is None:
        raise WrongMode("Machine time has a session; no samples are sent.")
    sent = [item for item in await order_items(tx, found.id) if not item.is_machine_time]
    waiting = [item for item in sent if item.is_due]
    _require_open(found, *waiting)
    reasons = Reasons()
    if command.count > samples.samples:
        reasons.add(
            "samples-ordered",
            f"{samples.samples} samples were ordered; return the others.",
            limit=samples.samples,
            asked=command.count,
        )
    reasons.raise_as(SamplesUncounted)
    await tx.execute(
        update(sample_set)
        .where(sample_set.c.order_id == found.id)
        .values(received=command.count, received_at=tx.now)
    )
    link = Link(CustodyKind.RECEIVED, CustodySide.PROVIDER, command.count, at=tx.now)
    await add_link(tx, found.id, link)
    await _set_status(tx, found, waiting)
    if found.status == Status.IN_SERVICE:
        await note(tx, found.id, "receive", received=command.count)
        return found
    return await take_step(tx, found, Step.OPEN, facts={"received": command.count})


@dataclass(frozen=True, slots=True)
class FinishSamples:
    """So many were tested; `returned` when what is left went back or was disposed of."""

    order_id: int
    tested: int
    returned: bool = False
    item: int | None = None


async def finish_samples(tx: Tx, command: FinishSamples) -> Order:
    """Note how many samples of an item were tested so far: the buyer pays for what it is given.

    Raises:
        WrongMode: for machine time.
        ItemMissing, ItemUnclear: when it is not clear which item is meant.
        StepNotOpen: when the samples are not in service.
        SamplesUncounted: when more were tested than received or ordered, or fewer than delivered.
        CustodyRefused: when what is left would be destroyed sooner than was agreed.
    """
    found = await lock_as_provider(tx, command.order_id)
    samples = await sample_set_of(tx, found.id)
    item = await chosen_item(
        tx,
        found.id,
        command.item,
        mode=Mode.SAMPLES,
        otherwise="Machine time has a session; no samples are sent.",
    )
    assert samples is not None
    after(Status(found.status), Step.DELIVER)
    tested = await _tested_with(tx, item, samples, command.tested)
    reasons = Reasons()
    if command.returned and samples.disposal == "destroy":
        await check_agreed_disposal(tx, reasons, found, samples, certificate="with the tests")
        reasons.raise_as(CustodyRefused)
    await tx.execute(
        update(sample_set)
        .where(sample_set.c.order_id == found.id)
        .values(
            tested=tested,
            tested_at=tx.now,
            returned_at=tx.now if command.returned else samples.returned_at,
        )
    )
    await write_items(tx, found.id, [{"position": item.position, "tested": command.tested}])
    link = Link(CustodyKind.TESTED, CustodySide.PROVIDER, command.tested, at=tx.now)
    await add_link(tx, found.id, link)
    if command.returned:
        await clear_samples(tx, found.id, samples)
    await note(
        tx,
        found.id,
        "test",
        item=item.position,
        tested=command.tested,
        returned=command.returned,
    )
    return found


async def _tested_with(tx: Tx, item: OrderItem, samples: SampleSet, tested: int) -> int:
    """The tested samples of the whole order, once so many of the item are.

    Raises:
        SamplesUncounted: when that is more than was received or ordered, or less than delivered.
    """
    others = sum(
        one.tested or 0
        for one in await order_items(tx, item.order_id)
        if one.position != item.position
    )
    received = samples.received or 0
    reasons = Reasons()
    if tested + others > received:
        reasons.add(
            "samples-received",
            f"{received} samples were received.",
            limit=received - others,
            asked=tested,
        )
    if not item.delivered <= tested <= item.quantity:
        reasons.add(
            "samples-of-item",
            f"Of item {item.position} {item.quantity} were ordered and {item.delivered} delivered.",
            limit=item.quantity,
            asked=tested,
        )
    reasons.raise_as(SamplesUncounted)
    return tested + others
