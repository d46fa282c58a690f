"""Paying on pages: two persons for every batch, and from each payout down to what it pays."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.parties.roles import Role
from tests.builders.orders import a_delivered_order, a_market
from tests.builders.parties import an_actor
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payout,
    a_sent_payout,
    the_payout,
)

pytestmark = pytest.mark.timeout(180)


async def test_what_a_provider_is_owed_is_paid_by_two_persons_and_leads_to_its_orders(
    enter, database
):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    centre = await a_finance_team(database)
    await a_bank_account(database, owner=market.manager, verified_by=None)
    maker, checker = await enter(centre.maker), await enter(centre.checker)

    shown = await maker.open("/finance/payouts")
    settled = await maker.send(shown, "/finance/payouts/settle")
    nothing = await maker.post("/finance/batches/draft", {"_key": "none"})
    waiting = await checker.open("/finance/payouts")
    verify = next(each.action for each in waiting.forms if each.action.endswith("/verify"))
    verified = await checker.send(waiting, verify)
    batch = await maker.send(await maker.open("/finance/batches"), "/finance/batches/draft")

    assert "已生成结算付款" in settled.text
    assert 422 == nothing.status
    assert "收款账户已核实" in verified.text
    assert "批次已生成" in batch.text
    assert "等待另一位财务复核人员" in batch.text

    early = await maker.open(f"{batch.path}/payment-file")
    approved = await checker.send(await checker.open(batch.path), f"{batch.path}/approve")
    file = await maker.http.get(f"{batch.path}/payment-file")
    sent = await maker.send(await maker.open(batch.path), f"{batch.path}/send")
    payout = await maker.open(next(v for v in sent.links.values() if "/finance/payouts/" in v))

    assert 409 == early.status
    assert "批次已复核" in approved.text
    assert "text/csv; charset=utf-8" == file.headers["content-type"]
    assert "已送银行" in sent.text
    assert f"/orders/{order.id}" in payout.links.values()
    assert "付款指令" in payout.text


async def test_nobody_approves_the_batch_they_drafted(enter, database):
    centre = await a_finance_team(database)
    both = await an_actor(
        database,
        Role.FINANCE_MAKER,
        Role.FINANCE_CHECKER,
        organisation_id=centre.maker.organisation_id,
    )
    await a_payout(database)
    browser = await enter(both)
    batch = await browser.send(await browser.open("/finance/batches"), "/finance/batches/draft")
    refused = await browser.post(f"{batch.path}/approve", {})
    discarded = await browser.post(f"{batch.path}/discard", {})
    auditor = await enter(await an_actor(database, Role.AUDITOR))

    assert 422 == refused.status
    assert "批次须由另一人复核" in refused.text
    assert "批次已作废" in discarded.text
    assert 403 == (await auditor.post(f"{batch.path}/approve", {})).status
    assert 200 == (await auditor.open(batch.path)).status
    assert 403 == (await auditor.open(f"{batch.path}/payment-file")).status
    assert 404 == (await browser.open("/finance/batches/99999")).status


async def test_a_payment_that_the_bank_refuses_is_owed_again(enter, database):
    centre = await a_finance_team(database)
    payout = await a_sent_payout(database, centre=centre)
    checker, maker = await enter(centre.checker), await enter(centre.maker)
    here = f"/finance/payouts/{payout.id}"

    unsaid = await checker.post(f"{here}/reject", {})
    refused = await checker.send(await checker.open(here), f"{here}/reject", reason="户名不符")
    again = await maker.send(await maker.open(here), f"{here}/again")
    twice = await maker.post(f"{here}/again", {})

    assert 400 == unsaid.status
    assert "户名不符" in refused.text
    assert "已重新指令" in again.text
    assert 409 == twice.status
    assert 2 == (await the_payout(database, payout.id)).attempt
    assert 404 == (await maker.post("/finance/payouts/99999/again", {})).status


async def test_payouts_and_batches_are_exported_as_they_are_shown(enter, database):
    centre = await a_finance_team(database)
    await a_sent_payout(database, centre=centre)
    await a_payout(database)
    browser = await enter(centre.maker)
    shown = await browser.open("/finance/payouts", lang="en", status="instructed")
    file = await browser.http.get(shown.links["CSV"])
    batches = await browser.open("/finance/batches", lang="en")
    other = await browser.http.get(batches.links["CSV"])

    assert 2 == len(file.text.splitlines())
    assert 2 == len(other.text.splitlines())
    assert "没有符合条件的付款" in (await browser.open("/finance/payouts?kind=refund")).text
    assert 400 == (await browser.http.get("/finance/payouts?status=lost")).status_code
