"""What is given back after settlement, and the runs that settle what is due."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
)

from marketplace.kernel.tables import Instant, metadata

# Proposed by one person, approved by another. A trigger keeps all corrections of an order within
# what it was charged, and refuses one while an invoice stands over more than then stays charged.
correction = Table(
    "correction",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("side", Text, nullable=False),
    Column("voucher_fen", BigInteger, nullable=False),
    Column("own_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decided_because", Text),
    # Of the own part: what was owed and is owed no more; the rest was paid into the wallet.
    Column("own_entry_id", BigInteger, ForeignKey("entry.id")),
    Column("off_account_fen", BigInteger),
    # Of the voucher part: what can be spent again, what went back to budgets, and what of both had
    # been approved in a claim and is owed by its claimant.
    Column("restored_fen", BigInteger),
    Column("to_budgets_fen", BigInteger),
    Column("clawed_back_fen", BigInteger),
    CheckConstraint("side in ('provider', 'centre')", name="side"),
    CheckConstraint(
        "voucher_fen >= 0 and own_fen >= 0 and voucher_fen + own_fen > 0", name="amounts"
    ),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("status in ('proposed', 'approved', 'refused', 'withdrawn')", name="status"),
    CheckConstraint(
        "status not in ('approved', 'refused') or decided_by <> proposed_by", name="second_person"
    ),
)
Index(
    "correction_open_once",
    correction.c.order_id,
    unique=True,
    postgresql_where=correction.c.status == "proposed",
)
Index("correction_order_idx", correction.c.order_id, correction.c.id)
Index("correction_provider_idx", correction.c.provider_id, correction.c.id.desc())
Index("correction_buyer_idx", correction.c.buyer_id, correction.c.id.desc())
# The negative charge lines that say a correction in the books.
correction_credit = Table(
    "correction_credit",
    metadata,
    Column(
        "credit_id",
        BigInteger,
        ForeignKey("charge_line.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("correction_id", BigInteger, ForeignKey("correction.id"), nullable=False),
)
Index("correction_credit_correction_idx", correction_credit.c.correction_id)

# How far a run has come; each chunk's commit moves it on. One that a crash ended has no end.
settlement_run = Table(
    "settlement_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("worker", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("due", Integer, nullable=False),
    Column("settled", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("settled_fen", BigInteger, nullable=False, server_default="0"),
    Column("moved_at", Instant, nullable=False),
    Column("finished_at", Instant),
    CheckConstraint(
        "due >= 0 and settled >= 0 and refused >= 0 and settled_fen >= 0", name="counts"
    ),
    CheckConstraint("moved_at >= started_at and finished_at >= moved_at", name="times"),
)
