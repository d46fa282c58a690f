"""What instruments' own logs say of their use, as campus systems send it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from marketplace.kernel.tables import Instant, metadata

# A log that an instrument's provider trusts, and how far.
reading_source = Table(
    "reading_source",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("opens_sessions", Boolean, nullable=False),
    Column("tolerance_minutes", Integer, nullable=False),
    Column("accepts", Boolean, nullable=False),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    UniqueConstraint("instrument_id", "source", name="reading_source_name"),
    CheckConstraint("source ~ '^[a-z0-9][a-z0-9._-]{0,49}$'", name="shape"),
    CheckConstraint("tolerance_minutes between 0 and 1440", name="tolerance"),
)

# One run of an instrument. Its start and its stop arrive in any order, and each as often as the
# sender likes: `external_id` is what makes it the same run.
machine_reading = Table(
    "machine_reading",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source_id", BigInteger, ForeignKey("reading_source.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("started_at", Instant),
    Column("stopped_at", Instant),
    Column("user_reference", Text),
    Column("samples", Integer),
    Column("received_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("sent_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("state", Text, nullable=False),
    # Whose time it fell into, and the session that it tells of.
    Column("reservation_id", BigInteger, ForeignKey("reservation.id")),
    Column("session_id", BigInteger, ForeignKey("usage_session.id")),
    Column("resolved_by", BigInteger, ForeignKey("person.id")),
    Column("resolved_at", Instant),
    Column("resolution", Text),
    UniqueConstraint("source_id", "external_id", name="machine_reading_external_id"),
    CheckConstraint(
        "num_nonnulls(started_at, stopped_at) >= 1 and stopped_at >= started_at"
        " and stopped_at - started_at <= interval '60 days'",
        name="run",
    ),
    CheckConstraint("samples between 0 and 1000000", name="samples"),
    CheckConstraint(
        "state in ('waiting', 'running', 'matched', 'differs', 'unbooked',"
        " 'attached', 'upkeep', 'dismissed')",
        name="state",
    ),
    CheckConstraint("session_id is null or reservation_id is not null", name="session"),
    CheckConstraint(
        "num_nulls(resolved_by, resolved_at, resolution) in (0, 3)"
        " and (state in ('attached', 'upkeep', 'dismissed')) = (resolved_at is not null)"
        " and (state not in ('attached', 'upkeep') or session_id is not null)",
        name="resolved",
    ),
)
Index(
    "machine_reading_open_idx",
    machine_reading.c.state,
    machine_reading.c.id,
    postgresql_where=text("state in ('waiting', 'running', 'unbooked', 'differs')"),
)
Index("machine_reading_provider_idx", machine_reading.c.provider_id, machine_reading.c.id)
Index(
    "machine_reading_instrument_idx", machine_reading.c.instrument_id, machine_reading.c.started_at
)
Index(
    "machine_reading_reservation_idx",
    machine_reading.c.reservation_id,
    postgresql_where=machine_reading.c.reservation_id.is_not(None),
)
