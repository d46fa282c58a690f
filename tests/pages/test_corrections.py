"""Corrections of settled orders on pages: proposed by one, red letter first, decided by another."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AcceptOrder, IssueInvoice, accept_order, issue_invoice
from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_delivered_order, a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)

PROPOSAL = {"voucher": "100", "own": "150", "reason": "针尖用错，部分数据作废。"}


async def a_settled_order(market: Market) -> int:
    """Two hours at 400 CNY: 400 CNY by voucher, 400 CNY out of the wallet."""
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    return delivered.id


async def test_a_provider_proposes_takes_the_invoice_back_and_another_manager_approves(
    enter, database
):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    before = await market.wallet()
    today = database.clock.now().date()
    invoice = IssueInvoice(order_id, "25322000000012345678", 80_000, today)
    await market.do(issue_invoice, invoice, by=market.manager)
    first = await enter(market.manager)
    second = await enter(
        await an_actor(
            database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
        )
    )
    draft = f"/orders/{order_id}/correction"

    order = await first.open(f"/orders/{order_id}")
    shown = await first.open(draft)
    too_much = await first.send(shown, draft, **{**PROPOSAL, "own": "400.01"})
    unsaid = await first.send(shown, draft, **{**PROPOSAL, "reason": ""})
    proposed = await first.send(shown, draft, **PROPOSAL)
    here = proposed.path
    twice = await first.open(draft)
    start = await second.open("/provider")
    early = await second.post(f"{here}/approve", {"because": ""})
    page = await second.open(here)
    red = {"number": "25322000000087654321", "amount": "250", "issued_on": today.isoformat()}
    wrong = await second.send(page, f"{here}/red-letter", **red, invoice="999")
    recorded = await second.send(page, f"{here}/red-letter", **red)
    own = await first.post(f"{here}/approve", {"because": ""})
    done = await second.post(f"{here}/approve", {"because": "属实"})
    again = await second.post(f"{here}/approve", {"because": "属实"})

    assert draft in order.links.values()
    assert (too_much.status, unsaid.status) == (422, 400)
    assert "400.01" in too_much.source
    assert "550.00" in proposed.text
    assert "须先冲红" in proposed.text
    assert here in twice.links.values()
    assert here in start.links.values()
    assert early.status == 409
    assert wrong.status == 404
    assert "须先冲红" not in recorded.text
    assert (own.status, again.status) == (409, 409)
    assert "退入委托方钱包" in done.text
    assert "属实" in done.text
    assert (await market.wallet()).available_fen == before.available_fen + 15_000


async def test_the_centre_proposes_its_checker_refuses_and_both_sides_find_it(enter, database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    draft = f"/orders/{order_id}/correction"

    proposed = await maker.send(await maker.open(draft), draft, **PROPOSAL)
    here = proposed.path
    withdrawn = await maker.send(proposed, f"{here}/withdraw", because="写错金额")
    again = await maker.send(await maker.open(draft), draft, **PROPOSAL)
    desk = await checker.open("/finance")
    unsaid = await checker.post(f"{again.path}/refuse", {"because": ""})
    refused = await checker.post(f"{again.path}/refuse", {"because": "证据不足"})
    buyer = await enter(market.buyer)
    found = await buyer.open("/corrections", status="refused", text="针尖", order=str(order_id))
    none = await buyer.open("/corrections", status="approved")
    file = await buyer.http.get("/corrections/file?status=refused&format=csv")
    told = await buyer.open(f"/orders/{order_id}")
    english = await buyer.open(again.path, lang="en")

    assert "写错金额" in withdrawn.text
    assert again.path in desk.links.values()
    assert (unsaid.status, refused.status) == (400, 200)
    assert "证据不足" in refused.text
    assert again.path in found.links.values()
    assert here not in found.links.values()
    assert "没有符合条件的更正" in none.text
    assert len(file.text.strip().splitlines()) == 2
    assert again.path in told.links.values()
    assert "Before and after" in english.text
    assert "批准并退款" not in (await buyer.open(again.path)).text


async def test_who_does_not_serve_the_order_neither_sees_nor_proposes(enter, database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    manager = await enter(market.manager)
    draft = f"/orders/{order_id}/correction"
    proposed = await manager.send(await manager.open(draft), draft, **PROPOSAL)
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    buyer = await enter(market.buyer)

    assert (await stranger.open(draft)).status == 404
    assert (await stranger.open(proposed.path)).status == 404
    assert (await stranger.post(f"{proposed.path}/approve", {})).status == 404
    assert (await buyer.open(draft)).status == 403
    assert (await buyer.post(f"{proposed.path}/approve", {})).status == 403
