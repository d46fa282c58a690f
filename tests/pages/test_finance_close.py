"""Bank statements and closing the books on pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.parties.roles import Role
from tests.builders.parties import an_actor
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payout,
    a_sent_payout,
)
from tests.builders.reconciliation import (
    BANK_ACCOUNT,
    a_file,
    a_line,
    a_statement,
    explained,
    the_lines,
)

pytestmark = pytest.mark.timeout(180)


async def test_a_statement_is_previewed_with_what_is_known_and_then_imported(enter, database):
    centre = await a_finance_team(database)
    first = a_line(50_000, remark="SC-V-2025 财政拨款")
    await a_statement(database, first)
    browser = await enter(centre.maker)
    content = a_file([first, a_line(20_000, name="张三公司")])

    shown = await browser.open("/finance/imports")
    preview = await browser.post(
        "/finance/imports/preview", {"account": BANK_ACCOUNT}, file=("三月.csv", content)
    )
    before = await browser.http.get("/finance/imports/file")
    imported = await browser.send(preview, "/finance/imports/send")
    again = await browser.post(
        "/finance/imports/preview", {"account": BANK_ACCOUNT}, file=("三月.csv", content)
    )
    matched = await browser.send(imported, f"{imported.path}/match")

    assert "…0001" in shown.text
    assert "重复，跳过" in preview.text
    assert "导入 1 条新流水" in preview.text
    assert 2 == len(before.text.splitlines())
    assert "对账单已导入" in imported.text
    assert "待查明" in imported.text
    assert "这样不能导入" in again.text
    assert "已按规则匹配" in matched.text


async def test_a_file_that_cannot_be_read_is_refused_with_every_reason(enter, database):
    browser = await enter((await a_finance_team(database)).maker)
    none = await browser.post("/finance/imports/preview", {"account": BANK_ACCOUNT})
    bad = await browser.post(
        "/finance/imports/preview", {"account": BANK_ACCOUNT}, file=("a.csv", b"a,b\n1,2\n")
    )
    sent = await browser.post(
        "/finance/imports/send",
        {"account": BANK_ACCOUNT, "kept": "not packed"},
        file=("a.csv", b"a,b\n1,2\n"),
    )
    auditor = await enter(await an_actor(database, Role.AUDITOR))

    assert 400 == none.status
    assert "请选择文件" in none.text
    assert "这样不能导入" in bad.text or "读不出来" in bad.text
    assert 400 == sent.status
    assert "对账单读不出来" in sent.text
    assert 200 == (await auditor.open("/finance/imports")).status
    assert 403 == (await auditor.post("/finance/imports/send", {})).status
    assert 404 == (await browser.post("/finance/imports/999/match", {})).status


async def test_a_period_is_signed_off_by_two_persons_once_the_checklist_is_done(
    enter, database, clock
):
    centre = await a_finance_team(database)
    statement = await a_statement(database, a_line(50_000, remark="拨款"))
    maker, checker = await enter(centre.maker), await enter(centre.checker)
    days = {"first": "2025-02-01", "last": "2025-03-03"}
    open_days = {"first": "2025-03-03", "last": "2025-03-03"}

    shown = await maker.open("/finance/periods")
    today = await maker.post("/finance/periods/sign-off", open_days)
    wrong = await maker.post("/finance/periods/sign-off", {"first": "", "last": "x"})
    clock.set(clock.now() + timedelta(days=2))
    early = await maker.post("/finance/periods/sign-off", days)
    (line,) = await the_lines(database, statement_id=statement.id)
    await explained(database, line.id, MatchKind.VOUCHER_FUND)
    drafted = await maker.send(shown, "/finance/periods/sign-off", **days)
    own = await maker.open("/finance/periods")
    waiting = await checker.open("/finance/periods")
    approve = next(each.action for each in waiting.forms if each.action.endswith("/approve"))
    signed = await checker.send(waiting, approve)
    twice = await checker.post(approve, {})
    proposed = await maker.send(
        await maker.open("/finance/periods"), "/finance/periods/propose", **days
    )
    close = await checker.open("/finance/periods")
    closing = next(each.action for each in close.forms if each.action.endswith("/close"))
    closed = await checker.send(close, closing)
    file = await checker.http.get("/finance/periods/file")

    assert "清单" in shown.text
    assert 422 == today.status
    assert 422 == early.status
    assert "期间还不能签核" in early.text
    assert 400 == wrong.status
    assert "等待他人复核" in drafted.text
    assert "等待他人签核" in own.text
    assert "资金账关闭" in signed.text
    assert 409 == twice.status
    assert "等待他人关闭" in proposed.text
    assert "期间已关闭" in closed.text
    assert 3 == len(file.text.splitlines())
    assert 404 == (await checker.post("/finance/periods/999/close", {})).status


async def test_the_desk_shows_what_lies_where_what_is_due_and_what_is_wrong(enter, database):
    centre = await a_finance_team(database)
    nothing = await (await enter(centre.maker)).open("/finance")
    payout = await a_sent_payout(database, centre=centre)
    waiting = await a_payout(database)
    await a_bank_account(database, verified_by=None)
    await a_statement(database, a_line(50_000, name="某财政局", remark="拨款"))
    shown = await (await enter(centre.checker)).open("/finance")
    auditor = await (await enter(await an_actor(database, Role.REGULATOR))).open("/finance")

    assert "一切正常" in nothing.text
    assert "没有到期事项" in nothing.text
    assert "某财政局" in shown.links
    assert f"/finance/payouts/{waiting.id}" in shown.links.values()
    assert f"/finance/payouts/{payout.id}" not in shown.links.values()
    assert "1 个收款账户待核实" in shown.links
    assert "/finance/accounts?type=payable" in shown.links.values()
    assert "/finance/accounts?type=payable" not in auditor.links.values()
