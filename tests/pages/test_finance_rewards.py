"""Rewards on pages: tried, drafted, approved by another person, and explained to the fen."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.parties.roles import Role
from tests.builders.orders import a_delivered_order, a_market
from tests.builders.parties import an_actor
from tests.builders.payouts import a_finance_team
from tests.builders.rewards import a_draft, a_grade, a_reward_fund

pytestmark = pytest.mark.timeout(180)


async def test_a_run_is_tried_drafted_approved_by_another_and_explained(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    provider_id = market.manager.organisation_id
    await a_grade(database, provider_id=provider_id)
    await a_reward_fund(database)
    day = database.clock.now().date().isoformat()
    centre = await a_finance_team(database)
    maker, checker = await enter(centre.maker), await enter(centre.checker)

    tried = await maker.open("/finance/rewards/what-if", through=day, excellent="50", cap="100")
    none_yet = await maker.open("/finance/rewards")
    draft = await maker.send(none_yet, "/finance/rewards/draft", through=day)
    share = await maker.open(f"{draft.path}/{provider_id}")
    file = await maker.http.get(f"{draft.path}/{provider_id}/file")
    approved = await checker.send(await checker.open(draft.path), f"{draft.path}/approve")
    twice = await checker.post(f"{draft.path}/approve", {})
    entity = await maker.open(
        next(each for each in approved.links.values() if "/entities/" in each)
    )

    assert "试算条件" in tried.text
    assert "还没有奖励" in none_yet.text
    assert "等待他人核准" in draft.text
    assert "等待另一位财务复核人员" in draft.text
    assert f"/orders/{order.id}" in share.links.values()
    assert "本单位奖励" in share.text
    assert 2 == len(file.text.splitlines())
    assert "付款已指令" in approved.text
    assert 409 == twice.status
    assert "本年已付" in entity.text
    assert 404 == (await maker.open(f"{draft.path}/999999")).status
    assert 404 == (await maker.open("/finance/rewards/999999")).status


async def test_a_draft_is_refused_or_discarded_with_what_was_typed_kept(enter, database):
    centre = await a_finance_team(database)
    browser = await enter(centre.maker)
    wrong = await browser.post("/finance/rewards/draft", {"through": "2099-01-01", "budget": "x"})
    later = await browser.post("/finance/rewards/draft", {"through": "2099-01-01"})
    run = await a_draft(database, actor=centre.maker)
    gone = await browser.send(
        await browser.open(f"/finance/rewards/{run.id}"), f"/finance/rewards/{run.id}/discard"
    )
    listed = await browser.http.get("/finance/rewards/file?status=discarded")
    shares = await browser.http.get(f"/finance/rewards/{run.id}/file")
    untold = await browser.open("/finance/rewards/what-if", through="2099-01-01")
    unread = await browser.open("/finance/rewards/what-if", through="", cap="-1")
    evaluator = await enter(await an_actor(database, Role.EVALUATOR))

    assert 400 == wrong.status
    assert 'value="2099-01-01"' in wrong.source
    assert 422 == later.status
    assert "不能计算到这一天" in later.text
    assert "草稿已作废" in gone.text
    assert 2 == len(listed.text.splitlines())
    assert 1 == len(shares.text.splitlines())
    assert 422 == untold.status
    assert 400 == unread.status
    assert 200 == (await evaluator.open(f"/finance/rewards/{run.id}")).status
    assert 403 == (await evaluator.post(f"/finance/rewards/{run.id}/approve", {})).status
