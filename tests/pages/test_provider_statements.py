"""A month's machine-hours: drawn up by one, confirmed by another, corrected after a repair."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from marketplace.booking.queries import Purpose
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.hours import a_session_in_history
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
HERE = "/provider/reports/statements"


async def a_unit_in_april(database: Database, clock) -> tuple:
    """A technician and a manager whose instrument ran for teaching on 5 March; it is 2 April."""
    technician = await an_actor(database, Role.TECHNICIAN)
    provider_id = technician.organisation_id
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument_id = await a_bookable_instrument(database, provider_id=provider_id)
    session_id = await a_session_in_history(
        database,
        instrument_id=instrument_id,
        opened_at=shanghai_instant(date(2025, 3, 5), 600),
        purpose=Purpose.TEACHING,
    )
    clock.set(shanghai_instant(date(2025, 4, 2)))
    return technician, manager, session_id


async def repaired(database: Database, session_id: int) -> None:
    """The session was shorter than it was noted."""

    async def write(tx: Tx, _: None) -> None:
        shorter = "update usage_session set test_minutes = 20 where id = :id"
        await tx.execute(text(shorter), {"id": session_id})

    await atomically(database, write, None, actor=TEST)


async def test_a_month_is_drawn_up_by_one_confirmed_by_another_and_corrected_after_a_repair(
    enter, database, clock
):
    technician, manager, session_id = await a_unit_in_april(database, clock)
    worker, head = await enter(technician), await enter(manager)
    reports = await worker.open("/provider/reports")
    waiting = await worker.open(HERE)
    drawn = await worker.post(HERE, {"month": "2025-03", "_key": "one"})
    theirs = await head.open(drawn.path, lang="en")
    stale = await head.post(f"{drawn.path}/confirm", {"sha256": "0" * 64})
    confirmed = await head.send(theirs, f"{drawn.path}/confirm")

    assert HERE in reports.links.values()
    assert "2025-03" in waiting.text
    assert "您编制了本表，须由另一人确认" in drawn.text
    assert "教学" in drawn.text
    assert "Teaching" in theirs.text
    assert (409, 200) == (stale.status, confirmed.status)
    assert "本月机时表已确认" in confirmed.text

    again = await worker.post(HERE, {"month": "2025-03", "reason": "看看"})
    await repaired(database, session_id)
    listed = await worker.open(HERE)
    differing = await worker.open(drawn.path)
    unsaid = await worker.post(HERE, {"month": "2025-03"})
    corrected = await worker.send(differing, HERE, reason="核对设备日志，缩短时长")
    dropped = await worker.send(corrected, f"{corrected.path}/discard")

    assert 409 == again.status
    assert "已确认的机时表仍然有效" in again.text
    assert "确认后上机记录有更正" in listed.text
    assert "与现有记录不同的行" in differing.text
    assert "20 分" in differing.text
    assert "请说明重新编制的原因" in unsaid.text
    assert "第 2 版" in corrected.text
    assert "草稿已删除" in dropped.text


async def test_statements_are_filtered_and_saved_as_files_with_every_line(enter, database, clock):
    technician, _, _ = await a_unit_in_april(database, clock)
    browser = await enter(technician)
    early = await browser.post(HERE, {"month": "2025-04"})
    unread = await browser.post(HERE, {"month": "März"})
    drawn = await browser.post(HERE, {"month": "2025-03"})
    none = await browser.open(HERE, status="confirmed")
    listed = await browser.http.get(f"{HERE}/file?of=2025-03")
    lines = await browser.http.get(drawn.links["CSV"])

    assert "该月尚未结束" in early.text
    assert 400 == unread.status
    assert "请填写月份" in unread.text
    assert "没有符合条件的机时表" in none.text
    assert 2 == len(listed.text.splitlines()) == len(lines.text.splitlines())
    assert "待确认" in listed.text
    assert "教学" in lines.text


async def test_another_provider_sees_and_confirms_none_of_it(enter, database, clock):
    technician, _, _ = await a_unit_in_april(database, clock)
    worker = await enter(technician)
    drawn = await worker.post(HERE, {"month": "2025-03"})
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))

    for way in ("", "/file"):
        assert 404 == (await stranger.open(f"{drawn.path}{way}")).status
    for way in ("confirm", "discard"):
        assert 404 == (await stranger.post(f"{drawn.path}/{way}", {})).status
    assert 403 == (await worker.post(f"{drawn.path}/confirm", {})).status
