"""Calendars that leave the platform by a secret address, and busy times that come in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE

from marketplace.kernel.tables import Instant, metadata

# Whoever knows the address reads the calendar, so only its digest is kept. It shows what
# `person_id` may see for `organisation_id`, and nothing once that person has left it.
calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id")),
    Column("name", Text, nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    # When a client last asked, to the hour.
    Column("read_at", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", BigInteger, ForeignKey("person.id")),
    UniqueConstraint("secret_sha256", name="calendar_feed_secret"),
    CheckConstraint("kind in ('person', 'instrument', 'provider')", name="kind"),
    CheckConstraint("(kind = 'instrument') = (instrument_id is not null)", name="instrument"),
    CheckConstraint("length(name) between 1 and 100", name="name"),
    CheckConstraint("octet_length(secret_sha256) = 32", name="digest"),
    CheckConstraint("(revoked_at is null) = (revoked_by is null)", name="revoked"),
)
Index("calendar_feed_organisation_idx", calendar_feed.c.organisation_id, calendar_feed.c.id)
Index(
    "calendar_feed_person_idx",
    calendar_feed.c.person_id,
    calendar_feed.c.id,
    postgresql_where=calendar_feed.c.revoked_at.is_(None),
)

# A calendar outside the platform in which an instrument is busy: fetched from an address,
# uploaded as a file, or pushed by a system of the provider.
busy_source = Table(
    "busy_source",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text),
    # What the other server said of the file that landed last.
    Column("etag", Text),
    Column("last_modified", Text),
    # When to fetch next; `attempt` says whose fetch may land, when two overlap.
    Column("due_at", Instant),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("tried_at", Instant),
    # When its times were last known to be right, and when they last landed; a source that fails
    # keeps them.
    Column("fetched_at", Instant),
    Column("landed_at", Instant),
    Column("failed_at", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("problems", JSONB, nullable=False, server_default="[]"),
    Column("paused", Boolean, nullable=False, server_default="false"),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("id", "instrument_id", name="busy_source_of_instrument"),
    UniqueConstraint("instrument_id", "name", name="busy_source_name"),
    CheckConstraint("kind in ('url', 'upload', 'push')", name="kind"),
    CheckConstraint("(kind = 'url') = (url is not null) and length(url) <= 2000", name="url"),
    CheckConstraint("(due_at is not null) = (kind = 'url' and not paused)", name="due"),
    CheckConstraint(
        "failures >= 0 and (failures = 0 or (failed_at is not null and error is not null))",
        name="failed",
    ),
)
Index("busy_source_provider_idx", busy_source.c.provider_id, busy_source.c.id)
Index(
    "busy_source_due_idx",
    busy_source.c.due_at,
    postgresql_where=busy_source.c.due_at.is_not(None),
)

# A time in which the instrument is busy elsewhere: it keeps reservations out like a closure.
# The instrument stands here too, so that free time is answered from this table alone.
outside_busy = Table(
    "outside_busy",
    metadata,
    Column("source_id", BigInteger, nullable=False),
    Column("instrument_id", BigInteger, nullable=False),
    Column("uid", Text, nullable=False),
    # Which time of an event that repeats; empty for one that does not.
    Column("recurrence_id", Text, nullable=False, server_default=""),
    Column("during", TSTZRANGE, nullable=False),
    # For the provider's own staff only.
    Column("summary", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("source_id", "uid", "recurrence_id"),
    ForeignKeyConstraint(
        ["source_id", "instrument_id"],
        ["busy_source.id", "busy_source.instrument_id"],
        name="outside_busy_source",
        ondelete="CASCADE",
    ),
    CheckConstraint(
        "not isempty(during) and not lower_inf(during) and not upper_inf(during)", name="during"
    ),
)
Index(
    "outside_busy_instrument_idx",
    outside_busy.c.instrument_id,
    outside_busy.c.during,
    postgresql_using="gist",
)
