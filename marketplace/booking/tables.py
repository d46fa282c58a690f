"""Booking rules, reservations, usage sessions.

The guard against double booking is `reservation_no_overlap`: PostgreSQL itself refuses a second
live reservation of the same seat whose blocked time (buffers included) shares an instant with it.
"""

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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

booking_rule = Table(
    "booking_rule",
    metadata,
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), primary_key=True),
    Column("step_minutes", Integer, nullable=False),
    Column("minimum_minutes", Integer, nullable=False),
    Column("maximum_minutes", Integer, nullable=False),
    Column("notice_minutes", Integer, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("before_minutes", Integer, nullable=False),
    Column("after_minutes", Integer, nullable=False),
    Column("seats", SmallInteger, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("open_on_holidays", Boolean, nullable=False),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    CheckConstraint("step_minutes between 1 and 1440", name="step"),
    CheckConstraint(
        "minimum_minutes >= step_minutes"
        " and maximum_minutes between minimum_minutes and 44640"
        " and minimum_minutes % greatest(step_minutes, 1) = 0"
        " and maximum_minutes % greatest(step_minutes, 1) = 0",
        name="lengths",
    ),
    CheckConstraint("notice_minutes between 0 and 525600", name="notice"),
    CheckConstraint("horizon_days between 1 and 3660", name="horizon"),
    CheckConstraint(
        "before_minutes between 0 and 1440 and after_minutes between 0 and 1440",
        name="buffers",
    ),
    CheckConstraint("seats between 1 and 200", name="seats"),
)

LIVE = text("status in ('requested', 'confirmed', 'in_use')")

reservation = Table(
    "reservation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    # The instrument's provider when it was reserved: hours stay with whoever served them.
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("seat", SmallInteger, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    # `during` with preparation before and cleaning after it.
    Column("blocked", TSTZRANGE, nullable=False),
    Column("status", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    # The foreign key comes with the table of orders.
    Column("order_id", BigInteger, ForeignKey("service_order.id")),
    Column("held_until", Instant),
    Column("override_reason", Text),
    Column("placed_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    Column("reason", Text),
    ExcludeConstraint(
        ("instrument_id", "="),
        ("blocked", "&&"),
        ("seat", "="),
        using="gist",
        where=LIVE,
        name="reservation_no_overlap",
    ),
    UniqueConstraint("order_id", name="reservation_order_id"),
    CheckConstraint("seat between 1 and 200", name="seat"),
    CheckConstraint(
        "not isempty(during) and lower_inc(during) and not upper_inc(during)"
        " and not lower_inf(during) and not upper_inf(during)",
        name="during",
    ),
    CheckConstraint(
        "blocked @> during and not lower_inf(blocked) and not upper_inf(blocked)",
        name="blocked",
    ),
    CheckConstraint(
        "status in ('requested', 'confirmed', 'in_use', 'used', 'cancelled', 'late_cancelled',"
        " 'no_show', 'rejected', 'expired')",
        name="status",
    ),
    CheckConstraint(
        "purpose in ('external', 'own_research', 'teaching', 'maintenance', 'test_run')",
        name="purpose",
    ),
    CheckConstraint("status <> 'requested' or held_until is not null", name="held"),
    CheckConstraint(
        "(ended_at is null) = (status in ('requested', 'confirmed', 'in_use'))", name="ended"
    ),
    CheckConstraint("decided_by is distinct from person_id", name="second_person"),
)
Index("reservation_organisation_idx", reservation.c.organisation_id, reservation.c.id)
Index("reservation_provider_idx", reservation.c.provider_id, reservation.c.id)
Index(
    "reservation_held_idx",
    reservation.c.held_until,
    postgresql_where=reservation.c.status == "requested",
)
Index(
    "reservation_starts_idx",
    func.lower(reservation.c.during),
    postgresql_where=reservation.c.status == "confirmed",
)

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
    CheckConstraint("problem in ('never-closed', 'overrun')", name="problem"),
)
Index("usage_session_instrument_idx", usage_session.c.instrument_id, usage_session.c.opened_at)
Index(
    "usage_session_open_idx",
    usage_session.c.opened_at,
    postgresql_where=usage_session.c.closed_at.is_(None),
)
Index(
    "usage_session_problem_idx",
    usage_session.c.id,
    postgresql_where=usage_session.c.problem.is_not(None),
)
