"""The use of reservations."""

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
)
from sqlalchemy.dialects.postgresql import JSONB

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
    # Why nobody vouches for its minutes yet; who can tell takes it out of the queue.
    Column("problem", Text),
    # Who or what said that it began and ended: a person, the instrument's log, the platform.
    Column("opened_how", Text, nullable=False, server_default="person"),
    Column("closed_how", Text),
    Column("samples_run", Integer),
    Column("note", Text),
    # When money moved on its minutes: from then on they stand.
    Column("settled_at", Instant),
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
    CheckConstraint("problem in ('never-closed', 'overrun', 'log-differs')", name="problem"),
    CheckConstraint(
        "opened_how in ('person', 'log') and closed_how in ('person', 'log', 'platform')"
        " and (closed_how is null) = (closed_at is null)",
        name="said",
    ),
    CheckConstraint("samples_run between 0 and 1000000", name="samples_run"),
    CheckConstraint("length(note) between 1 and 2000", name="note"),
    CheckConstraint("settled_at is null or closed_at is not null", name="settled"),
)
Index("usage_session_operator_idx", usage_session.c.operator_id, usage_session.c.opened_at)
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

# What was said of a session after it ended: never changed, so that every figure can be explained.
# A proposal is a user's word that waits for the provider; its answer names it.
session_repair = Table(
    "session_repair",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("session_id", BigInteger, ForeignKey("usage_session.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("answers_id", BigInteger, ForeignKey("session_repair.id")),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("by_staff", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    UniqueConstraint("answers_id", name="session_repair_answered_once"),
    CheckConstraint(
        "kind in ('repair', 'proposal', 'confirmation', 'rejection', 'acceptance')", name="kind"
    ),
    CheckConstraint(
        "case kind when 'proposal' then answers_id is null and not by_staff"
        " when 'confirmation' then answers_id is not null and by_staff"
        " when 'rejection' then answers_id is not null and by_staff else true end",
        name="answers",
    ),
    CheckConstraint("length(reason) between 3 and 500", name="reason"),
)
Index("session_repair_session_idx", session_repair.c.session_id, session_repair.c.id)

# What a user or a technician found wrong with an instrument.
problem_report = Table(
    "problem_report",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("severity", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    # Where it was so bad that staff closed the instrument for it.
    Column("closure_id", BigInteger, ForeignKey("closure.id")),
    Column("resolved_by", BigInteger, ForeignKey("person.id")),
    Column("resolved_at", Instant),
    Column("resolution", Text),
    CheckConstraint("severity in ('minor', 'major', 'breakdown')", name="severity"),
    CheckConstraint("length(note) between 3 and 2000", name="note"),
    CheckConstraint("num_nulls(resolved_by, resolved_at, resolution) in (0, 3)", name="resolved"),
)
Index("problem_report_provider_idx", problem_report.c.provider_id, problem_report.c.id)
Index("problem_report_reservation_idx", problem_report.c.reservation_id)
Index(
    "problem_report_instrument_idx",
    problem_report.c.instrument_id,
    problem_report.c.id,
    postgresql_where=problem_report.c.resolved_at.is_(None),
)
