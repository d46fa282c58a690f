"""What open lines are, found set by set: however many there are, in a handful of statements.

Lines and payments are laid side by side in tables of the transaction's own, joined stage by stage,
and what a stage is sure of is out of the way of the next. PostgreSQL spills what does not fit its
memory; the answer is read in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation.queries.stages import (
    FOUND_SUMS,
    LINES,
    PARTIES,
    PROPOSED,
    STAGES,
)
from marketplace.billing.reconciliation.rules.scoring import SCORES, Stage
from marketplace.billing.reconciliation.rules.sums import POOL_MAX, Amount, certain_sums
from marketplace.kernel.db import Tx

PIECE = 10_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines that a stage takes for payments: one for one, several for one, or one for several."""

    stage: Stage
    score: int
    kind: str
    line_ids: list[int]
    payout_ids: list[int]


_TAKE = """
insert into proposed select '{stage}', {score}, f.* from ({found}) f;
insert into taken_line select unnest(line_ids) from proposed where stage = '{stage}';
insert into taken_payment select unnest(payout_ids) from proposed where stage = '{stage}';
"""
_CLEAR = """
delete from open_line l using taken_line t where t.id = l.id;
delete from open_payment p using taken_payment t where t.id = p.id;
truncate taken_line, taken_payment;
"""


@dataclass(frozen=True, slots=True)
class Within:
    """How long after it was sent a payment shows, and after which time it shows no more."""

    days: int
    late_days: int


async def propose(tx: Tx, within: Within, stages: Sequence[Stage] = tuple(Stage)) -> None:
    """Find what open lines are; the proposals stay in the transaction, to be read in pieces."""
    connection = await tx.raw()
    payments = _sql(payout_queries.open_payments())
    words = {
        "days": int(within.days),
        "late_days": int(within.late_days),
        "accounts": _sql(payout_queries.accounts_paid()),
    }
    await connection.execute(LINES)
    await connection.execute(f"create temp table open_payment on commit drop as {payments}")
    await connection.execute(PROPOSED)
    # How many lines are alone with their account and amount cannot be guessed, and a nested loop
    # over all of them takes for ever where the guess was one.
    await connection.execute("set local enable_nestloop = off")
    for place, stage in enumerate(stages):
        if place:
            await connection.execute(_CLEAR)
        if stage in (Stage.MERGED, Stage.SPLIT):
            await connection.execute(FOUND_SUMS)
            await _find_sums(connection, stage, within.days)
            found = "select 'payout', line_ids, payout_ids from found_sum"
        else:
            found = STAGES[stage].format(**words)
        await connection.execute(_TAKE.format(stage=stage, score=SCORES[stage], found=found))
    await connection.execute("set local enable_nestloop to default")


async def _find_sums(connection: Any, stage: Stage, days: int) -> None:
    """Look at one party after the other, and write down what is certain, in pieces."""
    found: list[tuple[list[int], list[int]]] = []
    parties = PARTIES.format(most=POOL_MAX)
    async for party in connection.cursor(parties, prefetch=PIECE):
        lines = [
            Amount(one, fen, day, day)
            for one, fen, day in zip(
                party["line_ids"], party["line_fen"], party["line_days"], strict=True
            )
        ]
        payments = [
            Amount(one, fen, day, day + timedelta(days=days))
            for one, fen, day in zip(
                party["payout_ids"], party["payout_fen"], party["payout_days"], strict=True
            )
        ]
        if stage is Stage.MERGED:
            found += [([one.whole_id], [*one.part_ids]) for one in certain_sums(lines, payments)]
        else:
            found += [([*one.part_ids], [one.whole_id]) for one in certain_sums(payments, lines)]
        if len(found) >= PIECE:
            await connection.copy_records_to_table("found_sum", records=found)
            found.clear()
    await connection.copy_records_to_table("found_sum", records=found)


def _sql(asked: Select[*tuple[object, ...]]) -> str:
    return str(
        asked.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    )


async def proposals(
    tx: Tx, *, at_least: int = 0, limit: int | None = None
) -> AsyncIterator[Proposal]:
    """What was found, the surest first."""
    asked = text(
        "select stage, score, kind, line_ids, payout_ids from proposed where score >= :least"
        " order by score desc, line_ids limit :most"
    )
    result = await tx.connection.stream(
        asked, {"least": at_least, "most": limit}, execution_options={"yield_per": PIECE}
    )
    async for row in result:
        yield Proposal(Stage(row.stage), row.score, row.kind, row.line_ids, row.payout_ids)


@dataclass(frozen=True, slots=True)
class Found:
    """How many proposals a stage made, and what they come to."""

    stage: str
    score: int
    proposals: int


async def found_by_stage(tx: Tx) -> list[Found]:
    """How much each stage found."""
    return await tx.all(
        Found,
        text(
            "select stage, score, count(*) as proposals from proposed group by 1, 2 order by 2 desc"
        ),
    )


__all__ = ["Found", "Proposal", "Within", "found_by_stage", "proposals", "propose"]
