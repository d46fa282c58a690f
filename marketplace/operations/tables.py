"""Notices on top of pages."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.tables import Instant, metadata

# Without an audience a notice is for everybody, also for who is not signed in. A trigger keeps
# what was published: a notice is withdrawn, never changed.
notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("severity", Text, nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("text_zh", Text, nullable=False, server_default=""),
    Column("text_en", Text, nullable=False, server_default=""),
    Column("audience", ARRAY(Text), nullable=False, server_default="{}"),
    Column("shown_from", Instant, nullable=False),
    Column("shown_until", Instant, nullable=False),
    Column("written_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("withdrawn_by", BigInteger, ForeignKey("person.id")),
    Column("withdrawn_at", Instant),
    Column("withdrawn_reason", Text, nullable=False, server_default=""),
    CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
    CheckConstraint(
        "char_length(title_zh) between 1 and 120 and char_length(title_en) between 1 and 120",
        name="titles",
    ),
    CheckConstraint(
        "char_length(text_zh) <= 1000 and char_length(text_en) <= 1000"
        " and (text_zh = '') = (text_en = '')",
        name="texts",
    ),
    CheckConstraint(
        "audience <@ array['buyer', 'sme_administrator', 'technician', 'provider_manager',"
        " 'finance_maker', 'finance_checker', 'voucher_officer', 'evaluator', 'expert',"
        " 'station_agent', 'regulator', 'auditor', 'administrator']",
        name="audience",
    ),
    CheckConstraint(
        "shown_until > shown_from and shown_until <= shown_from + interval '366 days'",
        name="period",
    ),
    CheckConstraint(
        "(withdrawn_by is null) = (withdrawn_at is null)"
        " and (withdrawn_by is null) = (withdrawn_reason = '')"
        " and char_length(withdrawn_reason) <= 500",
        name="withdrawn",
    ),
)
Index(
    "notice_shown_idx",
    notice.c.shown_until,
    notice.c.shown_from,
    postgresql_where=notice.c.withdrawn_at.is_(None),
)
