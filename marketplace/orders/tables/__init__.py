"""Quotes, orders, contracts and what happened to them."""

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
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata
from marketplace.orders.tables.corrections import (
    correction,
    correction_credit,
    settlement_run,
)
from marketplace.orders.tables.disputes import dispute, dispute_evidence
from marketplace.orders.tables.enquiries import (
    enquiry,
    enquiry_event,
    enquiry_file,
    enquiry_instrument,
    enquiry_message,
    enquiry_offer,
)
from marketplace.orders.tables.free_use import free_use, free_use_evidence
from marketplace.orders.tables.items import item_delivery, order_item, quote_item
from marketplace.orders.tables.registration import contract_registration
from marketplace.orders.tables.reviews import review
from marketplace.orders.tables.samples import custody_event, sample_declaration, shipment
from marketplace.orders.tables.saved import favourite, saved_search, saved_search_find

__all__ = [
    "contract",
    "contract_registration",
    "correction",
    "correction_credit",
    "custody_event",
    "deliverable",
    "dispute",
    "dispute_evidence",
    "enquiry",
    "enquiry_event",
    "enquiry_file",
    "enquiry_instrument",
    "enquiry_message",
    "enquiry_offer",
    "favourite",
    "free_use",
    "free_use_evidence",
    "item_delivery",
    "order_change",
    "order_event",
    "order_item",
    "quote",
    "quote_item",
    "review",
    "sample_declaration",
    "sample_set",
    "saved_search",
    "saved_search_find",
    "service_order",
    "settlement_run",
    "shipment",
]

# A quote is what the buyer was told: prices, voucher, terms. Once used it is an order's.
quote = Table(
    "quote",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("agent_id", BigInteger, ForeignKey("organisation.id")),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("mode", Text, nullable=False),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("samples", Integer),
    Column("customer_class", Text, nullable=False),
    Column("purpose", Text),
    Column("service_kind", Text, nullable=False),
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("voucher_fen", BigInteger, nullable=False),
    Column("own_fen", BigInteger, nullable=False),
    Column("explanation", JSONB, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
    # The day whose free purposes apply; an amendment keeps its order's.
    Column("priced_on", Date, nullable=False),
    Column("amends_order_id", BigInteger, ForeignKey("service_order.id", use_alter=True)),
    Column("arrives_on", Date),
    # A price per unit that the provider set by hand, instead of its list's; see `enquiry_offer`.
    Column("manual_unit", Text),
    Column("manual_unit_fen", BigInteger),
    CheckConstraint("mode in ('machine_time', 'samples')", name="mode"),
    CheckConstraint("starts_at is not null or samples is not null", name="what_stated"),
    CheckConstraint(
        "voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen", name="amounts"
    ),
    CheckConstraint("valid_until > made_at", name="validity"),
    CheckConstraint("amends_order_id is null or used_at is not null", name="amendment_used"),
)
Index("quote_buyer_idx", quote.c.buyer_id, quote.c.id.desc())
Index(
    "quote_amends_idx",
    quote.c.amends_order_id,
    postgresql_where=quote.c.amends_order_id.is_not(None),
)

# `title`, `profile`, the legal entities and `affiliated_because` are frozen at the order: what the
# buyer becomes later changes neither its voucher nor the provider's reward. A constraint trigger
# refuses at COMMIT an order without its reservation, voucher hold, money hold or contract.
service_order = Table(
    "service_order",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("quote_id", BigInteger, ForeignKey("quote.id"), nullable=False),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("agent_id", BigInteger, ForeignKey("organisation.id")),
    Column("buyer_legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("provider_legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("voucher_fen", BigInteger, nullable=False),
    Column("own_fen", BigInteger, nullable=False),
    Column("own_hold_id", BigInteger, ForeignKey("hold.id")),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id", use_alter=True)),
    Column("affiliated_because", Text),
    Column("profile", JSONB),
    Column("placed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("delivered_at", Instant),
    Column("review_ends_at", Instant),
    Column("ended_at", Instant),
    Column("ended_because", Text),
    Column("settled_fen", BigInteger),
    Column("settled_voucher_fen", BigInteger),
    Column("settled_own_fen", BigInteger),
    # Fees for moving late: due whatever becomes of the order, and held apart from its price.
    Column("move_fee_fen", BigInteger, nullable=False, server_default="0"),
    Column("fee_hold_id", BigInteger, ForeignKey("hold.id")),
    # An order on account: its own part is held on the buyer's credit line with the provider.
    Column("credit_line_id", BigInteger),
    ForeignKeyConstraint(
        ["credit_line_id", "provider_id", "buyer_id"],
        ["credit_line.id", "credit_line.provider_id", "credit_line.buyer_id"],
        name="service_order_credit_line",
    ),
    UniqueConstraint("quote_id", name="service_order_quote_once"),
    UniqueConstraint("reservation_id", name="service_order_reservation_once"),
    UniqueConstraint("own_hold_id", name="service_order_hold_once"),
    UniqueConstraint("fee_hold_id", name="service_order_fee_hold_once"),
    CheckConstraint("mode in ('machine_time', 'samples')", name="mode"),
    CheckConstraint(
        "voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen", name="amounts"
    ),
    CheckConstraint(
        "settled_voucher_fen between 0 and voucher_fen and settled_own_fen between 0 and own_fen "
        "and settled_fen = settled_voucher_fen + settled_own_fen",
        name="settled_within",
    ),
    CheckConstraint("(delivered_at is null) = (review_ends_at is null)", name="review"),
    CheckConstraint(
        "move_fee_fen >= 0 and (move_fee_fen = 0) = (fee_hold_id is null)", name="move_fee"
    ),
)
Index("service_order_buyer_idx", service_order.c.buyer_id, service_order.c.id.desc())
Index("service_order_provider_idx", service_order.c.provider_id, service_order.c.id.desc())
Index(
    "service_order_credit_line_idx",
    service_order.c.credit_line_id,
    postgresql_where=service_order.c.credit_line_id.is_not(None),
)
Index("service_order_instrument_idx", service_order.c.instrument_id)
Index(
    "service_order_title_idx",
    service_order.c.title,
    postgresql_using="gin",
    postgresql_ops={"title": "gin_trgm_ops"},
)
Index(
    "service_order_review_due_idx",
    service_order.c.review_ends_at,
    postgresql_where=service_order.c.status == "delivered",
)

# A change of an order's time: performed at once, or proposed until the other side answers. What
# was decided stays; the quotes name the prices before and after.
order_change = Table(
    "order_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("was_starts_at", Instant, nullable=False),
    Column("was_ends_at", Instant, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("voucher_fen", BigInteger, nullable=False),
    Column("own_fen", BigInteger, nullable=False),
    Column("fee_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("proposed_from", Text, nullable=False),
    Column("answer_until", Instant),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decided_because", Text),
    Column("old_quote_id", BigInteger, ForeignKey("quote.id"), nullable=False),
    Column("new_quote_id", BigInteger, ForeignKey("quote.id")),
    # Of which item of the order.
    Column("position", SmallInteger, nullable=False, server_default="1"),
    UniqueConstraint("new_quote_id", name="order_change_quote_once"),
    CheckConstraint("kind in ('reschedule', 'extend')", name="kind"),
    CheckConstraint("side in ('buyer', 'provider', 'agent')", name="side"),
    CheckConstraint(
        "voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen", name="amounts"
    ),
    CheckConstraint("status <> 'proposed' or answer_until > proposed_at", name="answer"),
    CheckConstraint("(status = 'agreed') = (new_quote_id is not null)", name="agreed"),
)
Index(
    "order_change_open",
    order_change.c.order_id,
    unique=True,
    postgresql_where=order_change.c.status == "proposed",
)
Index("order_change_order_idx", order_change.c.order_id, order_change.c.id)
Index(
    "order_change_answer_idx",
    order_change.c.answer_until,
    postgresql_where=order_change.c.status == "proposed",
)

# `document` is what `sha256` was taken of, in canonical JSON; a trigger keeps what was agreed.
# `amendment` counts the addenda: 0 is the contract as it was first signed.
contract = Table(
    "contract",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("buyer_signed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("buyer_signed_at", Instant, nullable=False),
    Column("buyer_signed_from", Text, nullable=False),
    # The names are written by a trigger: as the signers were called on the day.
    Column("buyer_signed_name", Text, nullable=False),
    Column("provider_signed_how", Text),
    Column("provider_signed_by", BigInteger, ForeignKey("person.id")),
    Column("provider_signed_at", Instant),
    Column("provider_signed_from", Text),
    Column("provider_signed_name", Text),
    Column("registration_number", Text),
    Column("registered_on", Date),
    Column("amendment", Integer, nullable=False, server_default="0"),
    UniqueConstraint("order_id", "amendment", name="contract_amendment_once"),
    CheckConstraint("amendment >= 0", name="amendment"),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("(registration_number is null) = (registered_on is null)", name="registration"),
)
Index("contract_sha256_idx", contract.c.sha256)
Index(
    "contract_registration_idx",
    func.document_key(contract.c.registration_number),
    postgresql_where=contract.c.registration_number.is_not(None),
)

order_event = Table(
    "order_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
)
Index("order_event_order_idx", order_event.c.order_id, order_event.c.id)
Index(
    "order_event_download_idx",
    order_event.c.order_id,
    order_event.c.id,
    postgresql_where=order_event.c.kind == "download",
)

sample_set = Table(
    "sample_set",
    metadata,
    Column(
        "order_id",
        BigInteger,
        ForeignKey("service_order.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("samples", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("hazards", Text, nullable=False),
    Column("disposal", Text, nullable=False),
    Column("received", Integer),
    Column("received_at", Instant),
    Column("tested", Integer),
    Column("tested_at", Instant),
    Column("returned_at", Instant),
    CheckConstraint("samples > 0", name="samples"),
    CheckConstraint("disposal in ('return', 'destroy', 'keep')", name="disposal"),
    CheckConstraint(
        "(received is null) = (received_at is null) and received >= 0", name="received"
    ),
    CheckConstraint(
        "(tested is null) = (tested_at is null) and tested between 0 and received", name="tested"
    ),
)

# Small results lie in `content`, large ones in the store of files under `storage_key`.
deliverable = Table(
    "deliverable",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("service_order.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("content", LargeBinary),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("storage_key", Text),
    UniqueConstraint("order_id", "sha256", name="deliverable_content_once"),
    CheckConstraint("num_nonnulls(content, storage_key) = 1", name="kept"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint(
        "size_bytes between 1 and 10485760 and octet_length(content) = size_bytes", name="size"
    ),
)
Index("deliverable_sha256_idx", deliverable.c.sha256)
Index(
    "deliverable_storage_key_idx",
    deliverable.c.storage_key,
    postgresql_where=deliverable.c.storage_key.is_not(None),
)
