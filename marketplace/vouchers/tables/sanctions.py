"""Sanctions of SMEs and providers: proposed, heard, decided by another person, appealed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    text,
)

from marketplace.kernel.tables import Instant, metadata

sanction = Table(
    "sanction",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("programme_id", BigInteger, ForeignKey("programme.id")),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("status", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("statement_due_on", Date, nullable=False),
    Column("statement", Text),
    Column("stated_by", BigInteger, ForeignKey("person.id")),
    Column("stated_at", Instant),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decision", Text, nullable=False, server_default=""),
    Column("appeal_due_on", Date),
    Column("appeal", Text),
    Column("appealed_by", BigInteger, ForeignKey("person.id")),
    Column("appealed_at", Instant),
    Column("appeal_decided_by", BigInteger, ForeignKey("person.id")),
    Column("appeal_decided_at", Instant),
    Column("appeal_answer", Text),
    CheckConstraint("kind in ('warning', 'suspension', 'exclusion')", name="kind"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("ends_on >= starts_on", name="days"),
    CheckConstraint("kind <> 'suspension' or ends_on is not null", name="period"),
    CheckConstraint("kind <> 'exclusion' or programme_id is not null", name="of_programme"),
    CheckConstraint(
        "status in ('proposed', 'imposed', 'dropped', 'appealed', 'lifted')", name="status"
    ),
    CheckConstraint("decided_by is distinct from proposed_by", name="second_person"),
    CheckConstraint(
        "num_nonnulls(decided_by, decided_at) = case status when 'proposed' then 0 else 2 end",
        name="decided",
    ),
    CheckConstraint("num_nonnulls(statement, stated_by, stated_at) in (0, 3)", name="stated"),
    CheckConstraint(
        "num_nonnulls(appeal, appealed_by, appealed_at) in (0, 3)"
        " and (status <> 'appealed' or appeal is not null)",
        name="appealed",
    ),
    CheckConstraint(
        "num_nonnulls(appeal_decided_by, appeal_decided_at, appeal_answer) in (0, 3)"
        " and (appeal_decided_by is null"
        " or (appeal is not null and status in ('imposed', 'lifted')))",
        name="appeal_decided",
    ),
    CheckConstraint(
        "appeal_decided_by is null"
        " or (appeal_decided_by <> proposed_by and appeal_decided_by <> decided_by)",
        name="appeal_third_person",
    ),
)
Index("sanction_organisation_idx", sanction.c.organisation_id, sanction.c.id)
Index("sanction_status_idx", sanction.c.status, sanction.c.id)
Index(
    "sanction_in_force_idx",
    sanction.c.organisation_id,
    sanction.c.programme_id,
    postgresql_where=text("status in ('imposed', 'appealed') and kind <> 'warning'"),
)
