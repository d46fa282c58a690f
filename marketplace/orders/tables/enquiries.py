"""Enquiries: what a buyer asks of a provider, their thread and files, and the offers in answer."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.kernel.tables import Instant, metadata

# `due_at` is when it lapses by itself: unanswered, forgotten, or with its offer.
enquiry = Table(
    "enquiry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("buyer_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("agent_id", BigInteger, ForeignKey("organisation.id")),
    Column("status", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("need", Text, nullable=False),
    Column("wished_from", Date),
    Column("wished_until", Date),
    Column("samples", Integer),
    Column("budget_fen", BigInteger),
    Column("asked_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer_until", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("due_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text),
    CheckConstraint("wished_from <= wished_until", name="wished"),
    CheckConstraint("samples between 1 and 10000", name="samples"),
    CheckConstraint("budget_fen > 0", name="budget"),
    CheckConstraint("answer_until > asked_at", name="answer"),
)
Index("enquiry_buyer_idx", enquiry.c.buyer_id, enquiry.c.id.desc())
Index("enquiry_provider_idx", enquiry.c.provider_id, enquiry.c.id.desc())
Index(
    "enquiry_agent_idx",
    enquiry.c.agent_id,
    enquiry.c.id.desc(),
    postgresql_where=enquiry.c.agent_id.is_not(None),
)
Index("enquiry_due_idx", enquiry.c.due_at, postgresql_where=enquiry.c.due_at.is_not(None))
Index(
    "enquiry_subject_idx",
    enquiry.c.subject,
    postgresql_using="gin",
    postgresql_ops={"subject": "gin_trgm_ops"},
)

enquiry_instrument = Table(
    "enquiry_instrument",
    metadata,
    Column(
        "enquiry_id", BigInteger, ForeignKey("enquiry.id"), primary_key=True, autoincrement=False
    ),
    Column(
        "instrument_id",
        BigInteger,
        ForeignKey("instrument.id"),
        primary_key=True,
        autoincrement=False,
    ),
)
Index("enquiry_instrument_idx", enquiry_instrument.c.instrument_id, enquiry_instrument.c.enquiry_id)

# Append-only, like the files and the events.
enquiry_message = Table(
    "enquiry_message",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("enquiry_id", BigInteger, ForeignKey("enquiry.id"), nullable=False),
    Column("side", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
)
Index("enquiry_message_enquiry_idx", enquiry_message.c.enquiry_id, enquiry_message.c.id)

enquiry_file = Table(
    "enquiry_file",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("enquiry_id", BigInteger, ForeignKey("enquiry.id"), nullable=False),
    Column("side", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("stored_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("enquiry_id", "sha256", name="enquiry_file_once"),
    CheckConstraint("size_bytes between 1 and 10485760", name="size"),
)
Index("enquiry_file_storage_key_idx", enquiry_file.c.storage_key)

# For both sides to read; `internal` is the provider's own business.
enquiry_event = Table(
    "enquiry_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("enquiry_id", BigInteger, ForeignKey("enquiry.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("facts", JSONB, nullable=False),
)
Index("enquiry_event_enquiry_idx", enquiry_event.c.enquiry_id, enquiry_event.c.id)

# One round of an offer. It has a quote from the moment at which the buyer sees it.
enquiry_offer = Table(
    "enquiry_offer",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("enquiry_id", BigInteger, ForeignKey("enquiry.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("mode", Text, nullable=False),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("samples", Integer),
    Column("arrives_on", Date),
    Column("service_kind", Text, nullable=False),
    # Unit, counts, urgency, extras and further instruments, as they were asked of the price list.
    Column("details", JSONB, nullable=False),
    Column("note", Text, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("price_list_id", BigInteger, ForeignKey("price_list.id"), nullable=False),
    Column("list_total_fen", BigInteger, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("manual_unit", Text),
    Column("manual_unit_fen", BigInteger),
    Column("list_unit_fen", BigInteger),
    Column("ceiling_fen", BigInteger),
    Column("reason", Text, nullable=False),
    Column("quote_id", BigInteger, ForeignKey("quote.id")),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("approved_by", BigInteger, ForeignKey("person.id")),
    Column("approved_at", Instant),
    Column("ended_by", BigInteger, ForeignKey("person.id")),
    Column("ended_at", Instant),
    Column("ended_because", Text),
    UniqueConstraint("enquiry_id", "round", name="enquiry_offer_round"),
    UniqueConstraint("quote_id", name="enquiry_offer_quote_once"),
    CheckConstraint("(manual_unit is null) = (reason = '')", name="reason"),
    CheckConstraint("manual_unit is null or manual_unit_fen > 0 and total_fen > 0", name="paid"),
    CheckConstraint("manual_unit_fen <= ceiling_fen", name="within_cost"),
    CheckConstraint("approved_by <> made_by", name="four_eyes"),
    CheckConstraint(
        "quote_id is null or manual_unit is null or approved_by is not null", name="shown"
    ),
)
for _status in ("awaiting", "standing", "accepted"):
    Index(
        f"enquiry_offer_one_{_status}",
        enquiry_offer.c.enquiry_id,
        unique=True,
        postgresql_where=enquiry_offer.c.status
        == ("awaiting_approval" if _status == "awaiting" else _status),
    )
Index("enquiry_offer_instrument_idx", enquiry_offer.c.instrument_id, enquiry_offer.c.id.desc())
