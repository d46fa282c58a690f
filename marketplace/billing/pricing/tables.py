"""Cost sheets, price lists and prices: filed once, never edited, at most withdrawn."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from marketplace.kernel.tables import Instant, metadata

# What an hour of an instrument costs its unit in a year. `unit_cost_fen` is per hour.
cost_sheet = Table(
    "cost_sheet",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("planned_minutes", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("unit_cost_fen", BigInteger, nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    UniqueConstraint("instrument_id", "year", "version", name="cost_sheet_version"),
    CheckConstraint("planned_minutes between 1 and 366 * 24 * 60", name="planned_minutes_range"),
    CheckConstraint(
        "total_fen >= 0 and unit_cost_fen = total_fen * 60 / planned_minutes",
        name="unit_cost_rounds_down",
    ),
)

cost_component = Table(
    "cost_component",
    metadata,
    Column("cost_sheet_id", BigInteger, ForeignKey("cost_sheet.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("cost_sheet_id", "kind"),
    CheckConstraint(
        "kind in ('consumables', 'water_electricity', 'labour', 'maintenance', 'depreciation',"
        " 'other')",
        name="kind",
    ),
    CheckConstraint("amount_fen >= 0", name="amount_range"),
)

# A trigger refuses every update but the one that withdraws.
price_list = Table(
    "price_list",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("cost_sheet_id", BigInteger, ForeignKey("cost_sheet.id"), nullable=False),
    Column("state_set", Boolean, nullable=False),
    Column("state_source", Text, nullable=False, server_default=""),
    Column("notice_ends_on", Date, nullable=False),
    Column("in_force_from", Date, nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    UniqueConstraint("instrument_id", "version", name="price_list_version"),
    CheckConstraint("in_force_from > notice_ends_on", name="after_notice"),
    CheckConstraint("state_set = (state_source <> '')", name="state_source_named"),
    CheckConstraint("(withdrawn_by is null) = (withdrawn_at is null)", name="withdrawn_whole"),
)
Index(
    "price_list_in_force_idx",
    price_list.c.instrument_id,
    price_list.c.in_force_from.desc(),
    price_list.c.version.desc(),
)

# `minutes_per_sample` ties a price per sample to the cost of the time that it takes.
price = Table(
    "price",
    metadata,
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("customer_class", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("minimum_fen", BigInteger, nullable=False),
    Column("minutes_per_sample", Integer),
    PrimaryKeyConstraint("price_list_id", "customer_class", "unit"),
    CheckConstraint(
        "customer_class in ('own_unit', 'academic', 'sme', 'enterprise')", name="customer_class"
    ),
    CheckConstraint("unit in ('hour', 'sample')", name="unit"),
    CheckConstraint("amount_fen >= 0 and minimum_fen >= 0", name="amounts_range"),
    CheckConstraint(
        "(unit = 'sample') = (minutes_per_sample is not null)", name="minutes_per_sample_given"
    ),
    CheckConstraint(
        "minutes_per_sample between 1 and 366 * 24 * 60", name="minutes_per_sample_range"
    ),
)
