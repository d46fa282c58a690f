"""Machine-hours as a provider vouched for them: one statement a month, in versions.

Triggers keep what was confirmed: neither the statement nor its lines change any more. Whatever is
repaired later becomes the next version.
"""

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
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from marketplace.kernel.tables import Instant, metadata

hours_statement = Table(
    "hours_statement",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # The first day of the month in Shanghai.
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("replaces_id", BigInteger, ForeignKey("hours_statement.id")),
    Column("status", Text, nullable=False),
    # Why a confirmed month had to be stated anew.
    Column("reason", Text),
    Column("sha256", Text, nullable=False),
    Column("drafted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("confirmed_by", BigInteger, ForeignKey("person.id")),
    Column("confirmed_at", Instant),
    UniqueConstraint("provider_id", "month", "version", name="hours_statement_version"),
    CheckConstraint("extract(day from month) = 1", name="month"),
    CheckConstraint(
        "version >= 1 and (version = 1) = (replaces_id is null)"
        " and (version = 1) = (reason is null)",
        name="versions",
    ),
    CheckConstraint("status in ('draft', 'confirmed')", name="status"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint(
        "(status = 'confirmed') = (confirmed_by is not null)"
        " and (confirmed_by is null) = (confirmed_at is null)",
        name="confirmed",
    ),
    CheckConstraint("confirmed_by is distinct from drafted_by", name="second_person"),
)
Index(
    "hours_statement_one_draft",
    hours_statement.c.provider_id,
    hours_statement.c.month,
    unique=True,
    postgresql_where=hours_statement.c.status == "draft",
)
Index("hours_statement_month_idx", hours_statement.c.month, hours_statement.c.provider_id)

# `minutes` are machine time counted once; `session_minutes` how long the sessions lasted:
# of these, `overlap_minutes` had been counted for an earlier session, `idle_minutes` nothing ran.
hours_statement_line = Table(
    "hours_statement_line",
    metadata,
    Column("statement_id", BigInteger, ForeignKey("hours_statement.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("user_class", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("session_minutes", Integer, nullable=False),
    Column("idle_minutes", Integer, nullable=False),
    Column("overlap_minutes", Integer, nullable=False),
    Column("self_operated_minutes", Integer, nullable=False),
    Column("reserved_minutes", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("no_shows", Integer, nullable=False),
    Column("late_cancellations", Integer, nullable=False),
    PrimaryKeyConstraint("statement_id", "instrument_id", "purpose", "user_class"),
    CheckConstraint(
        "purpose in ('external', 'own_research', 'teaching', 'maintenance', 'test_run')",
        name="purpose",
    ),
    CheckConstraint("user_class in ('own_unit', 'academic', 'enterprise')", name="user_class"),
    CheckConstraint(
        "least(minutes, session_minutes, idle_minutes, overlap_minutes, self_operated_minutes,"
        " reserved_minutes, sessions, samples, no_shows, late_cancellations) >= 0"
        " and session_minutes = minutes + overlap_minutes + idle_minutes"
        " and self_operated_minutes <= minutes",
        name="figures",
    ),
)
