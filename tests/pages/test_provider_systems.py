"""Systems of a campus on pages: keys that are shown once, calendars that keep time free."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import a_market, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
HERE = "/provider/systems"


async def test_a_key_is_shown_once_and_revoked(enter, database):
    market = await a_market(database)
    browser = await enter(market.manager)
    fields = {"name": "门禁系统", "expires": "2025-12-31", "scope-readings:write": "yes"}
    shown = await browser.open(HERE)
    scopeless = await browser.post(f"{HERE}/keys", {"name": "门禁系统", "expires": "2025-12-31"})
    late = await browser.post(f"{HERE}/keys", {**fields, "expires": "2099-12-31"})
    made = await browser.post(f"{HERE}/keys", fields)
    again = await browser.post(f"{HERE}/keys", fields)
    listed = await browser.open(HERE)
    (revoke,) = [each.action for each in listed.forms if each.action.endswith("/revoke")]
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    foreign = await stranger.post(revoke, {})
    revoked = await browser.send(listed, revoke)
    technician = await enter(market.technician)

    assert "还没有密钥" in shown.text
    assert "请至少勾选一项权限" in scopeless.text
    assert late.status in (409, 422)
    assert "只显示这一次" in made.text
    assert again.status in (409, 422)
    assert "上报设备日志" in listed.text
    assert "只显示这一次" not in listed.text
    assert 404 == foreign.status
    assert "密钥已作废" in revoked.text
    assert 403 == (await technician.post(f"{HERE}/keys", fields)).status
    assert "密钥由管理单位负责人管理" in (await technician.open(HERE)).text


async def test_a_calendar_is_connected_paused_and_removed(enter, database):
    market = await a_market(database)
    await an_order(market, during=at_hours(2, 9, 11))
    browser = await enter(market.technician)
    fields = {"instrument": market.instrument_id, "kind": "url", "calendar": "校内预约"}
    addressless = await browser.post(f"{HERE}/calendars", fields)
    here = {**fields, "url": "http://127.0.0.1/a.ics"}
    unsafe = await browser.post(f"{HERE}/calendars", here)
    good = {**fields, "url": "https://booking.example.edu/a.ics"}
    connected = await browser.post(f"{HERE}/calendars", good)
    (step,) = {each.action for each in connected.forms if "/calendars/" in each.action}
    fetched = await browser.post(step, {"step": "refresh"})
    paused = await browser.post(step, {"step": "pause"})
    resumed = await browser.post(step, {"step": "resume"})
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))
    foreign = await stranger.post(step, {"step": "remove"})
    removed = await browser.post(step, {"step": "remove"})

    assert "请填写" in addressless.text
    assert unsafe.status in (400, 409, 422)
    assert "等待首次同步" in connected.text
    assert "已办理" in fetched.text
    assert "已暂停" in paused.text
    assert "已暂停" not in resumed.text
    assert 404 == foreign.status
    assert "还没有接入外部日历" in removed.text
    assert 404 == (await stranger.post(f"{HERE}/calendars", good)).status
