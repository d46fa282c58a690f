"""Who waits for time on an instrument, and every time that was offered to them.

An offered time is a reservation in status `offered`: while it stands nobody else can take it.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
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
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.kernel.tables import Instant, metadata

waitlist_entry = Table(
    "waitlist_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("user_class", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    # The window in which any `minutes` on end would do.
    Column("during", TSTZRANGE, nullable=False),
    Column("minutes", Integer, nullable=False),
    # Days (Monday is 0) and hours of the day, in minutes after midnight, that would do.
    Column("weekdays", ARRAY(SmallInteger), nullable=False),
    Column("earliest_minute", SmallInteger, nullable=False),
    Column("latest_minute", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    # How many offers ended without an answer.
    Column("offers_lapsed", SmallInteger, nullable=False, server_default="0"),
    # The reservation offered, or taken.
    Column("reservation_id", BigInteger, ForeignKey("reservation.id")),
    # The order of the list.
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text),
    CheckConstraint("user_class in ('own_unit', 'academic', 'enterprise')", name="user_class"),
    CheckConstraint(
        "purpose in ('external', 'own_research', 'teaching', 'maintenance', 'test_run')",
        name="purpose",
    ),
    CheckConstraint(
        "not isempty(during) and lower_inc(during) and not upper_inc(during)"
        " and not lower_inf(during) and not upper_inf(during)",
        name="during",
    ),
    CheckConstraint("minutes between 1 and 44640", name="minutes"),
    CheckConstraint(
        "cardinality(weekdays) between 1 and 7"
        " and weekdays <@ array[0, 1, 2, 3, 4, 5, 6]::smallint[]",
        name="weekdays",
    ),
    CheckConstraint(
        "earliest_minute >= 0 and latest_minute <= 1440 and earliest_minute < latest_minute",
        name="hours",
    ),
    CheckConstraint(
        "status in ('waiting', 'offered', 'taken', 'withdrawn', 'lapsed', 'closed')",
        name="status",
    ),
    CheckConstraint("offers_lapsed between 0 and 1000", name="lapsed"),
    CheckConstraint(
        "status not in ('offered', 'taken') or reservation_id is not null", name="offered"
    ),
    CheckConstraint("(ended_at is null) = (status in ('waiting', 'offered'))", name="ended"),
)
_WAITING = text("status = 'waiting'")
Index(
    "waitlist_entry_once",
    waitlist_entry.c.person_id,
    waitlist_entry.c.instrument_id,
    waitlist_entry.c.during,
    unique=True,
    postgresql_where=text("status in ('waiting', 'offered')"),
)
Index(
    "waitlist_entry_waiting_idx",
    waitlist_entry.c.instrument_id,
    waitlist_entry.c.made_at,
    waitlist_entry.c.id,
    postgresql_where=_WAITING,
)
Index(
    "waitlist_entry_over_idx",
    func.upper(waitlist_entry.c.during),
    postgresql_where=_WAITING,
)
Index(
    "waitlist_entry_offered_idx",
    waitlist_entry.c.reservation_id,
    postgresql_where=text("status = 'offered'"),
)
Index("waitlist_entry_organisation_idx", waitlist_entry.c.organisation_id, waitlist_entry.c.id)
Index("waitlist_entry_provider_idx", waitlist_entry.c.provider_id, waitlist_entry.c.id)

# What became of each offer; who let a time go is not offered it again.
slot_offer = Table(
    "slot_offer",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", BigInteger, ForeignKey("waitlist_entry.id"), nullable=False),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id"), nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("offered_at", Instant, nullable=False),
    Column("held_until", Instant, nullable=False),
    Column("outcome", Text),
    Column("ended_at", Instant),
    UniqueConstraint("reservation_id", name="slot_offer_reservation_id"),
    CheckConstraint("held_until > offered_at", name="held"),
    CheckConstraint("outcome in ('accepted', 'declined', 'lapsed', 'withdrawn')", name="outcome"),
    CheckConstraint("(ended_at is null) = (outcome is null)", name="ended"),
)
Index("slot_offer_entry_idx", slot_offer.c.entry_id, slot_offer.c.id)
Index(
    "slot_offer_one_open",
    slot_offer.c.entry_id,
    unique=True,
    postgresql_where=slot_offer.c.outcome.is_(None),
)
