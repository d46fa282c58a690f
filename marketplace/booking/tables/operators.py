"""Who operates instruments for others, when they work, and when they are away."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

operator = Table(
    "operator",
    metadata,
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("named_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("named_at", Instant, nullable=False),
    PrimaryKeyConstraint("instrument_id", "person_id"),
)
Index("operator_person_idx", operator.c.person_id)

operator_hours = Table(
    "operator_hours",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # For whom they work then: somebody may be on the staff of two units.
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    CheckConstraint("weekday between 0 and 6", name="weekday"),
    CheckConstraint(
        "opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute",
        name="minutes",
    ),
)
operator_hours.append_constraint(
    ExcludeConstraint(
        (operator_hours.c.person_id, "="),
        (operator_hours.c.weekday, "="),
        (func.int4range(operator_hours.c.opens_minute, operator_hours.c.closes_minute), "&&"),
        name="operator_hours_no_overlap",
        using="gist",
    )
)

# Whoever is away is away for every unit that they work for.
operator_absence = Table(
    "operator_absence",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("reason", Text, nullable=False),
    Column("noted_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("noted_at", Instant, nullable=False),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    CheckConstraint(
        "not isempty(during) and lower_inc(during) and not upper_inc(during)"
        " and not lower_inf(during) and not upper_inf(during)",
        name="during",
    ),
    CheckConstraint("(withdrawn_at is null) = (withdrawn_by is null)", name="withdrawn"),
)
Index(
    "operator_absence_person_idx",
    operator_absence.c.person_id,
    operator_absence.c.during,
    postgresql_using="gist",
    postgresql_where=operator_absence.c.withdrawn_at.is_(None),
)
Index("operator_absence_provider_idx", operator_absence.c.provider_id, operator_absence.c.id)
