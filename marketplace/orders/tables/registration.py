"""Where contracts stand with the registry of technology contracts."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Table, Text

from marketplace.kernel.tables import Instant, metadata

# One row an order; without one nobody has said that its contract can be registered.
contract_registration = Table(
    "contract_registration",
    metadata,
    Column(
        "order_id",
        BigInteger,
        ForeignKey("service_order.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("state", Text, nullable=False),
    Column("number", Text),
    Column("registered_on", Date),
    Column("place", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint(
        "state in ('not_eligible', 'eligible', 'submitted', 'registered', 'refused')", name="state"
    ),
    CheckConstraint(
        "(state = 'registered') = (number is not null)"
        " and (number is null) = (registered_on is null)",
        name="number",
    ),
    CheckConstraint("state not in ('not_eligible', 'refused') or reason <> ''", name="reason"),
)
Index(
    "contract_registration_state_idx",
    contract_registration.c.state,
    contract_registration.c.order_id,
)
