"""Prices in notice: read by everybody, objected to once by each customer, answered in public."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.billing.pricing.use_cases import FilePriceList, file_price_list
from marketplace.parties.roles import Role
from tests.builders.orders import HOUR_FEN, a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)


async def test_new_prices_are_objected_to_while_they_are_in_notice(enter, visitor, database, clock):
    market = await a_market(database)
    prices = tuple(PriceAsked(each, Unit.HOUR, HOUR_FEN // 2) for each in CustomerClass)
    filed = FilePriceList(market.instrument_id, prices)
    await market.do(file_price_list, filed, by=market.manager)
    buyer = await enter(market.buyer)
    sheet = await buyer.open(f"/instruments/{market.instrument_id}")
    path = next(to for text, to in sheet.links.items() if "公示至" in text)
    shown = await buyer.open(path)
    unsaid = await buyer.send(shown, f"{path}/objections", text="")
    objected = await buyer.send(shown, f"{path}/objections", text="样品制备也含在内吗？")
    twice = await buyer.post(f"{path}/objections", {"text": "再说一次"})
    anybody = await visitor.open(path)
    technician = await enter(market.technician)
    clock.set(clock.now() + timedelta(days=60))
    late = await (await enter(await an_actor(database, Role.BUYER))).open(path)

    assert "公示中" in shown.text
    assert 400 == unsaid.status
    assert "异议已提出" in objected.text
    assert "样品制备也含在内吗" in anybody.text
    assert "等待管理单位答复" in anybody.text
    assert f"{path}/objections" not in [each.action for each in anybody.forms]
    assert 409 == twice.status
    assert 403 == (await technician.post(f"{path}/objections", {"text": "x"})).status
    assert f"{path}/objections" not in [each.action for each in late.forms]
    assert 404 == (await visitor.open("/price-lists/987654")).status
    assert "In notice through" in (await buyer.open(path, lang="en")).text
