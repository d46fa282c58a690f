"""Versions of a programme's terms, and what a changed rule would have made of past orders."""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
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

# The terms that a programme was approved with are its version 1; these are the later ones. A
# second person approves a version before the day on which it starts, and then it stays as it is.
programme_version = Table(
    "programme_version",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    UniqueConstraint("programme_id", "version", name="programme_version_once"),
    CheckConstraint("version >= 2", name="number"),
    CheckConstraint("status in ('draft', 'approved', 'discarded')", name="status"),
    CheckConstraint("approved_by is distinct from made_by", name="second_person"),
    CheckConstraint(
        "(status = 'approved') = (approved_by is not null)"
        " and (approved_by is null) = (approved_at is null)",
        name="approved",
    ),
    CheckConstraint(
        "approved_at is null or starts_on > (approved_at at time zone 'Asia/Shanghai')::date",
        name="ahead",
    ),
    CheckConstraint("length(reason) between 1 and 2000", name="reason"),
)
Index(
    "programme_version_start",
    programme_version.c.programme_id,
    programme_version.c.starts_on,
    unique=True,
    postgresql_where=programme_version.c.status == "approved",
)
Index(
    "programme_version_open",
    programme_version.c.programme_id,
    unique=True,
    postgresql_where=programme_version.c.status == "draft",
)

# What a version changes of its programme's layers: another budget, another share, or a new layer,
# which has a row of its own once the version is approved.
programme_layer_change = Table(
    "programme_layer_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version_id", BigInteger, ForeignKey("programme_version.id"), nullable=False),
    Column("layer_id", BigInteger, ForeignKey("programme_layer.id")),
    Column("is_new", Boolean, nullable=False),
    Column("funder", Text),
    Column("region_code", CHAR(6)),
    Column("name", Text, nullable=False, server_default=""),
    Column("budget_year", Integer),
    Column("ratio_basis_points", Integer),
    Column("budget_fen", BigInteger),
    Column("budget_before_fen", BigInteger),
    UniqueConstraint("version_id", "layer_id", name="programme_layer_change_once"),
    CheckConstraint("funder in ('province', 'city', 'zone')", name="funder"),
    CheckConstraint("budget_year between 2000 and 2100", name="year"),
    CheckConstraint("ratio_basis_points between 1 and 10000", name="ratio"),
    CheckConstraint("budget_fen > 0", name="budget"),
    CheckConstraint("budget_before_fen >= 0", name="before"),
    CheckConstraint(
        "case when is_new"
        " then num_nulls(funder, region_code, ratio_basis_points, budget_fen) = 0"
        " else layer_id is not null and num_nonnulls(funder, region_code, budget_year) = 0"
        " and num_nonnulls(ratio_basis_points, budget_fen) > 0 end",
        name="what",
    ),
)
Index(
    "programme_layer_change_new",
    programme_layer_change.c.version_id,
    programme_layer_change.c.funder,
    programme_layer_change.c.region_code,
    programme_layer_change.c.budget_year,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=programme_layer_change.c.is_new,
)
Index("programme_layer_change_layer_idx", programme_layer_change.c.layer_id)

programme_dry_run = Table(
    "programme_dry_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("orders", BigInteger, nullable=False, server_default="0"),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("summary", JSONB),
    Column("reason", Text, nullable=False, server_default=""),
    Column("asked_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    CheckConstraint("status in ('waiting', 'running', 'done', 'failed')", name="status"),
    CheckConstraint("from_on <= until_on", name="days"),
    CheckConstraint("done between 0 and orders", name="progress"),
    CheckConstraint(
        "(status in ('done', 'failed')) = (finished_at is not null)"
        " and (status = 'done') = (summary is not null)",
        name="finished",
    ),
)
Index("programme_dry_run_programme_idx", programme_dry_run.c.programme_id, programme_dry_run.c.id)
Index(
    "programme_dry_run_due_idx",
    programme_dry_run.c.id,
    postgresql_where=programme_dry_run.c.status.in_(("waiting", "running")),
)

programme_dry_run_line = Table(
    "programme_dry_run_line",
    metadata,
    Column(
        "run_id", BigInteger, ForeignKey("programme_dry_run.id", ondelete="CASCADE"), nullable=False
    ),
    Column("dimension", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("orders", BigInteger, nullable=False),
    Column("service_value_fen", BigInteger, nullable=False),
    Column("orders_before", BigInteger, nullable=False),
    Column("orders_after", BigInteger, nullable=False),
    Column("before_fen", BigInteger, nullable=False),
    Column("after_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_id", "dimension", "key"),
    CheckConstraint(
        "dimension in ('size', 'region', 'service_kind', 'provider', 'layer', 'let_in_size',"
        " 'let_in_region', 'let_in_service_kind', 'let_in_provider', 'let_in_layer',"
        " 'let_in_unknown')",
        name="dimension",
    ),
)
