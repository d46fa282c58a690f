"""The catalogue's tables. Every constraint that a caller may meet has a name of its own."""

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
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, TSVECTOR, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

instrument = Table(
    "instrument",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # The provider's own number: with the provider it says which instrument a line means.
    Column("inner_id", Text, nullable=False),
    Column("cstr", Text, nullable=False),
    Column("cname", Text, nullable=False),
    Column("ename", Text, nullable=False, server_default=""),
    Column("category_code", Text, nullable=False),
    Column("model", Text, nullable=False, server_default=""),
    Column("manufacturer", Text, nullable=False, server_default=""),
    Column("nation", Text, nullable=False, server_default=""),
    Column("worth_fen", BigInteger, nullable=False),
    Column("funds", Text, nullable=False),
    Column("source", Text),
    Column("customs_supervised", Boolean, nullable=False),
    Column("began_on", Date),
    Column("accepted_on", Date),
    Column("kind", Text, nullable=False),
    Column("technical", Text, nullable=False, server_default=""),
    Column("functions", Text, nullable=False, server_default=""),
    Column("subjects", Text, nullable=False, server_default=""),
    Column("service_content", Text, nullable=False, server_default=""),
    Column("achievement", Text, nullable=False, server_default=""),
    Column("requirement", Text, nullable=False, server_default=""),
    Column("fee_text", Text, nullable=False, server_default=""),
    Column("service_url", Text, nullable=False, server_default=""),
    Column("share_mode", Text, nullable=False),
    Column("exemption", Text),
    Column("condition", Text, nullable=False),
    Column("department", Text, nullable=False, server_default=""),
    Column("province", Text, nullable=False, server_default=""),
    Column("city", Text, nullable=False, server_default=""),
    Column("county", Text, nullable=False, server_default=""),
    Column("street", Text, nullable=False, server_default=""),
    Column("postalcode", Text, nullable=False, server_default=""),
    Column("contact", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    # What the national layout asks for and the platform only passes on.
    Column("further", JSONB, nullable=False, server_default="{}"),
    # The provider's region, kept here so that search reads one table.
    Column("region_code", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("listing_due_on", Date),
    Column("registered_at", Instant, nullable=False),
    Column("listed_at", Instant),
    Column("withdrawn_at", Instant),
    Column("withdrawn_reason", Text),
    Column("changed_at", Instant, nullable=False),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("search", TSVECTOR, nullable=False),
    UniqueConstraint("provider_id", "inner_id", name="instrument_inner_id"),
    UniqueConstraint("cstr", name="instrument_cstr"),
    CheckConstraint("category_code ~ '^[0-9]{6}$'", name="category_code"),
    CheckConstraint("region_code ~ '^[0-9]{6}$'", name="region_code"),
    CheckConstraint("worth_fen between 0 and 1000000000000", name="worth_fen"),
    CheckConstraint("funds in ('central', 'local', 'own', 'other')", name="funds"),
    CheckConstraint("source in ('purchased', 'developed', 'donated', 'other')", name="source"),
    CheckConstraint("kind in ('general', 'special')", name="kind"),
    CheckConstraint("share_mode in ('internal', 'external', 'none')", name="share_mode"),
    CheckConstraint("exemption in ('national-security', 'secrecy', 'other-law')", name="exemption"),
    CheckConstraint(
        "condition in ('normal', 'occasional-faults', 'frequent-faults', 'awaiting-repair',"
        " 'awaiting-disposal')",
        name="condition",
    ),
    CheckConstraint("status in ('unlisted', 'listed', 'withdrawn', 'disposed')", name="status"),
    CheckConstraint("status <> 'listed' or listed_at is not null", name="listed"),
)
Index("instrument_search_idx", instrument.c.search, postgresql_using="gin")
Index("instrument_provider_idx", instrument.c.provider_id, instrument.c.id)
# Searches without words are answered from these indexes alone.
_FILTERS = ["category_code", "region_code", "kind", "share_mode", "provider_id", "worth_fen"]
for _name, _first in (
    ("instrument_listed_idx", None),
    ("instrument_category_idx", "category_code"),
    ("instrument_region_idx", "region_code"),
):
    Index(
        _name,
        *([instrument.c[_first]] if _first else []),
        instrument.c.id,
        postgresql_include=[name for name in _FILTERS if name != _first],
        postgresql_where=instrument.c.status == "listed",
    )
Index(
    "instrument_listing_due_idx",
    instrument.c.listing_due_on,
    postgresql_where=instrument.c.listing_due_on.is_not(None),
)

# Weekday 0 is Monday; minutes count from midnight in Shanghai.
opening_hours = Table(
    "opening_hours",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    CheckConstraint("weekday between 0 and 6", name="weekday"),
    CheckConstraint(
        "opens_minute >= 0 and opens_minute < closes_minute and closes_minute <= 1440",
        name="minutes",
    ),
)
opening_hours.append_constraint(
    ExcludeConstraint(
        (opening_hours.c.instrument_id, "="),
        (opening_hours.c.weekday, "="),
        (func.int4range(opening_hours.c.opens_minute, opening_hours.c.closes_minute), "&&"),
        name="opening_hours_no_overlap",
        using="gist",
    )
)

closure = Table(
    "closure",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("kind", Text, nullable=False, server_default="closed"),
    Column("reason", Text, nullable=False),
    Column("made_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("kind in ('closed', 'maintenance', 'breakdown')", name="kind"),
    CheckConstraint(
        "not isempty(during) and not lower_inf(during) and not upper_inf(during)", name="during"
    ),
)
Index("closure_instrument_idx", closure.c.instrument_id, closure.c.during, postgresql_using="gist")

# One file that landed. Append-only: what was reported stays reported.
import_batch = Table(
    "import_batch",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("imported_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("imported_at", Instant, nullable=False),
    CheckConstraint("lines = added + changed + unchanged + refused", name="counts"),
)
Index("import_batch_provider_idx", import_batch.c.provider_id, import_batch.c.id)
