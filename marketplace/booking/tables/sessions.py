"""The use of reservations."""

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

usage_session = Table(
    "usage_session",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("reserved_minutes", Integer, nullable=False),
    Column("actual_minutes", Integer),
    Column("billable_minutes", Integer),
    Column("preparation_minutes", Integer),
    Column("test_minutes", Integer),
    Column("post_minutes", Integer),
    Column("operator_id", BigInteger, ForeignKey("person.id"), nullable=False),
    # Set when the platform closed the session; a person then repairs it.
    Column("problem", Text),
    UniqueConstraint("reservation_id", name="usage_session_reservation_id"),
    CheckConstraint("reserved_minutes >= 1", name="reserved"),
    CheckConstraint(
        "case when closed_at is null"
        " then num_nonnulls(actual_minutes, billable_minutes, preparation_minutes,"
        " test_minutes, post_minutes) = 0"
        " else closed_at >= opened_at"
        " and num_nulls(actual_minutes, billable_minutes, preparation_minutes,"
        " test_minutes, post_minutes) = 0 end",
        name="closed",
    ),
    CheckConstraint(
        "actual_minutes >= 1 and billable_minutes >= 0"
        " and preparation_minutes >= 0 and test_minutes >= 0 and post_minutes >= 0"
        " and preparation_minutes + test_minutes + post_minutes <= actual_minutes",
        name="minutes",
    ),
    # Who counts a period looks back so far for sessions that reach into it.
    CheckConstraint("actual_minutes <= 86400", name="length"),
    CheckConstraint("problem in ('never-closed', 'overrun')", name="problem"),
)
Index("usage_session_instrument_idx", usage_session.c.instrument_id, usage_session.c.opened_at)
Index(
    "usage_session_open_idx",
    usage_session.c.opened_at,
    postgresql_where=usage_session.c.closed_at.is_(None),
)
Index(
    "usage_session_closed_idx",
    usage_session.c.opened_at,
    postgresql_where=usage_session.c.closed_at.is_not(None),
)
Index(
    "usage_session_problem_idx",
    usage_session.c.id,
    postgresql_where=usage_session.c.problem.is_not(None),
)
