"""Where money is sent, what was instructed, and in which file it went to the bank."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

bank_account = Table(
    "bank_account",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("bank_name", Text, nullable=False),
    Column("cnaps", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("verified_by", BigInteger, ForeignKey("person.id")),
    Column("verified_at", Instant),
    Column("closed_at", Instant),
    CheckConstraint("verified_by is distinct from made_by", name="two_persons"),
    CheckConstraint("(verified_by is null) = (verified_at is null)", name="verified"),
    CheckConstraint("cnaps ~ '^[0-9]{12}$'", name="cnaps"),
    CheckConstraint("number ~ '^[0-9]{8,32}$'", name="number"),
)
# One good account each: money goes to the one that was verified, and no other.
Index(
    "bank_account_one_verified",
    bank_account.c.organisation_id,
    unique=True,
    postgresql_where=text("verified_at is not null and closed_at is null"),
)

Index("bank_account_number_idx", bank_account.c.number)

# An account of the platform's own: how its bank writes statements and reads payment files.
house_account = Table(
    "house_account",
    metadata,
    Column("number", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("bank_name", Text, nullable=False),
    Column("cnaps", Text, nullable=False),
    Column("statement_columns", JSONB, nullable=False, server_default="{}"),
    Column("payment_format", Text, nullable=False, server_default="csv"),
    Column("payment_columns", JSONB, nullable=False, server_default="[]"),
    Column("changed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("number ~ '^[0-9]{8,32}$'", name="number"),
    CheckConstraint("cnaps ~ '^[0-9]{12}$'", name="cnaps"),
    CheckConstraint("holder <> '' and bank_name <> ''", name="words"),
    CheckConstraint("payment_format in ('csv', 'xlsx', 'pain001')", name="format"),
    CheckConstraint(
        "jsonb_typeof(statement_columns) = 'object' and jsonb_typeof(payment_columns) = 'array'",
        name="columns",
    ),
)

payout_batch = Table(
    "payout_batch",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("status", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    Column("exported_at", Instant),
    Column("sent_at", Instant),
    Column("format", Text, nullable=False, server_default="csv"),
    # The form of the file as it was when the batch was drafted.
    Column("layout", JSONB, nullable=False, server_default="{}"),
    CheckConstraint("status in ('draft', 'approved', 'sent', 'discarded')", name="status"),
    CheckConstraint("approved_by is distinct from made_by", name="two_persons"),
    CheckConstraint("lines > 0 and total_fen > 0", name="control"),
    CheckConstraint("format in ('csv', 'xlsx', 'pain001')", name="format"),
    CheckConstraint("jsonb_typeof(layout) = 'object'", name="layout"),
)
Index("payout_batch_made_idx", payout_batch.c.made_at, payout_batch.c.id)

payout = Table(
    "payout",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("debit_account_id", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="1"),
    # What the bank repeats in its statement: one for each attempt, and never anybody's choice.
    Column(
        "end_to_end_id",
        Text,
        Computed(
            "('SC-P-' || id::text || case when attempt > 1 then '-' || attempt::text else '' end)",
            persisted=True,
        ),
        nullable=False,
    ),
    Column("batch_id", BigInteger, ForeignKey("payout_batch.id")),
    Column("bank_account_id", BigInteger, ForeignKey("bank_account.id")),
    Column("instructed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("instructed_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("confirmed_on", Date),
    Column("returned_on", Date),
    Column("return_reason", Text),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    Column("withdrawal_reason", Text),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint(
        "source_kind in ('claim', 'reward', 'settlement', 'refund')", name="source_kind"
    ),
    CheckConstraint(
        "status in ('instructed', 'batched', 'sent', 'confirmed', 'returned', 'withdrawn')",
        name="status",
    ),
    CheckConstraint("char_length(end_to_end_id) between 1 and 35", name="end_to_end_length"),
    CheckConstraint(
        "status in ('instructed', 'withdrawn') or batch_id is not null", name="batched"
    ),
    CheckConstraint(
        "num_nonnulls(withdrawn_by, withdrawn_at, withdrawal_reason)"
        " = case status when 'withdrawn' then 3 else 0 end",
        name="withdrawn",
    ),
    UniqueConstraint("end_to_end_id", name="payout_end_to_end_id"),
    UniqueConstraint("source_kind", "source_id", "organisation_id", name="payout_source"),
)
Index("payout_status_idx", payout.c.status, payout.c.id)
Index("payout_organisation_idx", payout.c.organisation_id, payout.c.id)
Index("payout_batch_idx", payout.c.batch_id)
Index("payout_bank_account_idx", payout.c.bank_account_id)
Index(
    "payout_sent_idx",
    payout.c.amount_fen,
    payout.c.bank_account_id,
    postgresql_where=text("status = 'sent'"),
)

# A settlement payout pays out a balance, not a document: each gets a number of its own here.
settlement = Table(
    "settlement",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("through_on", Date, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
)

# An SME takes unspent money back: held when it asks, paid out when another person agrees.
wallet_refund = Table(
    "wallet_refund",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("hold_id", BigInteger, ForeignKey("hold.id"), nullable=False),
    Column("asked_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decided_because", Text),
    Column("payout_id", BigInteger, ForeignKey("payout.id")),
    UniqueConstraint("hold_id", name="wallet_refund_hold_once"),
    UniqueConstraint("payout_id", name="wallet_refund_payout_once"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("status in ('asked', 'approved', 'refused', 'withdrawn')", name="status"),
    CheckConstraint(
        "num_nonnulls(decided_by, decided_at, decided_because)"
        " = case status when 'asked' then 0 else 3 end",
        name="decided",
    ),
    CheckConstraint(
        "status = 'withdrawn' or decided_by is distinct from asked_by", name="two_persons"
    ),
    CheckConstraint("(payout_id is not null) = (status = 'approved')", name="paid"),
)
Index("wallet_refund_organisation_idx", wallet_refund.c.organisation_id, wallet_refund.c.id)
Index("wallet_refund_asked_idx", wallet_refund.c.id, postgresql_where=text("status = 'asked'"))

# What the bank says of a payment file before its statement does.
status_report = Table(
    "status_report",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("payout_batch.id"), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("imported_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("imported_at", Instant, nullable=False),
    UniqueConstraint("sha256", name="status_report_once"),
    CheckConstraint("least(accepted, rejected, pending) >= 0", name="counts"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
)
Index("status_report_batch_idx", status_report.c.batch_id, status_report.c.id.desc())

status_report_line = Table(
    "status_report_line",
    metadata,
    Column("report_id", BigInteger, ForeignKey("status_report.id"), primary_key=True),
    Column("payout_id", BigInteger, ForeignKey("payout.id"), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("outcome in ('accepted', 'rejected', 'pending')", name="outcome"),
    CheckConstraint("code <> ''", name="code"),
)
Index(
    "status_report_line_payout_idx",
    status_report_line.c.payout_id,
    status_report_line.c.report_id.desc(),
)
