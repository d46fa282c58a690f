"""The tables of parties; the names of their constraints are part of the contract."""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

person = Table(
    "person",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False),
    Column("password_changed_at", Instant, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False, server_default="0"),
    Column("locked_until", Instant),
    Column("signed_in_at", Instant),
    Column("disabled_at", Instant),
    Column("registered_at", Instant, nullable=False),
    # Sign-ins from before have ended, whatever their token or cookie says.
    Column("sessions_ended_at", Instant),
    UniqueConstraint("email", name="person_email"),
    CheckConstraint(
        "length(email) between 3 and 254 and email ~ '^[!-?A-~]+@[!-?A-~]+$'"
        " and email = lower(email)",
        name="email_shape",
    ),
    CheckConstraint("length(name) between 1 and 200", name="name_length"),
    CheckConstraint("failed_sign_ins >= 0", name="failed_sign_ins_range"),
)

legal_entity = Table(
    "legal_entity",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("uscc", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False, server_default=""),
    Column("region_code", CHAR(6), nullable=False),
    Column("kind", Text, nullable=False),
    Column("capital", Text, nullable=False),
    Column("legal_representative", Text, nullable=False, server_default=""),
    Column("registered_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("verified_by", BigInteger, ForeignKey("person.id")),
    Column("verified_at", Instant),
    # As the licence says: where it sits, and under which number it is reached.
    Column("address", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),
    UniqueConstraint("uscc", name="legal_entity_uscc"),
    CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name="uscc_shape"),
    CheckConstraint("length(name) between 1 and 200", name="name_length"),
    CheckConstraint("region_code ~ '^[0-9]{6}$'", name="region_code_shape"),
    CheckConstraint(
        "kind in ('university', 'institute', 'public_institution', 'company',"
        " 'social_organisation', 'government')",
        name="kind",
    ),
    CheckConstraint("capital in ('fiscal', 'social')", name="capital"),
    CheckConstraint("(verified_by is null) = (verified_at is null)", name="verified_whole"),
    CheckConstraint("length(address) <= 300", name="address_length"),
    CheckConstraint("length(phone) <= 40", name="phone_length"),
)
Index(
    "legal_entity_name_idx",
    legal_entity.c.name,
    postgresql_using="gin",
    postgresql_ops={"name": "gin_trgm_ops"},
)
Index(
    "legal_entity_unverified_idx",
    legal_entity.c.registered_at,
    legal_entity.c.id,
    postgresql_where=legal_entity.c.verified_at.is_(None),
)
Index("legal_entity_name_key_idx", func.name_key(legal_entity.c.name))
Index(
    "legal_entity_representative_key_idx",
    func.name_key(legal_entity.c.legal_representative),
    postgresql_where=legal_entity.c.legal_representative != "",
)

# A holder is a legal entity (its unified social credit code, or its name) or a natural person (the
# name). Triggers find the holder who is registered, and keep every day's parts within the whole.
shareholding = Table(
    "shareholding",
    metadata,
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("holder", Text, nullable=False),
    Column("basis_points", Integer, nullable=False),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("valid_from", Date, nullable=False, server_default="2000-01-01"),
    Column("valid_until", Date),
    Column("source", Text, nullable=False, server_default=""),
    Column("recorded_at", Instant, nullable=False, server_default="2000-01-01 00:00+08"),
    Column("holder_key", Text, Computed("name_key(holder)", persisted=True), nullable=False),
    Column("holder_id", BigInteger, ForeignKey("legal_entity.id")),
    CheckConstraint("length(holder) between 1 and 200", name="holder_length"),
    CheckConstraint("basis_points between 1 and 10000", name="basis_points_range"),
    CheckConstraint("valid_until >= valid_from", name="days"),
    CheckConstraint("length(source) <= 200", name="source_length"),
)
shareholding.append_constraint(
    ExcludeConstraint(
        (shareholding.c.legal_entity_id, "="),
        (shareholding.c.holder_key, "="),
        (func.daterange(shareholding.c.valid_from, shareholding.c.valid_until, "[]"), "&&"),
        name="shareholding_no_overlap",
        using="gist",
    )
)
Index("shareholding_holder_key_idx", shareholding.c.holder_key)
Index("shareholding_holder_id_idx", shareholding.c.holder_id)
Index("shareholding_recorded_idx", shareholding.c.recorded_at)

organisation = Table(
    "organisation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("legal_entity_id", BigInteger, ForeignKey("legal_entity.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False, server_default=""),
    Column("region_code", CHAR(6), nullable=False),
    Column("is_agency", Boolean, nullable=False, server_default="false"),
    Column("registered_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("suspended_at", Instant),
    Column("suspended_reason", Text, nullable=False, server_default=""),
    UniqueConstraint("legal_entity_id", "kind", "name", name="organisation_name"),
    CheckConstraint(
        "kind in ('platform', 'centre', 'provider', 'sme', 'station', 'regulator')", name="kind"
    ),
    CheckConstraint("length(name) between 1 and 200", name="name_length"),
    CheckConstraint("region_code ~ '^[0-9]{6}$'", name="region_code_shape"),
    CheckConstraint("not is_agency or kind = 'provider'", name="agency_is_provider"),
)
Index(
    "organisation_name_idx",
    organisation.c.name,
    postgresql_using="gin",
    postgresql_ops={"name": "gin_trgm_ops"},
)
Index("organisation_kind_region_idx", organisation.c.kind, organisation.c.region_code)

sme_profile = Table(
    "sme_profile",
    metadata,
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("staff", Integer, nullable=False),
    Column("sales_fen", BigInteger, nullable=False),
    Column("assets_fen", BigInteger, nullable=False),
    Column("registration_number", Text, nullable=False, server_default=""),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    PrimaryKeyConstraint("organisation_id", "year"),
    CheckConstraint("year between 2000 and 2100", name="year_range"),
    CheckConstraint("staff >= 0 and sales_fen >= 0 and assets_fen >= 0", name="figures_range"),
)
Index(
    "sme_profile_registration_number",
    sme_profile.c.year,
    sme_profile.c.registration_number,
    unique=True,
    postgresql_where=sme_profile.c.registration_number != "",
)

membership = Table(
    "membership",
    metadata,
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("granted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("granted_at", Instant, nullable=False),
    PrimaryKeyConstraint("person_id", "organisation_id", "role"),
    CheckConstraint(
        "role in ('buyer', 'sme_administrator', 'technician', 'provider_manager',"
        " 'finance_maker', 'finance_checker', 'voucher_officer', 'evaluator', 'expert',"
        " 'station_agent', 'regulator', 'auditor', 'administrator')",
        name="role",
    ),
    CheckConstraint("granted_by <> person_id", name="not_granted_to_oneself"),
)
Index("membership_organisation_idx", membership.c.organisation_id, membership.c.person_id)

# What another system of an organisation proves itself with. It acts as a person of its own, who
# cannot sign in: so the trail says which system did what, and the key's maker may approve it.
api_key = Table(
    "api_key",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_by", BigInteger, ForeignKey("person.id")),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
    UniqueConstraint("prefix", name="api_key_prefix"),
    UniqueConstraint("person_id", name="api_key_person"),
    CheckConstraint("prefix ~ '^[a-z0-9]{10}$'", name="prefix_shape"),
    CheckConstraint("length(name) between 1 and 100", name="name_length"),
    CheckConstraint("length(secret_sha256) = 32", name="secret"),
    CheckConstraint(
        "cardinality(scopes) >= 1 and scopes <@ array["
        "'readings:write', 'reservations:read', 'availability:read', 'calendar:write']",
        name="scopes",
    ),
    CheckConstraint(
        "expires_at > made_at and expires_at <= made_at + interval '2 years'", name="lifetime"
    ),
    CheckConstraint("(revoked_by is null) = (revoked_at is null)", name="revoked"),
    CheckConstraint("person_id <> made_by", name="not_a_person"),
)
Index(
    "api_key_name",
    api_key.c.organisation_id,
    api_key.c.name,
    unique=True,
    postgresql_where=text("revoked_at is null"),
)

# An administrator looks at the pages as somebody else sees them: for a reason, for a while.
viewing = Table(
    "viewing",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("viewer_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    CheckConstraint("viewer_id <> person_id", name="another"),
    CheckConstraint("char_length(reason) between 1 and 500", name="reason"),
    CheckConstraint("ends_at > began_at and ends_at <= began_at + interval '8 hours'", name="term"),
    CheckConstraint("ended_at >= began_at and ended_at <= ends_at", name="ended"),
)
Index("viewing_person_idx", viewing.c.person_id, viewing.c.id)
Index("viewing_viewer_idx", viewing.c.viewer_id, viewing.c.id)
