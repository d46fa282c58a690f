"""Orders of the same instruments in opposite order: nobody waits in a circle, one has them all."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.booking import use_cases as booking
from marketplace.orders.errors import ItemsNotFree
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import MakeQuote, make_quote, place_order, reserve
from tests.builders.items import WEDNESDAY_AFTERNOON, a_second_instrument, time_on
from tests.builders.orders import WEDNESDAY_MORNING, Market, a_market, an_order_of

PAIRS = 6


async def crossing_orders(market: Market, second: int, *, pairs: int = PAIRS) -> list[Any]:
    """As many orders of both instruments as there are pairs, half of them the other way round."""
    first, morning, afternoon = market.instrument_id, WEDNESDAY_MORNING, WEDNESDAY_AFTERNOON
    ways = [((first, morning), (second, afternoon)), ((second, afternoon), (first, morning))]
    placing = []
    for (main, during), (other, later) in ways * pairs:
        asked = MakeQuote(
            main,
            Mode.MACHINE_TIME,
            during.starts_at,
            during.ends_at,
            further=(time_on(other, later),),
        )
        quote = await market.do(make_quote, asked, by=market.buyer)
        placing.append(market.do(place_order, an_order_of(quote), by=market.buyer))
    return placing


async def both_ends(placing: list[Any]) -> list[Any]:
    return await asyncio.gather(*placing, return_exceptions=True)


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """Every call of a function by which orders reserve: a deadlock would be tried once more."""
    calls: list[int] = []
    real: Any = getattr(reserve, name)

    async def noted(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        return await real(*arguments, **named)

    monkeypatch.setattr(reserve, name, noted)
    return calls


async def test_orders_that_cross_never_deadlock_and_one_has_both_instruments(
    database, monkeypatch: pytest.MonkeyPatch
):
    market = await a_market(database, voucher_fen=0, funds_fen=100_000_000)
    second = await a_second_instrument(market)
    tries = counted(monkeypatch, "_reserve_all")

    ends = await both_ends(await crossing_orders(market, second))

    refused = [end for end in ends if isinstance(end, BaseException)]
    assert all(isinstance(end, ItemsNotFree) for end in refused), refused
    assert len(ends) - len(refused) == 1
    assert len(tries) == len(ends)
    async with database.engine.connect() as connection:
        live = await connection.scalar(
            text("select count(*) from reservation where order_id is not null")
        )
        assert live == 2
        assert 1 == await connection.scalar(text("select count(*) from service_order"))


async def test_without_one_order_of_calendars_for_everybody_they_do_deadlock(
    database, monkeypatch: pytest.MonkeyPatch
):
    market = await a_market(database, voucher_fen=0, funds_fen=100_000_000)
    second = await a_second_instrument(market)
    placing = await crossing_orders(market, second, pairs=1)
    tries = counted(monkeypatch, "_reserve_all")
    mains: list[int] = []
    together = asyncio.Barrier(2)
    place_reservation: Any = booking.place_reservation

    async def nothing(*_: Any) -> None: ...

    async def as_named(tx: Any, wanted: Any) -> dict[int, int]:
        # As if each order took the calendars as it names them.
        return {one.instrument_id: place for place, one in enumerate(wanted)}

    async def watched(tx: Any, asked: Any) -> Any:
        placed = await place_reservation(tx, asked)
        if asked.order_position == 1 and len(mains) < 2:
            mains.append(1)
            await together.wait()
        return placed

    monkeypatch.setattr(reserve, "lock_calendars", nothing)
    monkeypatch.setattr(reserve, "_calendars", as_named)
    monkeypatch.setattr(booking, "place_reservation", watched)

    await both_ends(placing)

    assert len(tries) > 2
