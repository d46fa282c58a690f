"""Documents of applications and facts of beneficiaries for tests."""

import hashlib
from datetime import date

from sqlalchemy import func, insert, select

from marketplace.kernel.db import Tx
from marketplace.kernel.storage import keep_file
from marketplace.vouchers import tables
from marketplace.vouchers.rules.states import FactKind
from marketplace.vouchers.use_cases import DOCUMENTS_AREA, StateFact, state_fact

A_PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


async def application_things(tx: Tx, organisation_id: int) -> None:
    """A document of the newest application, and a fact that its SME stated."""
    key = await keep_file(tx, DOCUMENTS_AREA, A_PDF)
    application_id = await tx.scalar(select(func.max(tables.voucher_application.c.id)))
    await tx.execute(
        insert(tables.application_document).values(
            application_id=application_id,
            kind="business-licence",
            name="licence.pdf",
            media_type="application/pdf",
            sha256=hashlib.sha256(A_PDF).hexdigest(),
            size_bytes=len(A_PDF),
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
    )
    await state_fact(
        tx,
        StateFact(
            organisation_id, FactKind.CERTIFICATE, date(2025, 1, 1), "GR202532001234", "high-tech"
        ),
    )
