"""Clawbacks with their lines, and what came in of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import ClawbackMissing
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import Listed, columns
from marketplace.vouchers.rules.clawbacks import PaidLine


@dataclass(frozen=True, slots=True)
class Clawback:
    """Approved money that is asked back of a claimant."""

    id: int
    claim_id: int
    organisation_id: int
    cause: str
    amount_fen: int
    recovered_fen: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str
    entry_id: int | None


@dataclass(frozen=True, slots=True)
class ClawbackLine:
    """What of it is asked back of a redemption."""

    redemption_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClawbackRecovery:
    """What came in of it."""

    amount_fen: int
    source: str
    claim_id: int | None
    entry_id: int
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ClawbackPage:
    """A clawback with its lines and what came in of it."""

    clawback: Clawback
    lines: tuple[ClawbackLine, ...]
    recoveries: tuple[ClawbackRecovery, ...]


@dataclass(frozen=True, slots=True)
class ClawbackSearch:
    """Which clawbacks: of a claimant or a claim, in a state, only those still owed."""

    organisation_id: int | None = None
    claim_id: int | None = None
    status: str | None = None
    owed: bool = False
    page: PageAsked = FIRST_PAGE


async def clawback(tx: Tx, clawback_id: int, *, lock: bool = False) -> Clawback:
    """A clawback, for its claimant, the centre and the auditors.

    Raises:
        ClawbackMissing: for everybody else, and when there is none.
    """
    statement = select(*columns(Clawback, tables.clawback)).where(
        tables.clawback.c.id == clawback_id
    )
    found = await tx.one(
        Clawback, statement.with_for_update() if lock else statement, missing=ClawbackMissing
    )
    if not may_see(tx.actor, found.organisation_id):
        raise ClawbackMissing()
    return found


async def clawback_page(tx: Tx, clawback_id: int) -> ClawbackPage:
    """A clawback with everything that belongs to it."""
    found = await clawback(tx, clawback_id)
    line, recovery = tables.clawback_line, tables.clawback_recovery
    lines = await tx.all(
        ClawbackLine,
        select(*columns(ClawbackLine, line))
        .where(line.c.clawback_id == clawback_id)
        .order_by(line.c.redemption_id),
    )
    recoveries = await tx.all(
        ClawbackRecovery,
        select(*columns(ClawbackRecovery, recovery))
        .where(recovery.c.clawback_id == clawback_id)
        .order_by(recovery.c.id),
    )
    return ClawbackPage(found, tuple(lines), tuple(recoveries))


async def clawbacks(tx: Tx, search: ClawbackSearch) -> Listed[Clawback]:
    """Clawbacks, the newest first; a claimant sees its own."""
    table = tables.clawback
    statement = select(*columns(Clawback, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.organisation_id == tx.actor.organisation_id)
    for name in ("organisation_id", "claim_id", "status"):
        wanted = getattr(search, name)
        if wanted is not None:
            statement = statement.where(table.c[name] == wanted)
    if search.owed:
        statement = statement.where(
            table.c.status == "approved", table.c.recovered_fen < table.c.amount_fen
        )
    return await listed(tx, Clawback, statement, table.c.id, search.page)


async def paid_lines(tx: Tx, claim_id: int) -> list[PaidLine]:
    """The approved lines of a claim with what may still be clawed back of them.

    What is proposed and not decided counts as asked back already.
    """
    line, of_line, of = tables.claim_line, tables.clawback_line, tables.clawback
    proposed = (
        select(func.coalesce(func.sum(of_line.c.amount_fen), 0))
        .join_from(of_line, of, of.c.id == of_line.c.clawback_id)
        .where(
            of_line.c.claim_id == line.c.claim_id,
            of_line.c.redemption_id == line.c.redemption_id,
            of.c.status == "proposed",
        )
        .correlate(line)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            line.c.redemption_id,
            (line.c.approved_fen - line.c.clawed_back_fen - proposed).label("left_fen"),
        )
        .join_from(line, tables.redemption, tables.redemption.c.id == line.c.redemption_id)
        .where(
            line.c.claim_id == claim_id,
            line.c.approved_fen > 0,
            tables.redemption.c.claim_id == claim_id,
            tables.redemption.c.excluded_at.is_(None),
        )
        .order_by(line.c.redemption_id)
    )
    return [PaidLine(row.redemption_id, int(row.left_fen)) for row in rows]
