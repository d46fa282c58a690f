"""How much one person or one organisation may reserve in a period."""

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
)

from marketplace.kernel.tables import Instant, metadata

quota = Table(
    "quota",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # None: all instruments of the provider together.
    Column("instrument_id", BigInteger, ForeignKey("instrument.id")),
    # Whose reservations are counted together: each person's, or each organisation's.
    Column("subject", Text, nullable=False),
    # None: whatever class of user they reserve as.
    Column("user_class", Text),
    Column("period", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("peak_only", Boolean, nullable=False, server_default="false"),
    Column("at_most", Integer, nullable=False),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("ended_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    CheckConstraint("subject in ('person', 'organisation')", name="subject"),
    CheckConstraint("user_class in ('own_unit', 'academic', 'enterprise')", name="user_class"),
    CheckConstraint("period in ('day', 'week', 'month', 'year', 'open')", name="period"),
    CheckConstraint("measure in ('minutes', 'reservations')", name="measure"),
    CheckConstraint(
        "period <> 'open' or (measure = 'reservations' and not peak_only)", name="open"
    ),
    CheckConstraint("at_most between 0 and 10000000", name="at_most"),
    CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
)
Index(
    "quota_once",
    quota.c.provider_id,
    quota.c.instrument_id,
    quota.c.subject,
    quota.c.user_class,
    quota.c.period,
    quota.c.measure,
    quota.c.peak_only,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=quota.c.ended_at.is_(None),
)
