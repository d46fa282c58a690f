"""Samples on their way: declared, sent, received, kept, sent back or destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import shanghai_day
from marketplace.orders.errors import (
    CustodyRefused,
    DeclarationClosed,
    OrderMissing,
    ShipmentReceived,
    StepNotOpen,
)
from marketplace.orders.queries.custody import (
    CustodyEvent,
    Declaration,
    Shipment,
    declaration_of,
    require_samples,
    shipment_of,
    standing_of,
)
from marketplace.orders.queries.orders import Order, SampleSet
from marketplace.orders.rules.custody import (
    Condition,
    CustodyKind,
    CustodySide,
    Direction,
    DisposalTerms,
    Hazard,
    Moment,
    Standing,
    Storage,
    check_custody,
    check_disposal,
    check_keeping,
    check_moment,
    check_receipt,
    check_sending,
    disposal_from,
)
from marketplace.orders.rules.states import Status, Step
from marketplace.orders.tables import custody_event, sample_declaration, sample_set, shipment
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_order, note, take_step

# A sample may travel once both sides have signed, until what was agreed is delivered.
TAKES_SAMPLES = (Status.CONFIRMED, Status.IN_SERVICE)


@dataclass(frozen=True, slots=True)
class DeclareSamples:
    """What the samples are like: dangers as pictograms and words, keeping, the way back."""

    order_id: int
    ghs: tuple[Hazard, ...] = ()
    hazard_note: str = ""
    storage: Storage = Storage.ROOM
    storage_note: str = ""
    keep_until: date | None = None
    return_to: str = ""


async def declare_samples(tx: Tx, command: DeclareSamples) -> Declaration:
    """Declare the samples of an order, or declare them anew, until the first of them arrives.

    Raises:
        WrongMode: for machine time.
        DeclarationClosed: when samples have arrived: they are handled as was declared.
        CustodyRefused: when they are to be kept until a day that is past, or too far.
    """
    found = await lock_as_buyer(tx, command.order_id)
    samples = await require_samples(tx, found)
    if samples.received_at is not None:
        raise DeclarationClosed("Tell the provider; it handles them as was declared.")
    reasons = Reasons()
    check_keeping(reasons, keep_until=command.keep_until, today=tx.today)
    reasons.raise_as(CustodyRefused)
    values = {
        "ghs": sorted(set(map(str, command.ghs))),
        "hazard_note": command.hazard_note,
        "storage": str(command.storage),
        "storage_note": command.storage_note,
        "keep_until": command.keep_until,
        "return_to": command.return_to,
        "declared_by": tx.actor.person_id,
        "declared_at": tx.now,
    }
    declared = await tx.one(
        Declaration,
        upsert(sample_declaration)
        .values(order_id=found.id, **values)
        .on_conflict_do_update(index_elements=["order_id"], set_=values)
        .returning(*(sample_declaration.c[name] for name in Declaration.__dataclass_fields__)),
    )
    await note(tx, found.id, "declare_samples")
    return declared


@dataclass(frozen=True, slots=True)
class SendSamples:
    """So many samples go on their way: the buyer's to the provider, the provider's back."""

    order_id: int
    carrier: str
    number: str
    pieces: int
    sent_at: datetime | None = None


async def send_samples(tx: Tx, command: SendSamples) -> Shipment:
    """Note a shipment; who notes it says which way it goes.

    Raises:
        WrongMode: for machine time.
        StepNotOpen: when the order takes no samples, being unconfirmed or over.
        CustodyRefused: when more go out than were ordered, or more come back than are there.
    """
    found, side = await lock_as_side(tx, command.order_id)
    samples = await require_samples(tx, found)
    direction = Direction.OUT if side is CustodySide.BUYER else Direction.BACK
    if direction is Direction.OUT:
        _require_taking(found)
    sent_at = command.sent_at or tx.now
    since = found.placed_at if direction is Direction.OUT else samples.received_at
    reasons = Reasons()
    check_moment(reasons, Moment(sent_at, since or found.placed_at, tx.now))
    standing = await standing_of(tx, samples, found.id)
    check_sending(reasons, standing, direction, command.pieces)
    reasons.raise_as(CustodyRefused)
    sent = await tx.one(
        Shipment,
        insert(shipment)
        .values(
            order_id=found.id,
            direction=direction,
            carrier=command.carrier,
            number=command.number,
            pieces=command.pieces,
            sent_at=sent_at,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
        .returning(*(shipment.c[name] for name in Shipment.__dataclass_fields__)),
    )
    outward = direction is Direction.OUT
    link = Link(
        CustodyKind.HANDED_OVER if outward else CustodyKind.RETURNED,
        side,
        command.pieces,
        at=sent_at,
        who=command.carrier,
        shipment_id=sent.id,
    )
    await add_link(tx, found.id, link)
    if not outward:
        await _clear_when_gone(tx, found.id, standing, command.pieces)
    await note(
        tx,
        found.id,
        "send_samples",
        shipment_id=sent.id,
        direction=str(direction),
        pieces=command.pieces,
    )
    return sent


@dataclass(frozen=True, slots=True)
class ReceiveShipment:
    """A shipment has arrived: how many samples were in it, and in which condition."""

    order_id: int
    shipment_id: int
    pieces: int
    condition: Condition = Condition.INTACT
    condition_note: str = ""
    received_at: datetime | None = None


async def receive_shipment(tx: Tx, command: ReceiveShipment) -> Shipment:
    """Note how a shipment arrived; the first samples to arrive open the service.

    Raises:
        ShipmentMissing: when the order has none such, or the caller is not who it goes to.
        ShipmentReceived: when it was received before.
        StepNotOpen: when the order takes no samples any more.
        CustodyRefused: when more arrived than was sent, or than was ordered.
    """
    found, side = await lock_as_side(tx, command.order_id)
    samples = await require_samples(tx, found)
    sent = await shipment_of(tx, found.id, command.shipment_id)
    direction = Direction(sent.direction)
    if side is not (CustodySide.PROVIDER if direction is Direction.OUT else CustodySide.BUYER):
        raise OrderMissing("A shipment is received by the side that it goes to.")
    if sent.received_at is not None:
        raise ShipmentReceived("Note what else happened in the chain of custody.")
    if direction is Direction.OUT:
        _require_taking(found)
    at = command.received_at or tx.now
    reasons = Reasons()
    check_moment(reasons, Moment(at, sent.sent_at, tx.now))
    standing = await standing_of(tx, samples, found.id)
    check_receipt(reasons, standing, direction, sent=sent.pieces, received=command.pieces)
    reasons.raise_as(CustodyRefused)
    received = await tx.one(
        Shipment,
        update(shipment)
        .where(shipment.c.id == sent.id)
        .values(
            received_at=at,
            received_pieces=command.pieces,
            condition=command.condition,
            condition_note=command.condition_note,
            received_by=tx.actor.person_id,
        )
        .returning(*(shipment.c[name] for name in Shipment.__dataclass_fields__)),
    )
    text = " ".join(filter(None, (str(command.condition), command.condition_note)))
    link = Link(CustodyKind.RECEIVED, side, command.pieces, at=at, note=text, shipment_id=sent.id)
    await add_link(tx, found.id, link)
    facts = {
        "shipment_id": sent.id,
        "direction": str(direction),
        "pieces": command.pieces,
        "condition": str(command.condition),
    }
    await note(tx, found.id, "receive_shipment", **facts)
    if direction is Direction.OUT and command.pieces > 0:
        await _count_in(tx, found, command.pieces)
    return received


async def _count_in(tx: Tx, found: Order, pieces: int) -> None:
    """Samples that arrive in several parcels are counted together."""
    table = sample_set.c
    await tx.execute(
        update(sample_set)
        .where(table.order_id == found.id)
        .values(
            received=func.coalesce(table.received, 0) + pieces,
            received_at=func.coalesce(table.received_at, tx.now),
            returned_at=None,
        )
    )
    if found.status == Status.CONFIRMED:
        await take_step(tx, found, Step.OPEN, facts={"received": pieces})


@dataclass(frozen=True, slots=True)
class NoteCustody:
    """A link of the chain: what happened to how many samples, where, and by whom."""

    order_id: int
    kind: CustodyKind
    samples: int
    place: str = ""
    who: str = ""
    note: str = ""
    at: datetime | None = None


async def note_custody(tx: Tx, command: NoteCustody) -> CustodyEvent:
    """Note what happened to samples; what was noted stays.

    Raises:
        WrongMode: for machine time.
        CustodyRefused: when it cannot have happened, or was not agreed on.
    """
    found, side = await lock_as_side(tx, command.order_id)
    samples = await require_samples(tx, found)
    standing = await standing_of(tx, samples, found.id)
    at = command.at or tx.now
    by_buyer = side is CustodySide.BUYER
    reasons = Reasons()
    check_custody(reasons, standing, command.kind, side=side, samples=command.samples)
    since = found.placed_at if by_buyer else samples.received_at or found.placed_at
    check_moment(reasons, Moment(at, since, tx.now))
    if command.kind is CustodyKind.DISPOSED:
        await check_agreed_disposal(tx, reasons, found, samples, certificate=command.note)
    reasons.raise_as(CustodyRefused)
    link = Link(
        command.kind,
        side,
        command.samples,
        at=at,
        place=command.place,
        who=command.who,
        note=command.note,
    )
    linked = await add_link(tx, found.id, link)
    if command.kind in (CustodyKind.RETURNED, CustodyKind.DISPOSED):
        await _clear_when_gone(tx, found.id, standing, command.samples)
    await note(tx, found.id, str(command.kind), samples=command.samples, custody_event_id=linked.id)
    return linked


async def check_agreed_disposal(
    tx: Tx, reasons: Reasons, found: Order, samples: SampleSet, *, certificate: str
) -> None:
    """Whether what is left may be destroyed today, as was agreed."""
    declared = await declaration_of(tx, found.id)
    review_until = None if found.review_ends_at is None else shanghai_day(found.review_ends_at)
    from_day = disposal_from(None if declared is None else declared.keep_until, review_until)
    check_disposal(reasons, DisposalTerms(samples.disposal, from_day, tx.today, certificate))


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the chain that a step adds by itself, or that somebody notes."""

    kind: CustodyKind
    side: CustodySide
    samples: int
    at: datetime
    place: str = ""
    who: str = ""
    note: str = ""
    shipment_id: int | None = None


async def add_link(tx: Tx, order_id: int, link: Link) -> CustodyEvent:
    """Add a link to the chain of custody of an order that is locked."""
    return await tx.one(
        CustodyEvent,
        insert(custody_event)
        .values(
            order_id=order_id,
            kind=link.kind,
            side=link.side,
            samples=link.samples,
            at=link.at,
            place=link.place,
            who=link.who,
            note=link.note,
            shipment_id=link.shipment_id,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
        .returning(*(custody_event.c[name] for name in CustodyEvent.__dataclass_fields__)),
    )


async def lock_as_side(tx: Tx, order_id: int) -> tuple[Order, CustodySide]:
    """An order of which the actor's organisation is one side, locked, and which side that is.

    Raises:
        OrderMissing: for everybody else.
    """
    found = await lock_order(tx, order_id)
    if tx.actor.organisation_id == found.buyer_id:
        return found, CustodySide.BUYER
    if tx.actor.organisation_id == found.provider_id:
        return found, CustodySide.PROVIDER
    raise OrderMissing()


def _require_taking(found: Order) -> None:
    if found.status not in TAKES_SAMPLES:
        raise StepNotOpen(
            f"The order is {found.status}; samples are sent to one that is confirmed or in"
            " service.",
            order_status=found.status,
        )


async def clear_samples(tx: Tx, order_id: int, samples: SampleSet) -> None:
    """Add the link that ends the chain: the provider says that nothing is left."""
    left = (await standing_of(tx, samples, order_id)).held
    destroyed = samples.disposal == "destroy"
    link = Link(
        CustodyKind.DISPOSED if destroyed else CustodyKind.RETURNED,
        CustodySide.PROVIDER,
        left,
        at=tx.now,
        note="Noted with the tests.",
    )
    if left > 0:
        await add_link(tx, order_id, link)


async def _clear_when_gone(tx: Tx, order_id: int, before: Standing, samples: int) -> None:
    if samples == before.held:
        await tx.execute(
            update(sample_set).where(sample_set.c.order_id == order_id).values(returned_at=tx.now)
        )
