"""What was handed to the national platform: runs, their records, and the units' codes."""

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
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# The code that the national platform issued to a provider's unit.
national_unit = Table(
    "national_unit",
    metadata,
    Column(
        "provider_id",
        BigInteger,
        ForeignKey("organisation.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("ins_code", Text, nullable=False),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    CheckConstraint("ins_code ~ '^[0-9a-f]{32}$'", name="ins_code"),
)

# A trigger keeps what was made; only what became of it changes.
national_export = Table(
    "national_export",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("quarter", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("records", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    # What an earlier run of the quarter sent in the same words.
    Column("unchanged", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("sent_by", BigInteger, ForeignKey("person.id")),
    Column("sent_at", Instant),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    Column("return_code", Integer),
    Column("return_note", Text),
    CheckConstraint("year between 2000 and 2100 and quarter between 1 and 4", name="period"),
    CheckConstraint("status in ('made', 'sent', 'accepted', 'rejected')", name="status"),
    CheckConstraint("records >= 0 and refused >= 0 and unchanged >= 0", name="counts"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint(
        "(sent_by is null) = (sent_at is null)"
        " and (status = 'made' or status = 'rejected' or sent_at is not null)"
        " and (status <> 'made' or sent_at is null)",
        name="sent",
    ),
    CheckConstraint(
        "(answered_by is null) = (answered_at is null)"
        " and (status in ('made', 'sent') or answered_at is not null)"
        " and (status <> 'made' or answered_at is null)",
        name="answered",
    ),
    CheckConstraint(
        "return_code in (0, 1, 100, 101, 200, 201, 202, 203, 204, 301)", name="return_code"
    ),
)
Index(
    "national_export_one_open",
    national_export.c.provider_id,
    national_export.c.year,
    national_export.c.quarter,
    unique=True,
    postgresql_where=national_export.c.status.in_(["made", "sent"]),
)
Index("national_export_provider_idx", national_export.c.provider_id, national_export.c.id)

# `content` are the fields as they are sent; `reasons` why it was left out, empty when it was not.
# `minutes` is the machine time behind it, exact where the layout rounds to tenths of an hour.
national_export_record = Table(
    "national_export_record",
    metadata,
    Column("export_id", BigInteger, ForeignKey("national_export.id"), nullable=False),
    Column("line", Integer, nullable=False),
    Column("record_inner_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("order_id", BigInteger, ForeignKey("service_order.id")),
    Column("minutes", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("reasons", JSONB, nullable=False),
    PrimaryKeyConstraint("export_id", "line"),
    UniqueConstraint("export_id", "record_inner_id", name="national_export_record_once"),
    CheckConstraint("line >= 1", name="line"),
    CheckConstraint("kind in ('order', 'own_use')", name="kind"),
    CheckConstraint("minutes >= 0", name="minutes"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
)
