"""Open lines with owners and papers, lines cleared together, and refunds of wallets, on pages."""

from __future__ import annotations

import pytest

from marketplace.kernel.storage import DiskFiles, use_files
from marketplace.parties.roles import Role
from tests.builders.ledger import a_wallet
from tests.builders.parties import an_actor, an_sme
from tests.builders.payouts import a_bank_account, a_finance_team, a_sent_payout
from tests.builders.reconciliation import BankLine, a_statement, the_lines

pytestmark = pytest.mark.timeout(180)
CASES = "/finance/reconciliation/cases"


async def test_open_lines_are_given_to_somebody_several_at_once(enter, database):
    centre = await a_finance_team(database)
    await a_statement(
        database,
        BankLine(100, remark="不明", reference="B1"),
        BankLine(200, remark="不明", reference="B2"),
        BankLine(300, remark="其他", reference="B3"),
    )
    first, second, third = await the_lines(database)
    maker = await enter(centre.maker)

    shown = await maker.open(CASES)
    none = await maker.post(CASES, {"reason_code": "other"})
    given = {"owner": centre.maker.person_id, "reason_code": "unknown_payer", "note": "已电询银行"}
    sent = await maker.post(CASES, {"pick": [first.id, second.id], **given})
    mine = await maker.open(CASES, owner="me")
    nobody = await maker.open(CASES, owner="nobody")
    known = await maker.open(CASES, reason_code="unknown_payer", days="0", text="电询")
    wrong = await maker.open(CASES, days="x")
    file = await maker.http.get(f"{CASES}/file?owner=me")
    stranger = await maker.post(
        f"/finance/reconciliation/{third.id}/case", {"owner": 10**6, "reason_code": "other"}
    )
    noted = await maker.send(
        await maker.open(f"/finance/reconciliation/{third.id}"),
        f"/finance/reconciliation/{third.id}/case",
        reason_code="duplicate",
        note="重复",
    )
    auditor = await enter(await an_actor(database, Role.AUDITOR))

    assert "待清账龄" in shown.text
    assert "¥6.00" in shown.text
    assert 400 == none.status
    assert "请先勾选流水" in none.text
    assert "已分派" in sent.text
    assert "已电询银行" in mine.text
    assert f"/finance/reconciliation/{third.id}" not in mine.links.values()
    assert f"/finance/reconciliation/{third.id}" in nobody.links.values()
    assert "付款人不明" in known.text
    assert 400 == wrong.status
    assert 3 == len(file.text.splitlines())
    assert 409 == stranger.status
    assert "重复付款" in noted.text
    assert 403 == (await auditor.post(CASES, {})).status
    assert 200 == (await auditor.open(CASES)).status
    assert 404 == (await maker.post("/finance/reconciliation/999999/case", {})).status


async def test_papers_are_kept_with_a_line(enter, database, tmp_path):
    maker = await enter((await a_finance_team(database)).maker)
    await a_statement(database, BankLine(100, reference="B1"))
    (line,) = await the_lines(database)
    here = f"/finance/reconciliation/{line.id}"

    with use_files(DiskFiles(tmp_path)):
        none = await maker.post(f"{here}/papers", {})
        kept = await maker.post(
            f"{here}/papers", {}, paper=("回单.pdf", b"%PDF-1.7\n1 0 obj\n%%EOF\n")
        )
        address = kept.links["回单.pdf"]
        taken = await maker.http.get(address)
        unfit = await maker.post(f"{here}/papers", {}, paper=("a.exe", b"MZ" + b"\0" * 100))

    assert 400 == none.status
    assert "请选择文件" in none.text
    assert "已附上" in kept.text
    assert taken.content.startswith(b"%PDF")
    assert "attachment" in taken.headers["content-disposition"]
    assert unfit.status in (400, 422)
    assert 404 == (await maker.open(f"{here}/papers/999/file")).status


async def test_a_line_is_split_a_difference_written_off_and_all_of_it_taken_back(enter, database):
    centre = await a_finance_team(database)
    sme_id = await an_sme(database)
    payout = await a_sent_payout(database, centre=centre)
    await a_statement(
        database,
        BankLine(-payout.amount_fen - 80, remark="付款", reference="B1"),
        BankLine(5_000, remark="充值", reference="B2"),
        opening_fen=0,
    )
    out, into = await the_lines(database)
    maker = await enter(centre.maker)
    new = "/finance/clearings/new"

    ticked = await maker.open(new, pick=[out.id])
    empty = await maker.post("/finance/clearings", {"pick": out.id})
    items = {
        "kind1": "payout",
        "amount1": payout.amount_fen / 100,
        "target1": payout.id,
        "reason": "银行另扣手续费",
    }
    uneven = await maker.post("/finance/clearings", {"pick": out.id, **items})
    fee = {"kind2": "difference_out", "amount2": "0.80", "code2": "bank_fee"}
    beyond = await maker.post(
        "/finance/clearings", {"pick": out.id, **items, **fee, "amount2": "3.00"}
    )
    cleared = await maker.post("/finance/clearings", {"pick": out.id, **items, **fee})
    again = await maker.open(new, pick=[out.id])
    too_much = await maker.post(
        "/finance/clearings",
        {"pick": into.id, "kind1": "wallet", "amount1": "50", "target1": sme_id},
    )
    unsaid = await maker.post(f"{cleared.path}/undo", {})
    line = await maker.open(f"/finance/reconciliation/{out.id}")
    undone = await maker.send(cleared, f"{cleared.path}/undo", reason="看错了")

    assert "拆分或合并清账" in ticked.text
    assert 400 == empty.status
    assert "请至少填写一项" in empty.source or "请填写" in empty.text
    assert 422 == uneven.status
    assert "必须相等" in uneven.text
    assert "核销 300 分超过允许的 100 分" in beyond.text
    assert "已合并清账" in cleared.text
    assert "途中银行扣费" in cleared.text
    assert 404 == again.status
    assert 400 == too_much.status
    assert 400 == unsaid.status
    assert cleared.path in line.links.values()
    assert "流水重新待查明" in undone.text
    assert "看错了" in undone.text
    assert 404 == (await maker.post("/finance/clearings/999/undo", {})).status


async def test_a_company_takes_money_back_and_a_second_person_decides(enter, database):
    centre = await a_finance_team(database)
    owner = await an_actor(database, Role.SME_ADMINISTRATOR)
    here = "/account/refunds"
    company, checker = await enter(owner), await enter(centre.checker)
    without = await company.open(here)
    await a_wallet(database, owner_id=owner.organisation_id, funds_fen=10_000)
    await a_bank_account(database, owner=owner)

    wrong = await company.post(here, {"amount": "0", "reason": ""})
    too_much = await company.post(here, {"amount": "500", "reason": "不用了"})
    asked = await company.send(await company.open(here), here, amount="60", reason="项目结束")
    more = await company.send(await company.open(here), here, amount="10", reason="也不用")
    given_up = next(each.action for each in more.forms if each.action.endswith("/withdraw"))
    withdrawn = await company.post(given_up, {})
    listed = await checker.open("/finance/refunds", status="asked")
    approve = next(each.action for each in listed.forms if each.action.endswith("/approve"))
    unsaid = await checker.post(approve, {})
    approved = await checker.send(listed, approve, because="已核对")
    twice = await checker.post(approve, {"because": "再来"})
    third = await company.send(await company.open(here), here, amount="5", reason="再退")
    refused = await checker.post(
        (await checker.open("/finance/refunds", status="asked")).forms[-1].action,
        {"because": "金额太小"},
    )
    file = await checker.http.get("/finance/refunds/file")
    after = await company.open(here)
    stranger = await enter(await an_actor(database, Role.SME_ADMINISTRATOR))

    assert "请先登记收款账户" in without.text
    assert 400 == wrong.status
    assert 409 == too_much.status
    assert "可用余额不足" in too_much.text
    assert "已申请，等待中心审核" in asked.text
    assert "企业已撤回" in withdrawn.text
    assert 400 == unsaid.status
    assert "等待入批次付款" in approved.text
    assert 409 == twice.status
    assert "已申请" in third.text
    assert "余额解冻" in refused.text
    assert 4 == len(file.text.splitlines())
    assert "¥40.00" in after.text
    assert "已核对" in after.text
    assert 404 == (await stranger.post(given_up, {})).status
    assert 404 == (await checker.post("/finance/refunds/999/approve", {})).status
