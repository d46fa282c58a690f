"""Files in the thread of an enquiry: looked into before they are kept, every download logged."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import FileUnfit, received_file
from marketplace.orders.enquiry_errors import EnquiryFileMissing, ThreadFull
from marketplace.orders.queries.enquiries import enquiry_by_id
from marketplace.orders.queries.enquiry_thread import EnquiryFile
from marketplace.orders.rules.enquiries import FILES_MAX, EnquiryStatus, require_live
from marketplace.orders.rules.enquiry_files import ATTACHMENTS, FILE_BYTES_MAX, require_harmless
from marketplace.orders.tables import enquiry_file
from marketplace.orders.use_cases.enquiries import EVERYBODY
from marketplace.orders.use_cases.enquiry_steps import lock_in_time, note

ENQUIRIES_AREA = "enquiries"


@dataclass(frozen=True, slots=True)
class AttachFile:
    """A file for both sides to read; `sha256` is what the sender says it is, if it says."""

    enquiry_id: int
    name: str
    content: bytes
    sha256: str | None = None


async def attach_file(tx: Tx, command: AttachFile) -> EnquiryFile:
    """Keep a file in the thread, once its bytes were found to be what may be sent.

    Raises:
        FileUnfit: with every reason: size, type, name, what is inside.
        FileInfected: when a virus scanner knows what is in it.
        ScanUnavailable: when the scanner that the settings name gives no clear answer.
        EnquiryMissing: for those whom it does not concern.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        ThreadFull: when the thread has its number of files.
        EnquiryFileKnown: when the same bytes are there already.
        Unavailable: when the store of files cannot take it now.
    """
    # Asked first, so that nobody sends files around where it has nothing to say; locked after the
    # file was looked at, which takes its time.
    await enquiry_by_id(tx, command.enquiry_id)
    checked = await received_file(
        command.name, command.content, allowed=ATTACHMENTS, bytes_max=FILE_BYTES_MAX
    )
    _require_as_sent(command)
    await asyncio.to_thread(require_harmless, command.name, checked.media_type, command.content)
    found, side = await lock_in_time(tx, command.enquiry_id, *EVERYBODY)
    require_live(EnquiryStatus(found.status))
    table = enquiry_file
    kept = await tx.scalar(
        select(func.count()).select_from(table).where(table.c.enquiry_id == found.id)
    )
    if kept >= FILES_MAX:
        raise ThreadFull(f"An enquiry keeps {FILES_MAX} files.", limit=FILES_MAX)
    key = await keep_file(tx, ENQUIRIES_AREA, command.content)
    stored = await tx.one(
        EnquiryFile,
        insert(table)
        .values(
            enquiry_id=found.id,
            side=side,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=checked.size,
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*(table.c[name] for name in EnquiryFile.__dataclass_fields__)),
    )
    await note(tx, found.id, "attach", file_id=stored.id, sha256=stored.sha256, side=str(side))
    return stored


def _require_as_sent(command: AttachFile) -> None:
    digest = hashlib.sha256(command.content).hexdigest()
    if command.sha256 is not None and command.sha256 != digest:
        reason = Reason(
            "file-sha256",
            "What arrived is not what was sent; send it again.",
            limit=command.sha256,
            asked=digest,
        )
        raise FileUnfit(reason.message, reasons=[reason])


@dataclass(frozen=True, slots=True)
class TakeFile:
    """Somebody of the enquiry takes a copy."""

    enquiry_id: int
    file_id: int


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file with its bytes."""

    name: str
    media_type: str
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    media_type: str
    sha256: str
    storage_key: str


async def take_file(tx: Tx, command: TakeFile) -> TakenFile:
    """The bytes of a file, for buyer, agent and provider; who took them is logged.

    Raises:
        EnquiryMissing: for everybody else.
        EnquiryFileMissing: when there is none such.
        FileDamaged: when it is gone, or not as it was kept.
    """
    found = await enquiry_by_id(tx, command.enquiry_id)
    table = enquiry_file.c
    kept = await tx.one(
        _Kept,
        select(table.name, table.media_type, table.sha256, table.storage_key).where(
            table.enquiry_id == found.id, table.id == command.file_id
        ),
        missing=EnquiryFileMissing,
    )
    content = await kept_file(kept.storage_key)
    await note(
        tx,
        found.id,
        "download",
        file_id=command.file_id,
        sha256=kept.sha256,
        organisation_id=tx.actor.organisation_id,
    )
    return TakenFile(kept.name, kept.media_type, kept.sha256, content)


async def named_files(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of some files of the store are attached somewhere."""
    table = enquiry_file.c
    return await tx.scalars(select(table.storage_key).distinct().where(table.storage_key.in_(keys)))
