"""Requests for a service free of charge, their evidence, and what was served."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from marketplace.kernel.tables import Instant, metadata

free_use = Table(
    "free_use",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("quote_id", BigInteger, ForeignKey("quote.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("statement", Text, nullable=False),
    # What the quote would have cost, and below what was served, by the same price list.
    Column("list_value_fen", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("asked_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("examined_by", BigInteger, ForeignKey("person.id")),
    Column("examined_at", Instant),
    Column("finding", Text),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decided_because", Text),
    Column("served_on", Date),
    Column("served_minutes", Integer),
    Column("served_samples", Integer),
    Column("served_value_fen", BigInteger),
    UniqueConstraint("quote_id", name="free_use_quote_once"),
    CheckConstraint(
        "status in ('asked', 'examined', 'approved', 'refused', 'withdrawn')", name="status"
    ),
    CheckConstraint("purpose ~ '^[a-z-]{1,60}$'", name="purpose"),
    CheckConstraint("statement <> ''", name="statement"),
    CheckConstraint("list_value_fen >= 0", name="value"),
    CheckConstraint(
        "num_nonnulls(examined_by, examined_at, finding) in (0, 3) "
        "and (status not in ('examined', 'approved') or examined_by is not null)",
        name="examined",
    ),
    CheckConstraint(
        "num_nonnulls(decided_by, decided_at, decided_because) "
        "= case when status in ('approved', 'refused', 'withdrawn') then 3 else 0 end",
        name="decided",
    ),
    CheckConstraint(
        "status = 'withdrawn' or decided_by is distinct from examined_by "
        "and decided_by is distinct from asked_by or decided_by is null",
        name="two_persons",
    ),
    CheckConstraint(
        "num_nonnulls(served_on, served_minutes, served_samples, served_value_fen) in (0, 4) "
        "and (served_on is null or status = 'approved') "
        "and served_minutes >= 0 and served_samples >= 0 and served_value_fen >= 0",
        name="served",
    ),
)
Index("free_use_buyer_idx", free_use.c.buyer_id, free_use.c.id.desc())
Index("free_use_provider_idx", free_use.c.provider_id, free_use.c.id.desc())
Index(
    "free_use_served_idx",
    free_use.c.served_on,
    free_use.c.provider_id,
    free_use.c.purpose,
    postgresql_where=free_use.c.served_on.is_not(None),
)

free_use_evidence = Table(
    "free_use_evidence",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("free_use_id", BigInteger, ForeignKey("free_use.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("free_use_id", "sha256", name="free_use_evidence_once"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
    CheckConstraint(
        "storage_key = 'free_use/' || left(sha256, 2) || '/' || sha256", name="storage_key"
    ),
)
Index("free_use_evidence_storage_key_idx", free_use_evidence.c.storage_key)
