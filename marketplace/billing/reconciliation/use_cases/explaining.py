"""What a person says of a line, with a reason; and taking a match back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import LineNotReady, MatchUnfit
from marketplace.billing.reconciliation.rules.matching import Found, OpenLine
from marketplace.billing.reconciliation.rules.references import FUND_YEARS
from marketplace.billing.reconciliation.rules.states import (
    TOGETHER_ONLY,
    How,
    LineStatus,
    MatchKind,
    fits_direction,
)
from marketplace.billing.reconciliation.tables import line_match, statement_line
from marketplace.billing.reconciliation.use_cases.booking import book, note_matches
from marketplace.billing.reconciliation.use_cases.clearing import (
    UndoClearing,
    undo_booking,
    undo_clearing,
)
from marketplace.billing.reconciliation.use_cases.turns import explain_lines
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties

BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class MatchLine:
    """Say what a line is.

    `target_id` is the payout, the SME whose wallet it is, the year of a fund (by default that of
    the line), or the other line of a contra; charges and interest have none.
    """

    line_id: int
    kind: MatchKind
    reason: str
    target_id: int | None = None


@dataclass(frozen=True, slots=True)
class UndoMatch:
    """A line is not what it was matched to."""

    line_id: int
    reason: str


async def match_line(tx: Tx, command: MatchLine) -> queries.StatementLine:
    """Explain one line by hand.

    Raises:
        LineMissing: when there is no such line.
        LineNotReady: when it is explained already.
        MatchUnfit: when direction, amount or target do not fit.
        OrganisationMissing, OrganisationUnfit: when the wallet is nobody's, or no SME's.
        PayoutMissing, PayoutNotReady: when the payment is not one that waits.
    """
    await explain_lines(tx)
    line = await _open(tx, command.line_id)
    if not fits_direction(command.kind, line.amount_fen):
        raise MatchUnfit(
            f"A {command.kind} is money {'in' if line.amount_fen < 0 else 'out'}.",
            asked=line.amount_fen,
        )
    if command.kind is MatchKind.CONTRA:
        await _contra(tx, line, command)
    else:
        found = await _found(tx, line, command)
        await book(tx, [found], how=How.MANUAL, reason=command.reason)
    tx.audit(
        "match",
        subject="statement_line",
        subject_id=line.id,
        kind=str(command.kind),
        target_id=command.target_id,
        amount_fen=line.amount_fen,
        reason=command.reason,
    )
    return await queries.line_by_id(tx, line.id)


async def _open(tx: Tx, line_id: int) -> OpenLine:
    line = await queries.open_line(tx, line_id)
    if line is None:
        found = await queries.line_by_id(tx, line_id)
        raise LineNotReady(f"Line {line_id} is {found.status}.", asked=found.status)
    return line


async def _found(tx: Tx, line: OpenLine, command: MatchLine) -> Found:
    target = command.target_id
    if command.kind in (MatchKind.CHARGE, MatchKind.INTEREST):
        return Found(line, command.kind, 0, BY_HAND)
    if command.kind in (MatchKind.VOUCHER_FUND, MatchKind.REWARD_FUND):
        year = target or line.booked_on.year
        if year not in FUND_YEARS:
            raise MatchUnfit("A fund is of a year.", asked=year)
        return Found(line, command.kind, year, BY_HAND)
    if command.kind in TOGETHER_ONLY:
        raise MatchUnfit("That is said of lines together: clear them.")
    if target is None:
        raise MatchUnfit("Say which payout, SME, credit line or other line it is.")
    if command.kind is MatchKind.CREDIT:
        return Found(line, command.kind, target, BY_HAND)
    if command.kind is MatchKind.WALLET:
        await parties.require_organisation(tx, target, "sme")
        return Found(line, command.kind, target, BY_HAND)
    payout = await payout_queries.payout_by_id(tx, target)
    if payout.amount_fen != abs(line.amount_fen):
        raise MatchUnfit(
            "The payment is over another amount.",
            limit=payout.amount_fen,
            asked=abs(line.amount_fen),
        )
    if payout.confirmed_on is not None and line.booked_on < payout.confirmed_on:
        raise MatchUnfit("The payment was made later.", limit=payout.confirmed_on)
    return Found(line, command.kind, target, BY_HAND, payout.end_to_end_id)


async def _contra(tx: Tx, line: OpenLine, command: MatchLine) -> None:
    """Two lines that undo each other: suspense is even without an entry."""
    if command.target_id is None or command.target_id == line.id:
        raise MatchUnfit("Name the line that undoes this one.")
    other = await _open(tx, command.target_id)
    if other.amount_fen != -line.amount_fen:
        raise MatchUnfit(
            "The two lines do not come to zero.", limit=-line.amount_fen, asked=other.amount_fen
        )
    pair = [
        (Found(one, MatchKind.CONTRA, undone_by.id, BY_HAND), None)
        for one, undone_by in ((line, other), (other, line))
    ]
    await note_matches(tx, pair, how=How.MANUAL, reason=command.reason)


async def undo_match(tx: Tx, command: UndoMatch) -> queries.StatementLine:
    """Take a match back by a reversing entry; the line is unexplained again.

    A payment is on its way again, a returned one is made again. Both lines of a contra open.

    Raises:
        LineMissing: when there is no such line.
        LineNotReady: when no match stands.
        InsufficientFunds: when the money has been spent since.
        PayoutNotReady: when the payment has moved on, for instance was instructed again.
    """
    await explain_lines(tx)
    await tx.execute(
        select(statement_line.c.id).where(statement_line.c.id == command.line_id).with_for_update()
    )
    line = await queries.line_by_id(tx, command.line_id)
    if line.match_id is None or line.kind is None or line.target_id is None:
        raise LineNotReady("No match stands that could be undone.", asked=line.status)
    if line.kind == MatchKind.CLEARING:
        await undo_clearing(tx, UndoClearing(line.target_id, command.reason))
        return await queries.line_by_id(tx, line.id)
    if line.entry_id is not None:
        key = f"undo:match:{line.match_id}"
        kind = MatchKind(line.kind)
        await undo_booking(tx, kind, line.target_id, line.entry_id, command.reason, key)
    opened = [line.id]
    if line.kind == MatchKind.CONTRA:
        opened.append(line.target_id)
    await tx.execute(
        update(line_match)
        .where(line_match.c.line_id.in_(opened), line_match.c.undone_at.is_(None))
        .values(undone_by=tx.actor.person_id, undone_at=tx.now, undo_reason=command.reason)
    )
    await tx.execute(
        update(statement_line)
        .where(statement_line.c.id.in_(opened))
        .values(status=LineStatus.UNMATCHED, note=f"undone: {command.reason}"[:500])
    )
    tx.audit(
        "undo_match",
        subject="statement_line",
        subject_id=line.id,
        kind=line.kind,
        target_id=line.target_id,
        match_id=line.match_id,
        reason=command.reason,
    )
    return await queries.line_by_id(tx, line.id)
