"""Giving the service: sessions for machine time, receiving and testing for samples."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import (
    CustodyRefused,
    SamplesUncounted,
    ServiceUnfinished,
    WrongMode,
)
from marketplace.orders.queries.orders import Order, sample_set_of
from marketplace.orders.rules.custody import CustodyKind, CustodySide
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import sample_set
from marketplace.orders.use_cases.custody import (
    Link,
    add_link,
    check_agreed_disposal,
    clear_samples,
)
from marketplace.orders.use_cases.steps import lock_as_provider, note, take_step


@dataclass(frozen=True, slots=True)
class OpenService:
    """The buyer has come; the instrument is handed over."""

    order_id: int


async def open_service(tx: Tx, command: OpenService) -> Order:
    """Open the usage session of a confirmed order.

    A session that was opened in booking already is taken over as it is.

    Raises:
        WrongMode: for samples.
        StepNotOpen: when the order is not confirmed.
    """
    found = await lock_as_provider(tx, command.order_id)
    reservation_id = _require_reservation(found)
    after(Status(found.status), Step.OPEN)
    reserved = await booking_queries.reservation(tx, reservation_id)
    if reserved.status == "confirmed":
        await booking.open_session(tx, booking.OpenSession(reservation_id))
    return await take_step(tx, found, Step.OPEN)


@dataclass(frozen=True, slots=True)
class CloseService:
    """The work is done; its minutes are told apart as the machine-hours' rules need them."""

    order_id: int
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0
    samples_run: int | None = None
    note: str | None = None


async def close_service(tx: Tx, command: CloseService) -> Order:
    """Close the usage session of an order in service.

    Raises:
        WrongMode: for samples.
        StepNotOpen: when the order is not in service.
    """
    found = await lock_as_provider(tx, command.order_id)
    reservation_id = _require_reservation(found)
    after(Status(found.status), Step.DELIVER)
    session = await booking.close_session(
        tx,
        booking.CloseSession(
            reservation_id,
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
        actual_minutes=session.actual_minutes,
        billable_minutes=session.billable_minutes,
    )
    return found


def _require_reservation(found: Order) -> int:
    if found.reservation_id is None:
        raise WrongMode("Samples are received and tested; they have no session.")
    return found.reservation_id


@dataclass(frozen=True, slots=True)
class ReceiveSamples:
    """The samples have arrived, so many of them."""

    order_id: int
    count: int


async def receive_samples(tx: Tx, command: ReceiveSamples) -> Order:
    """Take the samples of a confirmed order into custody.

    Raises:
        WrongMode: for machine time.
        StepNotOpen: when the order is not confirmed.
        SamplesUncounted: when more arrived than were ordered.
    """
    found = await lock_as_provider(tx, command.order_id)
    samples = await sample_set_of(tx, found.id)
    if samples is None:
        raise WrongMode("Machine time has a session; no samples are sent.")
    after(Status(found.status), Step.OPEN)
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
    return await take_step(tx, found, Step.OPEN, facts={"received": command.count})


@dataclass(frozen=True, slots=True)
class FinishSamples:
    """So many were tested; `returned` when what is left went back or was disposed of."""

    order_id: int
    tested: int
    returned: bool = False


async def finish_samples(tx: Tx, command: FinishSamples) -> Order:
    """Note how many samples were tested: that is what the buyer pays for.

    Raises:
        WrongMode: for machine time.
        StepNotOpen: when the samples are not in service.
        SamplesUncounted: when more were tested than received.
        CustodyRefused: when what is left would be destroyed sooner than was agreed.
    """
    found = await lock_as_provider(tx, command.order_id)
    samples = await sample_set_of(tx, found.id)
    if samples is None:
        raise WrongMode("Machine time has a session; no samples are sent.")
    after(Status(found.status), Step.DELIVER)
    received = samples.received or 0
    reasons = Reasons()
    if command.tested > received:
        reasons.add(
            "samples-received",
            f"{received} samples were received.",
            limit=received,
            asked=command.tested,
        )
    reasons.raise_as(SamplesUncounted)
    if command.returned and samples.disposal == "destroy":
        await check_agreed_disposal(tx, reasons, found, samples, certificate="with the tests")
        reasons.raise_as(CustodyRefused)
    await tx.execute(
        update(sample_set)
        .where(sample_set.c.order_id == found.id)
        .values(
            tested=command.tested,
            tested_at=tx.now,
            returned_at=tx.now if command.returned else samples.returned_at,
        )
    )
    link = Link(CustodyKind.TESTED, CustodySide.PROVIDER, command.tested, at=tx.now)
    await add_link(tx, found.id, link)
    if command.returned:
        await clear_samples(tx, found.id, samples)
    await note(tx, found.id, "test", tested=command.tested, returned=command.returned)
    return found


async def require_finished(tx: Tx, found: Order) -> None:
    """The session is closed, or the samples are tested.

    Raises:
        ServiceUnfinished: when not.
    """
    if found.reservation_id is not None:
        session = await booking_queries.session_of(tx, found.reservation_id)
        if session is None or session.closed_at is None:
            raise ServiceUnfinished("Close the session first.")
        if session.problem is not None:
            raise ServiceUnfinished(
                f"The session waits in the problem queue ({session.problem});"
                " repair it or accept it as it stands first."
            )
        return
    samples = await sample_set_of(tx, found.id)
    if samples is None or samples.tested_at is None:
        raise ServiceUnfinished("Say first how many samples were tested.")
