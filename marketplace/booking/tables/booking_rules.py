"""What a provider decides of its instrument: booking rule, classes of user, hours."""

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
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from marketplace.kernel.tables import Instant, metadata

booking_rule = Table(
    "booking_rule",
    metadata,
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), primary_key=True),
    Column("step_minutes", Integer, nullable=False),
    Column("minimum_minutes", Integer, nullable=False),
    Column("maximum_minutes", Integer, nullable=False),
    Column("notice_minutes", Integer, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("before_minutes", Integer, nullable=False),
    Column("after_minutes", Integer, nullable=False),
    Column("seats", SmallInteger, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("open_on_holidays", Boolean, nullable=False),
    # Whose weekly hours hold on a make-up working Saturday or Sunday.
    Column("makeup_days", Text, nullable=False, server_default="as_workday"),
    # Two services of one machine share the calendar of one of them; None: its own.
    Column("calendar_id", BigInteger, ForeignKey("instrument.id")),
    Column("operation", Text, nullable=False, server_default="self"),
    Column("qualification", Text, nullable=False, server_default="none"),
    # How long a request waits for an answer; None: as long as the province says.
    Column("answer_minutes", Integer),
    # Hours of a week that the provider's own people leave to others, until they lapse.
    Column("outside_floor_minutes", Integer, nullable=False, server_default="0"),
    Column("outside_floor_lapses_minutes", Integer, nullable=False, server_default="2880"),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    CheckConstraint("step_minutes between 1 and 1440", name="step"),
    CheckConstraint(
        "minimum_minutes >= step_minutes"
        " and maximum_minutes between minimum_minutes and 44640"
        " and minimum_minutes % greatest(step_minutes, 1) = 0"
        " and maximum_minutes % greatest(step_minutes, 1) = 0",
        name="lengths",
    ),
    CheckConstraint("notice_minutes between 0 and 525600", name="notice"),
    CheckConstraint("horizon_days between 1 and 3660", name="horizon"),
    CheckConstraint(
        "before_minutes between 0 and 1440 and after_minutes between 0 and 1440",
        name="buffers",
    ),
    CheckConstraint("seats between 1 and 200", name="seats"),
    CheckConstraint("makeup_days in ('as_workday', 'as_weekday')", name="makeup_days"),
    CheckConstraint("calendar_id <> instrument_id", name="calendar_of_another"),
    CheckConstraint("operation in ('self', 'operator', 'either')", name="operation"),
    CheckConstraint("qualification in ('none', 'self_operated', 'always')", name="qualification"),
    CheckConstraint("answer_minutes between 5 and 43200", name="answer"),
    CheckConstraint(
        "outside_floor_minutes between 0 and 10080"
        " and outside_floor_lapses_minutes between 0 and 525600",
        name="outside_floor",
    ),
)
Index(
    "booking_rule_calendar_idx",
    booking_rule.c.calendar_id,
    postgresql_where=booking_rule.c.calendar_id.is_not(None),
)

# What differs for one class of user; an empty column leaves the booking rule's own.
class_terms = Table(
    "class_terms",
    metadata,
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("user_class", Text, nullable=False),
    Column("may_book", Boolean, nullable=False),
    Column("notice_minutes", Integer),
    Column("horizon_days", Integer),
    Column("maximum_minutes", Integer),
    Column("needs_approval", Boolean),
    PrimaryKeyConstraint("instrument_id", "user_class"),
    CheckConstraint("user_class in ('own_unit', 'academic', 'enterprise')", name="user_class"),
    CheckConstraint("notice_minutes between 0 and 525600", name="notice"),
    CheckConstraint("horizon_days between 1 and 3660", name="horizon"),
    CheckConstraint("maximum_minutes between 1 and 44640", name="maximum"),
)

# `class`: when one class of user may book, in place of the opening hours.
# `priority`: kept for the own unit until `lapses_minutes` before.
# `peak`: what quotas of peak hours count.
weekly_hours = Table(
    "weekly_hours",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("user_class", Text),
    Column("weekday", SmallInteger, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    Column("lapses_minutes", Integer),
    CheckConstraint("kind in ('class', 'priority', 'peak')", name="kind"),
    CheckConstraint(
        "(kind = 'class') = (user_class is not null)"
        " and user_class in ('own_unit', 'academic', 'enterprise')",
        name="user_class",
    ),
    CheckConstraint(
        "(kind = 'priority') = (lapses_minutes is not null)"
        " and lapses_minutes between 0 and 525600",
        name="lapses",
    ),
    CheckConstraint("weekday between 0 and 6", name="weekday"),
    CheckConstraint(
        "opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute",
        name="minutes",
    ),
)
weekly_hours.append_constraint(
    ExcludeConstraint(
        (weekly_hours.c.instrument_id, "="),
        (weekly_hours.c.kind, "="),
        (func.coalesce(weekly_hours.c.user_class, ""), "="),
        (weekly_hours.c.weekday, "="),
        (func.int4range(weekly_hours.c.opens_minute, weekly_hours.c.closes_minute), "&&"),
        name="weekly_hours_no_overlap",
        using="gist",
    )
)
Index("weekly_hours_instrument_idx", weekly_hours.c.instrument_id)

# Hours of one day, in place of that weekday's: a Sunday opened, a short day before a holiday.
dated_hours = Table(
    "dated_hours",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", BigInteger, ForeignKey("instrument.id"), nullable=False),
    Column("day", Date, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("set_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("set_at", Instant, nullable=False),
    CheckConstraint(
        "opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute",
        name="minutes",
    ),
)
dated_hours.append_constraint(
    ExcludeConstraint(
        (dated_hours.c.instrument_id, "="),
        (dated_hours.c.day, "="),
        (func.int4range(dated_hours.c.opens_minute, dated_hours.c.closes_minute), "&&"),
        name="dated_hours_no_overlap",
        using="gist",
    )
)
