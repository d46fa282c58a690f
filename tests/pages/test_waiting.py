"""Time that others hold: every reason and what is free instead, the waiting list, the kept slot."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from marketplace.parties.roles import Role
from tests.builders.ledger import a_wallet
from tests.builders.orders import a_market
from tests.builders.parties import an_actor
from tests.builders.waiting import a_full_day, give_back, hear

pytestmark = pytest.mark.timeout(180)


async def test_what_is_taken_is_waited_for_kept_and_ordered_or_let_go(enter, database):
    market = await a_market(database, notice_minutes=0)
    await a_wallet(database, owner_id=market.buyer.organisation_id, funds_fen=1_000_000)
    _, midday, evening = await a_full_day(database, instrument_id=market.instrument_id)
    browser = await enter(market.buyer)
    wanted = {"instrument": market.instrument_id, "day": "2025-03-05", "start": "09:00"}
    taken = await browser.open("/bookings/new", **wanted, hours=2)
    form = await browser.open(taken.links["都不合适？加入候补，有空档通知我"])
    fields = form.form("/waiting").fields
    never = await browser.post(
        "/waiting", {name: each for name, each in fields.items() if "weekday" not in name}
    )
    backwards = await browser.post("/waiting", {**fields, "last": "2025-03-01", "earliest": "now"})
    joined = await browser.post("/waiting", {**fields, "last": "2025-03-05"})
    again = await browser.post("/waiting", {**fields, "last": "2025-03-05", "_key": "again"})

    assert "可改为" in taken.text
    assert 3 == len([each for each in taken.links.values() if "start=" in each])
    assert 400 == never.status
    assert "请至少选择一天" in never.text
    assert "结束应不早于开始" in backwards.text
    assert "已加入候补" in joined.text
    assert "第 1 位" in joined.text
    assert 409 == again.status
    assert "已在候补" in again.text

    await give_back(database, midday)
    await hear(database)
    kept = await browser.open("/saved")
    order = await browser.open(kept.links["下单"])
    decline = next(each.action for each in kept.forms if each.action.endswith("/decline"))
    stranger = await enter(await an_actor(database, Role.BUYER))
    foreign = await stranger.post(decline, {})
    declined = await browser.send(kept, decline)
    late = await browser.post(decline, {"_key": "late"})

    assert "为您留了" in kept.text
    assert ["2025-03-05"] == parse_qs(urlsplit(kept.links["下单"]).query)["day"]
    assert "生成报价" in order.text
    assert "钱包余额，下单后剩余" in order.text
    assert 404 == foreign.status
    assert "已放弃这一时段" in declined.text
    assert "下单" not in declined.links
    assert 409 == late.status

    await give_back(database, evening)
    await hear(database)
    quote = await browser.send(
        await browser.open((await browser.open("/saved")).links["下单"]), "/bookings"
    )
    ordered = await browser.send(quote, f"{quote.path}/order", agreed="yes")

    assert "订单已提交" in ordered.text


async def test_what_a_wallet_lacks_is_told_beside_the_price(enter, database):
    market = await a_market(database, notice_minutes=0, funds_fen=1_000)
    browser = await enter(market.buyer)
    wanted = {"instrument": market.instrument_id, "day": "2025-03-05", "start": "09:00"}
    shown = await browser.open("/bookings/new", **wanted, hours=2)

    assert "不足，还差 ¥390.00" in shown.text
    assert "生成报价" not in shown.text
