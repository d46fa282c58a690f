"""Another time asked for by a buyer's agent, while the service runs, and by strangers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.booking import queries as booking
from marketplace.kernel.db import Database
from marketplace.orders import queries
from marketplace.orders.errors import (
    ChangeMissing,
    OrderMissing,
)
from marketplace.orders.use_cases import (
    ConfirmOrder,
    DeclineChange,
    OpenService,
    ProposalLook,
    confirm_order,
    decline_change,
    open_service,
    preview_proposal,
)
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_confirmed_order,
    a_market,
    a_move,
    accepted,
    an_extension,
    an_order,
    an_order_through,
    move_to,
)
from tests.builders.parties import an_actor

FRIDAY = at_hours(4, 9, 12)


async def time_of(market: Market, order_id: int) -> tuple[object, object]:
    """From when booking keeps the instrument for the order, and in which state."""
    order = await market.do(queries.order, order_id)
    assert order.reservation_id is not None
    found = await market.do(booking.reservation, order.reservation_id)
    return found.starts_at, str(found.status)


async def test_an_agent_asks_and_the_buyer_signs(database: Database):
    market = await a_market(database)
    agent = await an_actor(database, Role.STATION_AGENT)
    order = await an_order_through(market, agent)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=2))

    proposed = await a_move(market, order.id, FRIDAY, by=agent)
    with pytest.raises(ChangeMissing):
        await accepted(market, proposed, by=market.manager)
    agreed = await accepted(market, proposed, by=market.buyer)

    # It is the buyer's own wish, in the words of its agent: moving late has its fee.
    assert ("agreed", "agent", HOUR_FEN // 4) == (
        agreed.change.status,
        agreed.change.side,
        agreed.order.move_fee_fen,
    )
    with pytest.raises(OrderMissing):
        await a_move(market, order.id, FRIDAY, by=await an_actor(database, Role.STATION_AGENT))


async def test_what_an_agent_asks_for_goes_on_to_a_provider_that_decides_on_requests(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    agent = await an_actor(database, Role.STATION_AGENT)
    order = await an_order_through(market, agent)
    await market.do(confirm_order, ConfirmOrder(order.id), by=market.manager)
    proposed = await a_move(market, order.id, FRIDAY, by=agent)

    own = await accepted(market, proposed, by=market.buyer)
    assert (proposed.change.id, "proposed", "buyer") == (
        own.change.id,
        own.change.status,
        own.change.side,
    )
    agreed = await accepted(market, own, by=market.manager)

    assert "agreed" == agreed.change.status
    assert (FRIDAY.starts_at, "confirmed") == await time_of(market, order.id)


async def test_an_extension_in_service_waits_for_the_provider_that_decides_on_requests(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(order.id), by=market.technician)
    noon = at_hours(2, 9, 12).ends_at

    proposed = await an_extension(market, order.id, noon)
    assert (WEDNESDAY_MORNING.ends_at, "proposed") == (
        proposed.change.answer_until,
        proposed.change.status,
    )
    agreed = await accepted(market, proposed, by=market.manager)

    assert ("in_service", 3 * HOUR_FEN) == (agreed.order.status, agreed.order.total_fen)


async def test_strangers_learn_nothing_of_a_proposal(database: Database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    other = await an_order(market, during=at_hours(3, 9, 11))
    proposed = await a_move(market, order.id, FRIDAY)
    look = ProposalLook(order.id, proposed.change.id)

    for role in (Role.BUYER, Role.PROVIDER_MANAGER, Role.STATION_AGENT, Role.REGULATOR):
        stranger = await an_actor(database, role)
        with pytest.raises(OrderMissing):
            await market.do(preview_proposal, look, by=stranger)
        with pytest.raises(OrderMissing):
            await market.do(
                decline_change, DeclineChange(order.id, proposed.change.id, "no"), by=stranger
            )
    with pytest.raises(ChangeMissing):
        await market.do(preview_proposal, replace(look, order_id=other.id), by=market.buyer)
    with pytest.raises(ChangeMissing):
        await market.do(preview_proposal, replace(look, change_id=10**9), by=market.buyer)
