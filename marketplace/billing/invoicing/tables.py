"""Charge lines, append-only, and the invoices that providers issue for them.

Triggers keep what is invoiced within what is charged, and red invoices within the ones that they
reverse.
"""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from marketplace.kernel.tables import Instant, metadata

# What a settled order was worth, by whom it was paid, and whether it earns a reward. The legal
# entities are those of the order's day. A correction is a negative line that names what it
# reverses, and takes over from it what decides about the reward.
charge_line = Table(
    "charge_line",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("buyer_legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("service_value_fen", BigInteger, nullable=False),
    Column("voucher_fen", BigInteger, nullable=False),
    Column("own_fen", BigInteger, nullable=False),
    Column("settled_on", Date, nullable=False),
    Column("voucher_order", Boolean, nullable=False),
    Column("affiliated", Boolean, nullable=False),
    Column("counts_for_reward", Boolean, nullable=False),
    Column("reverses", BigInteger, ForeignKey("charge_line.id")),
    Column("reason", Text, nullable=False, server_default=""),
    Column("recorded_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # Which item of the order: each has its instrument, and its figures.
    Column("order_position", SmallInteger, nullable=False, server_default="1"),
    CheckConstraint(
        "kind in ('service', 'cancellation_fee', 'no_show_fee', 'move_fee')", name="kind"
    ),
    CheckConstraint("kind <> 'move_fee' or voucher_fen = 0", name="move_fee_own"),
    CheckConstraint("service_value_fen = voucher_fen + own_fen", name="parts"),
    CheckConstraint(
        "(reverses is null and service_value_fen >= 0 and voucher_fen >= 0 and own_fen >= 0)"
        " or (reverses is not null and service_value_fen < 0 and voucher_fen <= 0"
        " and own_fen <= 0)",
        name="sign",
    ),
    CheckConstraint(
        "not counts_for_reward or (kind = 'service' and not affiliated)", name="reward_base"
    ),
)
Index(
    "charge_line_order",
    charge_line.c.order_id,
    charge_line.c.order_position,
    unique=True,
    postgresql_where=charge_line.c.reverses.is_(None) & (charge_line.c.kind != "move_fee"),
)
Index(
    "charge_line_move_fee",
    charge_line.c.order_id,
    unique=True,
    postgresql_where=charge_line.c.reverses.is_(None) & (charge_line.c.kind == "move_fee"),
)
Index("charge_line_order_idx", charge_line.c.order_id)
Index(
    "charge_line_reverses_idx",
    charge_line.c.reverses,
    postgresql_where=charge_line.c.reverses.is_not(None),
)
Index("charge_line_provider_idx", charge_line.c.provider_id, charge_line.c.settled_on)
Index(
    "charge_line_settled_on_idx",
    charge_line.c.settled_on,
    postgresql_using="brin",
    postgresql_with={"pages_per_range": 16},
)

invoice = Table(
    "invoice",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # A blue invoice asks for money; a red one takes (part of) a blue one back.
    Column("kind", Text, nullable=False, server_default="blue"),
    Column("reverses", BigInteger, ForeignKey("invoice.id")),
    Column("reason", Text, nullable=False, server_default=""),
    Column("number", CHAR(20), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger),
    # How its provider booked what it earned on the day of issue.
    Column("non_tax_revenue", Boolean, nullable=False, server_default="false"),
    Column("issued_on", Date, nullable=False),
    Column("recorded_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("number", name="invoice_number"),
    CheckConstraint("number ~ '^[0-9]{20}$'", name="number_shape"),
    CheckConstraint("amount_fen > 0", name="amount_range"),
    CheckConstraint("kind in ('blue', 'red')", name="kind"),
    CheckConstraint("(kind = 'red') = (reverses is not null)", name="red"),
    CheckConstraint("kind = 'blue' or reason <> ''", name="red_reason"),
    CheckConstraint("tax_fen between 0 and amount_fen", name="tax_range"),
)
Index("invoice_order_idx", invoice.c.order_id)
Index(
    "invoice_reverses_idx",
    invoice.c.reverses,
    postgresql_where=invoice.c.reverses.is_not(None),
)
Index("invoice_provider_idx", invoice.c.provider_id, invoice.c.id.desc())
Index("invoice_buyer_idx", invoice.c.buyer_id, invoice.c.id.desc())

# What a tax authority's file said, kept as it came.
invoice_file = Table(
    "invoice_file",
    metadata,
    Column(
        "invoice_id", BigInteger, ForeignKey("invoice.id"), primary_key=True, autoincrement=False
    ),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("sha256", name="invoice_file_content_once"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("octet_length(content) between 1 and 1048576", name="size"),
)

# How a provider books what it earns, from a day on.
provider_revenue = Table(
    "provider_revenue",
    metadata,
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("since", Date, nullable=False),
    Column("non_tax_revenue", Boolean, nullable=False),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    PrimaryKeyConstraint("provider_id", "since"),
)
