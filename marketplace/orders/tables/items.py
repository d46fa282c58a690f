"""The items of quotes and orders: one instrument each, of one provider."""

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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# What a quote offers, frozen: which instrument, how much, by which price list, line by line. The
# quote's own columns repeat the first item; a constraint trigger holds its total to their sum.
quote_item = Table(
    "quote_item",
    metadata,
    Column("quote_id", BigInteger, ForeignKey("quote.id"), primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("mode", Text, nullable=False),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("samples", Integer),
    Column("unit", Text, nullable=False),
    Column("elements", Integer, nullable=False, server_default="0"),
    Column("runs", Integer, nullable=False, server_default="0"),
    Column("urgent", Boolean, nullable=False, server_default="false"),
    Column("extras", JSONB, nullable=False, server_default="[]"),
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    CheckConstraint("position between 1 and 10", name="position"),
    CheckConstraint("mode in ('machine_time', 'samples')", name="mode"),
    CheckConstraint("starts_at is not null or samples is not null", name="what_stated"),
    CheckConstraint("elements between 0 and 1000 and runs between 0 and 10000", name="counts"),
    CheckConstraint("jsonb_typeof(extras) = 'array'", name="extras"),
    CheckConstraint("total_fen >= 0", name="total"),
)
Index("quote_item_instrument_idx", quote_item.c.instrument_id)

# What becomes of each item. `quantity` counts samples; machine time is one. A trigger keeps what
# was ordered, and what it was settled at; another holds the order's sums to its items'.
order_item = Table(
    "order_item",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id")),
    Column("status", Text, nullable=False),
    Column("delivered", Integer, nullable=False, server_default="0"),
    Column("undeliverable", Integer, nullable=False, server_default="0"),
    Column("undeliverable_because", Text),
    Column("tested", Integer),
    Column("runs_used", Integer),
    # (code, quantity) of what was really used; null until the provider has said so.
    Column("extras_used", JSONB(none_as_null=True)),
    # The share of its price that stays due for a time given back late, or missed.
    Column("fee_basis_points", Integer),
    Column("settled_fen", BigInteger),
    Column("settled_voucher_fen", BigInteger),
    Column("settled_own_fen", BigInteger),
    # What was quoted, what was used, what it came to and why, line by line.
    Column("settlement", JSONB(none_as_null=True)),
    UniqueConstraint("order_id", "position", name="order_item_position_once"),
    UniqueConstraint("reservation_id", name="order_item_reservation_once"),
    CheckConstraint("position between 1 and 10", name="position"),
    CheckConstraint("mode in ('machine_time', 'samples')", name="mode"),
    CheckConstraint("quantity > 0 and (mode = 'samples' or quantity = 1)", name="quantity"),
    CheckConstraint(
        "delivered >= 0 and undeliverable >= 0 and delivered + undeliverable <= quantity"
        " and tested between 0 and quantity",
        name="counted",
    ),
    CheckConstraint("(undeliverable > 0) = (undeliverable_because is not null)", name="because"),
    CheckConstraint("runs_used >= 0", name="runs"),
    CheckConstraint("jsonb_typeof(extras_used) = 'array'", name="extras"),
    CheckConstraint(
        "num_nonnulls(settled_fen, settled_voucher_fen, settled_own_fen) in (0, 3)", name="settled"
    ),
)
Index("order_item_instrument_idx", order_item.c.instrument_id)
# The first item's name is the order's.
Index(
    "order_item_title_idx",
    order_item.c.title,
    postgresql_using="gin",
    postgresql_ops={"title": "gin_trgm_ops"},
    postgresql_where=order_item.c.position > 1,
)

# Which part of an item was delivered when, and what never will be; append-only.
item_delivery = Table(
    "item_delivery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("runs", Integer),
    Column("extras", JSONB, nullable=False, server_default="[]"),
    Column("reason", Text, nullable=False),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["order_id", "position"],
        ["order_item.order_id", "order_item.position"],
        name="item_delivery_item",
    ),
    CheckConstraint("kind in ('delivered', 'undeliverable')", name="kind"),
    CheckConstraint("quantity between 0 and 10000", name="quantity"),
    CheckConstraint("runs between 0 and 10000", name="runs"),
    CheckConstraint("kind = 'delivered' or reason <> ''", name="reason"),
)
Index("item_delivery_order_idx", item_delivery.c.order_id, item_delivery.c.id)
