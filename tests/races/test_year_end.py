"""The year's last second in Asia/Shanghai: every order is decided by one instant, its own.

Orders are made to wait for a lock while the year turns, so that each has begun in one year and
goes on in the next. The controls take a guard away and show that the same race then goes wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock, shanghai_day
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook
from marketplace.vouchers import errors
from marketplace.vouchers.jobs import expire_due_vouchers
from marketplace.vouchers.use_cases import (
    DecideVersion,
    DraftClaim,
    DraftVersion,
    SettleVoucher,
    TermGiven,
    approve_version,
    draft_claim,
    draft_version,
    settle_voucher,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    AGrant,
    a_grant,
    a_hold,
    a_programme,
    an_officer,
    money_on,
    orders_are_numbers,
    the_layers,
    the_wallet,
)
from tests.races.test_voucher_caps import race

MIDNIGHT = datetime(2026, 1, 1, tzinfo=SHANGHAI)
LAST_MOMENT = MIDNIGHT - timedelta(milliseconds=1)
NEW_YEAR = date(2026, 1, 1)
CAP_FEN = 100_000
VOUCHERS = "select from account where type = 'voucher' for update"
GRANTS = "select from voucher_grant for update"


async def a_grant_over_the_year(database: Database, **terms: Any) -> AGrant:
    """A voucher valid until June 2026; from the new year on each layer pays a tenth, not more."""
    snapshot = dict(rulebook().voucher.snapshot(date(2025, 1, 1)))
    terms = {"validity": "day-2026-06-30"} | terms
    snapshot |= {name: {"value": value, "source": "J.22b"} for name, value in terms.items()}
    granted = await a_grant(
        database, programme_id=await a_programme(database, terms=snapshot, code="year-end")
    )
    command = DraftVersion(
        granted.programme_id,
        NEW_YEAR,
        "Less money",
        {"rates": TermGiven([{"ratio_basis_points": 1_000}], "notice")},
    )
    made = await atomically(database, draft_version, command, actor=await an_officer(database))
    await atomically(
        database,
        approve_version,
        DecideVersion(granted.programme_id, made.version),
        actor=await an_officer(database),
    )
    return granted


@asynccontextmanager
async def locked(database: Database, what: str) -> AsyncIterator[None]:
    """Somebody else has these rows in hand until the block ends."""
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            await connection.execute(what)
            yield
    finally:
        await connection.close()


async def all_wait(database: Database, how_many: int) -> None:
    """Until so many transactions wait for a lock."""
    for _ in range(500):
        async with database.engine.connect() as connection:
            # What others wait for is told to the owner only.
            await become_owner(connection)
            waiting = await connection.scalar(
                text(
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                    " and datname = current_database()"
                )
            )
        if waiting >= how_many:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{how_many} transactions were to wait, and {waiting} do")


async def orders_while_the_year_turns(
    database: Database, clock: SetClock, granted: AGrant, *, each_year: int, wait_for: str
) -> list[Any]:
    """Orders begun in the last moment, and others at midnight, all waiting for the same lock."""
    provider_id = await a_provider(database)

    def orders(first: int) -> list[Coroutine[Any, Any, Any]]:
        return [
            a_hold(database, granted=granted, provider_id=provider_id, order_id=first + number)
            for number in range(each_year)
        ]

    clock.set(LAST_MOMENT)
    async with locked(database, wait_for):
        old = asyncio.gather(race(*orders(2_025_000)))
        await all_wait(database, each_year)
        clock.set(MIDNIGHT)
        new = asyncio.gather(race(*orders(2_026_000)))
        await all_wait(database, 2 * each_year)
    [(won_old, refused_old)], [(won_new, refused_new)] = await old, await new
    refused = (*refused_old, *refused_new)
    assert {type(one) for one in refused} <= {errors.VoucherCapReached, errors.VoucherNotUsable}
    assert len(won_old) + len(won_new) + len(refused) == 2 * each_year
    return [*won_old, *won_new]


async def the_holds(database: Database) -> list[tuple[int, int, int, int]]:
    """Year of the order's instant, year it counts in, version of the terms, and the amount."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select extract(year from held_at at time zone 'Asia/Shanghai')::integer,"
                " counted_year, terms_version, amount_fen from voucher_hold order by id"
            )
        )
        return sorted(tuple(row) for row in rows)


async def the_caps(database: Database) -> dict[int, int]:
    """What counts towards the cap of the SME and its group, year by year."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("select year, used_fen from voucher_cap where kind = 'group-year'")
        )
        return {row[0]: int(row[1]) for row in rows}


CAPPED = {"caps": [{"scope": "group-year", "amount_fen": CAP_FEN}]}


async def test_orders_of_the_last_second_and_the_first_each_count_in_their_own_year(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **CAPPED)

    held = await orders_while_the_year_turns(
        database, clock, granted, each_year=4, wait_for=VOUCHERS
    )

    # Half of 1,000 CNY twice in the old year; a fifth of each of four in the new one.
    assert await the_caps(database) == {2025: CAP_FEN, 2026: 4 * 20_000}
    assert (
        await the_holds(database) == [(2025, 2025, 1, 50_000)] * 2 + [(2026, 2026, 2, 20_000)] * 4
    )
    assert sum(one.amount_fen for one in held) == CAP_FEN + 80_000
    assert (await the_wallet(database, granted)).frozen_fen == CAP_FEN + 80_000


async def test_control_without_the_counters_limit_the_last_second_passes_the_years_cap(
    database: Database, clock: SetClock
):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table voucher_cap drop constraint voucher_cap_room"))
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **CAPPED)

    await orders_while_the_year_turns(database, clock, granted, each_year=4, wait_for=VOUCHERS)

    assert (await the_caps(database))[2025] == 4 * 50_000 > CAP_FEN


STEPPED = {
    "ratio_steps": [
        {"up_to_fen": 100_000, "ratio_basis_points": 10_000},
        {"ratio_basis_points": 5_000},
    ],
    "steps_over": "sme-year",
}


async def test_an_order_that_waits_while_the_year_ends_is_decided_by_its_own_instant(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **STEPPED)

    await orders_while_the_year_turns(database, clock, granted, each_year=1, wait_for=GRANTS)

    # Each is the first of its year, and so on the lowest step.
    assert await the_holds(database) == [(2025, 2025, 1, 50_000), (2026, 2026, 2, 20_000)]


async def test_control_with_a_clock_that_is_read_anew_the_order_is_of_two_years(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
):
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **STEPPED)
    monkeypatch.setattr(Tx, "today", property(lambda _: shanghai_day(clock.now())))

    await orders_while_the_year_turns(database, clock, granted, each_year=1, wait_for=GRANTS)

    # Counted in the old year, and paid by the terms of the new one.
    assert (2025, 2025, 2, 20_000) in await the_holds(database)


async def test_an_order_for_a_day_of_the_next_year_counts_there_from_its_quote_to_its_end(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **STEPPED)
    provider_id = await a_provider(database)
    clock.set(LAST_MOMENT)
    await a_hold(
        database, granted=granted, provider_id=provider_id, order_id=1, on=date(2026, 1, 5)
    )
    clock.set(MIDNIGHT)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)

    # The second one of the year's services stands on the second step: half of a fifth.
    assert await the_holds(database) == [(2025, 2026, 1, 50_000), (2026, 2026, 2, 10_000)]
    for order_id, paid_fen in ((1, 50_000), (2, 10_000)):
        command = SettleVoucher(order_id, 100_000, NEW_YEAR)
        settled = await atomically(database, settle_voucher, command, actor=TEST)
        assert settled.amount_fen == paid_fen


async def an_order_has_the_money_in_hand_when_the_vouchers_expire(
    database: Database, clock: SetClock
) -> tuple[AGrant, int]:
    """How many vouchers the job of the new year ended while the order waited."""
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    clock.set(LAST_MOMENT)
    async with locked(database, VOUCHERS):
        order = asyncio.create_task(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
        )
        await all_wait(database, 1)
        clock.set(MIDNIGHT)
        expiry = asyncio.create_task(expire_due_vouchers(database))
        await asyncio.sleep(0.2)
    assert (await order).amount_fen == 50_000
    return granted, await expiry


async def test_the_expiry_leaves_a_voucher_to_the_order_that_has_it_in_hand(
    database: Database, clock: SetClock
):
    granted, ended = await an_order_has_the_money_in_hand_when_the_vouchers_expire(database, clock)

    assert (ended, (await the_wallet(database, granted)).frozen_fen) == (0, 50_000)
    # The next run takes what the order left, and an order of the new year finds nothing.
    await expire_due_vouchers(database)
    wallet = await the_wallet(database, granted)
    assert (wallet.left_fen, wallet.frozen_fen) == (0, 50_000)
    layers = await the_layers(database, granted.programme_id)
    budgets = [await money_on(database, AccountType.PROGRAMME_BUDGET, each) for each in layers]
    assert sum(budgets) == 200_000_000 - 50_000
    with pytest.raises(errors.VoucherNotUsable, match="valid until 2025-12-31"):
        await a_hold(database, granted=granted, provider_id=await a_provider(database), order_id=2)


async def test_control_without_the_hold_of_the_voucher_the_expiry_grasps_at_the_orders_money(
    database: Database, clock: SetClock
):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(
            text("alter table voucher_hold drop constraint voucher_hold_grant_id_fkey")
        )

    # Whoever comes second is refused: the order, though it was placed in time, or the job.
    with pytest.raises((errors.VoucherNotUsable, InsufficientFunds)):
        await an_order_has_the_money_in_hand_when_the_vouchers_expire(database, clock)


async def test_what_is_settled_and_claimed_at_midnight_counts_once_in_the_year_of_its_order(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant_over_the_year(database, **CAPPED)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    clock.set(LAST_MOMENT)
    for order_id in (1, 2):
        await a_hold(
            database, granted=granted, provider_id=provider.organisation_id, order_id=order_id
        )
    settle = SettleVoucher(1, 100_000, shanghai_day(clock.now()))
    await atomically(database, settle_voucher, settle, actor=TEST)
    clock.set(MIDNIGHT)

    won, _ = await race(
        atomically(database, settle_voucher, SettleVoucher(2, 50_000, NEW_YEAR), actor=TEST),
        *(atomically(database, draft_claim, DraftClaim(), actor=provider) for _ in range(3)),
    )

    assert await the_caps(database) == {2025: 75_000}
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("select order_id, redeemed_on, claim_id from redemption order by order_id")
        )
        first, second = list(rows)
    assert (first.redeemed_on, second.redeemed_on) == (date(2025, 12, 31), NEW_YEAR)
    claims = [each for each in won if hasattr(each, "amount_fen") and hasattr(each, "provider_id")]
    assert first.claim_id in {claim.id for claim in claims}
    claimed = sum(claim.amount_fen for claim in claims)
    assert claimed == 50_000 + (25_000 if second.claim_id else 0)
