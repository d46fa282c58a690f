"""Assessments, the experts' scores behind them, and objections to them."""

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

assessment = Table(
    "assessment",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("indicators", JSONB, nullable=False),
    Column("points", JSONB, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("total_points", Integer, nullable=False),
    Column("grade", Text, nullable=False),
    Column("veto", Text),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("objections_end_on", Date),
    Column("finalised_by", BigInteger, ForeignKey("person.id")),
    Column("finalised_at", Instant),
    UniqueConstraint("provider_id", "year", name="assessment_provider_year"),
    CheckConstraint("status in ('draft', 'published', 'final')", name="status"),
    CheckConstraint("grade in ('excellent', 'good', 'qualified', 'unqualified')", name="grade"),
    CheckConstraint("total_points between 0 and 10000", name="total_points"),
    CheckConstraint("finalised_by is distinct from made_by", name="two_persons"),
    CheckConstraint("(status = 'final') = (finalised_by is not null)", name="final"),
    CheckConstraint("(finalised_by is null) = (finalised_at is null)", name="finalised_at"),
    CheckConstraint("(status = 'draft') = (objections_end_on is null)", name="published"),
    CheckConstraint("veto is null or grade = 'unqualified'", name="veto"),
)
Index("assessment_year_idx", assessment.c.year, assessment.c.status)

expert_score = Table(
    "expert_score",
    metadata,
    Column("assessment_id", BigInteger, ForeignKey("assessment.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("component", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("given_at", Instant, nullable=False),
    PrimaryKeyConstraint("assessment_id", "person_id", "component"),
    CheckConstraint("component in ('landmark_services', 'rules_and_practice')", name="component"),
    CheckConstraint("score between 0 and 100", name="score"),
)

objection = Table(
    "objection",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("assessment_id", BigInteger, ForeignKey("assessment.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("answer", Text),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    CheckConstraint("(answer is null) = (answered_by is null)", name="answered"),
    CheckConstraint("(answered_by is null) = (answered_at is null)", name="answered_at"),
)
Index("objection_assessment_idx", objection.c.assessment_id)
