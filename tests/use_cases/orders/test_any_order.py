"""Whatever becomes of orders, in any sequence: holds, charges, contracts and times add up.

The sequences are made up by Hypothesis and played on a real database. Most steps are possible;
those that are not are refused, and a refusal changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from marketplace.booking import queries as booking
from marketplace.booking.queries import session_of
from marketplace.booking.use_cases import AcceptSession, accept_session
from marketplace.kernel.db import Database
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import During, SetClock
from marketplace.orders import queries
from marketplace.orders.queries import Order
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    CloseService,
    DeliverOrder,
    OpenService,
    accept_order,
    cancel_order,
    close_service,
    deliver_order,
    open_service,
)
from tests.builders.booking import at_hours
from tests.builders.books import faults
from tests.builders.orders import (
    HOUR_FEN,
    Market,
    a_market,
    a_move,
    an_extension,
    an_order,
    move_to,
)
from tests.conftest import MONDAY_MORNING
from tests.use_cases.orders.test_own_claims import a_voucher

SLOTS = st.integers(0, 11)
HOURS = st.integers(1, 3)
WHICH = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), SLOTS, HOURS),
        st.tuples(st.just("move"), WHICH, SLOTS, HOURS),
        st.tuples(st.just("move"), st.just(0), SLOTS, HOURS),
        st.tuples(st.just("extend"), WHICH, HOURS),
        st.tuples(st.just("cancel"), WHICH, st.booleans()),
        st.tuples(st.just("serve"), WHICH, HOURS),
        st.tuples(st.just("wait"), st.integers(4, 20)),
    ),
    min_size=4,
    max_size=10,
)


def slot(number: int, hours: int) -> During:
    """Two slots a day from Wednesday on, of three hours at most."""
    day, afternoon = divmod(number, 2)
    starts = 9 + 4 * afternoon
    return at_hours(2 + day, starts, starts + hours)


async def place(market: Market, orders: list[int], number: int, hours: int) -> None:
    orders.append((await an_order(market, during=slot(number, hours))).id)


async def move(market: Market, orders: list[int], which: int, number: int, hours: int) -> None:
    await a_move(market, orders[which % len(orders)], slot(number, hours))


async def extend(market: Market, orders: list[int], which: int, hours: int) -> None:
    order = await the_order(market, orders, which)
    await an_extension(market, order.id, (await time_of(market, order)).ends_at + hours * HOUR)


async def cancel(market: Market, orders: list[int], which: int, by_provider: bool) -> None:
    command = CancelOrder(orders[which % len(orders)], "any sequence")
    await market.do(cancel_order, command, by=market.manager if by_provider else market.buyer)


async def serve(market: Market, orders: list[int], which: int, hours: int) -> None:
    """Go to the order's time, use some of it, extend it if needed, settle."""
    order = await the_order(market, orders, which)
    during = await time_of(market, order)
    if market.database.clock.now() < during.starts_at:
        move_to(market, during.starts_at)
    await market.do(open_service, OpenService(order.id), by=market.technician)
    move_to(market, market.database.clock.now() + hours * HOUR)
    await market.do(close_service, CloseService(order.id), by=market.technician)
    await vouch(market, order)
    await market.do(deliver_order, DeliverOrder(order.id), by=market.technician)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)


async def vouch(market: Market, order: Order) -> None:
    """The provider looks at a session that ran long past its end, and accepts it."""
    assert order.reservation_id is not None
    session = await market.do(session_of, order.reservation_id, by=market.manager)
    if session is not None and session.problem is not None:
        accepted = AcceptSession(order.reservation_id, "agreed with the user")
        await market.do(accept_session, accepted, by=market.manager)


async def wait(market: Market, orders: list[int], hours: int) -> None:
    move_to(market, market.database.clock.now() + hours * HOUR)


HOUR = timedelta(hours=1)
PLAYS: dict[str, Callable[..., Awaitable[None]]] = {
    "place": place,
    "move": move,
    "extend": extend,
    "cancel": cancel,
    "serve": serve,
    "wait": wait,
}


async def the_order(market: Market, orders: list[int], which: int) -> Order:
    return await market.do(queries.order, orders[which % len(orders)])


async def time_of(market: Market, order: Order) -> During:
    assert order.reservation_id is not None
    return (await market.do(booking.reservation, order.reservation_id)).during


async def play_all(database: Database, steps: list[tuple[Any, ...]]) -> dict[str, int]:
    clock = database.clock
    assert isinstance(clock, SetClock)
    # On Tuesday morning: a move away from Wednesday morning is late.
    clock.set(MONDAY_MORNING + 25 * HOUR)
    # The voucher and the wallet run out now and then.
    market = await a_market(database, funds_fen=6 * HOUR_FEN, voucher_fen=4 * HOUR_FEN)
    # Beside it a second one of a fifth, and one of a tenth that the buyer redeems itself.
    for share, by in ((1_000, "provider"), (500, "sme")):
        await a_voucher(market, 2 * HOUR_FEN, redeemed_by=by, rates=[{"ratio_basis_points": share}])
    orders: list[int] = []
    done: dict[str, int] = {}
    for step in [("place", 0, 2), *steps]:
        name, *arguments = step
        try:
            await PLAYS[name](market, orders, *arguments)
        except DomainError:
            continue
        done[name] = done.get(name, 0) + 1
    assert [] == await faults(market)
    done["several vouchers"] = await orders_with_several_vouchers(market, orders)
    ends = await market.do(queries.orders, queries.OrderList(), by=market.buyer)
    for order in ends.rows:
        if order.move_fee_fen:
            done[f"late {order.status}"] = done.get(f"late {order.status}", 0) + 1
    return done


async def orders_with_several_vouchers(market: Market, orders: list[int]) -> int:
    async with market.database.engine.connect() as connection:
        found = await connection.scalar(
            text(
                "select count(*) from (select order_id from voucher_hold where order_id = any(:ids)"
                " group by order_id having count(distinct grant_id) > 1) several"
            ),
            {"ids": orders},
        )
    return int(found or 0)


async def test_any_sequence_of_steps_leaves_every_order_and_its_money_whole(database: Database):
    loop = asyncio.get_running_loop()
    done: dict[str, int] = {}

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def sequences(steps: list[tuple[Any, ...]]) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        playing = asyncio.run_coroutine_threadsafe(play_all(database, steps), loop)
        for name, times in playing.result(timeout=60).items():
            done[name] = done.get(name, 0) + times

    await asyncio.to_thread(sequences)

    # The control: the sequences are not refusals only, and fees meet both kinds of end.
    assert all(done.get(name, 0) > 3 for name in PLAYS), done
    assert done.get("several vouchers", 0) > 3, done
    assert done.get("late cancelled", 0) > 1 < done.get("late settled", 0), done
