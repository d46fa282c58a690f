"""An order from the provider's side: signed or declined, served, delivered, answered."""

from __future__ import annotations

import pytest

from marketplace.orders.queries import order
from marketplace.orders.use_cases import DisputeOrder, dispute_order
from marketplace.parties.roles import Role
from tests.builders.orders import (
    WEDNESDAY_MORNING,
    a_delivered_order,
    a_market,
    a_quote,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
REPORT = ("结果.pdf", b"%PDF-1.7 result of five samples", "application/pdf")


async def test_samples_go_from_the_signature_to_the_result_and_back(enter, database):
    market = await a_market(database)
    placed = await an_order(market, quote=await a_quote(market, during=None, samples=5))
    path = f"/orders/{placed.id}"
    manager, technician = await enter(market.manager), await enter(market.technician)
    unsigned = await technician.open(path)
    signed = await manager.send(await manager.open(path), f"{path}/confirm")
    bench = await technician.open("/provider/samples", lang="en")
    received = await technician.send(bench, f"{path}/receive-samples", count="5")
    tested = await technician.send(received, f"{path}/finish-samples", tested="9")
    right = await technician.send(received, f"{path}/finish-samples", tested="5", _key="second")
    nothing = await technician.post(f"{path}/deliverables", {})
    uploaded = await technician.post(f"{path}/deliverables", {}, file=REPORT)
    delivered = await technician.send(uploaded, f"{path}/deliver")
    back = await technician.open("/provider/samples", stage="to_clear")
    gone = await technician.send(back, f"{path}/custody", who="顺丰 SF1234")
    file = await technician.http.get("/provider/samples/file")

    assert "等待管理单位负责人确认" in unsigned.text
    assert "已确认并签署合同" in signed.text
    assert "Awaited" in bench.text
    assert received.path == "/provider/samples"
    assert tested.status in (409, 422)
    assert "待交付结果" in right.text
    assert 400 == nothing.status
    assert "结果已上传" in uploaded.text
    assert "已交付，等待用户验收" in delivered.text
    assert "没有符合条件的样品" in gone.text
    assert 1 == len(file.text.splitlines())


async def test_machine_time_is_served_from_the_page_of_its_order(enter, database):
    market = await a_market(database)
    placed = await an_order(market)
    path = f"/orders/{placed.id}"
    browser = await enter(market.technician)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    begun = await browser.send(await browser.open(path), f"{path}/open-service")
    move_to(market, WEDNESDAY_MORNING.ends_at)
    ended = await browser.send(begun, f"{path}/close-service", note="两次扫描")

    assert "已开始服务" in begun.text
    assert "已结束服务" in ended.text
    assert "准备分钟" in begun.text
    assert "准备分钟" not in ended.text
    assert "服务已结束，计费" in ended.text


async def test_an_order_is_declined_with_a_reason_only(enter, database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    path = f"/orders/{placed.id}"
    browser = await enter(market.manager)
    unsaid = await browser.post(f"{path}/reject", {})
    said = await browser.post(f"{path}/reject", {"reason": "仪器大修"})

    assert 400 == unsaid.status
    assert "已拒绝，款项全部退回" in said.text
    assert 403 == (await (await enter(market.technician)).post(f"{path}/reject", {})).status


async def test_an_objection_is_answered_with_what_the_provider_would_take(enter, database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    path = f"/orders/{delivered.id}"
    await market.do(dispute_order, DisputeOrder(delivered.id, "缺少谱图"), by=market.buyer)
    browser = await enter(market.manager)
    shown = await browser.open(path)
    wrong = await browser.post(f"{path}/dispute/answer", {"answer": "补交", "offered": "120"})
    answered = await browser.send(shown, f"{path}/dispute/answer", answer="补交谱图", offered="80")

    assert "缺少谱图" in shown.text
    assert "应在 0 到 100 之间" in wrong.text
    assert "已答复异议" in answered.text
    assert "disputed" == (await market.do(order, delivered.id, by=market.manager)).status


async def test_another_provider_does_nothing_with_it(enter, database):
    market = await a_market(database)
    placed = await an_order(market)
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    buyer = await enter(market.buyer)

    for step in ("confirm", "reject", "open-service", "deliver", "deliverables", "custody"):
        assert 404 == (await stranger.post(f"/orders/{placed.id}/{step}", {})).status
    assert 403 == (await buyer.post(f"/orders/{placed.id}/confirm", {})).status
    assert "服务方下一步" not in (await buyer.open(f"/orders/{placed.id}")).text
