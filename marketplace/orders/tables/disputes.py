"""Disputes, what was said and shown in them, and how they ended."""

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

# An order has one open at a time; a withdrawn one may be followed by another. What was said stays:
# triggers refuse to change an objection, an answer, and a dispute that has ended.
dispute = Table(
    "dispute",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("answer_due_at", Instant, nullable=False),
    Column("reminded_at", Instant),
    Column("overdue_at", Instant),
    Column("answer", Text),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    # What of the used value the provider would be content with; none when it stands by all of it.
    Column("offered_basis_points", Integer),
    Column("pay_basis_points", Integer),
    Column("ruling", Text),
    Column("ruled_by", BigInteger, ForeignKey("person.id")),
    Column("ruled_at", Instant),
    Column("ended_how", Text),
    Column("ended_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    CheckConstraint("pay_basis_points between 0 and 10000", name="share"),
    CheckConstraint("ruled_by is distinct from opened_by", name="four_eyes"),
    CheckConstraint("answer_due_at >= opened_at", name="answer_due"),
    CheckConstraint("answered_by <> opened_by", name="answered_by_other"),
    CheckConstraint("offered_basis_points between 0 and 9999", name="offer"),
    CheckConstraint("answered_at is not null or ruled_at >= answer_due_at", name="heard"),
    CheckConstraint("ruled_by <> answered_by", name="ruled_by_other"),
)
Index(
    "dispute_open_once",
    dispute.c.order_id,
    unique=True,
    postgresql_where=dispute.c.ended_at.is_(None),
)
Index("dispute_order_idx", dispute.c.order_id, dispute.c.id.desc())
Index(
    "dispute_due_idx",
    dispute.c.answer_due_at,
    postgresql_where=dispute.c.ended_at.is_(None) & dispute.c.answered_at.is_(None),
)
Index("dispute_opened_idx", dispute.c.opened_at)

# The files lie in the store of files.
dispute_evidence = Table(
    "dispute_evidence",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dispute_id", BigInteger, ForeignKey("dispute.id"), nullable=False),
    Column("side", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("dispute_id", "side", "sha256", name="dispute_evidence_once"),
    CheckConstraint("side in ('buyer', 'provider')", name="side"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
)
Index("dispute_evidence_storage_key_idx", dispute_evidence.c.storage_key)
