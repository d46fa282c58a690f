"""Grades, reward runs, their shares and notices, and what each entity was paid in a year."""

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
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# The newest row of a provider and year is its grade; earlier ones are what it was before.
provider_grade = Table(
    "provider_grade",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("grade", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    CheckConstraint("grade in ('excellent', 'good', 'qualified', 'unqualified')", name="grade"),
    CheckConstraint("source <> ''", name="source_named"),
)
Index(
    "provider_grade_latest_idx",
    provider_grade.c.year,
    provider_grade.c.provider_id,
    provider_grade.c.id.desc(),
)

# `terms` is the rulebook's section of the day `through`; `inputs_sha256` seals what was computed
# from. `claimed_fen` is what the run would pay without a budget, `total_fen` what it pays.
reward_run = Table(
    "reward_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("year", SmallInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("through", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("budget_fen", BigInteger),
    Column("entities", Integer, nullable=False, server_default="0"),
    Column("providers", Integer, nullable=False, server_default="0"),
    Column("service_total_fen", BigInteger, nullable=False, server_default="0"),
    Column("claimed_fen", BigInteger, nullable=False, server_default="0"),
    Column("total_fen", BigInteger, nullable=False, server_default="0"),
    Column("inputs_sha256", Text, nullable=False, server_default=""),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    Column("discarded_by", BigInteger, ForeignKey("person.id")),
    Column("discarded_at", Instant),
    Column("published_by", BigInteger, ForeignKey("person.id")),
    Column("published_at", Instant),
    Column("notice_ends_on", Date),
    UniqueConstraint("year", "sequence", name="reward_run_sequence"),
    CheckConstraint("status in ('draft', 'in_notice', 'approved', 'discarded')", name="status"),
    CheckConstraint(
        "num_nonnulls(published_by, published_at, notice_ends_on)"
        " = case when published_at is null then 0 else 3 end"
        " and case status when 'draft' then published_at is null"
        " when 'in_notice' then published_at is not null else true end",
        name="published_whole",
    ),
    CheckConstraint(
        "status <> 'approved' or published_at is not null"
        " or coalesce((terms -> 'notice_working_days' ->> 'value')::integer, 0) = 0",
        name="notice_given",
    ),
    CheckConstraint("approved_by is distinct from made_by", name="second_person"),
    CheckConstraint(
        "(status = 'approved') = (approved_by is not null)"
        " and (approved_by is null) = (approved_at is null)",
        name="approved_whole",
    ),
    CheckConstraint(
        "(status = 'discarded') = (discarded_by is not null)"
        " and (discarded_by is null) = (discarded_at is null)",
        name="discarded_whole",
    ),
    CheckConstraint(
        "through between make_date(year, 1, 1) and make_date(year, 12, 31)",
        name="through_in_year",
    ),
    CheckConstraint(
        "total_fen >= 0 and (budget_fen is null or total_fen <= budget_fen)", name="budget"
    ),
)
# Two drafts of one year would both pay what is open.
Index(
    "reward_run_one_draft",
    reward_run.c.year,
    unique=True,
    postgresql_where=reward_run.c.status.in_(("draft", "in_notice")),
)

# Whoever reads a notice may object to it, and every objection is answered before money moves.
reward_objection = Table(
    "reward_objection",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", BigInteger, ForeignKey("reward_run.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("answer", Text),
    Column("answered_by", BigInteger, ForeignKey("person.id")),
    Column("answered_at", Instant),
    CheckConstraint("name <> '' and contact <> '' and statement <> ''", name="filed"),
    CheckConstraint("status in ('open', 'upheld', 'dismissed')", name="status"),
    CheckConstraint(
        "num_nonnulls(answer, answered_by, answered_at)"
        " = case status when 'open' then 0 else 3 end",
        name="answered",
    ),
)
Index("reward_objection_run_idx", reward_objection.c.run_id, reward_objection.c.id)

# `entitled_fen` is what the year so far has earned at the rates, `capped_fen` the same under the
# cap; `claimed_fen` is what of it was not paid before, `amount_fen` what the budget leaves of it.
# `held_fen` is kept back instead, as long as a report on the use of earlier rewards is overdue.
reward_entity_share = Table(
    "reward_entity_share",
    metadata,
    Column("run_id", BigInteger, ForeignKey("reward_run.id"), nullable=False),
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("service_total_fen", BigInteger, nullable=False),
    Column("entitled_fen", BigInteger, nullable=False),
    Column("capped_fen", BigInteger, nullable=False),
    Column("paid_before_fen", BigInteger, nullable=False),
    Column("claimed_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("held_fen", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("run_id", "legal_entity_id"),
    CheckConstraint("capped_fen between 0 and entitled_fen", name="capped"),
    CheckConstraint(
        "claimed_fen + held_fen = greatest(capped_fen - paid_before_fen, 0)", name="claimed"
    ),
    CheckConstraint("held_fen >= 0 and (held_fen = 0 or claimed_fen = 0)", name="held"),
    CheckConstraint("amount_fen between 0 and claimed_fen", name="amount"),
)

# `weight` is what the provider earned at its rate and was not paid, in 1/10,000 fen.
reward_share = Table(
    "reward_share",
    metadata,
    Column("run_id", BigInteger, nullable=False),
    Column("legal_entity_id", BigInteger, nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("service_total_fen", BigInteger, nullable=False),
    Column("grade", Text),
    Column("rate_basis_points", Integer, nullable=False),
    Column("weight", Numeric, nullable=False),
    Column("uncapped_fen", BigInteger, nullable=False),
    Column("bound_fen", BigInteger, nullable=False),
    Column("paid_before_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("arithmetic", JSONB, nullable=False),
    Column("rate_class", Text, nullable=False, server_default="graded"),
    PrimaryKeyConstraint("run_id", "legal_entity_id", "provider_id"),
    ForeignKeyConstraint(
        ["run_id", "legal_entity_id"],
        ["reward_entity_share.run_id", "reward_entity_share.legal_entity_id"],
        name="reward_share_entity",
        deferrable=True,
        initially="DEFERRED",
    ),
    CheckConstraint("rate_class in ('graded', 'social', 'special')", name="rate_class"),
    CheckConstraint("weight >= 0", name="weight"),
    CheckConstraint("amount_fen >= 0", name="amount"),
    CheckConstraint("amount_fen = 0 or paid_before_fen + amount_fen <= bound_fen", name="bound"),
)
Index("reward_share_provider_idx", reward_share.c.provider_id, reward_share.c.run_id)

# What each instrument has earned, in 1/10,000 fen, where the terms cap it.
reward_instrument_share = Table(
    "reward_instrument_share",
    metadata,
    Column("run_id", BigInteger, nullable=False),
    Column("legal_entity_id", BigInteger, nullable=False),
    Column("provider_id", BigInteger, nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("service_total_fen", BigInteger, nullable=False),
    Column("rate_basis_points", Integer, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),
    Column("counted", Numeric, nullable=False),
    PrimaryKeyConstraint("run_id", "legal_entity_id", "provider_id", "instrument_id"),
    ForeignKeyConstraint(
        ["run_id", "legal_entity_id", "provider_id"],
        ["reward_share.run_id", "reward_share.legal_entity_id", "reward_share.provider_id"],
        name="reward_instrument_share_unit",
        deferrable=True,
        initially="DEFERRED",
    ),
    CheckConstraint("counted <= cap_fen::numeric * 10000", name="cap"),
    CheckConstraint(
        "counted = least(greatest(service_total_fen, 0)::numeric * rate_basis_points,"
        " cap_fen::numeric * 10000)",
        name="counted",
    ),
)

# Whoever approves a run locks these rows; the check keeps the cap whatever runs at the same time.
reward_year = Table(
    "reward_year",
    metadata,
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("legal_entity_id", "year"),
    CheckConstraint("paid_fen between 0 and cap_fen", name="cap"),
)
