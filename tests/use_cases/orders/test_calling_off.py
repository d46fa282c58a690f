"""Orders that end without a service, by their sides or by booking's clock."""

from datetime import timedelta

import pytest

from marketplace.billing.invoicing import queries as invoicing
from marketplace.booking.errors import TooLateToCancel
from marketplace.booking.use_cases import expire_requests, mark_no_shows
from marketplace.kernel.db import Database
from marketplace.kernel.outbox import deliver_due
from marketplace.orders import queries
from marketplace.orders.errors import OrderMissing, StepNotOpen
from marketplace.orders.handlers import HANDLERS
from marketplace.orders.jobs import expire_unanswered
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    accept_after_review,
    cancel_order,
)
from marketplace.parties.roles import Role
from tests.builders.booking import a_closure
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_delivered_order,
    a_market,
    a_quote,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor


async def nothing_is_held(market: Market) -> bool:
    """Whether wallet and voucher are free again."""
    return (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0


async def test_cancelling_in_time_costs_nothing(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(days=1))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "no samples"), by=market.buyer)

    assert ("cancelled", 0) == (ended.status, ended.settled_fen)
    assert await nothing_is_held(market)


async def test_cancelling_late_costs_half_of_the_own_money_and_no_voucher(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=23))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "no samples"), by=market.buyer)

    assert ("cancelled", 0, HOUR_FEN // 2) == (
        ended.status,
        ended.settled_voucher_fen,
        ended.settled_own_fen,
    )
    assert (await market.payable()).posted_fen == HOUR_FEN // 2
    assert (await market.voucher()).posted_fen == 4_000_000
    assert await nothing_is_held(market)
    charge = await market.do(invoicing.charge_line, placed.id)
    assert charge is not None
    assert ("cancellation_fee", False) == (charge.kind, charge.counts_for_reward)


async def test_a_provider_that_cancels_gives_everything_back(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=1))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "it broke"), by=market.manager)

    assert ("cancelled", 0) == (ended.status, ended.settled_fen)
    assert await nothing_is_held(market)


async def test_an_order_that_nobody_confirmed_is_withdrawn_free_of_charge(database: Database):
    market = await a_market(database, needs_approval=True)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=2))
    placed = await an_order(market)

    ended = await market.do(cancel_order, CancelOrder(placed.id, "too slow"), by=market.buyer)

    assert ("cancelled", 0) == (ended.status, ended.settled_fen)


async def test_cancelling_when_the_instrument_is_closed_anyway_costs_nothing(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    await a_closure(database, instrument_id=market.instrument_id, during=WEDNESDAY_MORNING)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=1))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "it is shut"), by=market.buyer)

    assert ended.settled_fen == 0


async def test_a_stranger_cannot_cancel_and_a_begun_hour_is_not_called_off(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    command = CancelOrder(placed.id, "why not")
    with pytest.raises(OrderMissing):
        await market.do(cancel_order, command, by=await an_actor(database, Role.BUYER))
    move_to(market, WEDNESDAY_MORNING.starts_at)

    with pytest.raises(TooLateToCancel):
        await market.do(cancel_order, command, by=market.buyer)


async def test_an_ended_order_is_not_cancelled_again(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    await market.do(cancel_order, CancelOrder(placed.id, "no samples"), by=market.buyer)

    with pytest.raises(StepNotOpen):
        await market.do(cancel_order, CancelOrder(placed.id, "no samples"), by=market.buyer)


async def test_hearing_of_its_own_cancellation_changes_nothing(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    ended = await market.do(cancel_order, CancelOrder(placed.id, "no samples"), by=market.buyer)

    await deliver_due(database, HANDLERS)

    assert ended == await market.do(queries.order, placed.id, by=market.buyer)


async def test_a_request_that_lapses_takes_its_order_along(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    move_to(market, database.clock.now() + timedelta(minutes=31))
    await market.do(expire_requests, None)

    await deliver_due(database, HANDLERS)

    found = await market.do(queries.order, placed.id, by=market.buyer)
    assert ("expired", 0) == (found.status, found.settled_fen)
    assert await nothing_is_held(market)


async def test_who_does_not_come_pays_its_own_part_and_keeps_its_voucher(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=61))
    await market.do(mark_no_shows, None)

    await deliver_due(database, HANDLERS)

    found = await market.do(queries.order, placed.id, by=market.buyer)
    assert ("no_show", 0, HOUR_FEN) == (
        found.status,
        found.settled_voucher_fen,
        found.settled_own_fen,
    )
    assert (await market.payable()).posted_fen == HOUR_FEN
    assert (await market.voucher()).posted_fen == 4_000_000
    assert await nothing_is_held(market)


async def test_a_free_order_that_was_not_looked_at_lapses_and_is_not_missed(database: Database):
    market = await a_market(database, voucher_fen=0)
    quote = await a_quote(market, purpose="disaster-relief")
    placed = await an_order(market, quote=quote)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=61))
    await market.do(mark_no_shows, None)

    await deliver_due(database, HANDLERS)

    assert (await market.do(queries.order, placed.id, by=market.buyer)).status == "expired"


async def test_nobody_comes_to_a_closed_instrument_and_nobody_pays(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    await a_closure(database, instrument_id=market.instrument_id, during=WEDNESDAY_MORNING)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=61))
    await market.do(mark_no_shows, None)

    await deliver_due(database, HANDLERS)

    found = await market.do(queries.order, placed.id, by=market.buyer)
    assert ("cancelled", 0) == (found.status, found.settled_fen)


async def test_samples_that_nobody_confirms_lapse_with_their_quote(database: Database):
    market = await a_market(database)
    quote = await a_quote(market, during=None)
    placed = await an_order(market, quote=quote)
    assert await expire_unanswered(database) == 0
    move_to(market, quote.valid_until)

    assert await expire_unanswered(database) == 1

    assert (await market.do(queries.order, placed.id, by=market.buyer)).status == "expired"
    assert await nothing_is_held(market)
    assert await expire_unanswered(database) == 0


async def test_silence_after_the_review_window_is_acceptance_once(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    assert delivered.review_ends_at is not None
    move_to(market, delivered.review_ends_at - timedelta(seconds=1))
    assert await accept_reviewed(database) == 0
    untouched = await market.do(accept_after_review, AcceptOrder(delivered.id))
    assert untouched.status == "delivered"
    move_to(market, delivered.review_ends_at)

    assert await accept_reviewed(database) == 1

    found = await market.do(queries.order, delivered.id, by=market.buyer)
    assert ("settled", 2 * HOUR_FEN) == (found.status, found.settled_fen)
    assert await accept_reviewed(database) == 0
