"""Anomalies: what the detectors found, what it is about, what became of it."""

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
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# A trigger lets nobody decide who is involved; see `involved_persons` in the database.
anomaly = Table(
    "anomaly",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    # One anomaly for one thing, however often it is found.
    Column("fingerprint", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("evidence_sha256", Text, nullable=False),
    Column("detector_version", Integer, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("assigned_to", BigInteger, ForeignKey("person.id")),
    Column("assigned_at", Instant),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("reason", Text, nullable=False, server_default=""),
    UniqueConstraint("fingerprint", name="anomaly_fingerprint"),
    CheckConstraint(
        "kind in ('affiliated-parties', 'duplicate-contract', 'duplicate-invoice',"
        " 'duplicate-payment-proof', 'duplicate-result', 'split-orders', 'circular-trade',"
        " 'price-above-list', 'price-outlier', 'session-impossible', 'operator-overlap',"
        " 'hours-above-opening', 'result-before-samples', 'burst-before-expiry',"
        " 'settled-no-show', 'shared-identity')",
        name="kind",
    ),
    CheckConstraint("severity in ('notice', 'warning', 'blocking')", name="severity"),
    CheckConstraint(
        "status in ('open', 'in_review', 'needs_information', 'confirmed', 'dismissed')",
        name="status",
    ),
    CheckConstraint(
        "fingerprint ~ '^[0-9a-f]{64}$' and evidence_sha256 ~ '^[0-9a-f]{64}$'", name="sha256"
    ),
    CheckConstraint("seen_at >= found_at", name="seen"),
    CheckConstraint(
        "(assigned_to is null) = (assigned_at is null)"
        " and (status <> 'in_review' or assigned_to is not null)",
        name="assigned",
    ),
    CheckConstraint(
        "(decided_by is null) = (decided_at is null) and (decided_by is null) = (reason = '')"
        " and (decided_by is null) = (status in ('open', 'in_review'))",
        name="decided",
    ),
)
Index("anomaly_status_idx", anomaly.c.status, anomaly.c.id)
Index("anomaly_kind_idx", anomaly.c.kind, anomaly.c.id)
Index("anomaly_severity_idx", anomaly.c.severity, anomaly.c.id)
Index("anomaly_found_idx", anomaly.c.found_at, anomaly.c.id)
Index(
    "anomaly_assigned_idx",
    anomaly.c.assigned_to,
    anomaly.c.id,
    postgresql_where=anomaly.c.assigned_to.is_not(None),
)

anomaly_subject = Table(
    "anomaly_subject",
    metadata,
    Column("anomaly_id", BigInteger, ForeignKey("anomaly.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("anomaly_id", "kind", "subject_id"),
    CheckConstraint(
        "kind in ('order', 'redemption', 'claim', 'grant', 'application', 'organisation')",
        name="kind",
    ),
)
Index(
    "anomaly_subject_idx",
    anomaly_subject.c.kind,
    anomaly_subject.c.subject_id,
    anomaly_subject.c.anomaly_id,
)

anomaly_event = Table(
    "anomaly_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("anomaly_id", BigInteger, ForeignKey("anomaly.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("facts", JSONB, nullable=False),
    CheckConstraint(
        "kind in ('found', 'evidence_changed', 'reopened', 'assigned', 'needs_information',"
        " 'confirmed', 'dismissed', 'answered')",
        name="kind",
    ),
)
Index("anomaly_event_anomaly_idx", anomaly_event.c.anomaly_id, anomaly_event.c.id)

anomaly_statement = Table(
    "anomaly_statement",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("anomaly_id", BigInteger, ForeignKey("anomaly.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("statement", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("length(statement) between 1 and 4000", name="length"),
)
Index("anomaly_statement_anomaly_idx", anomaly_statement.c.anomaly_id, anomaly_statement.c.id)

anomaly_run = Table(
    "anomaly_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("since", Date),
    Column("through", Date, nullable=False),
    Column("claim_id", BigInteger, ForeignKey("claim.id")),
    Column("redemptions", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("detector_version", Integer, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("since <= through", name="days"),
    CheckConstraint("redemptions >= 0 and found >= 0 and changed >= 0", name="counts"),
)
Index(
    "anomaly_run_claim_idx",
    anomaly_run.c.claim_id,
    anomaly_run.c.id,
    postgresql_where=anomaly_run.c.claim_id.is_not(None),
)
