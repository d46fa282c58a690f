"""Claims as providers make them: gathered, proved paper by paper, submitted, taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.queries import claim
from tests.builders.orders import a_delivered_order, a_market
from tests.builders.parties import an_actor
from tests.builders.vouchers import an_invoice_number, with_terms


async def programme_ids(tx, _):
    return await tx.scalars(select(tables.programme.c.id))


pytestmark = pytest.mark.timeout(180)
KINDS = ("contract", "invoice", "payment-proof", "result", "usage-log")


async def test_redemptions_are_gathered_proved_and_submitted(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    browser = await enter(market.manager)
    listed = await browser.open("/claims")
    drafted = await browser.send(listed, "/claims/draft")
    again = await browser.post("/claims/draft", {"_key": "another"})
    early = await browser.send(drafted, f"{drafted.path}/submit")
    evidence = f"{drafted.path}/evidence"
    shown = drafted.form(evidence).fields
    fields = {name: shown[name] for name in ("_key", "redemption")}
    none = await browser.post(evidence, fields)
    files = {kind: (f"{kind}.pdf", f"%PDF {kind}".encode()) for kind in KINDS}
    unnumbered = await browser.post(evidence, {**fields, "number": ""}, **files)
    attached = await browser.post(
        evidence, {**fields, "number": an_invoice_number(), "_key": "with"}, **files
    )
    submitted = await browser.send(attached, f"{drafted.path}/submit")
    file = await browser.http.get("/claims/file?status=submitted")

    assert "有 1 笔已用的创新券" in listed.text
    assert f"订单 {order.id}" in drafted.text
    assert 422 == again.status
    assert "没有可兑付的内容" in again.text
    assert 422 == early.status
    assert "证据不全" in early.text
    assert "请至少选择一个文件" in none.text
    assert "不能附上该证据" in unnumbered.text
    assert "contract.pdf" in attached.text
    assert "已提交，等待审核" in submitted.text
    assert "等待创新券专员审核" in submitted.text
    assert 2 == len(file.text.splitlines())

    unsaid = await browser.post(f"{drafted.path}/withdraw", {})
    withdrawn = await browser.post(f"{drafted.path}/withdraw", {"reason": "发票有误"})

    assert 400 == unsaid.status
    assert "发票有误" in withdrawn.text
    assert "有 1 笔已用的创新券" in (await browser.open("/claims")).text


async def test_a_redemption_is_left_for_another_time_and_claims_of_others_do_not_exist(
    enter, database
):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    browser = await enter(market.manager)
    drafted = await browser.send(await browser.open("/claims"), "/claims/draft")
    left = await browser.send(drafted, f"{drafted.path}/leave-out")
    empty = await browser.post(f"{drafted.path}/submit", {})
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    found = await market.do(claim, int(drafted.path.rpartition("/")[2]), by=market.manager)

    assert "已移出本次申请" in left.text
    assert 0 == found.amount_fen
    assert 422 == empty.status
    assert 404 == (await stranger.open(drafted.path)).status
    assert 404 == (await stranger.post(f"{drafted.path}/submit", {})).status
    assert "没有符合条件的兑付申请" in (await stranger.open("/claims")).text


async def test_a_paper_of_another_day_is_told_and_its_day_is_put_right(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    [programme_id] = await market.do(programme_ids, None, by=market.manager)
    await with_terms(
        database,
        programme_id,
        invoices_within={"opens_on": "2025-01-01", "closes_on": "2025-02-28"},
        required_evidence=["invoice"],
    )
    browser = await enter(market.manager)
    drafted = await browser.send(await browser.open("/claims"), "/claims/draft")
    shown = drafted.form(f"{drafted.path}/evidence").fields
    form = {name: shown[name] for name in ("_key", "redemption")}
    attached = await browser.post(
        f"{drafted.path}/evidence",
        {**form, "number": an_invoice_number(), "day-invoice": "2025-03-02"},
        invoice=("invoice.pdf", b"%PDF late"),
    )
    refused = await browser.send(attached, f"{drafted.path}/submit")
    unsaid = await browser.send(attached, f"{drafted.path}/days")
    dated = await browser.send(attached, f"{drafted.path}/days", **{"day-invoice": "2025-02-28"})
    submitted = await browser.send(dated, f"{drafted.path}/submit")

    assert "发票日期须在" in drafted.text
    assert "day-invoice" in shown
    assert "请将其移出本次申请" in attached.text
    assert 422 == refused.status
    assert "凭证日期不在项目支付的期间内" in refused.text
    assert "请填写日期" in unsaid.text
    assert "请将其移出本次申请" not in dated.text
    assert "等待创新券专员审核" in submitted.text
