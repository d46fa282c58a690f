"""Voucher claims on pages: from the queue over audit, checks and notice to the payout."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.parties.roles import Role
from marketplace.vouchers.use_cases import FileObjection, file_objection
from tests.builders.parties import an_actor
from tests.builders.vouchers import a_claim, a_voucher_fund, orders_are_numbers

pytestmark = pytest.mark.timeout(180)


async def test_a_claim_is_audited_checked_decided_by_line_and_put_before_the_public(
    enter, database
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="submitted")
    browser = await enter(made.officer)
    here = f"/finance/vouchers/{made.claim_id}"
    listed = await browser.open("/finance/vouchers", status="submitted")
    shown = await browser.open(here)
    audited = await browser.send(shown, f"{here}/audit")
    early = await browser.post(f"{here}/notice", {})
    drawn = next(each.action for each in audited.forms if each.action.endswith("/check"))
    unsaid = await browser.post(drawn, {})
    checked = await browser.post(drawn, {"result": "passed", "finding": "合同与发票一致"})
    line = next(each.action for each in checked.forms if each.action.endswith("/decide"))
    short = await browser.post(line, {"approved": "100", "reason": ""})
    cut = await browser.post(line, {"approved": "100", "reason": "超出服务范围"})
    await browser.post(
        next(each.action for each in reversed(cut.forms) if each.action.endswith("/exclude")),
        {"reason": "报告系伪造"},
    )
    while open_check := [
        each.action for each in (await browser.open(here)).forms if each.action.endswith("/check")
    ]:
        await browser.post(open_check[0], {"result": "passed", "finding": "无误"})
    notice = await browser.send(await browser.open(here), f"{here}/notice")

    assert here in listed.links.values()
    assert "齐全" in shown.text
    assert "已开始审核并抽取" in audited.text
    assert 422 == early.status or 409 == early.status
    assert "抽查尚未完成" in early.text
    assert 400 == unsaid.status
    assert "合同与发票一致" in checked.text
    assert 422 == short.status
    assert "超出服务范围" in cut.text
    assert "报告系伪造" in notice.text
    assert "已开始公示" in notice.text


async def test_a_claim_is_paid_after_its_notice_by_somebody_who_did_not_audit_it(
    enter, database, clock
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="in_notice")
    await a_voucher_fund(database)
    objection_id = await atomically(
        database,
        file_objection,
        FileObjection(made.claim_id, None, "李四", "13800000000", "报告与订单不符"),
        actor=NOBODY,
    )
    officer = await enter(made.officer)
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    here = f"/finance/vouchers/{made.claim_id}"
    early = await checker.send(await checker.open(here), f"{here}/approve")
    answered = await officer.send(
        await officer.open(here),
        f"/finance/objections/{objection_id}/answer",
        result="dismissed",
        answer="已核对，一致",
    )
    clock.set(clock.now() + timedelta(days=30))
    paid = await checker.send(await checker.open(here), f"{here}/approve")
    payout = await checker.open(
        next(each for each in paid.links.values() if "/finance/payouts/" in each)
    )
    same = await checker.post(f"{here}/reverse", {"reason": "误核"})
    other = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    back = await other.send(await other.open(here), f"{here}/reverse", reason="误核")

    assert "公示期尚未结束" in early.text
    assert "已核对，一致" in answered.text
    assert "付款已指令" in paid.text
    assert here in payout.links.values()
    assert "付的是什么" in payout.text
    assert 403 == same.status
    assert "须由另一人办理" in same.text
    assert "误核" in back.text
    assert "已撤销" in back.text


async def test_a_claim_is_refused_with_its_reason_and_lists_are_exported(enter, database):
    await orders_are_numbers(database)
    made = await a_claim(database, status="submitted")
    officer = await enter(made.officer)
    here = f"/finance/vouchers/{made.claim_id}"
    unsaid = await officer.post(f"{here}/refuse", {})
    lines = await officer.http.get(f"{here}/file")
    local = await officer.post(f"{here}/layers/999/audit", {"result": "passed", "finding": "无误"})
    refused = await officer.send(await officer.open(here), f"{here}/refuse", reason="材料造假")
    file = await officer.http.get("/finance/vouchers/file?status=refused")
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))
    provider = await enter(made.provider)

    assert 400 == unsaid.status
    assert 4 == len(lines.text.splitlines())
    assert 404 == local.status
    assert "材料造假" in refused.text
    assert 2 == len(file.text.splitlines())
    assert 200 == (await maker.open(here)).status
    assert 403 == (await maker.post(f"{here}/audit", {})).status
    assert 403 == (await provider.open(here)).status
    assert 404 == (await officer.post("/finance/vouchers/99999/audit", {})).status
    assert 404 == (await officer.post("/finance/objections/99999/answer", {})).status
