"""Applications, their documents and their approvals."""

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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

voucher_application = Table(
    "voucher_application",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("asked_fen", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("checks", JSONB, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("reason", Text, nullable=False, server_default=""),
    # Two tables name each other: an application tops up a grant that an application made.
    Column(
        "grant_id",
        BigInteger,
        ForeignKey("voucher_grant.id", name="voucher_application_grant_id_fkey", use_alter=True),
    ),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("waiting_since", Instant),
    Column("proposed_at", Instant),
    # The place of the preference that it meets, nought for the first; who meets none comes last.
    Column("waiting_rank", SmallInteger, nullable=False, server_default="0"),
    CheckConstraint("waiting_rank >= 0", name="waiting_rank"),
    CheckConstraint("asked_fen > 0", name="asked"),
    CheckConstraint(
        "status in ('draft', 'submitted', 'returned', 'waiting', 'granted', 'refused',"
        " 'withdrawn', 'lapsed')",
        name="status",
    ),
    CheckConstraint("decided_by is distinct from made_by", name="second_person"),
    CheckConstraint("round >= 1", name="round"),
    CheckConstraint("status <> 'waiting' or waiting_since is not null", name="waiting"),
    CheckConstraint("proposed_at is null or waiting_since is not null", name="proposed"),
)
Index(
    "voucher_application_open_once",
    voucher_application.c.programme_id,
    voucher_application.c.organisation_id,
    unique=True,
    postgresql_where=voucher_application.c.status.in_(
        ("draft", "submitted", "returned", "waiting")
    ),
)
Index("voucher_application_status_idx", voucher_application.c.status, voucher_application.c.id)
Index(
    "voucher_application_waiting_idx",
    voucher_application.c.programme_id,
    voucher_application.c.waiting_rank,
    voucher_application.c.waiting_since,
    voucher_application.c.id,
    postgresql_where=voucher_application.c.status == "waiting",
)
Index("voucher_application_grant_idx", voucher_application.c.grant_id)
Index(
    "voucher_application_organisation_idx",
    voucher_application.c.organisation_id,
    voucher_application.c.id,
)
Index(
    "voucher_application_queue_idx",
    voucher_application.c.programme_id,
    voucher_application.c.id,
    postgresql_where=voucher_application.c.status == "submitted",
)

application_document = Table(
    "application_document",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("removed_by", BigInteger, ForeignKey("person.id")),
    Column("removed_at", Instant),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
    CheckConstraint("(removed_at is null) = (removed_by is null)", name="removed"),
)
Index(
    "application_document_once",
    application_document.c.application_id,
    application_document.c.kind,
    application_document.c.sha256,
    unique=True,
    postgresql_where=application_document.c.removed_at.is_(None),
)
Index(
    "application_document_application_idx",
    application_document.c.application_id,
    application_document.c.id,
)
Index("application_document_key_idx", application_document.c.storage_key)

application_approval = Table(
    "application_approval",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("applied_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("approved_at", Instant, nullable=False),
    UniqueConstraint("application_id", "round", "person_id", name="application_approval_once"),
    CheckConstraint("person_id <> applied_by", name="second_person"),
    CheckConstraint("amount_fen > 0", name="amount"),
)

# What each round of applications has granted: the row lock and the check keep its amount.
voucher_batch = Table(
    "voucher_batch",
    metadata,
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("granted_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger),
    PrimaryKeyConstraint("programme_id", "number"),
    CheckConstraint("granted_fen between 0 and amount_fen", name="amount"),
)

# What is known of a beneficiary beyond its yearly profile; counted once it is verified.
beneficiary_fact = Table(
    "beneficiary_fact",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("number", BigInteger),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("source", Text, nullable=False),
    Column("stated_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stated_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    CheckConstraint(
        "kind in ('certificate', 'capital', 'founded', 'incubated', 'team')", name="kind"
    ),
    CheckConstraint(
        "(kind = 'certificate') = (name <> '') and name ~ '^[a-z0-9-]{0,60}$'", name="name"
    ),
    CheckConstraint(
        "(kind in ('capital', 'team')) = (number is not null) and number >= 0", name="number"
    ),
    CheckConstraint("ends_on >= starts_on", name="days"),
    CheckConstraint("btrim(source) <> ''", name="source"),
    CheckConstraint("status in ('stated', 'verified', 'rejected', 'ended')", name="status"),
    CheckConstraint("decided_by is distinct from stated_by", name="second_person"),
    CheckConstraint(
        "(status = 'stated') = (decided_by is null)"
        " and (decided_by is null) = (decided_at is null)",
        name="decided",
    ),
)
Index(
    "beneficiary_fact_organisation_idx",
    beneficiary_fact.c.organisation_id,
    beneficiary_fact.c.id,
)
Index("beneficiary_fact_status_idx", beneficiary_fact.c.status, beneficiary_fact.c.id)
