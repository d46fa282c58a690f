"""Sanctions on pages: proposed with reason and period, heard, decided, appealed, and felt."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI
from marketplace.parties.queries import organisation
from marketplace.parties.roles import Role
from tests.builders.parties import an_actor
from tests.builders.vouchers import a_grant, an_officer

pytestmark = pytest.mark.timeout(120)

PLAN = {
    "kind": "suspension",
    "programme": "",
    "starts_on": "2025-03-03",
    "ends_on": "2025-12-31",
    "reason": "报告系复制，见异常 12。",
}


async def test_a_suspension_is_proposed_heard_imposed_felt_appealed_and_lifted(enter, database):
    granted = await a_grant(database)
    officer = await enter(await an_officer(database))
    party = await enter(granted.sme)
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    third = await enter(await an_actor(database, Role.ADMINISTRATOR))

    found = await officer.open("/sanctions/new", party=await named(database, granted.sme))
    choice = f"/sanctions/new?organisation={granted.sme.organisation_id}"
    assert choice in found.links.values()
    form = await officer.open(choice)
    wrong = await officer.send(form, "/sanctions/new", **{**PLAN, "ends_on": ""})
    proposed = await officer.send(form, "/sanctions/new", **PLAN)
    here = proposed.path
    assert (wrong.status, proposed.status) == (422, 200)
    assert "报告系复制" in wrong.source

    for start in ("/me", "/vouchers"):
        assert here in (await party.open(start)).links.values()
    for desk, start in ((checker, "/finance"), (third, "/ops")):
        assert "/sanctions?status=proposed" in (await desk.open(start)).links.values()
    page = await party.open(here)
    early = await checker.post(f"{here}/decide", {"decision": "impose", "reason": "属实"})
    unsaid = await party.send(page, f"{here}/state", text="")
    stated = await party.send(page, f"{here}/state", text="数据由测试方提供。")
    own = await officer.post(f"{here}/decide", {"decision": "impose", "reason": "属实"})
    imposed = await checker.post(f"{here}/decide", {"decision": "impose", "reason": "属实"})
    assert (early.status, unsaid.status, own.status) == (422, 400, 403)
    assert "数据由测试方提供" in stated.text
    assert "属实" in imposed.text
    assert "不能申请或使用" in (await party.open("/vouchers")).text

    appealed = await party.send(
        await party.open(here), f"{here}/appeal", text="原始数据已补充提交。"
    )
    kept = await checker.post(f"{here}/appeal/decide", {"decision": "lift", "reason": "采纳"})
    lifted = await third.post(f"{here}/appeal/decide", {"decision": "lift", "reason": "采纳"})
    again = await third.post(f"{here}/appeal/decide", {"decision": "keep", "reason": "维持"})
    assert "原始数据已补充" in appealed.text
    assert (kept.status, again.status) == (403, 409)
    assert "已撤销" in lifted.text
    assert "不能申请或使用" not in (await party.open("/vouchers")).text


async def named(database: Database, actor: Actor) -> str:
    """The name of an actor's organisation."""
    return (await atomically(database, organisation, actor.organisation_id, actor=actor)).name


async def test_late_answers_are_refused_and_lists_are_filtered_and_exported(enter, database, clock):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    officer = await enter(await an_officer(database))
    party = await enter(manager)
    plan = {**PLAN, "organisation": manager.organisation_id, "kind": "warning", "ends_on": ""}
    here = (await officer.post("/sanctions/new", plan)).path
    assert here in (await party.open("/provider")).links.values()
    clock.set(datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI))

    late = await party.post(f"{here}/state", {"text": "迟到的陈述"})
    found = await officer.open("/sanctions", kind="warning", status="proposed", text="复制")
    none = await officer.open("/sanctions", on=date(2025, 3, 11).isoformat())
    file = await party.http.get("/sanctions/file?format=csv")
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    english = await party.open(here, lang="en")

    assert late.status == 422
    assert "迟到的陈述" in late.source
    assert here in found.links.values()
    assert "没有符合条件的处理" in none.text
    assert len(file.text.strip().splitlines()) == 2
    assert (await stranger.open(here)).status == 404
    assert here not in (await stranger.open("/sanctions")).links.values()
    assert "restricts nothing" in english.text
    assert (await party.open("/sanctions/new")).status == 403
    assert (await officer.open("/sanctions/new", organisation="999999")).status == 404
