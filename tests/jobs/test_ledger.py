"""The ledger's jobs: run late, run twice, run beside the others."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from marketplace.billing.ledger.jobs import JOBS
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.tables import outbox_event
from tests.builders.ledger import a_hold, a_posted_entry, a_wallet, an_account, the_balance

RUN = {job.name: job.run for job in JOBS}


async def test_a_hold_that_ran_out_is_available_again_and_its_source_hears_of_it(database, clock):
    wallet = await a_wallet(database, funds_fen=100)
    expires_at = clock.now() + timedelta(minutes=30)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60, expires_at=expires_at)
    await a_hold(database, account_id=wallet, amount_fen=7)

    early = await RUN["lapse_holds"](database)
    clock.set(expires_at)
    lapsed, again = await RUN["lapse_holds"](database), await RUN["lapse_holds"](database)

    assert (early, lapsed, again) == (0, 1, 0)
    assert (await the_balance(database, wallet)).held_fen == 7
    async with database.engine.connect() as connection:
        heard = (await connection.execute(select(outbox_event.c.payload))).scalars().all()
    assert [event["hold_id"] for event in heard] == [hold_id]
    assert (await verify(database)).ok


async def test_a_busy_account_keeps_its_hold_until_the_next_run(database, clock):
    wallet = await a_wallet(database, funds_fen=100)
    expires_at = clock.now() + timedelta(minutes=30)
    await a_hold(database, account_id=wallet, amount_fen=60, expires_at=expires_at)
    clock.set(expires_at)

    async with database.engine.begin() as other:
        await other.execute(text(f"select from account where id = {wallet} for no key update"))
        beside = await RUN["lapse_holds"](database)
    after = await RUN["lapse_holds"](database)

    assert (beside, after) == (0, 1)


async def test_entries_are_sealed_once_and_nothing_is_sealed_twice(database):
    wallet = await a_wallet(database, funds_fen=100)
    bank = await an_account(database, AccountType.BANK)

    first = await RUN["seal_entries"](database)
    nothing = await RUN["seal_entries"](database)
    for _ in range(3):
        await a_posted_entry(database, debit=bank, credit=wallet)
    second = await RUN["seal_entries"](database)

    assert (first, nothing, second) == (1, 0, 3)
    report = await verify(database)
    assert (report.ok, report.seals, report.head_number) == (True, 2, 2)
    assert len(report.head_sha256) == 64


async def test_an_entry_under_way_holds_back_the_seal_of_those_after_it(database):
    wallet = await a_wallet(database, funds_fen=0)
    bank = await an_account(database, AccountType.BANK)

    async with database.engine.begin() as slow:
        await slow.execute(text("select pg_current_xact_id()"))
        await a_posted_entry(database, debit=bank, credit=wallet)
        during = await RUN["seal_entries"](database)
    after = await RUN["seal_entries"](database)

    assert (during, after) == (0, 1)
