"""Credit lines, their terms, what is owed on them, what was paid, and reminders."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from marketplace.kernel.tables import Instant, metadata

credit_line = Table(
    "credit_line",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # What the ledger has granted on it; orders are held to what is left of that.
    Column("limit_fen", BigInteger, nullable=False, server_default="0"),
    Column("opened_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("provider_id", "buyer_id", name="credit_line_parties"),
    UniqueConstraint("id", "provider_id", "buyer_id", name="credit_line_of_parties"),
    CheckConstraint("provider_id <> buyer_id", name="two_parties"),
    CheckConstraint("limit_fen between 0 and 1000000000000", name="limit"),
)
Index("credit_line_buyer_idx", credit_line.c.buyer_id, credit_line.c.id)

credit_terms = Table(
    "credit_terms",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("line_id", BigInteger, ForeignKey("credit_line.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("limit_fen", BigInteger, nullable=False),
    Column("due_days", Integer, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decided_because", Text),
    Column("ended_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    Column("ended_because", Text),
    CheckConstraint(
        "status in ('proposed', 'in_force', 'refused', 'withdrawn', 'ended')", name="status"
    ),
    CheckConstraint("limit_fen between 1 and 1000000000000", name="limit"),
    CheckConstraint("due_days between 1 and 365", name="due_days"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint(
        "status = 'withdrawn' or decided_by is distinct from proposed_by", name="two_persons"
    ),
    CheckConstraint(
        "num_nonnulls(decided_by, decided_at) = case status when 'proposed' then 0 else 2 end "
        "and (status not in ('refused', 'withdrawn') or decided_because <> '')",
        name="decided",
    ),
    CheckConstraint(
        "num_nonnulls(ended_by, ended_at, ended_because) "
        "= case status when 'ended' then 3 else 0 end",
        name="ended",
    ),
)
Index(
    "credit_terms_proposed",
    credit_terms.c.line_id,
    unique=True,
    postgresql_where=text("status = 'proposed'"),
)
Index(
    "credit_terms_in_force",
    credit_terms.c.line_id,
    unique=True,
    postgresql_where=text("status = 'in_force'"),
)
Index("credit_terms_line_idx", credit_terms.c.line_id, credit_terms.c.id)

# What a buyer owes for one settled service or fee, until paid or credited by the provider. A
# receipt's part raises `paid_fen` by a trigger; nothing else does.
receivable = Table(
    "receivable",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("line_id", BigInteger, nullable=False),
    Column("provider_id", BigInteger, nullable=False),
    Column("buyer_id", BigInteger, nullable=False),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("what", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False, server_default="0"),
    Column("credited_fen", BigInteger, nullable=False, server_default="0"),
    Column("arose_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    ForeignKeyConstraint(
        ["line_id", "provider_id", "buyer_id"],
        ["credit_line.id", "credit_line.provider_id", "credit_line.buyer_id"],
        name="receivable_line",
    ),
    UniqueConstraint("entry_id", name="receivable_entry_once"),
    CheckConstraint("what in ('service', 'fee')", name="what"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint(
        "paid_fen >= 0 and credited_fen >= 0 and paid_fen + credited_fen <= amount_fen",
        name="paid",
    ),
    CheckConstraint("due_on >= arose_on", name="due"),
)
Index("receivable_order_idx", receivable.c.order_id)
Index("receivable_line_idx", receivable.c.line_id, receivable.c.due_on, receivable.c.id)
_OPEN = text("paid_fen + credited_fen < amount_fen")
Index(
    "receivable_open_idx",
    receivable.c.line_id,
    receivable.c.due_on,
    receivable.c.id,
    postgresql_where=_OPEN,
)
Index("receivable_due_idx", receivable.c.due_on, receivable.c.id, postgresql_where=_OPEN)
Index("receivable_provider_idx", receivable.c.provider_id, receivable.c.id.desc())
Index("receivable_buyer_idx", receivable.c.buyer_id, receivable.c.id.desc())

credit_receipt = Table(
    "credit_receipt",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("line_id", BigInteger, ForeignKey("credit_line.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("how in ('wallet', 'bank')", name="how"),
)
Index("credit_receipt_line_idx", credit_receipt.c.line_id, credit_receipt.c.id.desc())

credit_receipt_part = Table(
    "credit_receipt_part",
    metadata,
    Column("receipt_id", BigInteger, ForeignKey("credit_receipt.id"), nullable=False),
    Column("receivable_id", BigInteger, ForeignKey("receivable.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("receipt_id", "receivable_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
Index("credit_receipt_part_receivable_idx", credit_receipt_part.c.receivable_id)

credit_note = Table(
    "credit_note",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("receivable_id", BigInteger, ForeignKey("receivable.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("credited_on", Date, nullable=False),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    UniqueConstraint("entry_id", name="credit_note_entry_once"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
Index("credit_note_receivable_idx", credit_note.c.receivable_id)

credit_reminder = Table(
    "credit_reminder",
    metadata,
    Column("receivable_id", BigInteger, ForeignKey("receivable.id"), nullable=False),
    Column("step_days", Integer, nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("owed_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("receivable_id", "step_days"),
    CheckConstraint("step_days between -60 and 365", name="step"),
    CheckConstraint("owed_fen > 0", name="owed"),
)

# What a receipt paid is owed again: the bank's line was not this payment.
credit_receipt_undone = Table(
    "credit_receipt_undone",
    metadata,
    Column("receipt_id", BigInteger, ForeignKey("credit_receipt.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("undone_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("undone_at", Instant, nullable=False),
    CheckConstraint("reason <> ''", name="reason"),
)
