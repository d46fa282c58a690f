"""What becomes of grants, and the caps that orders count towards."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from marketplace.kernel.tables import Instant, metadata

grant_change = Table(
    "grant_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("grant_id", BigInteger, ForeignKey("voucher_grant.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("application_id", BigInteger, ForeignKey("voucher_application.id")),
    Column("proposed_by", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("person.id")),
    Column("decided_at", Instant),
    Column("decision", Text, nullable=False, server_default=""),
    CheckConstraint("kind in ('top_up', 'withdrawal', 'revocation')", name="kind"),
    CheckConstraint("status in ('proposed', 'done', 'declined')", name="status"),
    CheckConstraint("amount_fen > 0 or kind = 'revocation' and amount_fen = 0", name="amount"),
    CheckConstraint("kind = 'top_up' or btrim(reason) <> ''", name="reason"),
    CheckConstraint("(kind = 'top_up') = (application_id is not null)", name="application"),
    CheckConstraint("decided_by is distinct from proposed_by", name="second_person"),
    CheckConstraint(
        "(status = 'proposed') = (decided_by is null)"
        " and (decided_by is null) = (decided_at is null)",
        name="decided",
    ),
)
Index(
    "grant_change_open_once",
    grant_change.c.grant_id,
    unique=True,
    postgresql_where=grant_change.c.status == "proposed",
)
Index("grant_change_grant_idx", grant_change.c.grant_id, grant_change.c.id)
Index("grant_change_status_idx", grant_change.c.status, grant_change.c.id)

grant_change_part = Table(
    "grant_change_part",
    metadata,
    Column("change_id", BigInteger, ForeignKey("grant_change.id"), nullable=False),
    Column("grant_part_id", BigInteger, ForeignKey("grant_part.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("change_id", "grant_part_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
Index("grant_change_part_part_idx", grant_change_part.c.grant_part_id)

# What orders hold or have used of one programme's caps, of one funder or (empty) of all: the row
# lock and the check keep them.
voucher_cap = Table(
    "voucher_cap",
    metadata,
    Column("programme_id", BigInteger, ForeignKey("programme.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("funder", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("used_fen", BigInteger, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("programme_id", "kind", "subject", "funder", "year"),
    CheckConstraint("kind in ('sme-year', 'group-year', 'instrument-year')", name="kind"),
    CheckConstraint("used_fen between 0 and cap_fen", name="room"),
)

# What a hold counts towards. When it ends a trigger gives that back, and another counts what is
# redeemed: first the hold ends, then its redemption is written.
voucher_hold_cap = Table(
    "voucher_hold_cap",
    metadata,
    Column("hold_id", BigInteger, ForeignKey("voucher_hold.id"), nullable=False),
    Column("programme_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("funder", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("held_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("hold_id", "kind", "funder"),
    CheckConstraint("held_fen > 0", name="held"),
    ForeignKeyConstraint(
        ["hold_id", "year"],
        ["voucher_hold.id", "voucher_hold.counted_year"],
        name="voucher_hold_cap_year",
    ),
    ForeignKeyConstraint(
        ["programme_id", "kind", "subject", "funder", "year"],
        [
            "voucher_cap.programme_id",
            "voucher_cap.kind",
            "voucher_cap.subject",
            "voucher_cap.funder",
            "voucher_cap.year",
        ],
        name="voucher_hold_cap_counted",
    ),
)
