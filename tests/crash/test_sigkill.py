"""The web process is killed in the middle of 500 orders, and nothing is half-done or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.db import Database
from marketplace.kernel.time import During, SetClock, SystemClock, shanghai_day, shanghai_instant
from marketplace.kernel.tokens import AccessTokens
from marketplace.parties.roles import Role
from tests.builders.orders import CLAUSES, Market, a_market, a_quote
from tests.builders.parties import an_actor, an_sme
from tests.builders.vouchers import a_grant, a_programme
from tests.builders.web_process import WebProcess
from tests.conftest import TOKEN_SECRET

ORDERS = 500
CLIENTS = 16
KILLED_AFTER = 150

# What an order is made of; each number is what is missing or too many over all orders.
HALF_DONE = """
    select (select count(*) from service_order o left join reservation r on r.order_id = o.id
             where r.id is null) as orders_without_reservation,
           (select count(*) from reservation r where r.order_id is null) as stray_reservations,
           (select count(*) from service_order o left join contract c on c.order_id = o.id
             where c.id is null) as orders_without_contract,
           (select count(*) from service_order o left join voucher_hold h on h.order_id = o.id
             where o.voucher_fen > 0 and h.id is null) as orders_without_voucher_hold,
           (select count(*) from service_order o left join hold h on h.id = o.own_hold_id
             where o.own_fen > 0 and h.id is null) as orders_without_money_hold,
           (select count(*) from service_order o where not exists
             (select 1 from order_event e where e.order_id = o.id)) as orders_without_event,
           (select count(*) from quote q where q.used_at is not null and not exists
             (select 1 from service_order o where o.quote_id = q.id)) as quotes_used_for_nothing
"""
OVERLAPS = """
    select count(*) from reservation a join reservation b
        on a.id < b.id and a.instrument_id = b.instrument_id and a.seat = b.seat
       and a.blocked && b.blocked
"""


@pytest_asyncio.fixture
async def web(database_url, tmp_path) -> AsyncIterator[WebProcess]:
    process = WebProcess(database_url, str(tmp_path))
    await process.start()
    yield process
    process.stop()


async def a_market_of_today(database: Database) -> Market:
    """A market on the server's own clock: 40 seats, a full wallet, a voucher of this year."""
    year = shanghai_day(SystemClock().now()).year
    sme_id = await an_sme(database, profile_year=year)
    buyer = await an_actor(database, Role.BUYER, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    programme_id = await a_programme(
        database, year=year, opens_on=date(year, 1, 1), closes_on=date(year, 12, 31)
    )
    await a_grant(database, programme_id=programme_id, sme=buyer, amount_fen=10_000_000)
    return await a_market(
        database,
        funds_fen=100_000_000,
        voucher_fen=0,
        buyer=buyer,
        seats=40,
        minimum_minutes=30,
        maximum_minutes=600,
    )


async def quotes_of(market: Market) -> list[int]:
    """Quotes for half-hour slots, some days from now, on 40 seats of one instrument."""
    day = shanghai_day(SystemClock().now()) + timedelta(days=3)
    made = []
    for number in range(ORDERS):
        starts_at = shanghai_instant(day + timedelta(days=number // 360), 9 * 60)
        starts_at += timedelta(minutes=30 * (number % 360 // 40))
        during = During(starts_at, starts_at + timedelta(minutes=30))
        made.append((await a_quote(market, during=during)).id)
    return made


async def place(client: httpx.AsyncClient, web: WebProcess, quote_id: int) -> int | None:
    """The id of the order once an answer has arrived; None when the connection broke."""
    try:
        answer = await client.post(
            f"{web.address}/api/v1/orders",
            json={"quote_id": quote_id, "clauses": CLAUSES},
            headers={"Idempotency-Key": f"order-{quote_id}"},
        )
    except httpx.TransportError:
        return None
    if answer.status_code == 409:
        # The twin that the killed process was working on; its transaction ends with it.
        return None
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def half_done(database: Database) -> dict[str, int]:
    async with database.engine.connect() as connection:
        counted = (await connection.execute(text(HALF_DONE))).mappings().one()
        overlaps = (await connection.execute(text(OVERLAPS))).scalar_one()
    return {name: number for name, number in {**counted, "overlaps": overlaps}.items() if number}


@pytest.mark.timeout(300)
async def test_a_kill_in_the_middle_of_500_orders_leaves_none_half_done_and_forgets_none(
    database: Database, clock: SetClock, web: WebProcess
):
    clock.set(SystemClock().now())
    market = await a_market_of_today(database)
    quotes = await quotes_of(market)
    token = AccessTokens(TOKEN_SECRET, minutes=60).issue(market.buyer)
    confirmed: dict[int, int] = {}
    waiting = list(quotes)

    async def work(client: httpx.AsyncClient) -> None:
        while waiting:
            quote_id = waiting.pop()
            order_id = await place(client, web, quote_id)
            if order_id is not None:
                confirmed[quote_id] = order_id
            if len(confirmed) >= KILLED_AFTER and web.process.poll() is None and not killed:
                killed.append(True)
                web.kill()

    killed: list[bool] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        await asyncio.gather(*(work(client) for _ in range(CLIENTS)))
        before = dict(confirmed)
        assert killed
        assert KILLED_AFTER <= len(before) < ORDERS
        assert await half_done(database) == {}

        await web.start()
        while waiting := [quote for quote in quotes if quote not in confirmed]:
            await asyncio.gather(*(work(client) for _ in range(CLIENTS)))
        replayed = {quote: await place(client, web, quote) for quote in before}

    assert replayed == before
    assert len(set(confirmed.values())) == ORDERS
    assert await half_done(database) == {}
    async with database.engine.connect() as connection:
        stored = (await connection.execute(text("select count(*) from service_order"))).scalar_one()
    assert stored == ORDERS
    report = await verify(database)
    assert report.ok, report.problems
