"""The tables of the ledger. They are written by the `ledger_…` functions of the migration only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

account_type = Table(
    "account_type",
    metadata,
    Column("type", Text, primary_key=True),
    Column("ledger", Text, nullable=False),
    Column("normal", SmallInteger, nullable=False),
    Column("owner_kind", Text),
    Column("cached", Boolean, nullable=False),
    Column("min_available_fen", BigInteger),
    CheckConstraint("ledger in ('cash', 'voucher', 'credit')", name="ledger"),
    CheckConstraint("normal in (-1, 1)", name="normal"),
    UniqueConstraint("type", "ledger", "normal", "cached", name="account_type_facts"),
)

account = Table(
    "account",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("ledger", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("owner_kind", Text),
    Column("owner_id", BigInteger),
    Column("normal", SmallInteger, nullable=False),
    Column("posted_fen", BigInteger, nullable=False, server_default="0"),
    Column("held_fen", BigInteger, nullable=False, server_default="0"),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("min_available_fen", BigInteger),
    Column("max_balance_fen", BigInteger),
    Column("cached", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    ForeignKeyConstraint(
        ["type", "ledger", "normal", "cached"],
        ["account_type.type", "account_type.ledger", "account_type.normal", "account_type.cached"],
        name="account_type_fkey",
    ),
    UniqueConstraint("type", "owner_id", name="account_name", postgresql_nulls_not_distinct=True),
    CheckConstraint("held_fen >= 0", name="held"),
    # A limit that is null limits nothing.
    CheckConstraint("normal * posted_fen - held_fen >= min_available_fen", name="min_available"),
    CheckConstraint("normal * posted_fen <= max_balance_fen", name="max_balance"),
    CheckConstraint("cached or (posted_fen = 0 and held_fen = 0)", name="wide"),
    CheckConstraint("closed_at is null or posted_fen = 0", name="closed"),
)

# What its kind, key, source, remark and day may be is kept by the trigger `entry_checked`, which
# reads new entries anyway: each check here would cost every entry more than its row does.
entry = Table(
    "entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("ledger", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column(
        "xid",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id())::text::bigint"),
    ),
    Column("key", Text, nullable=False),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("reverses", BigInteger, ForeignKey("entry.id")),
    Column("source_kind", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("remark", Text, nullable=False, server_default=""),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    UniqueConstraint("key", name="entry_key"),
    CheckConstraint("approved_by is distinct from made_by", name="approved_by_another"),
)
Index(
    "entry_reversed_once",
    entry.c.reverses,
    unique=True,
    postgresql_where=entry.c.reverses.is_not(None),
)
Index("entry_xid_idx", entry.c.xid, entry.c.id)
Index("entry_source_idx", entry.c.source_kind, entry.c.source_id)
Index("entry_effective_on_idx", entry.c.effective_on, postgresql_using="brin")

# The trigger `posting_checked` looks for the entry and the account, which nobody deletes or moves
# to another ledger, at the amount, and at the chain of the account.
posting = Table(
    "posting",
    metadata,
    Column("entry_id", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("account_seq", BigInteger),
    Column("balance_after_fen", BigInteger),
    PrimaryKeyConstraint("entry_id", "account_id"),
)
Index(
    "posting_account_seq",
    posting.c.account_id,
    posting.c.account_seq,
    unique=True,
    postgresql_where=posting.c.account_seq.is_not(None),
)
Index(
    "posting_wide_idx",
    posting.c.account_id,
    posting.c.entry_id,
    postgresql_include=["amount_fen"],
    postgresql_where=posting.c.account_seq.is_(None),
)

hold = Table(
    "hold",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("key", Text, nullable=False),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    UniqueConstraint("key", name="hold_key"),
    UniqueConstraint("id", "amount_fen", name="hold_of_amount"),
    CheckConstraint("amount_fen between 1 and 1000000000000", name="amount"),
    CheckConstraint("expires_at > placed_at", name="expires"),
    CheckConstraint("length(key) between 1 and 200", name="key_length"),
    CheckConstraint("source_kind ~ '^[a-z_]{1,40}$' and source_id >= 0", name="source"),
)
Index("hold_account_idx", hold.c.account_id, hold.c.id)

hold_end = Table(
    "hold_end",
    metadata,
    Column("hold_id", BigInteger, primary_key=True, autoincrement=False),
    Column("held_fen", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("entry_id", BigInteger, ForeignKey("entry.id")),
    Column("ended_at", Instant, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    ForeignKeyConstraint(
        ["hold_id", "held_fen"], ["hold.id", "hold.amount_fen"], name="hold_end_hold_fkey"
    ),
    CheckConstraint("how in ('settled', 'released', 'lapsed')", name="how"),
    CheckConstraint("amount_fen between 0 and held_fen", name="within_hold"),
    CheckConstraint(
        "(how = 'settled') = (entry_id is not null) and (how = 'settled') = (amount_fen > 0)",
        name="entry",
    ),
)
Index("hold_end_entry_idx", hold_end.c.entry_id, postgresql_where=hold_end.c.entry_id.is_not(None))

hold_due = Table(
    "hold_due",
    metadata,
    Column("hold_id", BigInteger, ForeignKey("hold.id"), primary_key=True, autoincrement=False),
    Column("expires_at", Instant, nullable=False),
)
Index("hold_due_expires_idx", hold_due.c.expires_at)

period = Table(
    "period",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("ledger", Text, nullable=False),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("closed_at", Instant),
    Column("trial_balance", JSONB),
    Column("seal_number", BigInteger),
    CheckConstraint("ledger in ('cash', 'voucher', 'credit')", name="ledger"),
    CheckConstraint("first_on <= last_on", name="days"),
    CheckConstraint("approved_by is distinct from made_by", name="approved_by_another"),
    CheckConstraint(
        "(approved_by is null) = (closed_at is null)"
        " and (closed_at is null) = (trial_balance is null)",
        name="closed",
    ),
    ExcludeConstraint(
        ("ledger", "="),
        (text("daterange(first_on, last_on, '[]')"), "&&"),
        using="gist",
        name="period_no_overlap",
    ),
)

# Why a closed period is opened again, and what its closing had said.
period_reopening = Table(
    "period_reopening",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("period_id", BigInteger, ForeignKey("period.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("closed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("trial_balance", JSONB, nullable=False),
    Column("seal_number", BigInteger),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    UniqueConstraint("period_id", "closed_at", name="period_reopening_once"),
    CheckConstraint("length(reason) between 1 and 1000", name="reason"),
    CheckConstraint("(approved_by is null) = (approved_at is null)", name="approved"),
    CheckConstraint("approved_by is distinct from made_by", name="two_persons"),
)

seal = Table(
    "seal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("after_id", BigInteger, nullable=False),
    Column("from_xid", BigInteger, nullable=False),
    Column("to_xid", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sealed_at", Instant, nullable=False),
    CheckConstraint("from_xid < to_xid", name="range"),
    CheckConstraint("entries > 0", name="entries"),
)
