"""How rewards were used: a report for each payment, what was handed in, its papers, reminders.

Triggers keep that what is handed in accounts for the whole payment, and stays once decided.
"""

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
    UniqueConstraint,
    text,
)

from marketplace.kernel.tables import Instant, metadata

reward_use_report = Table(
    "reward_use_report",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", BigInteger, ForeignKey("reward_run.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("run_id", "provider_id", name="reward_use_report_once"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("due_on >= paid_on", name="days"),
    CheckConstraint("status in ('due', 'filed', 'accepted', 'returned')", name="status"),
)
Index(
    "reward_use_report_provider_idx",
    reward_use_report.c.provider_id,
    reward_use_report.c.id.desc(),
)
_OPEN = text("status in ('due', 'returned')")
Index(
    "reward_use_report_open_idx",
    reward_use_report.c.due_on,
    reward_use_report.c.id,
    postgresql_where=_OPEN,
)
Index(
    "reward_use_report_owing_idx",
    reward_use_report.c.legal_entity_id,
    reward_use_report.c.due_on,
    postgresql_where=_OPEN,
)

# One handing in; `outside_fen` is what it says was used for another purpose than the permitted.
reward_use_filing = Table(
    "reward_use_filing",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("report_id", BigInteger, ForeignKey("reward_use_report.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("outside_fen", BigInteger, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("decision", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    UniqueConstraint("report_id", "number", name="reward_use_filing_number"),
    CheckConstraint("outside_fen >= 0", name="outside"),
    CheckConstraint("decision in ('accepted', 'returned')", name="decision"),
    CheckConstraint(
        "num_nonnulls(decision, decided_by, decided_at) in (0, 3)"
        " and (decision is distinct from 'returned' or reason <> '')",
        name="decided",
    ),
    CheckConstraint("decided_by is distinct from filed_by", name="second_person"),
)
Index(
    "reward_use_filing_undecided",
    reward_use_filing.c.report_id,
    unique=True,
    postgresql_where=reward_use_filing.c.decision.is_(None),
)

reward_use_line = Table(
    "reward_use_line",
    metadata,
    Column("filing_id", BigInteger, ForeignKey("reward_use_filing.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("filing_id", "purpose"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("purpose ~ '^[a-z][a-z-]{1,39}$'", name="purpose"),
    CheckConstraint("purpose <> 'other' or note <> ''", name="reason"),
)

reward_use_evidence = Table(
    "reward_use_evidence",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("report_id", BigInteger, ForeignKey("reward_use_report.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("report_id", "sha256", name="reward_use_evidence_once"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
    CheckConstraint(
        "storage_key = 'reward_use/' || left(sha256, 2) || '/' || sha256", name="storage_key"
    ),
)
Index("reward_use_evidence_storage_key_idx", reward_use_evidence.c.storage_key)

reward_use_reminder = Table(
    "reward_use_reminder",
    metadata,
    Column("report_id", BigInteger, ForeignKey("reward_use_report.id"), nullable=False),
    Column("step_days", Integer, nullable=False),
    Column("sent_on", Date, nullable=False),
    PrimaryKeyConstraint("report_id", "step_days"),
)
