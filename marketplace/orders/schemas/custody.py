"""Samples on their way on the wire: declared, sent, received, noted, scanned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.kernel.wire import In, Instant, Line, Out, Word
from marketplace.orders.queries.custody import Declaration, ScannedSample
from marketplace.orders.rules.custody import (
    Condition,
    CustodyKind,
    CustodySide,
    Direction,
    Hazard,
    Storage,
)
from marketplace.orders.use_cases.custody import (
    DeclareSamples,
    NoteCustody,
    ReceiveShipment,
    SendSamples,
)

Pieces = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
PiecesSeen = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class DeclarationIn(In):
    """What the samples are like; `keep_until` is the first day on which they may be destroyed."""

    ghs: Annotated[list[Hazard], msgspec.Meta(max_length=9)] = msgspec.field(default_factory=list)
    hazard_note: Line = ""
    storage: Storage = Storage.ROOM
    storage_note: Line = ""
    keep_until: date | None = None
    return_to: Line = ""

    def to_command(self, order_id: int) -> DeclareSamples:
        """The command for one order."""
        return DeclareSamples(
            order_id,
            ghs=tuple(self.ghs),
            hazard_note=self.hazard_note,
            storage=self.storage,
            storage_note=self.storage_note,
            keep_until=self.keep_until,
            return_to=self.return_to,
        )


class DeclarationOut(Out):
    """What the buyer declared; nothing and room temperature before it did."""

    order_id: int
    ghs: list[Hazard] = msgspec.field(default_factory=list)
    hazard_note: str = ""
    storage: Storage = Storage.ROOM
    storage_note: str = ""
    keep_until: date | None = None
    return_to: str = ""
    declared_at: datetime | None = None

    @classmethod
    def of(cls, declared: Declaration) -> DeclarationOut:
        """The wire form of a declaration."""
        return msgspec.convert(declared, cls, from_attributes=True)


class ShipmentIn(In):
    """So many samples go on their way; without `sent_at` it is now."""

    carrier: Word
    number: Word
    pieces: Pieces
    sent_at: Instant | None = None

    def to_command(self, order_id: int) -> SendSamples:
        """The command for one order."""
        return SendSamples(order_id, **msgspec.structs.asdict(self))


class ShipmentReceiptIn(In):
    """How many samples were in it, in which condition; without `received_at` it is now."""

    pieces: PiecesSeen
    condition: Condition = Condition.INTACT
    condition_note: Line = ""
    received_at: Instant | None = None

    def to_command(self, order_id: int, shipment_id: int) -> ReceiveShipment:
        """The command for one shipment."""
        return ReceiveShipment(order_id, shipment_id, **msgspec.structs.asdict(self))


class ShipmentOut(Out):
    """Samples on their way, and how they arrived."""

    id: int
    order_id: int
    direction: Direction
    carrier: str
    number: str
    pieces: int
    sent_at: datetime
    noted_by: int
    noted_at: datetime
    received_at: datetime | None
    received_pieces: int | None
    condition: Condition | None
    condition_note: str | None
    received_by: int | None

    @classmethod
    def of(cls, shipment: object) -> ShipmentOut:
        """The wire form of a shipment."""
        return msgspec.convert(shipment, cls, from_attributes=True)


class CustodyIn(In):
    """What happened to how many samples; a disposal names its certificate in `note`."""

    kind: CustodyKind
    samples: Pieces
    place: Line = ""
    who: Line = ""
    note: Line = ""
    at: Instant | None = None

    def to_command(self, order_id: int) -> NoteCustody:
        """The command for one order."""
        return NoteCustody(order_id, **msgspec.structs.asdict(self))


class CustodyOut(Out):
    """A link of the chain of custody."""

    id: int
    order_id: int
    kind: CustodyKind
    side: CustodySide
    samples: int
    at: datetime
    place: str
    who: str
    note: str
    shipment_id: int | None
    noted_by: int
    noted_at: datetime

    @classmethod
    def of(cls, event: object) -> CustodyOut:
        """The wire form of a link."""
        return msgspec.convert(event, cls, from_attributes=True)


class ScannedSampleOut(Out):
    """What the code on a label stands for."""

    code: str
    number: int
    order_id: int
    order_status: str
    title: str
    samples: int
    description: str
    hazards: str
    disposal: str
    declaration: DeclarationOut | None
    last_event: CustodyOut | None

    @classmethod
    def of(cls, scanned: ScannedSample) -> ScannedSampleOut:
        """The wire form of a scanned sample."""
        declared, last = scanned.declaration, scanned.last_event
        return cls(
            code=scanned.code,
            number=scanned.number,
            order_id=scanned.order.id,
            order_status=scanned.order.status,
            title=scanned.order.title,
            samples=scanned.samples.samples,
            description=scanned.samples.description,
            hazards=scanned.samples.hazards,
            disposal=scanned.samples.disposal,
            declaration=None if declared is None else DeclarationOut.of(declared),
            last_event=None if last is None else CustodyOut.of(last),
        )
