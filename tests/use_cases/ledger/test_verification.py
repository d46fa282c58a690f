"""Tampering by somebody who may switch the triggers off: the report says where."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from marketplace.billing.ledger.errors import VerificationRunning
from marketplace.billing.ledger.jobs import JOBS
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.queries.verification import VERIFY_LOCK
from marketplace.billing.ledger.use_cases import AccountType
from tests.builders.ledger import a_hold, a_posted_entry, a_wallet, an_account

SEAL = {job.name: job.run for job in JOBS}["seal_entries"]


@pytest_asyncio.fixture
async def superuser(database_url):
    """Somebody for whom no trigger and no foreign key fires."""
    connection = await asyncpg.connect(
        database_url.replace("+asyncpg", ""),
        server_settings={"session_replication_role": "replica"},
    )
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def books(database):
    """Five entries between bank and suspense, five on a wallet; sealed in two seals."""
    wallet = await a_wallet(database, funds_fen=0)
    bank = await an_account(database, AccountType.BANK)
    suspense = await an_account(database, AccountType.BANK_SUSPENSE)
    wide = [await a_posted_entry(database, debit=bank, credit=suspense) for _ in range(5)]
    await SEAL(database)
    narrow = [await a_posted_entry(database, debit=bank, credit=wallet) for _ in range(5)]
    await a_hold(database, account_id=wallet, amount_fen=60)
    await SEAL(database)
    before = await verify(database)
    assert before.problems == []
    assert (before.entries, before.postings, before.seals, before.accounts) == (10, 20, 2, 1)
    return {"wide": wide, "narrow": narrow, "wallet": wallet}


@pytest.mark.parametrize("where", ["wide", "narrow"])
async def test_both_legs_changed_still_balance_and_the_entry_is_named(
    database, superuser, books, where
):
    bad = books[where][2]
    await superuser.execute(
        f"update posting set amount_fen = amount_fen * 2 where entry_id = {bad}"
    )

    report = await verify(database)

    assert not report.ok
    assert report.first_bad_entry == bad
    assert {"request", "seal"} <= {problem.rule for problem in report.problems}


async def test_legs_and_their_digest_changed_are_seen_by_the_seal(database, superuser, books):
    bad = books["wide"][2]
    await superuser.execute(
        f"update posting set amount_fen = amount_fen * 2 where entry_id = {bad}"
    )
    await superuser.execute(
        "update entry e set request_sha256 = ledger_request(e.kind, e.effective_on, e.source_kind,"
        " e.source_id, e.reverses,"
        " (select array_agg(account_id order by account_id) from posting where entry_id = e.id),"
        " (select array_agg(amount_fen order by account_id) from posting where entry_id = e.id),"
        f" e.remark) where e.id = {bad}"
    )

    report = await verify(database)

    assert [problem.rule for problem in report.problems] == ["seal"]
    assert report.problems[0].seal_number == 1
    assert f"entries {books['wide'][0]} to {books['wide'][-1]}" in report.problems[0].message


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("update posting set amount_fen = amount_fen + 1 where entry_id = {} and amount_fen > 0",
         "balance"),
        ("delete from posting where entry_id = {}", "lines"),
        ("update entry set remark = 'x' where id = {}", "request"),
        ("update entry set made_by = 2 where id = {}", "seal"),
        ("update entry set posted_at = posted_at + interval '1 second' where id = {}", "seal"),
        ("update posting set balance_after_fen = 0 where entry_id = {} and account_seq > 0",
         "chain"),
        ("update account set posted_fen = posted_fen - 1 where cached and {} > 0", "cached"),
        ("update account set held_fen = held_fen + 1 where cached and {} > 0", "held"),
        ("update account set seq = seq + 1 where cached and {} > 0", "chain"),
        ("update seal set sha256 = sha256('x') where number = 1 and {} > 0", "seal"),
        ("delete from seal where number = 1 and {} > 0", "seal"),
        ("with e as (delete from entry where id = {0} returning id)"
         " delete from posting where entry_id = {0}", "seal"),
    ],
)  # fmt: skip
async def test_whatever_was_changed_is_found(database, superuser, books, attack, rule):
    bad = books["narrow"][2]
    await superuser.execute(attack.format(bad))

    report = await verify(database)

    assert rule in {problem.rule for problem in report.problems}
    assert report.first_bad_entry in (None, bad, bad + 1)


async def test_an_approval_by_the_maker_is_found(database, superuser, books):
    await superuser.execute("alter table entry drop constraint entry_approved_by_another")
    await superuser.execute(f"update entry set approved_by = made_by where id = {books['wide'][0]}")

    assert "approval" in {problem.rule for problem in (await verify(database)).problems}


async def test_a_bounded_verification_says_that_it_is_not_complete(database, books):
    report = await verify(database, entries_max=3)

    assert (report.entries, report.complete, report.ok) == (3, False, True)
    assert (await verify(database, entries_max=10)).complete


async def test_one_verification_runs_at_a_time(database, superuser, books):
    await superuser.execute(f"select pg_advisory_lock{VERIFY_LOCK}")

    with pytest.raises(VerificationRunning):
        await verify(database)


async def test_seals_go_on_in_a_database_restored_into_a_younger_server(database, superuser, books):
    wallet, bank = books["wallet"], await an_account(database, AccountType.BANK)
    last = [await a_posted_entry(database, debit=bank, credit=wallet) for _ in range(2)]
    # The old server had counted millions of transactions, and sealed all entries but the last two.
    await superuser.execute("truncate seal")
    await superuser.execute(f"update entry set xid = xid + 1000000 where id < {last[0]}")
    await superuser.execute(f"update entry set xid = xid + 9000000 where id >= {last[0]}")
    of_old_server = "'3000000:3000000:'::pg_snapshot"
    assert await superuser.fetchval(f"select ledger_seal(100, now(), {of_old_server})") == 10

    new = await a_posted_entry(database, debit=bank, credit=wallet)
    sealed = await SEAL(database)

    seals = await superuser.fetch("select after_id, entries, last_id from seal order by number")
    assert sealed == 3
    assert [tuple(row) for row in seals] == [
        (0, 10, last[0] - 1),
        (0, 2, last[1]),
        (last[1], 1, new),
    ]
    assert (await verify(database)).problems == []


async def test_a_seal_is_bounded_but_keeps_one_transaction_together(database, superuser):
    bank = await an_account(database, AccountType.BANK)
    suspense = await an_account(database, AccountType.BANK_SUSPENSE)
    for _ in range(7):
        await a_posted_entry(database, debit=bank, credit=suspense)
    await superuser.execute("update entry set xid = 4 where id <= 4")

    sealed = [await superuser.fetchval("select ledger_seal(2, now())") for _ in range(4)]

    assert sealed == [4, 2, 1, 0]
    assert (await verify(database)).problems == []
