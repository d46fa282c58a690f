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
    CheckConstraint("status in ('draft', 'approved', 'sent', 'discarded')", name="status"),
    CheckConstraint("approved_by is distinct from made_by", name="two_persons"),
    CheckConstraint("lines > 0 and total_fen > 0", name="control"),
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

# A settlement payout pays out a balance, not a document: each gets a number of its own here.
settlement = Table(
    "settlement",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("through_on", Date, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
)
