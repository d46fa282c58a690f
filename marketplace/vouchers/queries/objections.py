"""Claims in public notice with all their lines and the draw, and the objections to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import ObjectionMissing
from marketplace.vouchers.errors import ClaimMissing
from marketplace.vouchers.queries.access import sees_all
from marketplace.vouchers.queries.claims import claim, spot_checks
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import Claim, Listed, columns


@dataclass(frozen=True, slots=True)
class Objection:
    """Why somebody thinks that a claim should not be paid, and what was answered."""

    id: int
    claim_id: int
    redemption_id: int | None
    name: str
    contact: str
    statement: str
    filed_at: datetime
    status: str
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObjectionSearch:
    """Which objections: to a claim, in a state, which page."""

    claim_id: int | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What the public sees of a line: the day of the service and the amounts."""

    redemption_id: int
    redeemed_on: date
    claimed_fen: int
    approved_fen: int
    drawn: bool


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A claim in public notice: its lines, and the seed with which anybody repeats the draw."""

    claim_id: int
    notice_ends_on: date
    seed: int
    amount_fen: int
    lines: tuple[NoticeLine, ...]


async def claim_in_notice(tx: Tx, claim_id: int, *, lock: bool = False) -> Claim | None:
    """The claim while it is public, for anybody."""
    table = tables.claim
    statement = select(*columns(Claim, table)).where(
        table.c.id == claim_id, table.c.status == "in_notice"
    )
    return await tx.first(Claim, statement.with_for_update() if lock else statement)


async def notice_page(tx: Tx, claim_id: int) -> NoticePage:
    """What anybody may know of a claim in notice.

    Raises:
        ClaimMissing: when no claim of this number is in public notice.
    """
    found = await claim_in_notice(tx, claim_id)
    if found is None:
        raise ClaimMissing()
    assert found.notice_ends_on is not None
    assert found.seed is not None
    line, redemption = tables.claim_line, tables.redemption
    drawn = {each.redemption_id for each in await spot_checks(tx, claim_id)}
    rows = await tx.execute(
        select(
            line.c.redemption_id,
            redemption.c.redeemed_on,
            line.c.claimed_fen,
            line.c.approved_fen,
            redemption.c.excluded_at,
        )
        .join_from(line, redemption, redemption.c.id == line.c.redemption_id)
        .where(line.c.claim_id == claim_id)
        .order_by(line.c.redemption_id)
    )
    return NoticePage(
        claim_id,
        found.notice_ends_on,
        found.seed,
        found.amount_fen,
        tuple(
            NoticeLine(
                row.redemption_id,
                row.redeemed_on,
                row.claimed_fen,
                0 if row.excluded_at is not None else row.approved_fen,
                row.redemption_id in drawn,
            )
            for row in rows
        ),
    )


async def objection(tx: Tx, objection_id: int) -> Objection:
    """One objection, for the centre and the auditors.

    Raises:
        ObjectionMissing: when there is none.
    """
    table = tables.claim_objection
    return await tx.one(
        Objection,
        select(*columns(Objection, table)).where(table.c.id == objection_id),
        missing=ObjectionMissing,
    )


async def objections(tx: Tx, search: ObjectionSearch) -> Listed[Objection]:
    """Objections, the newest first; a claimant sees those to its claim."""
    table = tables.claim_objection
    statement = select(*columns(Objection, table))
    if search.claim_id is not None:
        await claim(tx, search.claim_id)
        statement = statement.where(table.c.claim_id == search.claim_id)
    elif not sees_all(tx.actor):
        raise ClaimMissing("Name one of your own claims.")
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, Objection, statement, table.c.id, search.page)


async def objections_open(tx: Tx, claim_id: int) -> int:
    """How many objections to a claim wait for their answer."""
    table = tables.claim_objection.c
    found: int = await tx.scalar(
        select(func.count()).where(table.claim_id == claim_id, table.status == "open")
    )
    return found
