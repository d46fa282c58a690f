"""A payout batch, a reward run and a statement are killed in their middle, again and again.

Each attempt lives a little longer than the one before, until one gets through; whatever it left
behind must be something that the next one can go on from, to the same end and once only.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts.use_cases import InstructPayout, instruct_payouts
from marketplace.billing.reconciliation.errors import StatementKnown
from marketplace.billing.rewards.errors import RunNotDraft
from marketplace.billing.rewards.use_cases import ApproveRun, DraftRun, approve_run, draft_run
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from tests.builders.ledger import A_DAY, TEST
from tests.builders.money_jobs import (
    Job,
    MoneyProcess,
    approve_rewards,
    export_batch,
    import_file,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_legal_entity
from tests.builders.payouts import a_finance_team, a_payee, money_owed
from tests.builders.reconciliation import BANK_ACCOUNT, a_file, a_line, imported
from tests.builders.rewards import a_checker, a_graded_provider, a_maker, a_reward_fund

# The first attempt ends as soon as it has begun; each one after it lives half as long again, so
# that a quick machine and a slow one kill in the middle alike.
FIRST_SECONDS = 0.01
LONGER = 1.5
ATTEMPTS_MAX = 25

State = tuple[Any, ...]


async def killed_until_done(
    database: Database,
    job: Job,
    people: tuple[Actor, ...],
    given: Any,
    state: Callable[[], Awaitable[State]],
    between: tuple[str, ...] = (),
) -> tuple[list[State], list[tuple[str, Any]]]:
    """What each attempt left behind, and everything that any of them said.

    After the first, as many attempts end between two steps: when they have said what is named.
    """
    left, said = [], []
    for attempt in range(ATTEMPTS_MAX):
        process = MoneyProcess(job, database.url, database.clock.now(), people, given)
        saying = between[attempt - 1] if 0 < attempt <= len(between) else None
        done = await asyncio.to_thread(
            process.until_killed, FIRST_SECONDS * LONGER**attempt, saying=saying
        )
        said += process.told
        # Its server process may still be at its last statement: ask when that is over.
        await its_end(database)
        left.append(await state())
        assert (await verify(database)).problems == [], (attempt, process.told)
        if done:
            return left, said
    raise AssertionError(f"It was never done in {ATTEMPTS_MAX} attempts.")


async def its_end(database: Database) -> None:
    others = text(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name = 'marketplace' and state <> 'idle' and pid <> pg_backend_pid()"
    )
    while True:
        async with database.engine.connect() as connection:
            await become_owner(connection)  # Others see nothing of what sessions do.
            if not await connection.scalar(others):
                return
        await asyncio.sleep(0.01)


async def row(database: Database, question: str, **values: Any) -> State:
    async with database.engine.connect() as connection:
        return tuple((await connection.execute(text(question), values)).one())


PAYOUTS = 1_500
BATCH = """
select (select string_agg(status || ' ' || lines, ', ' order by id) from payout_batch),
       (select count(*) from payout where batch_id is not null),
       (select count(*) from payout where status = 'sent'),
       (select count(*) from payout where (status = 'instructed') <> (batch_id is null)
          or status = 'sent' and batch_id is null)
"""


@pytest.mark.timeout(180)
async def test_a_batch_goes_to_the_bank_once_and_with_the_same_bytes(database: Database):
    team = await a_finance_team(database)
    payees = [await a_payee(database) for _ in range(8)]
    for payee in payees:
        await money_owed(database, provider_id=payee, amount_fen=10_000_000)

    async def instruct(tx: Tx, _: None) -> None:
        await instruct_payouts(
            tx,
            [
                InstructPayout(payees[n % 8], 100 + n, "claim", n, AccountType.PAYABLE)
                for n in range(PAYOUTS)
            ],
        )

    await atomically(database, instruct, None, actor=TEST)

    left, said = await killed_until_done(
        database,
        export_batch,
        (team.maker, team.checker),
        None,
        lambda: row(database, BATCH),
        between=("drafted", "approved"),
    )

    sent = (f"sent {PAYOUTS}", PAYOUTS, PAYOUTS, 0)
    nothing = (None, 0, 0, 0)
    between = {(f"{status} {PAYOUTS}", PAYOUTS, 0, 0) for status in ("draft", "approved")}
    assert left[0] == nothing
    assert left[-1] == sent
    assert set(left) <= {nothing, sent} | between
    # The control: some fell between the steps, and one into the first of them.
    assert set(left) & between
    assert len({value for what, value in said if what in ("drafted", "approved", "sent")}) == 1
    (kept,) = await row(database, "select content from payout_batch")
    files = {value for what, value in said if what == "file"}
    assert files == {hashlib.sha256(kept).hexdigest()}
    assert await row(
        database,
        "select count(*), count(distinct source_id), sum(e) from (select source_id, (select"
        " count(*) from entry e where e.source_kind = 'payout' and e.source_id = p.id) as e"
        " from payout p) p",
    ) == (PAYOUTS, PAYOUTS, PAYOUTS)


PROVIDERS = 400
RUN = """
select (select status from reward_run where id = :run),
       (select count(*) from payout where source_kind = 'reward'),
       (select coalesce(sum(p.amount_fen), 0) from posting p join account a on a.id = p.account_id
         where a.type = 'reward_fund' and p.amount_fen > 0),
       (select coalesce(sum(paid_fen), 0) from reward_year)
"""


async def many_rewarded(database: Database) -> None:
    """Providers of some legal entities, each excellent, each with a service in January."""
    first = await a_graded_provider(database, legal_entity_id=await a_legal_entity(database))
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        for statement in (
            "insert into legal_entity (uscc, name, region_code, kind, capital, registered_by,"
            " registered_at) select 'E' || lpad(n::text, 17, '0'), 'entity ' || n, '320100',"
            " 'university', 'fiscal', 1, now() from generate_series(1, 40) n",
            "insert into organisation (legal_entity_id, kind, name, region_code, registered_by,"
            " registered_at) select (select min(id) from legal_entity where name = 'entity 1')"
            f" + n % 40, 'provider', 'rewarded ' || n, '320100', 1, now()"
            f" from generate_series(1, {PROVIDERS}) n",
            "insert into provider_grade (provider_id, year, grade, source, noted_by, noted_at)"
            " select o.id, g.year, g.grade, g.source, g.noted_by, g.noted_at from organisation o,"
            f" provider_grade g where g.provider_id = {first} and o.name like 'rewarded %'",
            "insert into charge_line (order_id, kind, provider_id, legal_entity_id, instrument_id,"
            " buyer_id, buyer_legal_entity_id, service_value_fen, voucher_fen, own_fen,"
            " settled_on, voucher_order, affiliated, counts_for_reward, recorded_by, recorded_at)"
            " select o.id, 'service', o.id, o.legal_entity_id, 1, 1, 1, 100000 + o.id, 0,"
            " 100000 + o.id, '2025-01-15', true, false, true, 1, now() from organisation o"
            " where o.name like 'rewarded %'",
        ):
            await connection.execute(text(statement))


@pytest.mark.timeout(180)
async def test_an_approved_run_is_posted_and_instructed_once(database: Database):
    await a_reward_fund(database)
    await many_rewarded(database)
    maker, checker = await a_maker(database), await a_checker(database)
    asked = DraftRun(year=2025, through=date(2025, 3, 3))
    drafted = await atomically(database, draft_run, asked, actor=maker)

    left, said = await killed_until_done(
        database,
        approve_rewards,
        (maker, checker),
        drafted.id,
        lambda: row(database, RUN, run=drafted.id),
    )

    nothing = ("draft", 0, 0, 0)
    paid = ("approved", PROVIDERS, drafted.total_fen, drafted.total_fen)
    assert left[-1] == paid
    assert drafted.total_fen > 0
    # The control: several were killed at work, and all of it or nothing was left.
    assert set(left) == {nothing, paid}
    assert left.count(nothing) >= 3
    assert [what for what, _ in said].count("approved") <= 1
    with pytest.raises(RunNotDraft):
        await atomically(database, approve_run, ApproveRun(drafted.id), actor=checker)
    assert await row(
        database,
        "select count(*) from payout p where p.source_kind = 'reward' and (select count(*)"
        " from entry e where e.source_kind = 'payout' and e.source_id = p.id) <> 1",
    ) == (0,)


LINES = 3_000
IMPORTED = """
select (select count(*) from bank_statement), (select count(*) from statement_line),
       (select count(distinct identity) from statement_line),
       (select coalesce(sum(p.amount_fen), 0) from posting p join account a on a.id = p.account_id
         where a.type = 'bank')
"""


@pytest.mark.timeout(180)
async def test_a_statement_is_imported_whole_and_each_line_once(database: Database):
    lines = [a_line(100 + number, f"SC-W-{number % 50}") for number in range(LINES)]
    content = a_file(lines)
    total_fen = sum(line.amount_fen for line in lines)

    left, said = await killed_until_done(
        database, import_file, (TEST,), (BANK_ACCOUNT, content), lambda: row(database, IMPORTED)
    )

    nothing = (0, 0, 0, 0)
    assert left[-1] == (1, LINES, LINES, total_fen)
    assert set(left) == {nothing, left[-1]}
    assert left.count(nothing) >= 3
    assert [what for what, _ in said].count("imported") <= 1
    with pytest.raises(StatementKnown):
        await imported(database, content)
    # The next one goes on from its closing balance.
    more = a_file([a_line(5, booked_on=A_DAY)], opening_fen=total_fen)
    assert (await imported(database, more)).closing_fen == total_fen + 5
