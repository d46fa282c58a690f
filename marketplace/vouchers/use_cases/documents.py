"""The documents of an application: kept as they were sent, for the SME and the centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import DOCUMENTS, received_file
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ApplicationMissing,
)
from marketplace.vouchers.grant_errors import (
    DocumentMissing,
    DocumentUnfit,
)
from marketplace.vouchers.queries import (
    ApplicationDocument,
    application,
    application_document,
    programme,
)
from marketplace.vouchers.use_cases.applications import own_application

DOCUMENTS_AREA = "applications"
DOCUMENT_BYTES_MAX = 10 * 1024 * 1024
DOCUMENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class StoreDocument:
    """A document of one of the kinds that the programme asks for, as it was sent."""

    application_id: int
    kind: str
    name: str
    content: bytes


async def store_document(tx: Tx, command: StoreDocument) -> ApplicationDocument:
    """Keep a document of an application that is in the SME's hands.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it is not in the SME's hands.
        DocumentUnfit: when the programme asks for none of the kind, or there are too many.
        FileUnfit: when it is empty, too large or of no allowed type.
        DocumentKnown: when the application has the same bytes under this kind.
    """
    # Whose it is comes first; the scanner may take seconds, so it is asked before the lock.
    if (await application(tx, command.application_id)).organisation_id != tx.actor.organisation_id:
        raise ApplicationMissing()
    checked = await received_file(
        command.name, command.content, allowed=DOCUMENTS, bytes_max=DOCUMENT_BYTES_MAX
    )
    found = await own_application(tx, command.application_id)
    wanted = (await programme(tx, found.programme_id)).agreed.application_documents
    table = tables.application_document
    kept = await tx.scalar(
        select(func.count()).where(table.c.application_id == found.id, table.c.removed_at.is_(None))
    )
    reasons = Reasons()
    if command.kind not in wanted:
        reasons.add(
            "document-kind",
            "The programme asks for none of this kind.",
            limit=list(wanted),
            asked=command.kind,
        )
    if kept >= DOCUMENTS_MAX:
        reasons.add(
            "documents-kept",
            f"An application keeps at most {DOCUMENTS_MAX} documents.",
            limit=DOCUMENTS_MAX,
            asked=kept + 1,
        )
    reasons.raise_as(DocumentUnfit)
    key = await keep_file(tx, DOCUMENTS_AREA, command.content)
    document_id = await tx.scalar(
        insert(table)
        .values(
            application_id=found.id,
            kind=command.kind,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=len(command.content),
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(table.c.id)
    )
    tx.audit(
        "upload",
        subject="voucher_application",
        subject_id=found.id,
        kind=command.kind,
        sha256=checked.sha256,
    )
    return await application_document(tx, found.id, document_id)


@dataclass(frozen=True, slots=True)
class RemoveDocument:
    """A document that was sent by mistake."""

    application_id: int
    document_id: int


async def remove_document(tx: Tx, command: RemoveDocument) -> ApplicationDocument:
    """Take a document out of an application that is in the SME's hands.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it is not in the SME's hands.
        DocumentMissing: when it has no such document.
    """
    found = await own_application(tx, command.application_id)
    kept = await application_document(tx, found.id, command.document_id)
    if kept.removed_at is not None:
        raise DocumentMissing()
    table = tables.application_document
    await tx.execute(
        update(table)
        .where(table.c.id == kept.id)
        .values(removed_by=tx.actor.person_id, removed_at=tx.now)
    )
    tx.audit("remove", subject="voucher_application", subject_id=found.id, sha256=kept.sha256)
    return await application_document(tx, found.id, kept.id)


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document with its bytes."""

    document: ApplicationDocument
    content: bytes


async def document_file(tx: Tx, command: RemoveDocument) -> DocumentFile:
    """The bytes of a document, for the SME itself, the centre and the auditors.

    Raises:
        ApplicationMissing: for everybody else.
        DocumentMissing: when the application has no such document.
        FileDamaged: when it is gone, or not as it was stored.
    """
    found = await application(tx, command.application_id)
    kept = await application_document(tx, found.id, command.document_id)
    table = tables.application_document.c
    key = await tx.scalar(select(table.storage_key).where(table.id == kept.id))
    tx.audit("download", subject="voucher_application", subject_id=found.id, sha256=kept.sha256)
    return DocumentFile(kept, await kept_file(key))


async def named_files(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Which of these files belong to documents."""
    table = tables.application_document.c
    return await tx.scalars(select(table.storage_key).distinct().where(table.storage_key.in_(keys)))
