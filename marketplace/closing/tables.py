"""Months signed off, verifications of the ledger, audit packs, and the views they read."""

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
    PrimaryKeyConstraint,
    Table,
    Text,
    column,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

month_close = Table(
    "month_close",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("checklist", JSONB, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    CheckConstraint(
        "first_on = date_trunc('month', first_on)::date"
        " and last_on = (first_on + interval '1 month' - interval '1 day')::date",
        name="month",
    ),
    CheckConstraint("status in ('draft', 'signed')", name="status"),
    CheckConstraint(
        "num_nonnulls(approved_by, approved_at) = case status when 'signed' then 2 else 0 end",
        name="signed",
    ),
    CheckConstraint("approved_by is distinct from made_by", name="two_persons"),
    CheckConstraint("jsonb_typeof(checklist) = 'array'", name="checklist"),
)
Index(
    "month_close_one_draft",
    month_close.c.first_on,
    unique=True,
    postgresql_where=text("status = 'draft'"),
)
Index("month_close_month_idx", month_close.c.first_on.desc(), month_close.c.id.desc())

ledger_verification = Table(
    "ledger_verification",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("verified_at", Instant, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("accounts", BigInteger, nullable=False),
    Column("seals", BigInteger, nullable=False),
    Column("head_number", BigInteger, nullable=False),
    Column("head_sha256", Text, nullable=False),
    Column("problems", BigInteger, nullable=False),
    Column("first_problem", Text, nullable=False),
    CheckConstraint(
        "entries >= 0 and accounts >= 0 and seals >= 0 and head_number >= 0 and problems >= 0",
        name="counts",
    ),
    CheckConstraint("head_sha256 ~ '^([0-9a-f]{64})?$'", name="head"),
)

audit_pack = Table(
    "audit_pack",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("entries_total", BigInteger, nullable=False, server_default="0"),
    Column("entries_done", BigInteger, nullable=False, server_default="0"),
    Column("asked_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("manifest", JSONB),
    Column("problem", Text, nullable=False, server_default=""),
    CheckConstraint("first_on <= last_on", name="days"),
    CheckConstraint("status in ('asked', 'building', 'ready', 'failed')", name="status"),
    CheckConstraint("entries_done between 0 and entries_total", name="progress"),
    CheckConstraint("(ended_at is not null) = (status in ('ready', 'failed'))", name="ended"),
    CheckConstraint(
        "num_nonnulls(size, sha256, manifest) = case status when 'ready' then 3 else 0 end",
        name="ready",
    ),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("(problem <> '') = (status = 'failed')", name="problem"),
)
Index(
    "audit_pack_due_idx",
    audit_pack.c.id,
    postgresql_where=text("status in ('asked', 'building')"),
)

# The archive in order, each part a kept file.
audit_pack_part = Table(
    "audit_pack_part",
    metadata,
    Column("pack_id", BigInteger, ForeignKey("audit_pack.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    PrimaryKeyConstraint("pack_id", "number"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("storage_key ~ '^audit_packs/[0-9a-f]{2}/[0-9a-f]{64}$'", name="storage_key"),
)
Index("audit_pack_part_key_idx", audit_pack_part.c.storage_key)

close_item = table(
    "close_item",
    column("item", Text),
    column("subject_id", BigInteger),
    column("on_day", Date),
    column("amount_fen", BigInteger),
)
close_statement = table("close_statement", column("account_number", Text), column("until_on", Date))
