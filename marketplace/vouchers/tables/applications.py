"""The documents and approvals of applications."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from marketplace.kernel.tables import Instant, metadata

application_document = Table(
    "application_document",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("removed_by", BigInteger, ForeignKey("person.id")),
    Column("removed_at", Instant),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
    CheckConstraint("(removed_at is null) = (removed_by is null)", name="removed"),
)
Index(
    "application_document_once",
    application_document.c.application_id,
    application_document.c.kind,
    application_document.c.sha256,
    unique=True,
    postgresql_where=application_document.c.removed_at.is_(None),
)
Index(
    "application_document_application_idx",
    application_document.c.application_id,
    application_document.c.id,
)
Index("application_document_key_idx", application_document.c.storage_key)

application_approval = Table(
    "application_approval",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("applied_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("approved_at", Instant, nullable=False),
    UniqueConstraint("application_id", "round", "person_id", name="application_approval_once"),
    CheckConstraint("person_id <> applied_by", name="second_person"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
