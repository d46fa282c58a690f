"""Claims and their lines, their audits and objections, and what came back of redemptions."""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

claim = Table(
    "claim",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id")),
    Column("programme_id", BigInteger, ForeignKey("programme.id")),
    Column("status", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("seed", BigInteger),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("submitted_by", BigInteger, ForeignKey("person.id")),
    Column("submitted_at", Instant),
    Column("audited_by", BigInteger, ForeignKey("person.id")),
    Column("audited_at", Instant),
    Column("notice_starts_on", Date),
    Column("notice_ends_on", Date),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    Column("entry_id", BigInteger, ForeignKey("entry.id")),
    Column("refused_by", BigInteger, ForeignKey("person.id")),
    Column("refused_at", Instant),
    Column("reversed_by", BigInteger, ForeignKey("person.id")),
    Column("reversed_at", Instant),
    Column("reversal_entry_id", BigInteger, ForeignKey("entry.id")),
    Column("reason", Text, nullable=False, server_default=""),
    # Whoever paid the service claims: the provider that took the voucher, or the SME.
    Column("sme_id", BigInteger, ForeignKey("organisation.id")),
    # What was kept of it for what is owed of earlier claims.
    Column("set_off_fen", BigInteger, nullable=False, server_default="0"),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    CheckConstraint("num_nonnulls(provider_id, sme_id) = 1", name="claimant"),
    CheckConstraint("set_off_fen between 0 and amount_fen", name="set_off"),
    CheckConstraint(
        "num_nonnulls(withdrawn_by, withdrawn_at) = case status when 'withdrawn' then 2 else 0 end",
        name="withdrawn",
    ),
    CheckConstraint(
        "status in ('draft', 'submitted', 'audited', 'in_notice', 'approved', 'paid', 'refused', "
        "'reversed', 'withdrawn')",
        name="status",
    ),
    CheckConstraint("amount_fen >= 0", name="amount"),
    CheckConstraint("audited_by is null or audited_by <> submitted_by", name="auditor"),
    CheckConstraint(
        "approved_by is null or (approved_by <> submitted_by and approved_by <> audited_by)",
        name="second_person",
    ),
    CheckConstraint("audited_by is null or seed is not null", name="seed"),
    CheckConstraint("approved_by is null or notice_ends_on is not null", name="notice"),
    CheckConstraint("(approved_by is null) = (entry_id is null)", name="entry"),
)
Index("claim_provider_idx", claim.c.provider_id, claim.c.id)
Index("claim_status_idx", claim.c.status, claim.c.id)
Index("claim_sme_idx", claim.c.sme_id, claim.c.id, postgresql_where=claim.c.sme_id.is_not(None))

# One file serves one redemption, under as many kinds as it proves; one invoice likewise.
claim_evidence = Table(
    "claim_evidence",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("redemption_id", BigInteger, ForeignKey("redemption.id"), nullable=False),
    # Entered by a trigger: several vouchers of one order are claimed with the same papers.
    Column("order_id", BigInteger, FetchedValue(), nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("invoice_number", CHAR(20)),
    Column("attached_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("attached_at", Instant, nullable=False),
    # What its reference is compared by, where it has the digits of a number.
    Column(
        "document",
        Text,
        Computed(
            "case when length(regexp_replace(reference, '[^0-9]', '', 'g')) >= 5"
            " then document_key(reference) end",
            persisted=True,
        ),
    ),
    # The day of an invoice or of a payment, where a programme pays for those of some days only.
    Column("dated_on", Date),
    CheckConstraint(
        "kind in ('contract', 'invoice', 'payment-proof', 'result', 'usage-log',"
        " 'provider-qualification', 'service-confirmation', 'service-rating')",
        name="kind",
    ),
    CheckConstraint("dated_on is null or kind in ('invoice', 'payment-proof')", name="dated"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("(kind = 'invoice') = (invoice_number is not null)", name="invoice"),
    CheckConstraint("invoice_number ~ '^[0-9]{20}$'", name="digits"),
    UniqueConstraint("redemption_id", "kind", "sha256", name="claim_evidence_attached_once"),
    ExcludeConstraint(
        ("invoice_number", "="), ("order_id", "<>"), name="claim_evidence_invoice_number"
    ),
    # What qualifies a provider is the same paper for all that it serves.
    ExcludeConstraint(
        ("sha256", "="),
        ("order_id", "<>"),
        name="claim_evidence_file",
        where=text("kind <> 'provider-qualification'"),
    ),
)
Index(
    "claim_evidence_document_idx",
    claim_evidence.c.document,
    claim_evidence.c.kind,
    postgresql_where=claim_evidence.c.document.is_not(None),
)
Index("claim_evidence_attached_idx", claim_evidence.c.attached_at)

spot_check = Table(
    "spot_check",
    metadata,
    Column("claim_id", BigInteger, ForeignKey("claim.id"), nullable=False),
    Column("redemption_id", BigInteger, ForeignKey("redemption.id"), nullable=False),
    Column("result", Text, nullable=False),
    Column("finding", Text, nullable=False, server_default=""),
    Column("checked_by", BigInteger, ForeignKey("person.id")),
    Column("checked_at", Instant),
    PrimaryKeyConstraint("claim_id", "redemption_id"),
    CheckConstraint("result in ('open', 'passed', 'failed')", name="result"),
    CheckConstraint("(result = 'open') = (checked_by is null)", name="checked"),
)
Index("spot_check_redemption_idx", spot_check.c.redemption_id)

# What was claimed of a redemption, what of it is approved, and why not all; a line that was
# refused is claimed again, corrected, in another claim.
claim_line = Table(
    "claim_line",
    metadata,
    Column("claim_id", BigInteger, ForeignKey("claim.id"), nullable=False),
    Column("redemption_id", BigInteger, ForeignKey("redemption.id"), nullable=False),
    Column("claimed_fen", BigInteger, nullable=False),
    Column("approved_fen", BigInteger, nullable=False),
    Column("clawed_back_fen", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("resubmits_claim_id", BigInteger),
    Column("correction", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("claim_id", "redemption_id"),
    ForeignKeyConstraint(
        ["resubmits_claim_id", "redemption_id"],
        ["claim_line.claim_id", "claim_line.redemption_id"],
        name="claim_line_resubmits_fkey",
    ),
    UniqueConstraint("resubmits_claim_id", "redemption_id", name="claim_line_resubmitted_once"),
    CheckConstraint("resubmits_claim_id <> claim_id", name="resubmits"),
    CheckConstraint("(resubmits_claim_id is null) = (correction = '')", name="corrected"),
    CheckConstraint("approved_fen between 0 and claimed_fen", name="approved"),
    CheckConstraint("clawed_back_fen between 0 and approved_fen", name="clawed_back"),
    CheckConstraint("approved_fen = claimed_fen or reason <> ''", name="reason"),
    CheckConstraint("(decided_by is null) = (decided_at is null)", name="decided"),
)
Index("claim_line_redemption_idx", claim_line.c.redemption_id)

# The audit of each layer's city or zone, and the re-check by another person at the centre.
claim_audit = Table(
    "claim_audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("claim_id", BigInteger, ForeignKey("claim.id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("layer_id", BigInteger, ForeignKey("programme_layer.id")),
    Column("passed", Boolean, nullable=False),
    Column("finding", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("stage in ('local', 'centre')", name="stage"),
    CheckConstraint("(stage = 'local') = (layer_id is not null)", name="layer"),
    UniqueConstraint(
        "claim_id",
        "stage",
        "layer_id",
        name="claim_audit_once",
        postgresql_nulls_not_distinct=True,
    ),
)

claim_objection = Table(
    "claim_objection",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("claim_id", BigInteger, ForeignKey("claim.id"), nullable=False),
    Column("redemption_id", BigInteger, ForeignKey("redemption.id")),
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
Index("claim_objection_claim_idx", claim_objection.c.claim_id, claim_objection.c.id)
Index(
    "claim_objection_open_idx",
    claim_objection.c.claim_id,
    postgresql_where=claim_objection.c.status == "open",
)

# Money that was approved and is asked back: because of a finding, or because an order is refunded.
clawback = Table(
    "clawback",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("claim_id", BigInteger, ForeignKey("claim.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("cause", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("recovered_fen", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decision", Text, nullable=False, server_default=""),
    Column("entry_id", BigInteger, ForeignKey("entry.id")),
    CheckConstraint("cause in ('finding', 'refund')", name="cause"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("reason <> ''", name="reason"),
    CheckConstraint("recovered_fen between 0 and amount_fen", name="recovered"),
    CheckConstraint("status in ('proposed', 'approved', 'rejected')", name="status"),
    CheckConstraint("decided_by is distinct from proposed_by", name="second_person"),
    CheckConstraint(
        "(status = 'proposed') = (decided_at is null)"
        " and (cause = 'refund' or (decided_by is null) = (decided_at is null))",
        name="decided",
    ),
    CheckConstraint("(status = 'approved') = (entry_id is not null)", name="entry"),
    CheckConstraint("recovered_fen = 0 or status = 'approved'", name="recovers_what_was_decided"),
)
Index("clawback_claim_idx", clawback.c.claim_id, clawback.c.id)
Index(
    "clawback_due_idx",
    clawback.c.organisation_id,
    clawback.c.id,
    postgresql_where=text("status = 'approved' and recovered_fen < amount_fen"),
)

clawback_line = Table(
    "clawback_line",
    metadata,
    Column("clawback_id", BigInteger, ForeignKey("clawback.id"), nullable=False),
    Column("claim_id", BigInteger, nullable=False),
    Column("redemption_id", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("clawback_id", "redemption_id"),
    ForeignKeyConstraint(
        ["claim_id", "redemption_id"],
        ["claim_line.claim_id", "claim_line.redemption_id"],
        name="clawback_line_fkey",
    ),
    CheckConstraint("amount_fen > 0", name="amount"),
)
Index("clawback_line_claimed_idx", clawback_line.c.claim_id, clawback_line.c.redemption_id)

clawback_recovery = Table(
    "clawback_recovery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clawback_id", BigInteger, ForeignKey("clawback.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("claim_id", BigInteger, ForeignKey("claim.id")),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("source in ('payable', 'wallet')", name="source"),
    CheckConstraint("claim_id is null or source = 'payable'", name="claim"),
)
Index("clawback_recovery_clawback_idx", clawback_recovery.c.clawback_id, clawback_recovery.c.id)

# What came back of a redemption, layer by layer; a trigger keeps it within what was used.
redemption_return = Table(
    "redemption_return",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("redemption_id", BigInteger, ForeignKey("redemption.id"), nullable=False),
    Column("layer_id", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("went_to", Text, nullable=False),
    Column("frees_caps", Boolean, nullable=False),
    Column("after_approval", Boolean, nullable=False),
    Column("clawback_id", BigInteger, ForeignKey("clawback.id")),
    Column("entry_id", BigInteger, ForeignKey("entry.id"), nullable=False),
    Column("returned_on", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["redemption_id", "layer_id"],
        ["redemption_part.redemption_id", "redemption_part.layer_id"],
        name="redemption_return_part_fkey",
    ),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("cause in ('excluded', 'cut', 'refunded', 'clawed_back')", name="cause"),
    CheckConstraint("went_to in ('budget', 'voucher')", name="went_to"),
    CheckConstraint("after_approval = (clawback_id is not null)", name="clawback"),
)
Index(
    "redemption_return_redemption_idx",
    redemption_return.c.redemption_id,
    redemption_return.c.layer_id,
)
Index("redemption_return_day_idx", redemption_return.c.returned_on, redemption_return.c.id)
Index(
    "redemption_return_clawback_idx",
    redemption_return.c.clawback_id,
    postgresql_where=redemption_return.c.clawback_id.is_not(None),
)
