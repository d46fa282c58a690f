"""Results: uploaded by the provider, seen by the two sides only, every download logged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.storage import FileDamaged, keep_file, kept_file
from marketplace.kernel.uploads import RESULTS, FileUnfit, received_file
from marketplace.orders.errors import (
    DeliverableMissing,
    DeliverableUnfit,
    OrderMissing,
    StepNotOpen,
)
from marketplace.orders.queries.access import is_provider, is_side
from marketplace.orders.queries.orders import Order, order
from marketplace.orders.queries.story import DELIVERABLES_MAX, Deliverable
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import deliverable
from marketplace.orders.use_cases.handover import deliver_everything
from marketplace.orders.use_cases.steps import lock_as_provider, note

DELIVERABLE_BYTES_MAX = 10 * 1024 * 1024
# Where results lie in the store of files; smaller ones are rows like any other.
DELIVERABLES_AREA = "deliverables"
KEPT_IN_ROW_BYTES_MAX = 8 * 1024
TAKES_DELIVERABLES = (Status.IN_SERVICE, Status.DELIVERED, Status.DISPUTED)


@dataclass(frozen=True, slots=True)
class StoreDeliverable:
    """A result as it was sent; `sha256` is what the sender says it is, if it says."""

    order_id: int
    name: str
    content: bytes
    sha256: str | None = None


async def store_deliverable(tx: Tx, command: StoreDeliverable) -> Deliverable:
    """Keep a result of a service for its buyer: the file first, then its row.

    Policy: J.20

    Raises:
        StepNotOpen: before the service has begun, or after the order has ended.
        DeliverableUnfit: when it is empty, too large, one too many, of a type that is not taken,
            named like another, or not what the sender says.
        FileInfected, ScanUnavailable: what the virus scanner says, where one is named.
        DeliverableKnown: when the order has the same bytes already.
        Unavailable: when the store of files cannot take it now.
    """
    digest = hashlib.sha256(command.content).hexdigest()
    media_type = await _received(tx, command)
    found = await lock_as_provider(tx, command.order_id)
    if found.status not in TAKES_DELIVERABLES:
        raise StepNotOpen(
            f"The order is {found.status}; results belong to a service that has begun.",
            order_status=found.status,
        )
    await _require_fit(tx, command, digest)
    small = len(command.content) <= KEPT_IN_ROW_BYTES_MAX
    key = None if small else await keep_file(tx, DELIVERABLES_AREA, command.content)
    stored = await tx.one(
        Deliverable,
        insert(deliverable)
        .values(
            order_id=found.id,
            name=command.name,
            media_type=media_type,
            sha256=digest,
            size_bytes=len(command.content),
            content=command.content if small else None,
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*(deliverable.c[name] for name in Deliverable.__dataclass_fields__)),
    )
    await note(tx, found.id, "upload", deliverable_id=stored.id, sha256=digest)
    return stored


async def _received(tx: Tx, command: StoreDeliverable) -> str:
    """The type that the bytes show; a scanner may take seconds, and nothing is locked meanwhile."""
    found = await order(tx, command.order_id)
    if not is_provider(tx.actor, provider_id=found.provider_id):
        raise OrderMissing
    if found.status not in TAKES_DELIVERABLES:
        return ""
    try:
        checked = await received_file(
            command.name, command.content, allowed=RESULTS, bytes_max=DELIVERABLE_BYTES_MAX
        )
    except FileUnfit as unfit:
        raise DeliverableUnfit(unfit.detail, reasons=unfit.reasons) from unfit
    return checked.media_type


async def _require_fit(tx: Tx, command: StoreDeliverable, digest: str) -> None:
    reasons = Reasons()
    if command.sha256 is not None and command.sha256 != digest:
        reasons.add(
            "deliverable-sha256",
            "What arrived is not what was sent; send it again.",
            limit=command.sha256,
            asked=digest,
        )
    kept = await tx.scalar(
        select(func.count())
        .select_from(deliverable)
        .where(deliverable.c.order_id == command.order_id)
    )
    if kept >= DELIVERABLES_MAX:
        reasons.add(
            "deliverables-kept",
            f"An order keeps at most {DELIVERABLES_MAX} deliverables; send an archive.",
            limit=DELIVERABLES_MAX,
            asked=kept + 1,
        )
    reasons.raise_as(DeliverableUnfit)


@dataclass(frozen=True, slots=True)
class DownloadDeliverable:
    """One of the two sides takes a copy."""

    order_id: int
    deliverable_id: int


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A deliverable with its bytes."""

    name: str
    media_type: str
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _KeptFile:
    """A deliverable and where its bytes are: in its row, or in the store of files."""

    name: str
    media_type: str
    sha256: str
    content: bytes | None
    storage_key: str | None


async def download_deliverable(tx: Tx, command: DownloadDeliverable) -> DownloadedFile:
    """The bytes of a result, for the buyer and the provider; who took them is logged.

    Policy: J.20

    Raises:
        DeliverableMissing: when there is none, or the caller is of neither side.
        FileDamaged: when it is gone, or not as it was stored.
    """
    found = await order(tx, command.order_id)
    if not is_side(tx.actor, buyer_id=found.buyer_id, provider_id=found.provider_id):
        raise DeliverableMissing("Results are for the buyer and the provider only.")
    table = deliverable.c
    kept = await tx.one(
        _KeptFile,
        select(table.name, table.media_type, table.sha256, table.content, table.storage_key).where(
            table.order_id == command.order_id, table.id == command.deliverable_id
        ),
        missing=DeliverableMissing,
    )
    content = await _content_of(kept)
    await note(
        tx,
        found.id,
        "download",
        deliverable_id=command.deliverable_id,
        sha256=kept.sha256,
        organisation_id=tx.actor.organisation_id,
    )
    return DownloadedFile(kept.name, kept.media_type, kept.sha256, content)


async def _content_of(kept: _KeptFile) -> bytes:
    if kept.storage_key is not None:
        return await kept_file(kept.storage_key)
    content = kept.content or b""
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise FileDamaged("The file is not as it was kept; its owner has to send it again.")
    return content


@dataclass(frozen=True, slots=True)
class DeliverOrder:
    """The results are with the buyer."""

    order_id: int


async def deliver_order(tx: Tx, command: DeliverOrder) -> Order:
    """Hand everything over that is due: the buyer's review window begins.

    Tested samples need at least one deliverable; self-operated machine time may leave its results
    with the buyer at once.
    Policy: J.18a

    Raises:
        StepNotOpen: when the order is not in service.
        ServiceUnfinished: when the session is open, samples are untested or results are missing.
    """
    found = await lock_as_provider(tx, command.order_id)
    after(Status(found.status), Step.DELIVER)
    return await deliver_everything(tx, found)


async def named_files(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of some files of the store are deliverables."""
    return await tx.scalars(
        select(deliverable.c.storage_key).distinct().where(deliverable.c.storage_key.in_(keys))
    )
