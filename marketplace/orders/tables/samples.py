"""Samples on their way: what they are like, their shipments, and whose hands they went through."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.tables import Instant, metadata

# What the buyer declares of its samples until the first of them arrives.
sample_declaration = Table(
    "sample_declaration",
    metadata,
    Column(
        "order_id",
        BigInteger,
        ForeignKey("service_order.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("ghs", ARRAY(Text), nullable=False),
    Column("hazard_note", Text, nullable=False),
    Column("storage", Text, nullable=False),
    Column("storage_note", Text, nullable=False),
    Column("keep_until", Date),
    Column("return_to", Text, nullable=False),
    Column("declared_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("declared_at", Instant, nullable=False),
    CheckConstraint(
        "storage in ('room', 'cool', 'frozen', 'deep_frozen', 'special')", name="storage"
    ),
)

# Out: from the buyer to the provider. Back: what is left of it. Noted once, received once.
shipment = Table(
    "shipment",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("direction", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    Column("received_at", Instant),
    Column("received_pieces", Integer),
    Column("condition", Text),
    Column("condition_note", Text),
    Column("received_by", BigInteger, ForeignKey("person.id")),
    CheckConstraint("direction in ('out', 'back')", name="direction"),
    CheckConstraint("pieces between 1 and 10000", name="pieces"),
    CheckConstraint("received_pieces between 0 and pieces", name="received_pieces"),
    CheckConstraint("received_at >= sent_at", name="times"),
)
Index("shipment_order_idx", shipment.c.order_id, shipment.c.id)

# Append-only: whose hands the samples went through, where, and what was done to them.
custody_event = Table(
    "custody_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("place", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("shipment_id", BigInteger, ForeignKey("shipment.id")),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    CheckConstraint("side in ('buyer', 'provider')", name="side"),
    CheckConstraint("samples between 0 and 10000", name="samples"),
    CheckConstraint("kind <> 'disposed' or note <> ''", name="certificate"),
    CheckConstraint("at <= noted_at", name="at"),
)
Index("custody_event_order_idx", custody_event.c.order_id, custody_event.c.at, custody_event.c.id)
