"""Which services ran on which machine."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
)

from marketplace.kernel.tables import metadata

# A trigger on reservations fills it: every instrument that was ever reserved in another's calendar.
# What ran on one machine is counted together, also when the services no longer share.
shared_calendar = Table(
    "shared_calendar",
    metadata,
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("calendar_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    PrimaryKeyConstraint("instrument_id", "calendar_id"),
    CheckConstraint("calendar_id <> instrument_id", name="of_another"),
)
Index("shared_calendar_idx", shared_calendar.c.calendar_id, shared_calendar.c.instrument_id)
