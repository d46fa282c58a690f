"""Who may operate an instrument, and who asked to be trained for it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    text,
)

from marketplace.kernel.tables import Instant, metadata

qualification = Table(
    "qualification",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("granted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("granted_at", Instant, nullable=False),
    # None: until it is revoked.
    Column("valid_until", Instant),
    Column("reason", Text, nullable=False),
    # When its holder was told that it runs out; an extension sets it back.
    Column("reminded_at", Instant),
    Column("revoked_by", BigInteger, ForeignKey("person.id")),
    Column("revoked_at", Instant),
    Column("revoked_because", Text),
    CheckConstraint(
        "granted_by <> person_id and revoked_by is distinct from person_id", name="by_another"
    ),
    CheckConstraint("valid_until > granted_at", name="valid"),
    CheckConstraint(
        "num_nonnulls(revoked_by, revoked_at, revoked_because) in (0, 3)", name="revoked"
    ),
)
Index(
    "qualification_stands",
    qualification.c.instrument_id,
    qualification.c.person_id,
    unique=True,
    postgresql_where=qualification.c.revoked_at.is_(None),
)
Index("qualification_person_idx", qualification.c.person_id, qualification.c.id)
Index("qualification_provider_idx", qualification.c.provider_id, qualification.c.id)
Index(
    "qualification_expiring_idx",
    qualification.c.valid_until,
    postgresql_where=text("revoked_at is null and reminded_at is null"),
)

training_request = Table(
    "training_request",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # For whom the person asked: their own unit or their company.
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("asked_at", Instant, nullable=False),
    Column("trainer_id", BigInteger, ForeignKey("person.id")),
    Column("held_at", Instant),
    Column("place", Text),
    Column("answer", Text),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    Column("qualification_id", BigInteger, ForeignKey("qualification.id")),
    CheckConstraint(
        "status in ('asked', 'scheduled', 'passed', 'failed', 'withdrawn', 'declined')",
        name="status",
    ),
    CheckConstraint(
        "num_nonnulls(trainer_id, held_at, place) in (0, 3)"
        " and (status not in ('scheduled', 'passed', 'failed') or trainer_id is not null)",
        name="scheduled",
    ),
    CheckConstraint(
        "(status in ('asked', 'scheduled')) = (answered_at is null)"
        " and (answered_at is null) = (answered_by is null)",
        name="answered",
    ),
    CheckConstraint("(status = 'passed') = (qualification_id is not null)", name="passed"),
    CheckConstraint(
        "trainer_id <> person_id"
        " and (status = 'withdrawn' or answered_by is distinct from person_id)",
        name="by_another",
    ),
)
Index(
    "training_request_open",
    training_request.c.instrument_id,
    training_request.c.person_id,
    unique=True,
    postgresql_where=text("status in ('asked', 'scheduled')"),
)
Index("training_request_person_idx", training_request.c.person_id, training_request.c.id)
Index("training_request_provider_idx", training_request.c.provider_id, training_request.c.id)
