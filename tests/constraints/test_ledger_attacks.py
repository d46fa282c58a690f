"""The same attacks by whoever has the application's connection, and by the owner of the tables.

The owner is stopped by triggers and constraints, the application by its privileges before them;
what either may do in the course of its work, to insert and to move a balance, is checked by rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.rules.chart import AccountType
from marketplace.kernel.db import Database
from marketplace.kernel.roles import take_role
from tests.builders.ledger import a_hold, a_payable, a_posted_entry, a_wallet, an_account
from tests.builders.parties import a_person
from tests.constraints.test_close import OLD_ENTRY
from tests.constraints.test_ledger import new_entry, new_entry_with, new_lines

FUNDS_FEN = 1_000


async def a_session(database_url: str, who: str) -> asyncpg.Connection[Any]:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    if who == "application":
        await take_role(connection)
    return connection


@pytest.fixture(params=["application", "owner"])
def who(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def sql(database_url: str, who: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await a_session(database_url, who)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def books(database: Database) -> AsyncIterator[dict[str, int]]:
    """A wallet with 1,000 fen, an entry, a hold, and after everything: books that balance."""
    wallet = await a_wallet(database, funds_fen=FUNDS_FEN)
    bank = await an_account(database, AccountType.BANK)
    suspense = await an_account(database, AccountType.BANK_SUSPENSE)
    entry = await a_posted_entry(database, debit=bank, credit=await a_payable(database))
    hold = await a_hold(database, account_id=wallet, amount_fen=100)
    yield {"wallet": wallet, "bank": bank, "suspense": suspense, "entry": entry, "hold": hold}
    assert (await verify(database)).problems == []


def refused(by: str | None = None) -> Any:
    """By privilege, or under that name."""

    def fits(error: asyncpg.PostgresError) -> bool:
        privilege = isinstance(error, asyncpg.InsufficientPrivilegeError)
        return privilege if by is None else error.constraint_name == by

    return pytest.raises(asyncpg.PostgresError, check=fits)


@pytest.mark.parametrize("table", ["entry", "posting", "hold", "hold_end", "seal", "audit_event"])
async def test_what_is_written_stays(sql, who, books, table):
    await sql.execute(f"select ledger_release_hold({books['hold']}, 1, now())")
    await sql.execute("select ledger_seal(10, now())")
    await sql.execute(
        "insert into audit_event (at, person_id, organisation_id, action, subject, subject_id,"
        " facts) values (now(), 1, 1, 'look', 'entry', 1, '{}')"
    )
    column = {
        "posting": "amount_fen",
        "hold_end": "how",
        "seal": "entries",
        "audit_event": "action",
    }.get(table, "key")
    by = None if who == "application" else f"{table}_append_only"

    for attack in (
        f"update {table} set {column} = {column}",
        f"delete from {table}",
        f"truncate {table} cascade",
        f"with gone as (delete from {table} returning 1) select count(*) from gone",
    ):
        with refused(by):
            await sql.execute(attack)


async def test_an_entry_balances_and_is_whole_when_it_is_written(database, sql, books):
    fees = await an_account(database, AccountType.FEE_INCOME)
    wide = f"({books['suspense']}, 5, null::bigint, null::bigint), ({fees}, {{}}, null, null)"

    with refused("ledger_entry_balanced"):
        await new_entry_with(sql, wide.format(-4))
    with refused("ledger_late_lines"):
        await new_lines(sql, books["entry"], wide.format(-5))
    with refused("ledger_entry_lines"):
        await new_entry(sql)


async def test_money_does_not_cross_from_one_ledger_to_the_other(database, sql, books):
    layer = await an_account(database, AccountType.APPROPRIATION, 3)
    lines = f"({books['bank']}, 5, null::bigint, null::bigint), ({layer}, -5, null, null)"

    for ledger in ("cash", "voucher"):
        with refused("ledger_one_ledger"):
            await new_entry_with(sql, lines, ledger=ledger)


async def test_nothing_is_dated_back_into_a_closed_period(database, sql, who, books, database_url):
    second = await a_person(database)
    owner = await a_session(database_url, "owner")
    await owner.execute(
        "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by, closed_at,"
        f" trial_balance) values ('cash', '2025-01-01', '2025-01-31', 1, now(), {second}, now(),"
        " '[]')"
    )
    await owner.close()

    with refused("ledger_period_open"):
        await sql.execute(OLD_ENTRY)
    with refused("ledger_period_open"):
        await sql.execute(
            "select ledger_post('bank_charge', '2025-01-31',"
            f" '{{{books['bank']},{books['suspense']}}}', '{{5,-5}}', 'k', 'test', 1, 1, null,"
            " null, '', now())"
        )
    for change in (
        "update period set last_on = '2025-01-30'",
        "update period set closed_at = null, approved_by = null, trial_balance = null",
    ):
        with refused("period_append_only"):
            await sql.execute(change)
    with refused(None if who == "application" else "period_append_only"):
        await sql.execute("delete from period")


async def test_two_sessions_do_not_pass_a_limit_together(database_url, who, books):
    """Each alone is within it; the second waits for the first, and is refused after it."""
    first, second = [await a_session(database_url, who) for _ in range(2)]
    spend = (
        "select ledger_post('payout_sent', '2025-03-03', '{{{wallet},{suspense}}}',"
        " '{{600,-600}}', '{key}', 'test', 1, 1, null, null, '', now())"
    )
    try:
        going = first.transaction()
        await going.start()
        await first.execute(spend.format(key="a", **books))
        waiting = asyncio.ensure_future(second.execute(spend.format(key="b", **books)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await going.commit()
        with refused("account_min_available"):
            await waiting

        # And so with the bare row, whatever the functions would have said: 300 are left.
        take = f"update account set held_fen = held_fen + 200 where id = {books['wallet']}"
        going = first.transaction()
        await going.start()
        await first.execute(take)
        waiting = asyncio.ensure_future(second.execute(take))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await going.commit()
        with refused("account_min_available"):
            await waiting
        await first.execute(take.replace("+ 200", "- 200"))
    finally:
        await first.close()
        await second.close()


@pytest.mark.parametrize(
    "attack",
    [
        "set session_replication_role = replica",
        "alter table posting disable trigger posting_checked",
        "alter table posting disable trigger all",
        "alter table account drop constraint account_min_available",
        "drop trigger entry_checked on entry",
        "create or replace function ledger_check_lines() returns trigger language plpgsql"
        " as 'begin return null; end'",
    ],
)
async def test_what_would_switch_the_rules_off_is_the_owners(database_url, attack):
    session = await a_session(database_url, "application")
    with refused():
        await session.execute(attack)
    await session.close()
