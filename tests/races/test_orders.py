"""Many orders at once: one wallet, one voucher, one quote, one order.

The guards are those of the ledger and of booking; their own races show what happens without them.
"""

import asyncio
from collections import Counter
from typing import Any

import httpx
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, DomainError
from marketplace.kernel.http import Services
from marketplace.orders import queries
from marketplace.orders.errors import QuoteUsed, StepNotOpen
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    ConfirmOrder,
    DisputeOrder,
    accept_order,
    cancel_order,
    confirm_order,
    dispute_order,
    place_order,
)
from tests.builders.booking import at_hours
from tests.builders.orders import (
    CLAUSES,
    HOUR_FEN,
    Market,
    a_delivered_order,
    a_market,
    a_quote,
    an_order,
    an_order_of,
)
from tests.builders.parties import bearer

RACERS = 32
ENOUGH_FOR = 10


async def count(database: Database, statement: str) -> int:
    """The number that one statement answers."""
    async with database.engine.connect() as connection:
        return int((await connection.execute(text(statement))).scalar_one())


async def all_at_once(*racers: Any) -> list[Any]:
    """What each racer came back with: its answer or its refusal; a bug is raised."""
    ends = await asyncio.gather(*racers, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DomainError):
            raise end
    return ends


async def half_done(database: Database) -> int:
    """Orders that lack a leg, and legs that lack their order."""
    return await count(
        database,
        """
        select count(*) from service_order o
          left join reservation r on r.order_id = o.id
          left join voucher_hold v on v.order_id = o.id
          left join hold h on h.id = o.own_hold_id
          left join contract c on c.order_id = o.id
         where r.id is null or c.id is null
            or (o.voucher_fen > 0) <> (v.id is not null)
            or o.voucher_fen <> coalesce(v.amount_fen, 0)
            or o.own_fen <> coalesce(h.amount_fen, 0)
        """,
    ) + await count(
        database,
        "select count(*) from hold where source_kind = 'service_order'"
        " and not exists (select from service_order o where o.own_hold_id = hold.id)",
    )


async def test_thirty_two_orders_race_for_one_wallet_and_one_voucher(database: Database):
    market = await a_market(
        database,
        funds_fen=ENOUGH_FOR * HOUR_FEN,
        voucher_fen=ENOUGH_FOR * HOUR_FEN,
    )
    quotes = [
        await a_quote(market, during=at_hours(2 + number // 8, 2 * slot, 2 * slot + 2))
        for number in range(RACERS)
        for slot in [number % 8]
    ]

    ends = await all_at_once(
        *(market.do(place_order, an_order_of(quote), by=market.buyer) for quote in quotes)
    )

    placed = [end for end in ends if not isinstance(end, DomainError)]
    refused = Counter(type(end).__name__ for end in ends if isinstance(end, DomainError))
    assert all(isinstance(end, Conflict) for end in ends if isinstance(end, DomainError)), refused
    assert len(placed) == ENOUGH_FOR
    wallet, voucher = await market.wallet(), await market.voucher()
    assert wallet.held_fen == sum(order.own_fen for order in placed)
    assert voucher.held_fen == sum(order.voucher_fen for order in placed)
    assert wallet.available_fen >= 0
    assert voucher.available_fen >= 0
    assert len(placed) == await count(database, "select count(*) from service_order")
    assert await half_done(database) == 0


async def test_one_quote_makes_one_order_whoever_presses_first(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)

    ends = await all_at_once(
        *(market.do(place_order, an_order_of(quote), by=market.buyer) for _ in range(8))
    )

    assert [QuoteUsed] * 7 == [type(end) for end in ends if isinstance(end, DomainError)]
    assert await count(database, "select count(*) from service_order") == 1
    assert await half_done(database) == 0


async def test_one_slot_makes_one_order(database: Database):
    market = await a_market(database)
    quotes = [await a_quote(market) for _ in range(8)]

    ends = await all_at_once(
        *(market.do(place_order, an_order_of(quote), by=market.buyer) for quote in quotes)
    )

    placed = [end for end in ends if not isinstance(end, DomainError)]
    assert len(placed) == 1
    assert (await market.wallet()).held_fen == placed[0].own_fen
    assert await half_done(database) == 0


async def post(
    api: httpx.AsyncClient, services: Services, actor: Actor, body: dict[str, Any], key: str
) -> httpx.Response:
    """Send an order."""
    headers = bearer(services, actor) | {"Idempotency-Key": key}
    return await api.post("/api/v1/orders", json=body, headers=headers)


async def test_twins_with_one_key_make_one_order_and_each_gets_an_answer(
    api: httpx.AsyncClient, services: Services, database: Database
):
    market = await a_market(database)
    body = {"quote_id": (await a_quote(market)).id, "clauses": CLAUSES}

    answers = await asyncio.gather(
        *(post(api, services, market.buyer, body, "twin") for _ in range(6))
    )

    told = Counter(answer.status_code for answer in answers)
    assert set(told) <= {201, 409}
    assert told[201] >= 1
    assert {"/problems/request-in-progress"} >= {
        answer.json()["type"] for answer in answers if answer.status_code == 409
    }
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await count(database, "select count(*) from service_order") == 1
    replayed = await post(api, services, market.buyer, body, "twin")
    assert (201, "true") == (replayed.status_code, replayed.headers["idempotency-replayed"])
    other = await post(api, services, market.buyer, body | {"own_fen_max": 1}, "twin")
    assert other.status_code == 422


async def test_cancelling_races_confirming_and_the_money_follows_the_winner(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = [
        await an_order(market, during=at_hours(2, 2 * number, 2 * number + 2))
        for number in range(6)
    ]

    ends = await all_at_once(
        *(
            racer
            for order in placed
            for racer in (
                market.do(confirm_order, ConfirmOrder(order.id), by=market.manager),
                market.do(cancel_order, CancelOrder(order.id, "changed"), by=market.buyer),
            )
        )
    )

    assert not [
        end for end in ends if isinstance(end, DomainError) and not isinstance(end, StepNotOpen)
    ]
    await nothing_is_lost(market, [order.id for order in placed])


async def test_accepting_races_objecting_and_one_of_them_stands(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)

    ends = await all_at_once(
        market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer),
        market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer),
        market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer),
    )

    assert [StepNotOpen] * 2 == [type(end) for end in ends if isinstance(end, DomainError)]
    await nothing_is_lost(market, [delivered.id])


async def nothing_is_lost(market: Market, order_ids: list[int]) -> None:
    """Orders that have ended hold nothing, the others hold exactly what they say."""
    found = [await market.do(queries.order, order_id, by=market.buyer) for order_id in order_ids]
    live = [order for order in found if order.ended_at is None]

    assert (await market.wallet()).held_fen == sum(order.own_fen for order in live)
    assert (await market.voucher()).held_fen == sum(order.voucher_fen for order in live)
    paid = sum(order.settled_own_fen or 0 for order in found)
    assert (await market.payable()).posted_fen == paid
