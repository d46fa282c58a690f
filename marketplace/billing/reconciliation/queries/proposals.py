"""What open lines are, found set by set: however many there are, in a handful of statements.

Lines and payments are laid side by side in tables of the transaction's own, joined stage by stage,
and what a stage is sure of is out of the way of the next. PostgreSQL spills what does not fit its
memory; the answer is read in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation.rules.scoring import SCORES, Stage
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


LINES = """
create temp table open_line on commit drop as
select id, booked_on, amount_fen, counterparty_account, counterparty_name, named
  from statement_line where status = 'unmatched' and line_number > 0;
"""
PROPOSED = """
create temp table proposed (
  stage text, score smallint, kind text, line_ids bigint[], payout_ids bigint[]) on commit drop;
create temp table taken_line (id bigint) on commit drop;
create temp table taken_payment (id bigint) on commit drop;
analyze open_line;
analyze open_payment;
"""
# A stage reads what is left, and says which lines are which payments.
STAGES: dict[Stage, str] = {
    # A full account number that is another one speaks against a reference: a payer may mistype it.
    Stage.REFERENCE: """
with naming as (
  select l.id, l.booked_on, l.amount_fen, l.counterparty_account, r.reference,
         cardinality(l.named) as names,
         count(*) over (partition by r.reference, l.amount_fen > 0) as rivals
    from open_line l cross join lateral unnest(l.named) r(reference))
select case when n.amount_fen < 0 then 'payout' else 'return' end as kind,
       array[n.id] as line_ids, array[p.id] as payout_ids
  from naming n join open_payment p
    on p.end_to_end_id = n.reference and p.amount_fen = abs(n.amount_fen)
 where n.rivals = 1 and n.names = 1
   and (n.counterparty_account !~ '^[0-9]{{8,32}}$' or n.counterparty_account = p.number)
   and case when n.amount_fen < 0 then p.status = 'sent' and n.booked_on >= p.sent_on
            else p.status = 'confirmed' and n.booked_on >= p.confirmed_on end
""",
    Stage.PARTS: """
select 'payout' as kind, l.line_ids, array[p.id] as payout_ids
  from (select named[1] as reference, array_agg(id order by id) as line_ids,
               sum(amount_fen) as fen, min(booked_on) as first_on
          from open_line where amount_fen < 0 and cardinality(named) = 1
         group by named[1] having count(*) between 2 and 200) l
  join open_payment p on p.end_to_end_id = l.reference and p.amount_fen = -l.fen
 where p.status = 'sent' and l.first_on >= p.sent_on
""",
    Stage.SUM: """
with naming as (
  select l.id, l.amount_fen, l.booked_on, r.reference,
         count(*) over (partition by r.reference) as rivals, cardinality(l.named) as names
    from open_line l cross join lateral unnest(l.named) r(reference) where l.amount_fen < 0)
select 'payout' as kind, array[n.id] as line_ids, array_agg(p.id order by p.id) as payout_ids
  from naming n join open_payment p on p.end_to_end_id = n.reference
 where n.names between 2 and 199 and n.rivals = 1
   and p.status = 'sent' and n.booked_on >= p.sent_on
 group by n.id, n.amount_fen, n.names
having count(*) = n.names and sum(p.amount_fen) = -n.amount_fen
""",
    # Somebody else's name speaks against an account: not all that leaves it is a payout.
    Stage.ACCOUNT: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, min(counterparty_name) as name,
               bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on,
               min(holder) as holder
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
 where not l.names and l.name in ('', normalize(p.holder, nfkc))
   and l.booked_on between p.sent_on and p.sent_on + {days}
""",
    Stage.NAME: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_name as holder, amount_fen, min(id) as id,
               min(booked_on) as booked_on,
               bool_or(cardinality(named) > 0 or counterparty_account <> '') as told
          from open_line where amount_fen < 0 and counterparty_name <> ''
         group by 1, 2 having count(*) = 1) l
  join (select holder, amount_fen, min(id) as id, min(sent_on) as sent_on
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.holder = l.holder and p.amount_fen = -l.amount_fen
 where not l.told and l.booked_on between p.sent_on and p.sent_on + {days}
""",
    Stage.LATE: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
 where not l.names and l.booked_on > p.sent_on + {days}
""",
    Stage.ACCOUNT_SUM: """
select 'payout' as kind, array[l.id] as line_ids, p.payout_ids
  from (select counterparty_account as number, min(amount_fen) as amount_fen, min(id) as id,
               min(booked_on) as booked_on, bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1 having count(*) = 1) l
  join (select number, sum(amount_fen) as fen, array_agg(id order by id) as payout_ids,
               min(sent_on) as first_on, max(sent_on) as last_on
          from open_payment where status = 'sent'
         group by 1 having count(*) between 2 and 199) p
    on p.number = l.number and p.fen = -l.amount_fen
 where not l.names and l.booked_on between p.last_on and p.first_on + {days}
""",
}
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


async def propose(tx: Tx, within_days: int, stages: Sequence[Stage] = tuple(Stage)) -> None:
    """Find what open lines are; the proposals stay in the transaction, to be read in pieces."""
    connection = await tx.raw()
    payments = _sql(payout_queries.open_payments())
    await connection.execute(LINES)
    await connection.execute(f"create temp table open_payment on commit drop as {payments}")
    await connection.execute(PROPOSED)
    for place, stage in enumerate(stages):
        if place:
            await connection.execute(_CLEAR)
        found = STAGES[stage].format(days=int(within_days))
        await connection.execute(_TAKE.format(stage=stage, score=SCORES[stage], found=found))


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


__all__ = ["Found", "Proposal", "found_by_stage", "proposals", "propose"]
