"""Reservations, and what holds several of them together.

The guard against double booking is `reservation_no_overlap`: PostgreSQL itself refuses a second
live reservation of the same seat whose blocked time (buffers included) shares an instant with it.
It looks at the calendar, not at the instrument: two services of one machine share one calendar.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

LIVE = text("status in ('held', 'offered', 'requested', 'confirmed', 'in_use')")

# Several instruments reserved as one: all of them or none.
reservation_group = Table(
    "reservation_group",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("note", Text),
    Column("made_at", Instant, nullable=False),
)

# A recurring reservation (RFC 5545). `follows_id`: the series that a change of "this and all
# following" cut off; what lay before stays with the earlier one.
reservation_series = Table(
    "reservation_series",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("follows_id", BigInteger, ForeignKey("reservation_series.id")),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    CheckConstraint(
        "purpose in ('external', 'own_research', 'teaching', 'maintenance', 'test_run')",
        name="purpose",
    ),
    CheckConstraint("minutes between 1 and 44640", name="minutes"),
)
Index("reservation_series_organisation_idx", reservation_series.c.organisation_id)

reservation = Table(
    "reservation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    # The instrument's provider when it was reserved: hours stay with whoever served them.
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # The instrument in whose calendar it stands: its own, unless it shares another's.
    Column("calendar_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("seat", SmallInteger, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    # `during` with preparation before and cleaning after it.
    Column("blocked", TSTZRANGE, nullable=False),
    Column("status", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("user_class", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    # Who of the provider's staff attends; None where the customer operates the instrument.
    Column("operator_id", BigInteger, ForeignKey("person.id")),
    Column("group_id", BigInteger, ForeignKey("reservation_group.id")),
    Column("series_id", BigInteger, ForeignKey("reservation_series.id")),
    # The foreign key comes with the table of orders.
    Column("order_id", BigInteger, ForeignKey("service_order.id")),
    # Which item of the order: several instruments are ordered as one.
    Column("order_position", SmallInteger, nullable=False, server_default="1"),
    Column("held_until", Instant),
    Column("override_reason", Text),
    Column("placed_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    Column("reason", Text),
    # How often it was changed, and when last: calendars that subscribed need both.
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("changed_at", Instant, nullable=False),
    ExcludeConstraint(
        ("calendar_id", "="),
        ("blocked", "&&"),
        ("seat", "="),
        using="gist",
        where=LIVE,
        name="reservation_no_overlap",
    ),
    ExcludeConstraint(
        ("operator_id", "="),
        ("during", "&&"),
        using="gist",
        where=text(f"operator_id is not null and {LIVE.text}"),
        name="reservation_operator_free",
    ),
    UniqueConstraint("order_id", "order_position", name="reservation_order_id"),
    CheckConstraint("seat between 1 and 200", name="seat"),
    CheckConstraint(
        "not isempty(during) and lower_inc(during) and not upper_inc(during)"
        " and not lower_inf(during) and not upper_inf(during)",
        name="during",
    ),
    CheckConstraint("upper(during) - lower(during) <= interval '60 days'", name="length"),
    CheckConstraint(
        "blocked @> during and not lower_inf(blocked) and not upper_inf(blocked)",
        name="blocked",
    ),
    CheckConstraint(
        "status in ('held', 'offered', 'requested', 'confirmed', 'in_use', 'used', 'cancelled',"
        " 'late_cancelled', 'no_show', 'rejected', 'expired')",
        name="status",
    ),
    CheckConstraint(
        "purpose in ('external', 'own_research', 'teaching', 'maintenance', 'test_run')",
        name="purpose",
    ),
    CheckConstraint("user_class in ('own_unit', 'academic', 'enterprise')", name="user_class"),
    CheckConstraint(
        "status not in ('requested', 'held', 'offered') or held_until is not null", name="held"
    ),
    CheckConstraint(
        "(ended_at is null) = (status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))",
        name="ended",
    ),
    CheckConstraint("decided_by is distinct from person_id", name="second_person"),
)
Index("reservation_organisation_idx", reservation.c.organisation_id, reservation.c.id)
Index("reservation_provider_idx", reservation.c.provider_id, reservation.c.id)
Index("reservation_instrument_idx", reservation.c.instrument_id, func.lower(reservation.c.during))
Index("reservation_person_idx", reservation.c.person_id, func.lower(reservation.c.during))
Index("reservation_of_idx", reservation.c.organisation_id, func.lower(reservation.c.during))
Index("reservation_served_idx", reservation.c.provider_id, func.lower(reservation.c.during))
Index(
    "reservation_operated_idx",
    reservation.c.operator_id,
    func.lower(reservation.c.during),
    postgresql_where=reservation.c.operator_id.is_not(None),
)
Index(
    "reservation_held_idx",
    reservation.c.held_until,
    postgresql_where=text("status in ('requested', 'held', 'offered')"),
)
Index(
    "reservation_group_idx",
    reservation.c.group_id,
    postgresql_where=reservation.c.group_id.is_not(None),
)
Index(
    "reservation_series_idx",
    reservation.c.series_id,
    postgresql_where=reservation.c.series_id.is_not(None),
)
Index(
    "reservation_ended_idx",
    reservation.c.ended_at,
    reservation.c.id,
    postgresql_where=text("status in ('used', 'late_cancelled', 'no_show')"),
)
Index(
    "reservation_starts_idx",
    func.lower(reservation.c.during),
    postgresql_where=reservation.c.status == "confirmed",
)

# Every date that a series names: its reservation, or why there is none. Nothing vanishes silently.
series_occurrence = Table(
    "series_occurrence",
    metadata,
    Column("series_id", BigInteger, ForeignKey("reservation_series.id"), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id")),
    Column("skipped_because", JSONB),
    PrimaryKeyConstraint("series_id", "starts_at"),
    UniqueConstraint("reservation_id", name="series_occurrence_reservation_id"),
    CheckConstraint("reservation_id is not null or skipped_because is not null", name="explained"),
)
