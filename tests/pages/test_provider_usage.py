"""Sessions on pages: opened, closed, compared with what was booked, repaired, reported."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.booking.queries import ReportSearch, problem_reports, session_of
from marketplace.booking.rules.sessions import Severity
from marketplace.booking.use_cases import (
    ReportProblem,
    close_forgotten_sessions,
    report_problem,
)
from marketplace.parties.roles import Role
from tests.builders.booking import a_reservation, at_hours
from tests.builders.orders import WEDNESDAY_MORNING, a_market, an_order, move_to
from tests.builders.parties import an_actor
from tests.builders.usage import usage_things

pytestmark = pytest.mark.timeout(180)


async def test_a_technician_opens_and_closes_what_is_ordered_and_what_is_not(enter, database):
    market = await a_market(database)
    ordered = await an_order(market)
    own = await a_reservation(
        database,
        instrument_id=market.instrument_id,
        during=at_hours(2, 12, 13),
        actor=market.technician,
    )
    browser = await enter(market.technician)
    early = await browser.post(f"/provider/usage/{own.id}/open", {})
    for number, starts_at, hours in (
        (ordered.reservation_id, WEDNESDAY_MORNING.starts_at, 1.5),
        (own.id, at_hours(2, 12, 13).starts_at, 1),
    ):
        move_to(market, starts_at)
        shown = await browser.open("/provider/usage")
        opened = await browser.send(shown, f"/provider/usage/{number}/open")
        assert "已开始上机" in opened.text
        move_to(market, starts_at + timedelta(hours=hours))
        closed = await browser.post(f"/provider/usage/{number}/close", {"preparation": "10"})
        assert "已结束上机" in closed.text
    closed = await browser.open("/provider/usage", show="closed", lang="en")
    file = await browser.http.get("/provider/usage/file", params={"show": "closed"})

    assert 422 == early.status
    assert "−30 min" in closed.text
    assert "as booked" in closed.text
    assert 3 == len(file.text.splitlines())


async def test_a_manager_clears_the_problem_queue(enter, database):
    market = await a_market(database)
    await usage_things(market)
    browser = await enter(market.manager)
    shown = await browser.open("/provider/usage", show="problems")
    (answer,) = [each for each in {f.action for f in shown.forms} if "/proposals/" in each]
    (repair,) = [each for each in {f.action for f in shown.forms} if each.endswith("/repair")]
    unsaid = await browser.post(repair, {"day": "2025-03-03", "clock": "12:00"})
    await browser.post(answer, {"answer": "reject", "reason": "门禁记录不符"})
    done = await browser.post(repair, {"day": "2025-03-03", "clock": "12:00", "reason": "查看日志"})
    session = await market.do(session_of, int(repair.split("/")[3]), by=market.manager)
    technician = await (await enter(market.technician)).post(repair, {})

    assert "未结束上机" in shown.text
    assert 400 == unsaid.status
    assert "已更正，并保留更正记录" in done.text
    assert "没有存疑的记录" in done.text
    assert session is not None
    assert (None, 60) == (session.problem, session.actual_minutes)
    assert 403 == technician.status


async def test_a_session_is_accepted_as_it_stands_with_a_reason(enter, database):
    market = await a_market(database)
    ordered = await an_order(market)
    browser = await enter(market.manager)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await browser.post(f"/provider/usage/{ordered.reservation_id}/open", {})
    move_to(market, at_hours(3, 9, 10).starts_at)
    await market.do(close_forgotten_sessions, None)
    accept = f"/provider/usage/{ordered.reservation_id}/accept"
    unsaid = await browser.post(accept, {})
    done = await browser.post(accept, {"reason": "现场核实"})

    assert 400 == unsaid.status
    assert "已认可" in done.text


async def test_what_was_reported_is_dealt_with_or_shuts_the_instrument(enter, database):
    market = await a_market(database)
    ordered = await an_order(market)
    for severity in (Severity.MINOR, Severity.BREAKDOWN):
        assert ordered.reservation_id is not None
        await market.do(
            report_problem,
            ReportProblem(ordered.reservation_id, severity, f"真空度异常 {severity}"),
            by=market.buyer,
        )
    broken, minor = [
        each.id
        for each in (await market.do(problem_reports, ReportSearch(), by=market.manager)).reports
    ]
    browser = await enter(market.manager)
    shown = await browser.open("/provider/usage", show="reports")
    closed = await browser.post(
        f"/provider/usage/reports/{broken}/close",
        {"day": "2025-03-04", "clock": "09:00", "reason": "更换真空泵"},
    )
    unread = await browser.post(f"/provider/usage/reports/{broken}/close", {"day": "x"})
    solved = await browser.post(
        f"/provider/usage/reports/{minor}/resolve", {"resolution": "已校准"}
    )

    assert "真空度异常" in shown.text
    assert "仪器已停用" in closed.text
    assert 400 == unread.status
    assert "已处理" in solved.text
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    for path in (f"reports/{broken}/close", f"reports/{minor}/resolve"):
        assert 404 == (await stranger.post(f"/provider/usage/{path}", {})).status
    assert 404 == (await stranger.post(f"/provider/usage/{ordered.reservation_id}/open", {})).status
