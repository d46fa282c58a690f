"""Machine-hours, rewards, claims and training of a provider."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.booking.use_cases.training import AskForTraining, ask_for_training
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.invoicing import a_charge
from tests.builders.orders import a_delivered_order, a_market, an_order, move_to
from tests.builders.parties import an_actor, an_sme
from tests.builders.rewards import a_grade
from tests.builders.standing import a_qualification

pytestmark = pytest.mark.timeout(180)


async def test_machine_hours_are_told_by_month_purpose_and_instrument(enter, database):
    market = await a_market(database)
    await a_delivered_order(market)
    browser = await enter(market.technician)
    shown = await browser.open("/provider/reports", lang="en")
    before = await browser.open("/provider/reports", until="2025-01-31", lang="en")
    file = await browser.http.get("/provider/reports/file")
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))

    assert "Effective hours 2 " in shown.text
    assert "Sharing rate 100%" in shown.text
    assert 'data-table="months"' in shown.source
    assert "No hours in this time" in before.text
    assert 2 == len(file.text.splitlines())
    assert "这段时间没有机时" in (await stranger.open("/provider/reports")).text


async def test_rewards_and_claims_are_for_the_manager(enter, database):
    market = await a_market(database)
    browser = await enter(market.manager)
    shown = await browser.open("/provider/rewards", year="2025")
    file = await browser.http.get("/provider/rewards/claims/file")
    technician = await enter(market.technician)

    assert "2025 年还没有奖励" in shown.text
    assert "没有兑付申请" in shown.text
    assert 1 == len(file.text.splitlines())
    assert 403 == (await technician.open("/provider/rewards")).status


async def test_training_is_planned_and_passed_and_grants_end_when_they_should(enter, database):
    market = await a_market(database)
    learner = await an_actor(database, Role.BUYER)
    asked = await market.do(ask_for_training, AskForTraining(market.instrument_id), by=learner)
    browser = await enter(market.technician)
    path = f"/provider/training/{asked.id}"
    unread = await browser.post(path, {"step": "schedule", "day": "2025-03-05"})
    planned = await browser.post(
        path, {"step": "schedule", "day": "2025-03-05", "clock": "14:00", "place": "B201"}
    )
    move_to(market, at_hours(2, 16, 17).starts_at)
    passed = await browser.post(path, {"step": "pass", "answer": "合格", "until": "2025-12-31"})
    (grant,) = {f.action for f in passed.forms if "/qualifications/" in f.action}
    unsaid = await browser.post(grant, {"step": "revoke"})
    longer = await browser.post(
        grant, {"step": "extend", "reason": "复训合格", "until": "2026-06-30"}
    )
    gone = await browser.post(grant, {"step": "revoke", "reason": "操作违规"})

    assert 400 == unread.status
    assert "B201" in planned.text
    assert "2026年1月1日 00:00" in passed.text
    assert 400 == unsaid.status
    assert "2026年7月1日" in longer.text
    assert "还没有人获得操作资格" in gone.text


async def test_who_is_known_may_operate_without_training_until_a_day(enter, database):
    market = await a_market(database)
    await an_order(market)
    browser = await enter(market.technician)
    fields = {
        "of_instrument": market.instrument_id,
        "person": market.buyer.person_id,
        "reason": "持有外单位上岗证",
        "until": "2025-12-31",
    }
    shown = await browser.open("/provider/training")
    unsaid = await browser.post("/provider/qualifications", {**fields, "reason": ""})
    past = await browser.post("/provider/qualifications", {**fields, "until": "2024-12-31"})
    granted = await browser.send(shown, "/provider/qualifications", **fields)
    again = await browser.post("/provider/qualifications", {**fields, "_key": "again"})
    unknown = await browser.post(
        "/provider/qualifications",
        {**fields, "person": (await an_actor(database, Role.BUYER)).person_id},
    )
    elsewhere = await enter(await an_actor(database, Role.TECHNICIAN))

    assert "可选本单位人员" in shown.text
    assert 400 == unsaid.status
    assert "持有外单位上岗证" in past.source
    assert 422 == past.status
    assert "2026年1月1日 00:00" in granted.text
    assert 409 == again.status
    assert 404 == unknown.status
    assert 404 == (await elsewhere.post("/provider/qualifications", fields)).status


async def test_training_of_others_does_not_exist(enter, database):
    market = await a_market(database)
    learner = await an_actor(database, Role.BUYER)
    asked = await market.do(ask_for_training, AskForTraining(market.instrument_id), by=learner)
    granted = await a_qualification(
        database,
        by=market.technician,
        instrument_id=market.instrument_id,
        person_id=learner.person_id,
    )
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))

    assert 404 == (await stranger.post(f"/provider/training/{asked.id}", {})).status
    assert 404 == (await stranger.post(f"/provider/qualifications/{granted.id}", {})).status


async def test_a_manager_sees_what_the_year_would_earn_so_far_and_that_it_is_a_forecast(
    enter, database
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    browser = await enter(manager)
    nothing = await browser.open("/provider/rewards")
    await a_charge(
        database,
        provider_id=manager.organisation_id,
        buyer_id=await an_sme(database),
        voucher_fen=500_000,
        own_fen=500_000,
        settled_on=date(2025, 3, 1),
    )

    ungraded = await browser.open("/provider/rewards")
    await a_grade(database, provider_id=manager.organisation_id)
    graded = await browser.open("/provider/rewards")
    english = await browser.open("/provider/rewards", lang="en")
    earlier = await browser.open("/provider/rewards", year="2024")

    assert "今年还没有计入奖励的服务" in nothing.text
    assert "今年尚未评级" in ungraded.text
    assert "这是预测，不是承诺" in ungraded.text
    assert "¥500.00" in graded.text
    assert "今年尚未评级" not in graded.text
    assert "A forecast and no promise" in english.text
    assert "奖励预测" not in earlier.text
