"""Reconciling on pages: suggestions with score and reason, by hand, on to the next, and back."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import an_actor, an_sme
from tests.builders.payouts import a_finance_team, a_sent_payout
from tests.builders.reconciliation import BankLine, a_statement, the_lines

pytestmark = pytest.mark.timeout(180)
DESK = "/finance/reconciliation"


async def test_a_suggestion_is_accepted_and_the_next_open_line_is_next(enter, database):
    centre = await a_finance_team(database)
    payout = await a_sent_payout(database, centre=centre)
    paid = BankLine(-payout.amount_fen, remark=f"结算 {payout.end_to_end_id}", reference="B1")
    await a_statement(
        database, paid, BankLine(-300, remark="其他", reference="B2"), opening_fen=10**8
    )
    lines = {each.bank_reference: each for each in await the_lines(database)}
    browser = await enter(centre.maker)

    here = f"{DESK}/{lines['B1'].id}"
    shown = await browser.open(DESK, line=lines["B1"].id)
    suggested = next(
        each for each in shown.forms if each.action == f"{here}/match" and "target" in each.fields
    )
    matched = await browser.post(f"{here}/match", suggested.fields)
    undone = await browser.send(matched, f"{here}/undo")

    assert "期初" in shown.text
    assert "差额" in shown.text
    assert "摘要写明了这笔付款" in shown.text
    assert "金额相同" in shown.text
    assert str(lines["B2"].id) == suggested.fields["next"]
    assert f"{DESK}?done={lines['B1'].id}&line={lines['B2'].id}" == matched.path
    assert f"流水 {lines['B1'].id} 已匹配" in matched.text
    assert f"流水 {lines['B2'].id} " in matched.text
    assert "流水重新待查明" in undone.text


async def test_a_line_is_explained_by_hand_with_a_reason_and_refusals_keep_what_was_typed(
    enter, database
):
    centre = await a_finance_team(database)
    sme_id = await an_sme(database)
    await a_statement(database, BankLine(90_000, remark="测试费", reference="B1"))
    (line,) = await the_lines(database, text="B1")
    browser = await enter(centre.maker)
    here = f"{DESK}/{line.id}"

    unsaid = await browser.post(f"{here}/match", {"kind": "wallet"})
    wrong = await browser.post(f"{here}/match", {"kind": "charge", "reason": "手续费"})
    matched = await browser.post(
        f"{here}/match", {"kind": "wallet", "target": sme_id, "reason": "电话确认"}
    )
    done = await browser.open(here)
    entry = await browser.open(next(v for v in done.links.values() if "/ledger/" in v))
    file = await browser.http.get(f"{DESK}/file?status=matched")
    none = await browser.open(DESK)
    panel = await browser.http.get(here, headers={"hx-request": "true"})
    unexplained = await browser.post(f"{here}/undo", {})

    assert 400 == unsaid.status
    assert "请填写" in unsaid.text
    assert 422 == wrong.status
    assert "手续费" in wrong.source
    assert "没有待查明的流水" in matched.text
    assert "电话确认" in done.text
    assert here in entry.links.values()
    assert 2 == len(file.text.splitlines())
    assert "没有待查明的流水" in none.text
    assert "<html" not in panel.text
    assert 400 == unexplained.status


async def test_auditors_read_lines_and_change_none(enter, database):
    await a_statement(database, BankLine(100, account="6222020000000001", reference="B1"))
    (line,) = await the_lines(database)
    auditor = await enter(await an_actor(database, Role.AUDITOR))
    shown = await auditor.open(f"{DESK}/{line.id}")
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))

    assert 200 == shown.status
    assert "6222020000000001" not in shown.source
    assert not [each for each in shown.forms if each.action.endswith("/match")]
    assert 403 == (await auditor.post(f"{DESK}/{line.id}/match", {})).status
    assert 404 == (await maker.post(f"{DESK}/999999/match", {})).status
    assert 404 == (await maker.open(f"{DESK}/999999")).status
    assert 400 == (await maker.open(DESK, amount="many")).status
    assert "付出" not in shown.text
