"""Bank statements and closing the books on pages."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from marketplace.billing.ledger.use_cases import LedgerName, ProposePeriod, propose_period
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import DraftSignOff, draft_sign_off
from marketplace.closing.jobs import build_packs
from marketplace.kernel.storage import DiskFiles, use_files
from marketplace.parties.roles import Role
from tests.builders.closing import a_month, sealed_and_verified
from tests.builders.ledger import do
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


async def test_a_month_is_closed_by_two_persons_by_its_checklist_and_opened_again_by_two(
    enter, database
):
    centre = await a_finance_team(database)
    await a_month(database, a_line(55, "查不明", booked_on=date(2025, 2, 12)))
    (line,) = await the_lines(database, status="unmatched")
    maker, checker = await enter(centre.maker), await enter(centre.checker)
    here = "/finance/periods/months/2025/2"

    months = await maker.open("/finance/periods")
    shown = await maker.open(here)
    early = await maker.post(f"{here}/draft", {})
    await explained(database, line.id, MatchKind.VOUCHER_FUND)
    await sealed_and_verified(database)
    drafted = await maker.send(await maker.open(here), f"{here}/draft")
    own = await maker.open(here)
    waiting = await checker.open(here)
    sign = next(each.action for each in waiting.forms if each.action.endswith("/sign"))
    signed = await checker.send(waiting, sign)
    twice = await checker.post(sign, {})
    closed = await maker.open(here)
    reopen = next(each.action for each in closed.forms if each.action.endswith("/reopen"))
    unsaid = await maker.post(reopen, {})
    asked = await maker.send(closed, reopen, reason="二月漏记一笔手续费")
    agree = next(
        each.action for each in (await checker.open(here)).forms if "/reopenings/" in each.action
    )
    own_agreement = await maker.post(agree, {})
    opened = await checker.post(agree, {})
    again = await maker.open("/finance/periods", year=2025)
    file = await checker.http.get("/finance/periods/file")
    english = await maker.open(here, lang="en")

    assert here in months.links.values()
    assert f"/finance/reconciliation?line={line.id}" in shown.links.values()
    assert "1 条流水未查明，共 ¥0.55" in shown.text
    assert 422 == early.status
    assert "有 1 条流水未查明" in early.text
    assert "等待另一人签字" in drafted.text
    assert not [each for each in own.forms if each.action.endswith("/sign")]
    assert "已结账" in signed.text
    assert 409 == twice.status
    assert 400 == unsaid.status
    assert "等待另一人同意重开" in asked.text
    assert 403 == own_agreement.status
    assert "期间已重开" in opened.text
    assert "二月漏记一笔手续费" in opened.text
    assert "已重开" in again.text
    assert 4 == len(file.text.splitlines())
    assert "Every line is explained" in english.text
    assert 404 == (await maker.open("/finance/periods/months/2025/13")).status
    assert 404 == (await checker.post("/finance/periods/month-sign-offs/999/sign", {})).status


async def test_a_period_of_one_ledger_is_closed_by_the_checklist_only(enter, database):
    centre = await a_finance_team(database)
    days = ProposePeriod(LedgerName.VOUCHER, date(2025, 2, 1), date(2025, 2, 10))
    period_id = await do(database, propose_period, days, actor=centre.maker)
    cash = DraftSignOff(date(2025, 2, 11), date(2025, 2, 28))
    maker, checker = await enter(centre.maker), await enter(centre.checker)

    refused = await checker.post(f"/finance/periods/{period_id}/close", {})
    await a_month(database)
    sign_off = await do(database, draft_sign_off, cash, actor=centre.maker)
    await sealed_and_verified(database)
    shown = await checker.open("/finance/periods")
    closed = await checker.send(shown, f"/finance/periods/{period_id}/close")
    signed = await checker.send(shown, f"/finance/periods/sign-offs/{sign_off.id}/approve")

    assert 422 == refused.status
    assert "还没有导入过对账单" in refused.text
    assert 403 == (await maker.post(f"/finance/periods/{period_id}/close", {})).status
    assert "期间已关闭" in closed.text
    assert "资金账关闭" in signed.text
    assert 404 == (await checker.post("/finance/periods/999/close", {})).status
    assert 404 == (await checker.post("/finance/periods/sign-offs/999/approve", {})).status


async def test_an_audit_pack_is_asked_for_watched_and_taken_away(enter, database, tmp_path):
    auditor = await enter(await an_actor(database, Role.AUDITOR))
    maker = await enter((await a_finance_team(database)).maker)

    wrong = await auditor.post("/finance/packs", {"month": "2025-13"})
    running = await auditor.post("/finance/packs", {"month": "2025-03"})
    asked = await auditor.send(await auditor.open("/finance/packs"), "/finance/packs")
    early = await auditor.open(f"{asked.path}/archive.zip")
    part = await auditor.http.get(asked.path, headers={"hx-request": "true"})
    with use_files(DiskFiles(tmp_path)):
        await build_packs(database)
        taken = await maker.http.get(f"{asked.path}/archive.zip")
    ready = await maker.open(asked.path)
    file = await maker.http.get("/finance/packs/file")

    assert 400 == wrong.status
    assert "请填写月份" in wrong.text
    assert 422 == running.status
    assert "该月尚未结束" in running.text
    assert "等待生成" in asked.text
    assert 409 == early.status
    assert "<html" not in part.text
    assert "data-moving" in part.text
    assert hashlib.sha256(taken.content).hexdigest() in ready.text
    assert "entries.csv" in ready.text
    assert 2 == len(file.text.splitlines())
    assert 403 == (await maker.post("/finance/packs", {"month": "2025-02"})).status


async def test_an_anchor_is_taken_away_and_compared_later(enter, database):
    centre = await a_finance_team(database)
    maker = await enter(centre.maker)
    before = await maker.open("/finance/periods/anchor")
    await a_month(database)
    await sealed_and_verified(database)
    anchor = (await maker.http.get("/finance/periods/anchor/file")).content
    same = await maker.post("/finance/periods/anchor", {}, anchor=("anchor.txt", anchor))
    forged = b"1 " + b"0" * 64 + b"\n7 " + b"1" * 64
    other = await maker.post("/finance/periods/anchor", {}, anchor=("anchor.txt", forged))
    unreadable = "封存".encode()
    nonsense = await maker.post("/finance/periods/anchor", {}, anchor=("anchor.txt", unreadable))
    shown = await maker.open("/finance/periods/anchor")

    assert "还没有核验过" in before.text
    assert "一致：1 个封存都与锚定文件相同" in same.text
    assert "第 1 号封存已是另一个" in other.text
    assert "第 7 号封存已不存在" in other.text
    assert 400 == nonsense.status
    assert "这不是锚定文件" in nonsense.text
    assert "无误" in shown.text


async def test_balances_of_any_day_and_of_a_year_are_shown(enter, database):
    centre = await a_finance_team(database)
    await a_month(database)
    maker = await enter(centre.maker)
    year = await maker.open("/finance/periods/years/2025")
    file = await maker.http.get("/finance/periods/years/2025/file")
    accounts = await maker.open("/finance/accounts", type="bank")
    address = accounts.links["银行存款"]
    on_day = await maker.open(address, day="2025-02-28", by="effective")
    posted = await maker.open(address, day="2025-02-28", by="posted")
    wrong = await maker.open(address, day="x")

    assert "银行存款" in year.links
    assert "¥10.07" in year.text
    assert "10.07" in file.text
    assert "¥10.00" in on_day.text
    assert "0 笔变动之和" in posted.text
    assert 400 == wrong.status
    assert 404 == (await maker.open("/finance/periods/years/1066")).status


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
