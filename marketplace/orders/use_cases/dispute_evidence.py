"""Files by which a side of a dispute shows that it is right; whoever rules reads them too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import FileUnfit, received_file
from marketplace.orders.errors import DisputeMissing, EvidenceFull, EvidenceMissing, OrderMissing
from marketplace.orders.queries.disputes import Evidence, open_dispute
from marketplace.orders.queries.orders import Order, order
from marketplace.orders.rules.enquiry_files import ATTACHMENTS, FILE_BYTES_MAX, require_harmless
from marketplace.orders.rules.states import Status
from marketplace.orders.tables import dispute, dispute_evidence
from marketplace.orders.use_cases.steps import lock_order, note

DISPUTES_AREA = "disputes"
EVIDENCE_MAX = 20
EVIDENCE_BYTES_MAX = FILE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class ShowEvidence:
    """A file of one side; `sha256` is what the sender says it is, if it says."""

    order_id: int
    name: str
    content: bytes
    sha256: str | None = None


async def show_evidence(tx: Tx, command: ShowEvidence) -> Evidence:
    """Keep a file in an open dispute, once its bytes were found to be what may be sent.

    Policy: J.18a

    Raises:
        OrderMissing: for those who are of neither side.
        FileUnfit: with every reason: size, type, name, what is inside, not what the sender says.
        FileInfected, ScanUnavailable: what a virus scanner says, where one is named.
        DisputeMissing: when no dispute of the order is open.
        EvidenceFull: when the side has shown its number of files.
        EvidenceKnown: when it has shown the same bytes before.
        Unavailable: when the store of files cannot take it now.
    """
    # Asked first, locked after the file was looked at: that takes its time.
    _side(tx, await order(tx, command.order_id))
    checked = await received_file(
        command.name, command.content, allowed=ATTACHMENTS, bytes_max=EVIDENCE_BYTES_MAX
    )
    if command.sha256 not in (None, checked.sha256):
        reason = Reason(
            "file-sha256",
            "What arrived is not what was sent; send it again.",
            limit=command.sha256,
            asked=checked.sha256,
        )
        raise FileUnfit(reason.message, reasons=[reason])
    await asyncio.to_thread(require_harmless, command.name, checked.media_type, command.content)
    found = await lock_order(tx, command.order_id)
    side = _side(tx, found)
    if found.status != Status.DISPUTED:
        raise DisputeMissing("Evidence belongs to a dispute that is open.")
    open_one = await open_dispute(tx, found.id)
    table = dispute_evidence
    shown = await tx.scalar(
        select(func.count())
        .select_from(table)
        .where(table.c.dispute_id == open_one.id, table.c.side == side)
    )
    if shown >= EVIDENCE_MAX:
        raise EvidenceFull(f"A side shows at most {EVIDENCE_MAX} files.", limit=EVIDENCE_MAX)
    stored = await tx.one(
        Evidence,
        insert(table)
        .values(
            dispute_id=open_one.id,
            side=side,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=checked.size,
            storage_key=await keep_file(tx, DISPUTES_AREA, command.content),
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*(table.c[name] for name in Evidence.__dataclass_fields__)),
    )
    await note(
        tx,
        found.id,
        "evidence",
        evidence_id=stored.id,
        side=side,
        name=stored.name,
        sha256=stored.sha256,
    )
    return stored


def _side(tx: Tx, found: Order) -> str:
    if tx.actor.organisation_id == found.buyer_id:
        return "buyer"
    if tx.actor.organisation_id == found.provider_id or tx.actor.has("system"):
        return "provider"
    raise OrderMissing()


@dataclass(frozen=True, slots=True)
class TakeEvidence:
    """Somebody who may see the order takes a copy."""

    order_id: int
    evidence_id: int


@dataclass(frozen=True, slots=True)
class TakenEvidence:
    """A file with its bytes."""

    name: str
    media_type: str
    sha256: str
    content: bytes


async def take_evidence(tx: Tx, command: TakeEvidence) -> TakenEvidence:
    """The bytes of a file, for both sides and those who rule or check; who took them is logged.

    Raises:
        OrderMissing: when the order is somebody else's.
        EvidenceMissing: when there is no such file.
        FileDamaged: when it is gone, or not as it was kept.
    """
    found = await order(tx, command.order_id)
    table = dispute_evidence.c
    row = (
        await tx.execute(
            select(table.name, table.media_type, table.sha256, table.storage_key)
            .join_from(dispute_evidence, dispute, dispute.c.id == table.dispute_id)
            .where(dispute.c.order_id == found.id, table.id == command.evidence_id)
        )
    ).one_or_none()
    if row is None:
        raise EvidenceMissing()
    content = await kept_file(row.storage_key)
    await note(
        tx,
        found.id,
        "download",
        evidence_id=command.evidence_id,
        sha256=row.sha256,
        organisation_id=tx.actor.organisation_id,
    )
    return TakenEvidence(row.name, row.media_type, row.sha256, content)


async def named_evidence(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of some files of the store are evidence of a dispute."""
    table = dispute_evidence.c
    return await tx.scalars(select(table.storage_key).distinct().where(table.storage_key.in_(keys)))
