"""How one stands, on a page: limits with what is used, and the way there from a refusal."""

from __future__ import annotations

import pytest

from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.parties.roles import Role
from tests.builders.booking import a_reservation, at_hours
from tests.builders.ledger import a_wallet
from tests.builders.orders import a_market
from tests.builders.parties import an_actor
from tests.builders.standing import a_quota

pytestmark = pytest.mark.timeout(120)

TIME = {"day": "2025-03-05", "start": "13:00", "hours": 2}


async def test_what_a_limit_refuses_leads_to_what_is_used_of_it(enter, database):
    market = await a_market(database, notice_minutes=0)
    await a_wallet(database, owner_id=market.buyer.organisation_id, funds_fen=1_000_000)
    buyer = await enter(market.buyer)
    before = await buyer.open("/standing")
    await a_reservation(
        database,
        instrument_id=market.instrument_id,
        during=at_hours(2, 9, 11),
        organisation_id=market.buyer.organisation_id,
        person_id=market.buyer.person_id,
    )
    await a_quota(database, by=market.manager, instrument_id=market.instrument_id, at_most=180)
    await a_quota(
        database,
        by=market.manager,
        subject=Subject.ORGANISATION,
        period=Period.OPEN,
        measure=Measure.RESERVATIONS,
        at_most=1,
    )

    refused = await buyer.open("/bookings/new", instrument=market.instrument_id, **TIME)
    limits = await buyer.open(refused.links["看我的限额和用量"])
    everywhere = await buyer.open("/standing")
    english = await buyer.open("/standing", lang="en")
    file = await buyer.http.get("/standing/file?format=csv&lang=en")
    sheet = await buyer.open(f"/instruments/{market.instrument_id}")
    start = await buyer.open("/me")
    stranger = await enter(await an_actor(database, Role.BUYER))

    assert "没有规定限额" in before.text
    assert "每人最多 180 分钟（按周计）：已用 120" in refused.text
    assert "每单位最多同时有 1 个未结束的预约" in refused.text
    assert "2 小时 / 3 小时" in limits.text
    assert "已用完" in limits.text
    assert "已全部用完" in limits.text
    assert "2025年3月9日" in everywhere.text
    assert "At most 180 minutes a week for one person" in english.text
    assert "At most 180 minutes a week for one person" in file.text
    assert 3 == len(file.text.strip().splitlines())
    assert "看我的限额和用量" in sheet.links
    assert "/standing" in start.links.values()
    assert "没有规定限额" in (await stranger.open("/standing")).text
    assert 404 == (await buyer.open("/standing", instrument=987654)).status


async def test_who_keeps_every_rule_stands_in_order(enter, database):
    market = await a_market(database)
    buyer = await enter(market.buyer)
    page = await buyer.open("/standing", instrument=market.instrument_id)

    assert "正常" in page.text
    assert "没有针对您的限制" in page.text
    assert "没有限制您的限额" in page.text
    assert "/strikes" in page.links.values()
    assert "/training" in page.links.values()
