"""The one metadata that every domain's tables hang on, and the kernel's own tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

# Every constraint that a caller may meet has a name of its own; these are for the rest.
metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

Instant = DateTime(timezone=True)

outbox_event = Table(
    "outbox_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
)
Index(
    "outbox_event_due_idx",
    outbox_event.c.due_at,
    outbox_event.c.id,
    postgresql_where=outbox_event.c.delivered_at.is_(None),
)
Index(
    "outbox_event_failing_idx",
    outbox_event.c.id,
    postgresql_where=text("delivered_at is null and attempts > 0"),
)

# One row per event and handler, written with the handler's effect: delivery may happen twice,
# the effect only once.
outbox_delivery = Table(
    "outbox_delivery",
    metadata,
    Column("event_id", BigInteger, ForeignKey("outbox_event.id"), nullable=False),
    Column("handler", Text, nullable=False),
    Column("delivered_at", Instant, nullable=False),
    PrimaryKeyConstraint("event_id", "handler"),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    Column("organisation_id", BigInteger, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("request_id", Text, nullable=False, server_default=""),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("facts", JSONB, nullable=False),
)
Index("audit_event_subject_idx", audit_event.c.subject, audit_event.c.subject_id)
Index("audit_event_at_idx", audit_event.c.at, audit_event.c.id)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("key", Text, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    Column("organisation_id", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("stored_at", Instant, nullable=False),
    PrimaryKeyConstraint("person_id", "organisation_id", "key"),
    CheckConstraint("length(key) between 1 and 200", name="key_length"),
)
Index("idempotency_key_stored_idx", idempotency_key.c.stored_at)

# A tick of a scheduled job belongs to whoever inserts its row first.
job_run = Table(
    "job_run",
    metadata,
    Column("job", Text, nullable=False),
    Column("tick", Instant, nullable=False),
    Column("worker", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("done", BigInteger),
    Column("error", Text),
    PrimaryKeyConstraint("job", "tick"),
)
Index("job_run_failed_idx", job_run.c.started_at, postgresql_where=job_run.c.error.is_not(None))
