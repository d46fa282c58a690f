"""Using what was ordered, from the buyer's side: problems reported, the real end of a session."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.booking.use_cases import close_forgotten_sessions
from marketplace.orders.use_cases import OpenService, open_service
from marketplace.parties.roles import Role
from tests.builders.orders import (
    WEDNESDAY_MORNING,
    a_market,
    a_sample_order,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)

NINE = {"day": "2025-03-05", "start": "09:00"}


async def test_a_buyer_reports_what_is_wrong_and_when_it_really_ended(enter, database):
    market = await a_market(database)
    order = await an_order(market)
    here = f"/orders/{order.id}/items/1/use"
    buyer = await enter(market.buyer)
    before = await buyer.open((await buyer.open(f"/orders/{order.id}")).links["上机与报修"])
    unsaid = await buyer.post(f"{here}/problem", {"severity": "minor", "note": ""})
    reported = await buyer.send(
        before, f"{here}/problem", severity="breakdown", note="真空泵报警，无法抽真空。"
    )
    early = await buyer.post(f"{here}/end", {**NINE, "reason": "x"})

    assert before.path == here
    assert "还没有上机" in before.text
    assert 400 == unsaid.status
    assert "已报告管理单位" in reported.text
    assert "真空泵报警" in reported.text
    assert f"{here}/end" not in [each.action for each in reported.forms]
    assert 404 == early.status

    technician = await enter(market.technician)
    assert "真空泵报警" in (await technician.open("/provider/usage", show="reports")).text

    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(order.id), by=market.technician)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(days=1))
    await market.do(close_forgotten_sessions, None)
    closed = await buyer.open(here)
    ending = f"{here}/end"
    late = await buyer.send(closed, ending, start="23:00", reason="门禁记录")
    proposed = await buyer.send(closed, ending, start="09:30", reason="门禁记录到 9:30")
    twice = await buyer.post(ending, {**NINE, "start": "09:40", "reason": "再说一次"})
    english = await buyer.open(here, lang="en")

    assert "由系统自动结束" in closed.text
    assert 422 == late.status
    assert "23:00" in late.source
    assert "等待管理单位答复" in proposed.text
    assert ending not in [each.action for each in proposed.forms]
    assert 422 == twice.status
    assert "waits for the provider" in english.text


async def test_the_use_of_an_order_is_its_buyers_business(enter, database):
    market = await a_market(database)
    order = await an_order(market)
    samples = await a_sample_order(market)
    here = f"/orders/{order.id}/items/1/use"
    chief = await enter(
        await an_actor(
            database, Role.SME_ADMINISTRATOR, organisation_id=market.buyer.organisation_id
        )
    )
    stranger = await enter(await an_actor(database, Role.BUYER))
    technician = await enter(market.technician)

    assert 200 == (await chief.open(here)).status
    assert 404 == (await chief.open(f"/orders/{order.id}/items/2/use")).status
    assert 404 == (await chief.open(f"/orders/{samples.id}/items/1/use")).status
    assert 404 == (await stranger.open(here)).status
    assert 404 == (await stranger.post(f"{here}/problem", {})).status
    assert 403 == (await technician.open(here)).status
