"""A provider answers enquiries on pages: by the list, at a price by hand, or not at all."""

from __future__ import annotations

import pytest

from tests.builders.enquiries import an_enquiry, another_manager
from tests.builders.orders import a_market

pytestmark = pytest.mark.timeout(180)

TIME = {"mode": "machine_time", "day": "2025-03-05", "start": "09:00", "hours": 2}


async def test_a_technician_offers_and_two_managers_agree_on_a_price_by_hand(enter, database):
    market = await a_market(database)
    enquiry = await an_enquiry(market)
    technician, buyer = await enter(market.technician), await enter(market.buyer)
    manager, second = await enter(market.manager), await enter(await another_manager(market))
    here = f"/enquiries/{enquiry.id}"

    seen = await technician.open(here)
    asked = await technician.open(f"{here}/offer")
    unread = await technician.send(asked, f"{here}/offers", **TIME | {"day": "", "hours": ""})
    above = await technician.send(
        asked, f"{here}/offers", **TIME, price="99999", unit="hour", why="加急"
    )
    offered = await technician.send(asked, f"{here}/offers", **TIME, note="含操作员", _key="a")
    shown = await buyer.open(here)
    by_hand = await manager.send(
        asked, f"{here}/offers", **TIME, price="300", unit="hour", why="长期合作", _key="b"
    )
    unseen = await buyer.open(here)
    (approve,) = [
        form.action for form in (await second.open(here)).forms if form.action.endswith("/approve")
    ]
    own = await manager.post(approve, {})
    approved = await second.post(approve, {})
    unsaid = await second.post(approve.replace("approve", "retract"), {"reason": ""})
    retracted = await second.post(approve.replace("approve", "retract"), {"reason": "仪器检修"})
    late = await second.post(approve.replace("approve", "refuse"), {"reason": "太低"})
    declined = await technician.post(f"{here}/decline", {"reason": "近期排满"})

    assert f"{here}/offer" in seen.links.values()
    assert unread.status == 400
    assert above.status == 422
    assert above.form(f"{here}/offers").fields["why"] == "加急"
    assert "报价已发出" in offered.text
    assert "去下单" in shown.text
    assert f"{here}/offer" not in shown.links.values()
    assert "长期合作" in by_hand.text
    assert "长期合作" not in unseen.text
    assert own.status == 409
    assert "价格已批准" in approved.text
    assert unsaid.status == 400
    assert "报价已撤回" in retracted.text
    assert late.status == 409
    assert "不能承接" in declined.text
