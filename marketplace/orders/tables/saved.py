"""What people keep an eye on: starred instruments, saved searches, and what newly fits them."""

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
    Table,
    Text,
)

from marketplace.kernel.tables import Instant, metadata

favourite = Table(
    "favourite",
    metadata,
    Column("person_id", BigInteger, ForeignKey("person.id"), primary_key=True),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), primary_key=True),
    Column("marked_at", Instant, nullable=False),
)
Index(
    "favourite_list_idx",
    favourite.c.person_id,
    favourite.c.organisation_id,
    favourite.c.marked_at.desc(),
)

# With a window only instruments that are free in it, for `minutes` in a row, fit.
saved_search = Table(
    "saved_search",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("free_from", Date),
    Column("free_until", Date),
    Column("minutes", Integer),
    Column("made_at", Instant, nullable=False),
    Column("looked_at", Instant, nullable=False),
    CheckConstraint("char_length(name) between 1 and 100", name="name"),
    CheckConstraint("char_length(words) <= 100", name="words"),
    CheckConstraint("minutes between 1 and 1440", name="minutes"),
)
Index(
    "saved_search_list_idx",
    saved_search.c.person_id,
    saved_search.c.organisation_id,
    saved_search.c.id.desc(),
)
Index("saved_search_looked_idx", saved_search.c.looked_at, saved_search.c.id)

# `gone_at`: it no longer fits; should it fit again, it is new again.
saved_search_find = Table(
    "saved_search_find",
    metadata,
    Column(
        "search_id",
        BigInteger,
        ForeignKey("saved_search.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), primary_key=True),
    Column("found_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("gone_at", Instant),
    CheckConstraint("seen_at >= found_at and gone_at >= found_at", name="times"),
)
Index(
    "saved_search_find_new_idx",
    saved_search_find.c.search_id,
    postgresql_where=saved_search_find.c.seen_at.is_(None) & saved_search_find.c.gone_at.is_(None),
)
