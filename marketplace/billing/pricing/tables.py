"""Cost sheets, price lists and prices: filed once, never edited, at most withdrawn.

Triggers on everything that a price consists of refuse what is above cost (`price_list_within_cost`)
whoever writes it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

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
    # `planned` is what prices rest on; `actual` is what the year really cost, filed at its end.
    Column("basis", Text, nullable=False, server_default="planned"),
    Column("total_fen", BigInteger, nullable=False),
    Column("unit_cost_fen", BigInteger, nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    UniqueConstraint("instrument_id", "year", "version", name="cost_sheet_version"),
    CheckConstraint("basis in ('planned', 'actual')", name="basis"),
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

# What a unit of help or material costs; prices of extras rest on it.
cost_item = Table(
    "cost_item",
    metadata,
    Column("cost_sheet_id", BigInteger, ForeignKey("cost_sheet.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("cost_sheet_id", "code"),
    CheckConstraint("kind in ('staff_help', 'consumable', 'other')", name="kind"),
    CheckConstraint("cost_fen >= 0", name="cost_range"),
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
    Column("urgent_basis_points", Integer),
    # Of an earlier year's surplus: what comes off the ceiling of these prices.
    Column("carried_surplus_fen", BigInteger, nullable=False, server_default="0"),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    UniqueConstraint("instrument_id", "version", name="price_list_version"),
    CheckConstraint("in_force_from > notice_ends_on", name="after_notice"),
    CheckConstraint("state_set = (state_source <> '')", name="state_source_named"),
    CheckConstraint("urgent_basis_points between 1 and 20000", name="urgent"),
    CheckConstraint("carried_surplus_fen >= 0", name="carried"),
    CheckConstraint("(withdrawn_by is null) = (withdrawn_at is null)", name="withdrawn_whole"),
)
Index(
    "price_list_in_force_idx",
    price_list.c.instrument_id,
    price_list.c.in_force_from.desc(),
    price_list.c.version.desc(),
)

# `minutes_per_unit` ties a price per sample, day or run to the cost of the time that it takes.
price = Table(
    "price",
    metadata,
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("customer_class", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("minimum_fen", BigInteger, nullable=False),
    Column("minutes_per_unit", Integer),
    PrimaryKeyConstraint("price_list_id", "customer_class", "unit"),
    CheckConstraint(
        "customer_class in ('own_unit', 'academic', 'sme', 'enterprise')", name="customer_class"
    ),
    CheckConstraint("unit in ('hour', 'day', 'session', 'sample', 'element', 'run')", name="unit"),
    CheckConstraint("amount_fen >= 0 and minimum_fen >= 0", name="amounts_range"),
    CheckConstraint("(unit = 'hour') = (minutes_per_unit is null)", name="minutes_per_unit_given"),
    CheckConstraint("minutes_per_unit between 1 and 366 * 24 * 60", name="minutes_per_unit_range"),
)

# From the `from_quantity`-th unit on.
price_tier = Table(
    "price_tier",
    metadata,
    Column("price_list_id", BigInteger, nullable=False),
    Column("customer_class", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("from_quantity", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("price_list_id", "customer_class", "unit", "from_quantity"),
    ForeignKeyConstraint(
        ["price_list_id", "customer_class", "unit"],
        ["price.price_list_id", "price.customer_class", "price.unit"],
    ),
    CheckConstraint("from_quantity between 2 and 1000000", name="from"),
    CheckConstraint("amount_fen >= 0", name="amount"),
)

# Hours of the week in which an hour's price is multiplied.
price_hours = Table(
    "price_hours",
    metadata,
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    Column("factor_basis_points", Integer, nullable=False),
    PrimaryKeyConstraint("price_list_id", "weekday", "opens_minute"),
    CheckConstraint("weekday between 0 and 6", name="weekday"),
    CheckConstraint(
        "opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute",
        name="minutes",
    ),
    CheckConstraint("factor_basis_points between 0 and 50000", name="factor"),
)
price_hours.append_constraint(
    ExcludeConstraint(
        (price_hours.c.price_list_id, "="),
        (price_hours.c.weekday, "="),
        (func.int4range(price_hours.c.opens_minute, price_hours.c.closes_minute), "&&"),
        name="price_hours_no_overlap",
        using="gist",
    )
)

# Help and material, by the code of the cost sheet's item.
price_extra = Table(
    "price_extra",
    metadata,
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("price_list_id", "code"),
    CheckConstraint("amount_fen >= 0", name="amount"),
)

# Raised during the notice; prices wait until it is answered.
price_objection = Table(
    "price_objection",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("outcome", Text),
    Column("answer", Text),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    UniqueConstraint("price_list_id", "organisation_id", name="price_objection_once"),
    CheckConstraint("outcome in ('upheld', 'rejected')", name="outcome"),
    CheckConstraint(
        "num_nonnulls(outcome, answer, answered_by, answered_at) in (0, 4)", name="answered"
    ),
    CheckConstraint("answered_by <> filed_by", name="second_person"),
)
Index(
    "price_objection_open_idx",
    price_objection.c.price_list_id,
    postgresql_where=price_objection.c.outcome.is_(None),
)

# What a year brought in beside what it really cost; a surplus lowers the next ceiling.
true_up = Table(
    "true_up",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("cost_sheet_id", BigInteger, ForeignKey("cost_sheet.id"), nullable=False),
    Column("income_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column(
        "surplus_fen",
        BigInteger,
        Computed("greatest(0, income_fen - cost_fen)", persisted=True),
        nullable=False,
    ),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("instrument_id", "year", name="true_up_once"),
    CheckConstraint("income_fen >= 0 and cost_fen >= 0", name="amounts"),
)
