"""Closed books against somebody who writes SQL."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest_asyncio

from tests.builders.parties import a_person
from tests.constraints.test_ledger import entry_sql, refused_by

OLD_ENTRY = entry_sql(effective_on="2025-01-15")


@pytest_asyncio.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def january(database, sql) -> int:
    second = await a_person(database)
    made: int = await sql.fetchval(
        "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by, closed_at,"
        f" trial_balance) values ('cash', '2025-01-01', '2025-01-31', 1, now(), {second}, now(),"
        " '[]') returning id"
    )
    return made


REOPEN = """
update period set approved_by = null, closed_at = null, trial_balance = null, seal_number = null
"""


async def test_no_entry_is_written_into_a_closed_period(sql, january):
    with refused_by("ledger_period_open"):
        await sql.execute(OLD_ENTRY)


async def test_an_entry_that_is_written_while_a_period_closes_waits_and_is_refused(
    database_url, sql, database
):
    second = await a_person(database)
    closing = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        async with closing.transaction():
            await closing.execute("select pg_advisory_xact_lock(4862004, ledger_lock('cash'))")
            writing = asyncio.ensure_future(sql.execute(OLD_ENTRY))
            await asyncio.sleep(0.2)
            assert not writing.done()
            await closing.execute(
                "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by,"
                " closed_at, trial_balance) values ('cash', '2025-01-01', '2025-01-31', 1, now(),"
                f" {second}, now(), '[]')"
            )
        with refused_by("ledger_period_open"):
            await writing
    finally:
        await closing.close()


async def test_one_person_alone_opens_no_period(sql, january):
    ask = (
        "insert into period_reopening (period_id, reason, made_by, made_at, closed_by, closed_at,"
        " trial_balance, approved_by, approved_at) select id, 'why', 1, now(), approved_by,"
        " closed_at, trial_balance, {approved} from period"
    )
    with refused_by("period_append_only"):
        await sql.execute(REOPEN)
    with refused_by("period_reopening_two_persons"):
        await sql.execute(ask.format(approved="1, now()"))
    await sql.execute(ask.format(approved="null, null"))
    with refused_by("period_append_only"):
        await sql.execute(REOPEN)
    with refused_by("period_reopening_append_only"):
        await sql.execute("update period_reopening set reason = 'another'")
    with refused_by("period_reopening_append_only"):
        await sql.execute("delete from period_reopening")


async def test_an_approved_reopening_serves_one_closing_and_the_latest(sql, database, january):
    second = await a_person(database)
    await sql.execute(
        "insert into period_reopening (period_id, reason, made_by, made_at, closed_by, closed_at,"
        f" trial_balance, approved_by, approved_at) select id, 'why', {second}, now(), approved_by,"
        " closed_at, trial_balance, 1, now() from period"
    )
    later = (
        "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by, closed_at,"
        f" trial_balance) values ('cash', '{{}}', '{{}}', 1, now(), {second}, now(), '[]')"
    )
    await sql.execute(later.format("2025-02-01", "2025-02-28"))
    with refused_by("period_reopened_latest_first"):
        await sql.execute(f"{REOPEN} where id = {january}")


async def test_a_month_is_a_month_and_signed_by_another(sql):
    month = (
        "insert into month_close (first_on, last_on, status, checklist, made_by, made_at,"
        " approved_by, approved_at) values ('{}', '{}', '{}', '[]', 1, now(), {})"
    )
    with refused_by("month_close_month"):
        await sql.execute(month.format("2025-01-02", "2025-01-31", "draft", "null, null"))
    with refused_by("month_close_two_persons"):
        await sql.execute(month.format("2025-01-01", "2025-01-31", "signed", "1, now()"))
    with refused_by("month_close_signed"):
        await sql.execute(month.format("2025-01-01", "2025-01-31", "signed", "null, null"))
    await sql.execute(month.format("2025-01-01", "2025-01-31", "draft", "null, null"))
    with refused_by("month_close_one_draft"):
        await sql.execute(month.format("2025-01-01", "2025-01-31", "draft", "null, null"))


async def test_one_lock_keeps_all_ledgers_and_sealing_takes_another(sql, database):
    # Sealing takes the key 3 alone; nobody who posts waits for it.
    ledgers = ("cash", "voucher", "credit")
    keys = {await sql.fetchval("select ledger_lock($1)", ledger) for ledger in ledgers}

    assert keys == {1}
