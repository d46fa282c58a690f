"""The tables of vouchers; the names of the constraints are what refusals hang on."""

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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata
from marketplace.vouchers.tables.anomalies import (
    anomaly,
    anomaly_event,
    anomaly_run,
    anomaly_statement,
    anomaly_subject,
)
from marketplace.vouchers.tables.applications import (
    application_approval,
    application_document,
    beneficiary_fact,
    voucher_application,
    voucher_batch,
)
from marketplace.vouchers.tables.claims import (
    claim,
    claim_audit,
    claim_evidence,
    claim_line,
    claim_objection,
    clawback,
    clawback_line,
    clawback_recovery,
    redemption_return,
    spot_check,
)
from marketplace.vouchers.tables.grants import (
    grant_change,
    grant_change_part,
    voucher_cap,
    voucher_hold_cap,
)
from marketplace.vouchers.tables.programmes import (
    programme_dry_run,
    programme_dry_run_line,
    programme_layer_change,
    programme_version,
)
from marketplace.vouchers.tables.sanctions import sanction

__all__ = [
    "anomaly",
    "anomaly_event",
    "anomaly_run",
    "anomaly_statement",
    "anomaly_subject",
    "application_approval",
    "application_document",
    "beneficiary_fact",
    "claim",
    "claim_audit",
    "claim_evidence",
    "claim_line",
    "claim_objection",
    "clawback",
    "clawback_line",
    "clawback_recovery",
    "grant_change",
    "grant_change_part",
    "grant_part",
    "programme",
    "programme_dry_run",
    "programme_dry_run_line",
    "programme_layer",
    "programme_layer_change",
    "programme_version",
    "redemption",
    "redemption_part",
    "redemption_return",
    "sanction",
    "spot_check",
    "voucher_application",
    "voucher_batch",
    "voucher_cap",
    "voucher_grant",
    "voucher_hold",
    "voucher_hold_cap",
    "voucher_hold_part",
    "voucher_year",
]

programme = Table(
    "programme",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("closes_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    Column("closed_at", Instant),
    Column("code", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False, server_default=""),
    UniqueConstraint("year", "name", name="programme_name"),
    CheckConstraint("status in ('draft', 'open', 'closed')", name="status"),
    CheckConstraint("opens_on <= closes_on and closes_on <= valid_until", name="days"),
    CheckConstraint("approved_by is distinct from made_by", name="second_person"),
    CheckConstraint("(status = 'draft') = (approved_by is null)", name="approved"),
    CheckConstraint("code ~ '^[a-z0-9-]{0,40}$'", name="code"),
)
Index(
    "programme_code_year",
    programme.c.code,
    programme.c.year,
    unique=True,
    postgresql_where=programme.c.code != "",
)

# A funder's budget of one year; without a year it is the programme's.
programme_layer = Table(
    "programme_layer",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("funder", Text, nullable=False),
    Column("region_code", CHAR(6), nullable=False),
    Column("ratio_basis_points", Integer, nullable=False),
    Column("budget_fen", BigInteger, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("budget_year", Integer),
    # The first day of a layer that a version added.
    Column("starts_on", Date),
    UniqueConstraint(
        "programme_id",
        "funder",
        "region_code",
        "budget_year",
        name="programme_layer_once",
        postgresql_nulls_not_distinct=True,
    ),
    CheckConstraint("budget_year between 2000 and 2100", name="year"),
    CheckConstraint("funder in ('province', 'city', 'zone')", name="funder"),
    CheckConstraint("ratio_basis_points between 1 and 10000", name="ratio"),
    CheckConstraint("budget_fen > 0", name="budget"),
)

voucher_grant = Table(
    "voucher_grant",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("granted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("granted_at", Instant, nullable=False),
    # The version of the programme's terms in force that day; a trigger enters it.
    Column("terms_version", Integer, nullable=False, server_default="0"),
    CheckConstraint("terms_version >= 1", name="terms_version"),
    Column("beneficiary", Text, nullable=False, server_default="technology-sme"),
    UniqueConstraint("programme_id", "organisation_id", name="voucher_grant_once"),
    UniqueConstraint("application_id", name="voucher_grant_application"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("status in ('active', 'exhausted', 'expired', 'revoked')", name="status"),
)
Index("voucher_grant_organisation_idx", voucher_grant.c.organisation_id, voucher_grant.c.id)
Index(
    "voucher_grant_due_idx",
    voucher_grant.c.valid_until,
    voucher_grant.c.id,
    postgresql_where=voucher_grant.c.status == "active",
)

grant_part = Table(
    "grant_part",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("grant_id", BigInteger, ForeignKey("voucher_grant.id"), nullable=False),
    Column("layer_id", BigInteger, ForeignKey("programme_layer.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    UniqueConstraint("grant_id", "layer_id", name="grant_part_once"),
    CheckConstraint("amount_fen >= 0", name="amount"),
)

# What one funder granted to one SME in a year: the row lock and the check together keep the
# yearly cap, however many programmes grant at once.
voucher_year = Table(
    "voucher_year",
    metadata,
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("funder", Text, nullable=False),
    Column("granted_fen", BigInteger, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("organisation_id", "year", "funder"),
    CheckConstraint("granted_fen between 0 and cap_fen", name="cap"),
)

voucher_hold = Table(
    "voucher_hold",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("grant_id", BigInteger, ForeignKey("voucher_grant.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("service_kind", Text, nullable=False),
    Column("service_value_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("held_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("position", SmallInteger, nullable=False, server_default="0"),
    Column("first_use", Boolean, nullable=False, server_default="false"),
    Column("settled_fen", BigInteger),
    Column("terms_version", Integer, nullable=False, server_default="0"),
    Column("counted_year", Integer, nullable=False, server_default="0"),
    # How many persons the service trains, where that caps what a voucher pays.
    Column("persons", Integer),
    CheckConstraint("persons between 1 and 10000", name="persons"),
    UniqueConstraint("id", "counted_year", name="voucher_hold_of_year"),
    CheckConstraint("counted_year between 2000 and 2100", name="counted_year"),
    CheckConstraint("terms_version >= 1", name="terms_version"),
    CheckConstraint("status in ('held', 'settled', 'released')", name="status"),
    CheckConstraint("amount_fen > 0 and amount_fen <= service_value_fen", name="amount"),
    CheckConstraint("(status = 'held') = (ended_at is null)", name="ended"),
    CheckConstraint("position between 0 and 7", name="position"),
    CheckConstraint(
        "(status = 'settled') = (settled_fen is not null) and settled_fen between 0 and amount_fen",
        name="settled",
    ),
)
Index("voucher_hold_grant_idx", voucher_hold.c.grant_id)
Index(
    "voucher_hold_open_idx",
    voucher_hold.c.grant_id,
    postgresql_where=voucher_hold.c.status == "held",
)
# One order may take several vouchers, the one in place 0 first. An order that changes lets its
# holds go and takes others: one set of them at a time.
Index(
    "voucher_hold_order",
    voucher_hold.c.order_id,
    voucher_hold.c.position,
    unique=True,
    postgresql_where=voucher_hold.c.status != "released",
)
Index(
    "voucher_hold_order_grant",
    voucher_hold.c.order_id,
    voucher_hold.c.grant_id,
    unique=True,
    postgresql_where=voucher_hold.c.status != "released",
)
Index(
    "voucher_hold_first_use",
    voucher_hold.c.grant_id,
    unique=True,
    postgresql_where=voucher_hold.c.first_use & (voucher_hold.c.status != "released"),
)
Index("voucher_hold_order_idx", voucher_hold.c.order_id)

voucher_hold_part = Table(
    "voucher_hold_part",
    metadata,
    Column("hold_id", BigInteger, ForeignKey("voucher_hold.id"), nullable=False),
    Column("grant_part_id", BigInteger, ForeignKey("grant_part.id"), nullable=False),
    Column("ledger_hold_id", BigInteger, ForeignKey("hold.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    # The layer's share on the day of the order; a trigger enters it.
    Column("ratio_basis_points", Integer, nullable=False, server_default="0"),
    CheckConstraint("ratio_basis_points between 1 and 10000", name="ratio"),
    PrimaryKeyConstraint("hold_id", "grant_part_id"),
    UniqueConstraint("ledger_hold_id", name="voucher_hold_part_ledger_hold"),
    CheckConstraint("amount_fen > 0", name="amount"),
)

redemption = Table(
    "redemption",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("grant_id", BigInteger, ForeignKey("voucher_grant.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("service_value_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("redeemed_on", Date, nullable=False),
    Column("claim_id", BigInteger, ForeignKey("claim.id")),
    Column("excluded_at", Instant),
    Column("excluded_reason", Text),
    # What came back of it; the triggers of `redemption_return` keep it.
    Column("returned_fen", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("returned_fen between 0 and amount_fen", name="returned"),
    UniqueConstraint("order_id", "grant_id", name="redemption_order"),
    CheckConstraint("amount_fen > 0 and amount_fen <= service_value_fen", name="amount"),
    CheckConstraint("(excluded_at is null) = (excluded_reason is null)", name="excluded"),
)
Index(
    "redemption_unclaimed_idx",
    redemption.c.provider_id,
    redemption.c.redeemed_on,
    postgresql_where=redemption.c.claim_id.is_(None) & redemption.c.excluded_at.is_(None),
)
Index("redemption_claim_idx", redemption.c.claim_id, redemption.c.id)
Index("redemption_redeemed_on_idx", redemption.c.redeemed_on)
Index("redemption_grant_idx", redemption.c.grant_id)

redemption_part = Table(
    "redemption_part",
    metadata,
    Column("redemption_id", BigInteger, ForeignKey("redemption.id"), nullable=False),
    Column("layer_id", BigInteger, ForeignKey("programme_layer.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("redemption_id", "layer_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
