"""Strikes on pages: seen with their suspension, appealed once, waived or decided by the centre."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.booking.queries import Purpose
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.parties import an_actor
from tests.builders.waiting import a_missed_reservation, hear

pytestmark = pytest.mark.timeout(120)


async def missed(
    database: Database, clock: SetClock, buyer: Actor, provider: Actor, *days: int
) -> None:
    """Somebody who did not come on these days."""
    instrument_id = await a_bookable_instrument(database, provider_id=provider.organisation_id)
    for day in days:
        await a_missed_reservation(
            database,
            clock,
            instrument_id=instrument_id,
            during=at_hours(day, 9, 11),
            organisation_id=buyer.organisation_id,
            person_id=buyer.person_id,
            purpose=Purpose.EXTERNAL,
        )
        await hear(database)


async def test_who_is_suspended_appeals_and_the_centre_lifts_it(enter, database, clock):
    buyer = await an_actor(database, Role.BUYER)
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    await missed(database, clock, buyer, manager, 1, 2, 3)
    own = await enter(buyer)
    centre = await enter(await an_actor(database, Role.ADMINISTRATOR))

    start = await own.open("/me")
    listed = await own.open("/strikes", counts="yes", kind="no_show", text="nobody came")
    here = listed.links["爽约"]
    page = await own.open(here)
    unsaid = await own.send(page, f"{here}/appeal", text="")
    appealed = await own.send(page, f"{here}/appeal", text="当天仪器所在楼停电。")
    twice = await own.post(f"{here}/appeal", {"text": "再说一次"})
    board = await centre.open("/ops")
    waiting = await centre.open("/strikes", appeal="open")
    unreasoned = await centre.post(f"{here}/decide", {"decision": "uphold", "reason": ""})
    upheld = await centre.post(f"{here}/decide", {"decision": "uphold", "reason": "停电属实"})
    again = await centre.post(f"{here}/decide", {"decision": "reject", "reason": "x"})

    assert "预约资格暂停至" in start.text
    assert "/strikes?counts=yes" in start.links.values()
    assert "暂停预约中" in listed.text
    assert (unsaid.status, appealed.status, twice.status) == (400, 200, 409)
    assert "当天仪器所在楼停电" in appealed.text
    assert "/strikes?appeal=open" in board.links.values()
    assert here in waiting.links.values()
    assert (unreasoned.status, upheld.status, again.status) == (400, 200, 409)
    assert "申诉成立" in upheld.text
    assert "预约资格暂停至" not in (await own.open("/me")).text
    assert "暂停预约中" not in (await own.open("/strikes")).text
    assert "Appeal upheld" in (await own.open(here, lang="en")).text


async def test_a_provider_waives_on_its_own_instrument_only(enter, database, clock):
    buyer = await an_actor(database, Role.BUYER)
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    await missed(database, clock, buyer, manager, 1, 2)
    technician = await enter(
        await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    )
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))

    listed = await technician.open("/strikes")
    here = listed.links["爽约"]
    hidden = await stranger.open(here)
    theirs = await stranger.post(f"{here}/waive", {"reason": "x"})
    not_mine = await technician.post(f"{here}/appeal", {"text": "不是我的"})
    waived = await technician.send(
        await technician.open(here), f"{here}/waive", reason="系统当天停机"
    )
    again = await technician.post(f"{here}/waive", {"reason": "系统当天停机"})
    none = await stranger.open("/strikes")
    left = await technician.open("/strikes", counts="no")
    file = await technician.http.get("/strikes/file?counts=no&format=csv")
    clock.set(clock.now() + timedelta(days=40))
    late = await (await enter(buyer)).post(f"{here}/appeal", {"text": "太晚了"})
    other = (await technician.open("/strikes", counts="yes")).links["爽约"]
    too_late = await (await enter(buyer)).post(f"{other}/appeal", {"text": "太晚了"})

    assert (hidden.status, theirs.status, not_mine.status) == (404, 404, 404)
    assert "系统当天停机" in waived.text
    assert (again.status, late.status, too_late.status) == (409, 409, 422)
    assert "没有违约记录" in none.text
    assert here in left.links.values()
    assert len(file.text.strip().splitlines()) == 2
