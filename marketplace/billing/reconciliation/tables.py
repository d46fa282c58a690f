"""What the bank says, what we made of it, and the periods that two persons signed off."""

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
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.kernel.tables import Instant, metadata

# The statements of an account are one chain: each opens with what the one before closed with.
bank_statement = Table(
    "bank_statement",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_number", Text, nullable=False),
    Column("previous_id", BigInteger),
    Column("file_name", Text, nullable=False),
    Column("file_sha256", LargeBinary, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("opening_fen", BigInteger, nullable=False),
    Column("in_fen", BigInteger, nullable=False),
    Column("out_fen", BigInteger, nullable=False),
    Column("closing_fen", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("known_lines", Integer, nullable=False),
    Column("imported_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("format", Text, nullable=False, server_default="table"),
    UniqueConstraint("file_sha256", name="bank_statement_file"),
    UniqueConstraint("id", "account_number", "closing_fen", name="bank_statement_closing"),
    UniqueConstraint(
        "account_number",
        "previous_id",
        name="bank_statement_one_chain",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(
        ["previous_id", "account_number", "opening_fen"],
        ["bank_statement.id", "bank_statement.account_number", "bank_statement.closing_fen"],
        name="bank_statement_continues",
    ),
    CheckConstraint("opening_fen + in_fen - out_fen = closing_fen", name="balanced"),
    CheckConstraint("in_fen >= 0 and out_fen >= 0", name="sums"),
    CheckConstraint("lines > 0 and known_lines >= 0", name="lines"),
    CheckConstraint("from_on <= until_on", name="days"),
    CheckConstraint("account_number ~ '^[0-9]{8,32}$'", name="account"),
    CheckConstraint("char_length(file_name) between 1 and 200", name="file_name"),
    CheckConstraint("format in ('table', 'camt.053', 'camt.054', 'MT940')", name="format"),
)
Index("bank_statement_account_idx", bank_statement.c.account_number, bank_statement.c.id)

# Positive is money in. Line 0 is what an account had before its first statement.
statement_line = Table(
    "statement_line",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("statement_id", BigInteger, ForeignKey("bank_statement.id"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("balance_fen", BigInteger, nullable=False),
    Column("counterparty_name", Text, nullable=False),
    Column("counterparty_account", Text, nullable=False),
    Column("remark", Text, nullable=False),
    Column("bank_reference", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("matches", Integer, nullable=False, server_default="0"),
    Column("note", Text, nullable=False, server_default=""),
    Column("end_to_end_id", Text, nullable=False, server_default=""),
    # Every reference of ours that the line carries, in one form: what matching joins on.
    Column("named", ARRAY(Text), nullable=False, server_default="{}"),
    UniqueConstraint("statement_id", "line_number", name="statement_line_number"),
    UniqueConstraint("identity", name="statement_line_identity"),
    UniqueConstraint("id", "amount_fen", name="statement_line_amount"),
    CheckConstraint("line_number >= 0", name="numbered"),
    CheckConstraint("status in ('unmatched', 'matched', 'ignored')", name="status"),
    CheckConstraint("(status = 'ignored') = (amount_fen = 0)", name="ignored"),
    CheckConstraint("matches >= 0 and (status <> 'matched' or matches > 0)", name="matches"),
)
Index("statement_line_booked_idx", statement_line.c.booked_on, statement_line.c.id)
Index(
    "statement_line_unmatched_idx",
    statement_line.c.booked_on,
    statement_line.c.id,
    postgresql_where=text("status = 'unmatched'"),
)

Index(
    "statement_line_reference_idx",
    func.split_part(statement_line.c.bank_reference, "/", 1),
    statement_line.c.booked_on,
    postgresql_where=text("bank_reference <> ''"),
)
Index(
    "statement_line_paid_to_idx",
    statement_line.c.counterparty_account,
    statement_line.c.amount_fen,
    postgresql_where=text("status = 'unmatched'"),
)

# A line is matched whole and, among the matches that stand, once; so is a payment.
line_match = Table(
    "line_match",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("line_id", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target_id", BigInteger, nullable=False),
    Column("reference", Text),
    Column("how", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("entry_id", BigInteger, ForeignKey("entry.id")),
    Column("matched_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("matched_at", Instant, nullable=False),
    Column("undone_by", BigInteger, ForeignKey("person.id")),
    Column("undone_at", Instant),
    Column("undo_reason", Text),
    Column("score", SmallInteger),
    ForeignKeyConstraint(
        ["line_id", "amount_fen"],
        ["statement_line.id", "statement_line.amount_fen"],
        name="line_match_line_fkey",
    ),
    CheckConstraint(
        "kind in ('payout', 'return', 'wallet', 'voucher_fund', 'reward_fund', 'credit',"
        " 'charge', 'interest', 'contra', 'clearing')",
        name="kind",
    ),
    CheckConstraint(
        "case when kind in ('payout', 'charge') then amount_fen < 0"
        " when kind in ('contra', 'clearing') then amount_fen <> 0 else amount_fen > 0 end",
        name="direction",
    ),
    CheckConstraint("how in ('auto', 'manual')", name="how"),
    CheckConstraint("how = 'auto' or char_length(reason) > 0", name="reason"),
    CheckConstraint("(reference is not null) = (kind in ('payout', 'return'))", name="reference"),
    CheckConstraint("(entry_id is null) = (kind in ('contra', 'clearing'))", name="entry"),
    CheckConstraint("score between 0 and 100", name="score"),
    CheckConstraint(
        "(undone_at is null) = (undone_by is null) and (undone_at is null) = (undo_reason is null)",
        name="undone",
    ),
)
Index(
    "line_match_one_stands",
    line_match.c.line_id,
    unique=True,
    postgresql_where=text("undone_at is null"),
)
Index(
    "line_match_payment_once",
    line_match.c.kind,
    line_match.c.reference,
    unique=True,
    postgresql_where=text("undone_at is null and reference is not null"),
)
Index(
    "line_match_entry_once",
    line_match.c.entry_id,
    unique=True,
    postgresql_where=text("entry_id is not null"),
)
Index("line_match_line_idx", line_match.c.line_id, line_match.c.id)

Index(
    "line_match_clearing_idx",
    line_match.c.target_id,
    postgresql_where=text("kind = 'clearing'"),
)

# Lines and what they are, where that is not one for one. Its lines are the matches of its kind.
clearing = Table(
    "clearing",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("how", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("score", SmallInteger),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("undone_by", BigInteger, ForeignKey("person.id")),
    Column("undone_at", Instant),
    Column("undo_reason", Text),
    CheckConstraint("how in ('auto', 'manual')", name="how"),
    CheckConstraint("how = 'auto' or reason <> ''", name="reason"),
    CheckConstraint("score between 0 and 100", name="score"),
    CheckConstraint("num_nonnulls(undone_by, undone_at, undo_reason) in (0, 3)", name="undone"),
)

# Amounts are those of the bank's side: positive is money in.
clearing_item = Table(
    "clearing_item",
    metadata,
    Column("clearing_id", BigInteger, ForeignKey("clearing.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target_id", BigInteger, nullable=False),
    Column("reference", Text),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason_code", Text, nullable=False, server_default=""),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    PrimaryKeyConstraint("clearing_id", "position"),
    UniqueConstraint("entry_id", name="clearing_item_entry_once"),
    CheckConstraint("position between 1 and 200", name="position"),
    CheckConstraint(
        "kind in ('payout', 'return', 'wallet', 'voucher_fund', 'reward_fund', 'credit',"
        " 'charge', 'interest', 'difference')",
        name="kind",
    ),
    CheckConstraint(
        "case when kind in ('payout', 'charge') then amount_fen < 0"
        " when kind = 'difference' then amount_fen <> 0 else amount_fen > 0 end",
        name="direction",
    ),
    CheckConstraint("(reference is not null) = (kind in ('payout', 'return'))", name="reference"),
    CheckConstraint("(reason_code <> '') = (kind = 'difference')", name="reason"),
)
Index("clearing_item_target_idx", clearing_item.c.kind, clearing_item.c.target_id)

# Who looks after a line that nobody can explain yet, and why it is left.
line_case = Table(
    "line_case",
    metadata,
    Column("line_id", BigInteger, ForeignKey("statement_line.id"), primary_key=True),
    Column("owner_id", BigInteger, ForeignKey("person.id")),
    Column("reason_code", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("changed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint(
        "reason_code in ('unknown_payer', 'no_reference', 'wrong_amount', 'wrong_reference',"
        " 'duplicate', 'awaiting_bank', 'awaiting_payer', 'to_be_returned', 'other')",
        name="reason",
    ),
    CheckConstraint("char_length(note) <= 2000", name="note"),
)
Index("line_case_owner_idx", line_case.c.owner_id, line_case.c.line_id)

line_attachment = Table(
    "line_attachment",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("line_id", BigInteger, ForeignKey("statement_line.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("line_id", "sha256", name="line_attachment_once"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
    CheckConstraint(
        "storage_key = 'line_attachment/' || left(sha256, 2) || '/' || sha256", name="storage_key"
    ),
)
Index("line_attachment_storage_key_idx", line_attachment.c.storage_key)

reconciliation_period = Table(
    "reconciliation_period",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("ledger_period_id", BigInteger, ForeignKey("period.id"), nullable=False),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("balancing", JSONB, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    UniqueConstraint("ledger_period_id", name="reconciliation_period_of_ledger"),
    CheckConstraint("first_on <= last_on", name="days"),
    CheckConstraint("status in ('draft', 'signed')", name="status"),
    CheckConstraint(
        "(status = 'signed') = (approved_at is not null)"
        " and (approved_at is null) = (approved_by is null)",
        name="signed",
    ),
    CheckConstraint("approved_by is distinct from made_by", name="two_persons"),
)
