"""Strikes for time that was taken and not used as agreed, appeals against them, suspensions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

strike = Table(
    "strike",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("reservation_id", BigInteger, ForeignKey("reservation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    # When the reservation ended so; when the platform took note, from which an appeal counts.
    Column("given_at", Instant, nullable=False),
    Column("noted_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("waived_at", Instant),
    Column("waived_by", BigInteger, ForeignKey("person.id")),
    Column("waived_because", Text),
    UniqueConstraint("reservation_id", "kind", name="strike_once"),
    CheckConstraint("kind in ('no_show', 'late_cancel', 'overrun', 'waste')", name="kind"),
    CheckConstraint("expires_at > given_at and noted_at >= given_at", name="expires"),
    CheckConstraint("num_nulls(waived_at, waived_by, waived_because) in (0, 3)", name="waived"),
    CheckConstraint("waived_by is distinct from person_id", name="second_person"),
)
Index("strike_person_idx", strike.c.person_id, strike.c.given_at)
Index("strike_organisation_idx", strike.c.organisation_id, strike.c.id)
Index("strike_provider_idx", strike.c.provider_id, strike.c.id)

strike_appeal = Table(
    "strike_appeal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("strike_id", BigInteger, ForeignKey("strike.id"), nullable=False),
    Column("filed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("filed_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("reason", Text),
    UniqueConstraint("strike_id", name="strike_appeal_strike_id"),
    CheckConstraint("status in ('open', 'upheld', 'rejected')", name="status"),
    CheckConstraint(
        "num_nulls(decided_by, decided_at, reason) = case status when 'open' then 3 else 0 end",
        name="decided",
    ),
    CheckConstraint("decided_by is distinct from filed_by", name="second_person"),
)
Index("strike_appeal_open_idx", strike_appeal.c.id, postgresql_where=text("status = 'open'"))

# One at a time for a person; `lifted_at` when an appeal or a waiver took away what it stood on.
suspension = Table(
    "suspension",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Column("lifted_because", Text),
    CheckConstraint("ends_at > starts_at", name="ends"),
    CheckConstraint("(lifted_at is null) = (lifted_because is null)", name="lifted"),
)
suspension.append_constraint(
    ExcludeConstraint(
        (suspension.c.person_id, "="),
        (func.tstzrange(suspension.c.starts_at, suspension.c.ends_at), "&&"),
        name="suspension_no_overlap",
        using="gist",
        where=text("lifted_at is null"),
    )
)
Index("suspension_person_idx", suspension.c.person_id, suspension.c.ends_at)
Index("suspension_organisation_idx", suspension.c.organisation_id, suspension.c.id)

# Up to which end of a reservation strikes have been judged.
strike_sweep = Table(
    "strike_sweep",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("judged_until", Instant, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)
