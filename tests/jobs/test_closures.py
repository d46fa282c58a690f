"""A closure is heard by booking, and what booking gives back by orders: nobody pays for it."""

import pytest

from marketplace.billing.ledger.queries import AccountType
from marketplace.booking.queries import Status, reservation
from marketplace.kernel import outbox
from marketplace.kernel.db import Database
from marketplace.orders.queries import order
from marketplace.worker import all_handlers
from tests.builders.booking import a_closure, at_hours
from tests.builders.orders import a_market, an_order

pytestmark = pytest.mark.asyncio


async def test_an_order_in_a_closure_is_called_off_and_its_money_goes_back(database: Database):
    market = await a_market(database)
    before = await market.money(AccountType.WALLET, market.buyer.organisation_id)
    hit = await an_order(market, during=at_hours(9, 9, 11))
    beside = await an_order(market, during=at_hours(10, 9, 11))
    held = await market.money(AccountType.WALLET, market.buyer.organisation_id)
    await a_closure(database, instrument_id=market.instrument_id, during=at_hours(9, 10, 20))

    for _ in range(3):
        await outbox.deliver_due(database, all_handlers())

    after = await market.money(AccountType.WALLET, market.buyer.organisation_id)
    assert hit.reservation_id is not None
    assert beside.reservation_id is not None
    assert (await market.do(reservation, hit.reservation_id)).status is Status.CANCELLED
    assert (await market.do(reservation, beside.reservation_id)).status is Status.CONFIRMED
    ended = await market.do(order, hit.id, by=market.buyer)
    assert ended.ended_at is not None
    assert ended.settled_fen == 0
    assert (await market.do(order, beside.id, by=market.buyer)).ended_at is None
    # Half of what was held came back; the other order's part stays held.
    assert before.available_fen - after.available_fen == (
        (before.available_fen - held.available_fen) // 2
    )
