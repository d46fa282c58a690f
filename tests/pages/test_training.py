"""Training on pages: from the refusal to the request, its date, its withdrawal and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.booking.use_cases import (
    PassTraining,
    ScheduleTraining,
    pass_training,
    schedule_training,
)
from marketplace.parties.roles import Role
from tests.builders.ledger import a_wallet
from tests.builders.orders import a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)

TIME = {"day": "2025-03-05", "start": "09:00", "hours": 2}


async def test_who_is_refused_for_want_of_training_asks_for_it_passes_and_books(
    enter, database, clock
):
    market = await a_market(database, notice_minutes=0, qualification="always")
    await a_wallet(database, owner_id=market.buyer.organisation_id, funds_fen=1_000_000)
    instrument = f"/instruments/{market.instrument_id}"
    buyer = await enter(market.buyer)

    sheet = await buyer.open(instrument)
    refused = await buyer.open("/bookings/new", instrument=market.instrument_id, **TIME)
    form = await buyer.open(refused.links["申请该仪器的培训"])
    asked = await buyer.send(form, "/training", note="要做薄膜断面，用过同类电镜。")
    twice = await buyer.post("/training", {"instrument": market.instrument_id})
    waits = await buyer.open(refused.links["申请该仪器的培训"])
    still = await buyer.open("/bookings/new", instrument=market.instrument_id, **TIME)

    assert "您目前还不能预约" in sheet.text
    assert sheet.links["申请该仪器的培训"] == refused.links["申请该仪器的培训"]
    assert "您还没有该仪器的上机资格" in refused.text
    assert "您还没有该仪器的上机资格" not in form.text
    assert "已申请培训" in asked.text
    assert "要做薄膜断面" in asked.text
    assert 409 == twice.status
    assert "已申请" in waits.text
    assert not [each for each in waits.forms if each.action == "/training"]
    assert "机构会安排日期" in still.text

    request_id = int(next(each.action for each in asked.forms if "withdraw" in each.action)[10:-9])
    trainer = market.manager.person_id
    held_at = clock.now() + timedelta(days=1)
    planned = ScheduleTraining(request_id, held_at, trainer, "B 栋 201")
    await market.do(schedule_training, planned, by=market.technician)
    listed = await buyer.open("/training", status="scheduled", mine="yes", open="yes")
    passed = PassTraining(request_id, "操作熟练", clock.now() + timedelta(days=60))
    await market.do(pass_training, passed, by=market.technician)
    done = await buyer.open("/training")
    late = await buyer.post(f"/training/{request_id}/withdraw", {})
    booked = await buyer.open("/bookings/new", instrument=market.instrument_id, **TIME)
    needless = await buyer.post("/training", {"instrument": market.instrument_id})

    assert "B 栋 201" in listed.text
    assert "操作熟练" in done.text
    assert "2025-05-02" in done.text or "5月2日" in done.text
    assert 409 == late.status
    assert "生成报价" in booked.text
    assert 409 == needless.status
    assert "您目前还不能预约" not in (await buyer.open(instrument)).text


async def test_a_request_is_taken_back_by_who_asked_and_seen_by_their_company_only(enter, database):
    market = await a_market(database, qualification="always")
    buyer = await enter(market.buyer)
    chief = await an_actor(
        database, Role.SME_ADMINISTRATOR, organisation_id=market.buyer.organisation_id
    )
    colleague = await enter(chief)
    stranger = await enter(await an_actor(database, Role.BUYER))

    await buyer.post("/training", {"instrument": market.instrument_id, "note": "学习扫描电镜"})
    own = await buyer.open("/training")
    here = next(each.action for each in own.forms if each.action.endswith("/withdraw"))
    seen = await colleague.open("/training")
    file = await colleague.http.get("/training/file?open=yes&format=csv")
    foreign = await colleague.post(here, {})
    unknown = await stranger.post(here, {})
    withdrawn = await buyer.send(own, here)
    nothing = await buyer.open("/training", open="yes")
    again = await buyer.open(withdrawn.links["再次申请"])

    assert "学习扫描电镜" in seen.text
    assert here not in [each.action for each in seen.forms]
    assert 2 == len(file.text.strip().splitlines())
    assert (foreign.status, unknown.status) == (404, 404)
    assert "已撤回" in withdrawn.text
    assert "没有培训申请" in nothing.text
    assert "学习扫描电镜" not in (await stranger.open("/training")).text
    assert 200 == again.status
    assert "Ask for training" in (await buyer.open(f"{again.path}&lang=en")).text
    assert "/training" in (await buyer.open("/org")).links.values()
    assert 404 == (await buyer.open("/training/new", instrument=987654)).status
    assert 404 == (await buyer.post("/training", {"instrument": 987654})).status
    assert 404 == (await buyer.post("/training", {"note": "x"})).status
