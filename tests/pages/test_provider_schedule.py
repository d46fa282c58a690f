"""The timeline: looked at before anything moves, in time or to another instrument."""

from __future__ import annotations

import pytest

from marketplace.booking.queries import visible_reservation
from marketplace.orders.queries import ChangeList, changes
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_closure, a_reservation, at_hours
from tests.builders.orders import a_market, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
MOVE = "/provider/schedule/move"


async def test_own_time_is_looked_at_and_moved_to_another_instrument(enter, database):
    market = await a_market(database)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    here = await a_reservation(
        database,
        instrument_id=market.instrument_id,
        during=at_hours(3, 9, 11),
        actor=market.technician,
    )
    browser = await enter(market.technician)
    listed = await browser.open("/provider/schedule", lang="en")
    form = await browser.open(MOVE, reservation=here.id)
    wanted = {"instrument": there, "day": "2025-03-07", "start": "13:00"}
    looked = await browser.open(MOVE, **{**form.form(MOVE).fields, **wanted})
    moved = await browser.send(looked, MOVE)
    times = await browser.http.get("/provider/schedule/times", params={"day": "2025-03-03"})

    assert f"{MOVE}?reservation={here.id}" in listed.links.values()
    assert "可以调整：符合全部预约规则" in looked.text
    assert ("/provider/schedule?day=2025-03-07", 200) == (moved.path, moved.status)
    assert "已调整" in moved.text
    (event,) = [each for each in times.json()["events"] if each.get("editable")]
    assert ([str(there)], "2025-03-07T05:00:00+00:00") == (event["resourceIds"], event["start"])


async def test_what_speaks_against_a_move_is_said_before_it_with_what_is_free(enter, database):
    market = await a_market(database)
    await a_closure(
        database, instrument_id=market.instrument_id, during=at_hours(4, 0, 24), reason="搬迁"
    )
    here = await a_reservation(
        database,
        instrument_id=market.instrument_id,
        during=at_hours(3, 9, 11),
        actor=market.technician,
    )
    browser = await enter(market.technician)
    asked = {
        "reservation": here.id,
        "instrument": market.instrument_id,
        "day": "2025-03-07",
        "start": "09:00",
        "minutes": 120,
    }
    looked = await browser.open(MOVE, **asked)
    sent = await browser.send(looked, MOVE)
    unread = await browser.post(MOVE, {**asked, "start": "soon"})
    stayed = await market.do(visible_reservation, here.id, by=market.technician)

    assert "可改为" in looked.text
    assert any("day=2025-03-" in address for address in looked.links.values())
    assert sent.status in (409, 422)
    assert "请填写时间" in unread.text
    assert here.revision == stayed.revision


async def test_time_under_an_order_is_proposed_with_its_price_or_refused(enter, database):
    market = await a_market(database)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    ordered = await an_order(market)
    browser = await enter(market.manager)
    asked = {
        "reservation": ordered.reservation_id,
        "instrument": market.instrument_id,
        "day": "2025-03-06",
        "start": "14:00",
        "minutes": 180,
    }
    looked = await browser.open(MOVE, **asked)
    elsewhere = await browser.open(MOVE, **{**asked, "instrument": there})
    sent = await browser.send(looked, MOVE, reason="设备保养")
    found = await market.do(changes, ChangeList(ordered.id), by=market.manager)

    assert "¥800.00 ¥1,200.00" in looked.text
    assert "这是一项提议" in looked.text
    assert f"/orders/{ordered.id}" in elsewhere.links.values()
    assert "可以调整" not in elsewhere.text
    assert "已提议改期" in sent.text
    assert [("proposed", "设备保养")] == [(each.status, each.reason) for each in found.rows]


async def test_own_time_is_reserved_from_the_timeline(enter, database):
    market = await a_market(database)
    browser = await enter(market.technician)
    drawn = {
        "instrument": market.instrument_id,
        "day": "2025-03-07",
        "start": "09:00",
        "minutes": 60,
    }
    form = await browser.open("/provider/schedule/new", **drawn)
    made = await browser.send(form, "/provider/schedule/new", purpose="teaching")
    again = await browser.send(form, "/provider/schedule/new", purpose="teaching", _key="other")
    file = await browser.http.get("/provider/schedule/file", params={"day": "2025-03-07"})

    assert "已预约" in made.text
    assert "教学" in made.text
    assert again.status in (409, 422)
    assert 2 == len(file.text.splitlines())


async def test_the_timeline_shows_own_instruments_only(enter, database):
    market = await a_market(database)
    ordered = await an_order(market)
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))
    asked = {"reservation": ordered.reservation_id}

    assert 404 == (await stranger.open(MOVE, **asked)).status
    assert 404 == (await stranger.post(MOVE, asked)).status
    shown = await stranger.http.get("/provider/schedule/times")
    assert {"resources": [], "events": []} == shown.json()
    assert "没有符合条件的仪器" in (await stranger.open("/provider/schedule")).text
