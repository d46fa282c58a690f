"""Reviews: answered by the provider in public, hidden and shown again by the centre."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AcceptOrder, ReviewOrder, accept_order, review_order
from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_delivered_order, a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


async def a_review(market: Market, *, stars: int = 2, words: str = "等了很久") -> str:
    """A settled order that its buyer rated; its address."""
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(order.id, stars, words), by=market.buyer)
    return f"/orders/{order.id}"


async def test_a_manager_finds_reviews_and_answers_each_once_in_public(enter, database, visitor):
    market = await a_market(database)
    path = await a_review(market)
    manager, technician = await enter(market.manager), await enter(market.technician)
    listed = await manager.open("/provider/reviews")
    read_only = await technician.open("/provider/reviews")
    empty = await manager.open("/provider/reviews", stars="5")
    unsaid = await manager.post(f"{path}/review/reply", {})
    answered = await manager.send(
        await manager.open(path), f"{path}/review/reply", reply="已增加机时"
    )
    again = await manager.post(f"{path}/review/reply", {"reply": "再答"})
    public = await visitor.open(f"/providers/{market.manager.organisation_id}")
    file = await manager.http.get("/provider/reviews/file")

    assert "等了很久" in listed.text
    assert f"{path}#review" in listed.links.values()
    assert f"{path}#review" not in read_only.links.values()
    assert "没有符合条件的评价" in empty.text
    assert 400 == unsaid.status
    assert "答复已公开" in answered.text
    assert "review/reply" not in answered.source
    assert 409 == again.status
    assert "该评价已回复" in again.text
    assert "已增加机时" in public.text
    assert path not in public.links.values()
    assert "已增加机时" in file.text


async def test_an_officer_hides_the_words_with_a_reason_and_shows_them_again(
    enter, database, visitor
):
    market = await a_market(database)
    path = await a_review(market, words="骂人的话")
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    here = f"/providers/{market.manager.organisation_id}"
    way = await officer.open(here)
    unsaid = await officer.post(f"{path}/review/hide", {})
    hidden = await officer.send(
        await officer.open(path), f"{path}/review/hide", moderation="辱骂工作人员"
    )
    gone = await visitor.open(here)
    listed = await (await enter(market.manager)).open("/provider/reviews")
    shown = await officer.send(hidden, f"{path}/review/show", moderation="核对后并无不当")

    assert path in way.links.values()
    assert 400 == unsaid.status
    assert "评语已隐藏，星级仍计入" in hidden.text
    assert "辱骂工作人员" in hidden.text
    assert "骂人的话" not in gone.text
    assert "已被平台隐藏" in listed.text
    assert "评语已恢复公开" in shown.text
    assert "骂人的话" in (await visitor.open(here)).text


async def test_others_neither_answer_nor_hide_it(enter, database):
    market = await a_market(database)
    path = await a_review(market)
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    buyer = await enter(market.buyer)
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))

    assert 404 == (await stranger.post(f"{path}/review/reply", {"reply": "x"})).status
    assert 403 == (await buyer.post(f"{path}/review/reply", {})).status
    assert 403 == (await buyer.post(f"{path}/review/hide", {})).status
    assert 404 == (await officer.post("/orders/999999/review/hide", {"moderation": "x"})).status
    assert "review/hide" not in (await buyer.open(path)).source
