"""Orders of several instruments handed over item by item, with the money said before."""

from __future__ import annotations

import pytest

from marketplace.orders.queries import order_items, order_story
from marketplace.orders.use_cases import (
    ConfirmOrder,
    FinishSamples,
    ReceiveSamples,
    confirm_order,
    finish_samples,
    receive_samples,
    store_deliverable,
)
from marketplace.parties.roles import Role
from tests.builders.items import a_second_instrument, an_order_for, samples_on
from tests.builders.orders import Market, a_market, a_quote, a_report, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


async def two_items_in_service(market: Market) -> int:
    """Machine time, and four samples with help beside, of which three are tested."""
    second = await a_second_instrument(market)
    asked = samples_on(second, samples=4, extras=(("help", 60),))
    placed = await an_order_for(market, asked)
    if placed.status == "placed":
        await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    await market.do(receive_samples, ReceiveSamples(placed.id, 4), by=market.technician)
    await market.do(finish_samples, FinishSamples(placed.id, 3, item=2), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    return placed.id


async def test_an_item_is_handed_over_in_parts_and_the_rest_given_up_at_figures_shown_first(
    enter, database
):
    market = await a_market(database, voucher_fen=0)
    order_id = await two_items_in_service(market)
    path = f"/orders/{order_id}"
    browser = await enter(market.technician)
    shown = await browser.open(path)
    here = f"{path}/items/2/deliver"
    form = await browser.open(here)
    looked = await browser.open(here, **{"quantity": "2", "extra-help": "30", "note": ""})
    before = await market.do(order_items, order_id)
    sent = await browser.send(looked, here)
    after = (await market.do(order_items, order_id))[1]

    assert here in shown.links.values()
    assert "操作协助" in form.text
    assert {"quantity": "3", "extra-help": "60", "note": ""} == form.form("").fields
    # Two samples of three elements at 20 yuan, and half an hour's help at 60.
    assert "150.00" in looked.text
    assert "订单其余部分仍待交付" in looked.text
    assert 0 == before[1].delivered
    assert "已交付" in sent.text
    assert (2, [["help", 30]]) == (after.delivered, after.extras_used)

    rest, last = f"{path}/items/2/undeliverable", f"{path}/items/1/undeliverable"
    unsaid = await browser.open(rest, quantity="2")
    gone = await browser.send(await browser.open(rest, quantity="2", reason="样品碎裂"), rest)
    looked = await browser.open(last, quantity="1", reason="仪器停机")
    ended = await browser.send(looked, last)
    nothing_left = await browser.open(last)
    story = await market.do(order_story, order_id, by=market.buyer)

    assert "请填写" in unsaid.text
    assert "样品碎裂" in gone.text
    assert "无法交付的部分不收费" in looked.text
    assert "整个订单随之交付" in looked.text
    assert "仪器停机" in ended.text
    assert "没有待交付的内容" in nothing_left.text
    assert "delivered" == story.order.status
    assert ["undeliverable", "delivered"] == [each.status for each in story.items]


async def test_what_is_not_ready_is_refused_with_its_reason_before_anything_is_sent(
    enter, database
):
    market = await a_market(database, voucher_fen=0)
    order_id = await two_items_in_service(market)
    here = f"/orders/{order_id}/items/2/deliver"
    browser = await enter(market.manager)
    asked = {"quantity": "4", "extra-help": "90", "note": ""}
    looked = await browser.open(here, **asked)
    sent = await browser.post(here, asked)
    unread = await browser.post(here, {"quantity": "x"})
    idle = await browser.open(f"/orders/{order_id}/items/1/deliver", quantity="1")

    for refused in (looked, sent):
        assert "第 2 项已完成而未交付的有 3 件" in refused.text
        assert "help：约定 60" in refused.text
        assert "90" == refused.form("").fields["extra-help"]
    assert (200, 422, 400) == (looked.status, sent.status, unread.status)
    assert "确认交付" not in looked.text
    assert "请先登记下机" in idle.text


async def test_only_the_provider_hands_items_over_and_only_those_that_exist(enter, database):
    market = await a_market(database)
    placed = await an_order(market, quote=await a_quote(market, during=None, samples=2))
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))
    technician, buyer = await enter(market.technician), await enter(market.buyer)

    for verb in ("deliver", "undeliverable"):
        here = f"/orders/{placed.id}/items/1/{verb}"
        assert 404 == (await stranger.open(here)).status
        assert 404 == (await stranger.post(here, {})).status
        assert 404 == (await technician.open(f"/orders/{placed.id}/items/2/{verb}")).status
        assert 403 == (await buyer.open(here)).status
