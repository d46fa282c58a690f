"""What buyers say of a service, and what providers answer."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table, Text

from marketplace.kernel.tables import Instant, metadata

review = Table(
    "review",
    metadata,
    Column(
        "order_id",
        BigInteger,
        ForeignKey("service_order.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("stars", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("reply", Text),
    Column("replied_by", BigInteger, ForeignKey("person.id")),
    Column("replied_at", Instant),
    Column("hidden_because", Text),
    Column("hidden_by", BigInteger, ForeignKey("person.id")),
    Column("hidden_at", Instant),
    CheckConstraint("stars between 1 and 5", name="stars"),
    CheckConstraint(
        "num_nonnulls(reply, replied_by, replied_at) in (0, 3) and reply <> ''", name="replied"
    ),
    CheckConstraint(
        "num_nonnulls(hidden_because, hidden_by, hidden_at) in (0, 3) and hidden_because <> ''",
        name="hidden",
    ),
)
