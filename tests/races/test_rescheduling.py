"""An order that changes while somebody else changes it, or wants its new time.

What guards is the order's row, locked before anybody looks; the last test takes the lock away.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from marketplace.booking.queries import Purpose
from marketplace.booking.use_cases import PlaceReservation, place_reservation
from marketplace.kernel.db import Database, Tx
from marketplace.kernel.errors import Conflict, DomainError
from marketplace.orders import queries
from marketplace.orders.queries.orders import order_columns
from marketplace.orders.tables import service_order
from marketplace.orders.use_cases import (
    AcceptChange,
    CancelOrder,
    ConfirmOrder,
    DeclineChange,
    RescheduleOrder,
    WithdrawChange,
    accept_change,
    cancel_order,
    confirm_order,
    decline_change,
    reschedule,
    reschedule_order,
    withdraw_change,
)
from tests.builders.booking import at_hours
from tests.builders.books import faults
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_look,
    a_market,
    a_move,
    an_order,
    move_to,
)

FRIDAY = at_hours(4, 9, 11)


async def all_at_once(*racers: Any) -> list[Any]:
    """What each racer came back with: its answer or its refusal; a bug is raised."""
    ends = await asyncio.gather(*racers, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DomainError):
            raise end
    return ends


async def agreed_move(market: Market, order_id: int, during: Any) -> RescheduleOrder:
    """A move whose figures the buyer has seen."""
    view = await a_look(market, order_id, during, by=market.buyer)
    return RescheduleOrder(order_id, during.starts_at, during.ends_at, view.figures.token)


def winners(ends: list[Any]) -> list[Any]:
    """Those that were not refused; every refusal is one that says what happened."""
    refused = [end for end in ends if isinstance(end, DomainError)]
    assert all(isinstance(end, Conflict) for end in refused), Counter(map(type, refused))
    return [end for end in ends if not isinstance(end, DomainError)]


async def test_of_many_moves_of_one_order_one_is_made(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=20))
    moves = [await agreed_move(market, placed.id, at_hours(3 + n, 9, 11 + n)) for n in range(4)]

    ends = await all_at_once(*(market.do(reschedule_order, m, by=market.buyer) for m in moves))

    (won,) = winners(ends)
    # One move, and one fee for it.
    assert HOUR_FEN // 4 == won.order.move_fee_fen
    assert won.order == await market.do(queries.order, placed.id)
    assert [] == await faults(market)


async def test_a_move_races_a_cancellation_and_the_money_follows(database: Database):
    market = await a_market(database)
    orders = [await an_order(market, during=at_hours(2, 3 * n, 3 * n + 2)) for n in range(4)]
    moves = [
        await agreed_move(market, order.id, at_hours(4, 3 * n, 3 * n + 3))
        for n, order in enumerate(orders)
    ]

    ends = await all_at_once(
        *(
            racer
            for order, move in zip(orders, moves, strict=True)
            for racer in (
                market.do(reschedule_order, move, by=market.buyer),
                market.do(cancel_order, CancelOrder(order.id, "ill"), by=market.manager),
            )
        )
    )

    # A cancellation finds the order at either time.
    assert 4 <= len(winners(ends)) <= 8
    for order in orders:
        assert "cancelled" == (await market.do(queries.order, order.id)).status
    assert 0 == (await market.wallet()).held_fen == (await market.voucher()).held_fen
    assert [] == await faults(market)


async def test_a_move_races_the_providers_confirmation_and_both_sign_what_stands(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    orders = [await an_order(market, during=at_hours(2, 3 * n, 3 * n + 2)) for n in range(4)]
    moves = [
        await agreed_move(market, order.id, at_hours(4, 3 * n, 3 * n + 3))
        for n, order in enumerate(orders)
    ]

    ends = await all_at_once(
        *(
            racer
            for order, move in zip(orders, moves, strict=True)
            for racer in (
                market.do(reschedule_order, move, by=market.buyer),
                market.do(confirm_order, ConfirmOrder(order.id), by=market.manager),
            )
        )
    )

    winners(ends)
    for order in orders:
        now = await market.do(queries.order, order.id)
        contract = await market.do(queries.contract_of, order.id, by=market.buyer)
        # Moved before the confirmation, or proposed after it: nothing stands unsigned.
        assert ("confirmed", "person") == (now.status, contract.provider_signed_how)
        assert contract.document["service"]["quote_id"] == now.quote_id
    assert [] == await faults(market)


async def test_a_move_races_somebody_else_for_the_new_time(database: Database):
    market = await a_market(database)
    orders = [await an_order(market, during=at_hours(2, 2 * n, 2 * n + 2)) for n in range(3)]
    moves = [await agreed_move(market, order.id, FRIDAY) for order in orders]
    own = PlaceReservation(
        market.instrument_id,
        FRIDAY,
        Purpose.OWN_RESEARCH,
        market.technician.organisation_id,
        market.technician.person_id,
    )

    ends = await all_at_once(
        *(market.do(reschedule_order, move, by=market.buyer) for move in moves),
        market.do(place_reservation, own, by=market.technician),
    )

    assert 1 == len(winners(ends))
    assert [] == await faults(market)


async def test_moves_to_dearer_times_race_for_one_wallet(database: Database):
    # Four orders of an hour are paid; of four that want two more hours two can be.
    market = await a_market(database, funds_fen=4 * HOUR_FEN // 2 + 2 * HOUR_FEN)
    orders = [await an_order(market, during=at_hours(2, 2 * n, 2 * n + 1)) for n in range(4)]
    moves = [
        await agreed_move(market, order.id, at_hours(4, 4 * n, 4 * n + 3))
        for n, order in enumerate(orders)
    ]

    ends = await all_at_once(*(market.do(reschedule_order, m, by=market.buyer) for m in moves))

    assert 2 == len(winners(ends))
    assert 0 == (await market.wallet()).available_fen
    assert [] == await faults(market)


async def test_one_answer_to_a_proposal_stands(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    change = (await a_move(market, placed.id, FRIDAY)).change

    ends = await all_at_once(
        market.do(accept_change, AcceptChange(placed.id, change.id), by=market.manager),
        market.do(decline_change, DeclineChange(placed.id, change.id, "no"), by=market.manager),
        market.do(withdraw_change, WithdrawChange(placed.id, change.id), by=market.buyer),
        market.do(cancel_order, CancelOrder(placed.id, "ill"), by=market.buyer),
    )

    assert 1 <= len(winners(ends)) <= 2
    assert "cancelled" == (await market.do(queries.order, placed.id)).status
    found = await market.do(queries.changes, queries.ChangeList(placed.id), by=market.buyer)
    assert 1 == found.total
    assert "proposed" != found.rows[0].status
    assert [] == await faults(market)


async def test_without_the_lock_two_moves_look_at_the_same_figures(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """The control: both are let through to the change, and only later guards stop one of them."""
    market = await a_market(database)
    placed = await an_order(market)
    moves = [await agreed_move(market, placed.id, at_hours(3 + n, 9, 11)) for n in range(2)]
    let_through: list[int] = []
    together = asyncio.Barrier(2)

    async def unlocked(tx: Tx, order_id: int) -> queries.Order:
        return await tx.one(queries.Order, order_columns().where(service_order.c.id == order_id))

    async def nothing(tx: Tx, order: queries.Order, item: int | None) -> None: ...

    async def watched(*arguments: Any, **named: Any) -> Any:
        let_through.append(1)
        await together.wait()
        return await perform_change(*arguments, **named)

    perform_change: Any = getattr(reschedule, "perform_change")  # noqa: B009 not its own
    monkeypatch.setattr(reschedule, "lock_order", unlocked)
    monkeypatch.setattr(reschedule, "lock_time", nothing)
    monkeypatch.setattr(reschedule, "perform_change", watched)

    ends = await all_at_once(*(market.do(reschedule_order, m, by=market.buyer) for m in moves))

    assert 2 == len(let_through)
    assert 1 == len([end for end in ends if not isinstance(end, DomainError)])
