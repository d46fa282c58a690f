"""Explaining open lines of all statements by what is surest, and suggesting what a line may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.queries.proposals import Proposal
from marketplace.billing.reconciliation.rules.clearing import Item
from marketplace.billing.reconciliation.rules.matching import Found, OpenLine, said
from marketplace.billing.reconciliation.rules.scoring import Candidate, Scored, Stage, scored
from marketplace.billing.reconciliation.rules.states import How, MatchKind
from marketplace.billing.reconciliation.use_cases.booking import book
from marketplace.billing.reconciliation.use_cases.clearing import ClearLines, clear_lines
from marketplace.billing.reconciliation.use_cases.turns import explain_lines
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

AT_ONCE = 20_000
SUGGESTIONS = 10


@dataclass(frozen=True, slots=True)
class MatchOpen:
    """Explain what is surely a payment among the open lines of all statements."""

    at_most: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class OpenReport:
    """How many lines were explained by which stage, and how many more a person may accept."""

    explained: dict[str, int]
    suggested: dict[str, int]


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What one open line may be, the likeliest first."""

    line_id: int
    candidates: tuple[Scored, ...]


async def match_open(tx: Tx, command: MatchOpen) -> OpenReport:
    """Find what open lines are, and book what scores at least what the rulebook asks for.

    Can be run again, and after it was killed: it looks at what is open then.
    """
    await explain_lines(tx)
    terms = rulebook().banking
    await queries.propose(
        tx,
        queries.Within(terms.match_days.on(tx.today), terms.late_match_days.on(tx.today)),
    )
    least = terms.auto_match_score.on(tx.today)
    sure = [one async for one in queries.proposals(tx, at_least=least, limit=command.at_most)]
    singles = [one for one in sure if len(one.line_ids) == len(one.payout_ids) == 1]
    await _book(tx, singles)
    for one in sure:
        if len(one.line_ids) > 1 or len(one.payout_ids) > 1:
            await _clear(tx, one)
    explained: Counter[str] = Counter()
    for one in sure:
        explained[str(one.stage)] += len(one.line_ids)
    found = await queries.found_by_stage(tx)
    tx.audit("match", subject="statement_line", subject_id=0, explained=dict(explained))
    return OpenReport(
        dict(explained), {one.stage: one.proposals for one in found if one.score < least}
    )


async def _book(tx: Tx, singles: list[Proposal]) -> None:
    wanted = [one.line_ids[0] for one in singles]
    lines = {line.id: line for line in await queries.open_lines_by_id(tx, wanted)}
    references = await payout_queries.references_of(tx, [one.payout_ids[0] for one in singles])
    found = [
        Found(
            lines[one.line_ids[0]],
            MatchKind(one.kind),
            one.payout_ids[0],
            _rule(one.stage),
            references[one.payout_ids[0]],
            one.score,
        )
        for one in singles
    ]
    await book(tx, found, how=How.AUTO)


async def _clear(tx: Tx, one: Proposal) -> None:
    amounts = await payout_queries.amounts_of(tx, one.payout_ids)
    await clear_lines(
        tx,
        ClearLines(
            one.line_ids,
            [Item(MatchKind.PAYOUT, -amounts[each], each) for each in one.payout_ids],
            "",
            how=How.AUTO,
            rule=_rule(one.stage),
            score=one.score,
        ),
    )


def _rule(stage: Stage) -> str:
    return f"by {stage.replace('_', ' ')}"


async def suggestions(tx: Tx, line_id: int) -> Suggestions:
    """Payments that an open line may be, each with its score and the reasons.

    Raises:
        LineMissing: when there is no such line.
    """
    shown = await queries.line_by_id(tx, line_id)
    line = OpenLine(
        shown.id,
        shown.booked_on,
        shown.amount_fen,
        shown.counterparty_name,
        shown.counterparty_account,
        shown.remark,
        shown.bank_reference,
        end_to_end_id=shown.end_to_end_id,
    )
    if shown.status != "unmatched":
        return Suggestions(line_id, ())
    found = await payout_queries.candidates(
        tx,
        payout_queries.CandidateSearch(
            references=sorted(said(line).payouts),
            amount_fen=abs(line.amount_fen),
            account_number=line.counterparty_account,
            status="sent" if line.amount_fen < 0 else "confirmed",
        ),
    )
    within = rulebook().banking.match_days.on(tx.today)
    ranked = sorted(
        (
            scored(
                line,
                Candidate(
                    one.id,
                    one.end_to_end_id,
                    one.amount_fen,
                    one.status,
                    one.number,
                    one.holder,
                    one.sent_on,
                    one.confirmed_on,
                ),
                within,
            )
            for one in found
        ),
        key=lambda each: (-each.score, each.candidate.payout_id),
    )
    return Suggestions(line_id, tuple(one for one in ranked if one.score > 0)[:SUGGESTIONS])
