"""What was paid of a closed year and is asked back: decided by two, owed, and received.

Triggers keep that nobody owes back more than was paid to it, and that what was decided stays.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# `due_fen` is what the year comes to by its terms after the corrections; the rest goes back.
reward_clawback = Table(
    "reward_clawback",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("due_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("recovered_fen", BigInteger, nullable=False, server_default="0"),
    Column("terms", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decision", Text, nullable=False, server_default=""),
    CheckConstraint(
        "amount_fen > 0 and due_fen >= 0 and amount_fen = paid_fen - due_fen", name="amount"
    ),
    CheckConstraint("recovered_fen between 0 and amount_fen", name="recovered"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("status in ('proposed', 'rejected', 'owed', 'received')", name="status"),
    CheckConstraint(
        "case status when 'owed' then recovered_fen < amount_fen"
        " when 'received' then recovered_fen = amount_fen else recovered_fen = 0 end",
        name="received",
    ),
    CheckConstraint(
        "(status = 'proposed') = (decided_at is null)"
        " and (decided_by is null) = (decided_at is null)",
        name="decided",
    ),
    CheckConstraint("decided_by is distinct from proposed_by", name="second_person"),
)
Index(
    "reward_clawback_one_proposal",
    reward_clawback.c.legal_entity_id,
    reward_clawback.c.year,
    unique=True,
    postgresql_where=reward_clawback.c.status == "proposed",
)
Index("reward_clawback_entity_idx", reward_clawback.c.legal_entity_id, reward_clawback.c.year)
Index("reward_clawback_status_idx", reward_clawback.c.status, reward_clawback.c.id.desc())

reward_clawback_line = Table(
    "reward_clawback_line",
    metadata,
    Column("clawback_id", BigInteger, ForeignKey("reward_clawback.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("recovered_fen", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("clawback_id", "provider_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("recovered_fen between 0 and amount_fen", name="recovered"),
)
Index("reward_clawback_line_provider_idx", reward_clawback_line.c.provider_id)

reward_clawback_recovery = Table(
    "reward_clawback_recovery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clawback_id", BigInteger, nullable=False),
    Column("provider_id", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["clawback_id", "provider_id"],
        ["reward_clawback_line.clawback_id", "reward_clawback_line.provider_id"],
        name="reward_clawback_recovery_line",
    ),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("source in ('wallet', 'reward_payable')", name="source"),
)
Index(
    "reward_clawback_recovery_idx",
    reward_clawback_recovery.c.clawback_id,
    reward_clawback_recovery.c.id,
)
