"""A provider's people at work: the day, the inbox; and what others see of it."""

from __future__ import annotations

import pytest

from marketplace.booking.queries import ReservationSearch, Status, reservations
from marketplace.orders.queries import order
from marketplace.parties.roles import Role
from tests.builders.booking import a_reservation, at_hours
from tests.builders.orders import Market, a_market, a_quote, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


async def an_asking_market(database) -> Market:
    """A provider that answers each request, with one of an SME and one of its own."""
    return await a_market(database, needs_approval=True)


async def a_request(market: Market, hour: int = 9) -> int:
    """Own research on Thursday that waits for the manager."""
    made = await a_reservation(
        market.database,
        instrument_id=market.instrument_id,
        during=at_hours(3, hour, hour + 1),
        actor=market.technician,
    )
    return made.id


async def test_today_shows_what_is_booked_and_what_waits_with_the_way_to_it(enter, database):
    market = await an_asking_market(database)
    await a_request(market)
    await an_order(market)
    await an_order(market, quote=await a_quote(market, during=None, samples=3))
    browser = await enter(market.technician)
    shown = await browser.open("/provider", lang="en")
    other = await (await enter(await an_actor(database, Role.TECHNICIAN))).open("/provider")

    assert "To be answered 3 " in shown.text
    assert "3 samples" in shown.text
    assert "/provider/requests" == shown.links["3"]
    assert "没有待答复的申请" in other.text


async def test_a_manager_answers_several_at_once_and_each_by_itself(enter, database):
    market = await an_asking_market(database)
    first, second = await a_request(market, 9), await a_request(market, 12)
    ordered = await an_order(market)
    samples = await an_order(market, quote=await a_quote(market, during=None, samples=3))
    browser = await enter(market.manager)
    picks = [f"r{first}", f"o{ordered.id}", "o999999"]
    asked = {"_key": "once", "answer": "accept", "pick": picks, "reason": ""}
    partly = await browser.post("/provider/requests", asked)
    again = await browser.post("/provider/requests", asked)

    assert 409 == partly.status
    assert "2 项已处理，1 项未能处理" in partly.text
    assert 200 == again.status
    assert "confirmed" == (await market.do(order, ordered.id, by=market.manager)).status

    unsaid = await browser.post("/provider/requests", {"answer": "decline", "pick": f"r{second}"})
    picks = [f"r{second}", f"o{samples.id}"]
    told = await browser.post(
        "/provider/requests", {"answer": "decline", "pick": picks, "reason": "设备搬迁"}
    )
    left = await market.do(
        reservations, ReservationSearch(statuses=[Status.REQUESTED]), by=market.manager
    )

    assert "请填写" in unsaid.text
    assert "checked" in unsaid.source
    assert "已拒绝，并通知对方" in told.text
    assert "没有待答复的申请" in told.text
    assert 0 == left.total
    rejected = await market.do(order, samples.id, by=market.manager)
    assert ("rejected", "设备搬迁") == (rejected.status, rejected.ended_because)


async def test_the_inbox_is_filtered_and_exported_as_it_is_shown(enter, database):
    market = await an_asking_market(database)
    await a_request(market)
    await an_order(market)
    browser = await enter(market.technician)
    every = await browser.open("/provider/requests", lang="en")
    ordered = await browser.open("/provider/requests", kind="orders", lang="en")
    file = await browser.http.get(ordered.links["CSV"])
    nothing = await browser.post("/provider/requests", {"answer": "accept", "pick": "r1"})

    assert "Own research" in every.text
    assert "Own research" not in ordered.text
    assert 2 == len(file.text.splitlines())
    assert "Answer by" in file.text
    assert 403 == nothing.status


@pytest.mark.parametrize("typed", [{}, {"answer": "accept"}, {"answer": "x", "pick": "r1"}])
async def test_an_answer_without_a_pick_says_so(enter, database, typed):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    shown = await (await enter(manager)).post("/provider/requests", typed)

    assert 400 == shown.status
