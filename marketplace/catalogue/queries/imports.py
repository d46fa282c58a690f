"""The files that landed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.catalogue.errors import ImportMissing
from marketplace.catalogue.queries.rows import ImportBatch
from marketplace.catalogue.tables import import_batch as batch
from marketplace.kernel.db import Tx
from marketplace.parties.queries import require_own_or_staff


async def import_batch(tx: Tx, batch_id: int) -> ImportBatch:
    """An import of the caller's own organisation; staff see every provider's.

    Raises:
        ImportMissing: when there is none for the caller.
    """
    found = await tx.one(
        ImportBatch, select(batch).where(batch.c.id == batch_id), missing=ImportMissing
    )
    require_own_or_staff(tx, found.provider_id, missing=ImportMissing)
    return found


@dataclass(frozen=True, slots=True)
class ImportBatches:
    """Whose imports, the newest first."""

    provider_id: int
    page: int = 1
    page_size: int = 50


async def import_batches(tx: Tx, question: ImportBatches) -> tuple[list[ImportBatch], int]:
    """A page of a provider's imports, and how many there are."""
    require_own_or_staff(tx, question.provider_id, missing=ImportMissing)
    own = batch.c.provider_id == question.provider_id
    found = await tx.all(
        ImportBatch,
        select(batch)
        .where(own)
        .order_by(batch.c.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    return found, await tx.scalar(select(func.count()).select_from(batch).where(own))
