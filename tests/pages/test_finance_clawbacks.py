"""Approved voucher money is asked back on pages; every list of finance is a file in one place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import an_actor
from tests.builders.vouchers import a_claim, a_voucher_fund, orders_are_numbers

pytestmark = pytest.mark.timeout(180)
HERE = "/finance/clawbacks"


async def test_approved_money_is_asked_back_by_one_decided_by_another_and_set_off(
    enter, database, clock
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="in_notice")
    await a_voucher_fund(database)
    clock.set(clock.now() + timedelta(days=30))
    claim = f"/finance/vouchers/{made.claim_id}"
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    officer = await enter(made.officer)
    await checker.send(await checker.open(claim), f"{claim}/approve")

    listed = await officer.open(HERE, claim=made.claim_id)
    halved = await officer.post(f"{claim}/clawbacks", {"amount": "10", "reason": "重复"})
    foreign = await officer.post(
        f"{claim}/clawbacks", {"redemption": "999999", "reason": "不在申请里"}
    )
    proposed = await officer.send(
        listed,
        f"{claim}/clawbacks",
        redemption=made.redemption_ids[0],
        amount="100",
        reason="报告不实",
    )
    here = proposed.path
    early = await checker.post(f"{here}/set-off", {"source": "payable"})
    unsaid = await checker.post(f"{here}/decide", {})
    decided = await checker.post(f"{here}/decide", {"result": "agreed", "reason": "属实"})
    again = await checker.post(f"{here}/decide", {"result": "dropped", "reason": "改判"})
    taken = await checker.post(f"{here}/set-off", {"source": "wallet"})
    owed = await checker.open(HERE, owed="yes")
    file = await checker.http.get(f"{HERE}/file")
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))

    assert "没有追回" in listed.text
    assert 400 == halved.status
    assert "写金额时请写明用券编号" in halved.source or "写金额" in halved.text
    assert 422 == foreign.status
    assert "等待另一人决定" in proposed.text
    assert "¥100.00" in proposed.text
    assert early.status in (409, 422)
    assert 400 == unsaid.status
    assert "已决定" in decided.text
    assert "属实" in decided.text
    assert 409 == again.status
    assert taken.status in (200, 409, 422)
    assert here in owed.links.values()
    assert 2 == len(file.text.splitlines())
    assert 403 == (await maker.post(f"{here}/decide", {})).status
    assert 404 == (await checker.open(f"{HERE}/999999")).status


async def test_every_list_of_finance_is_a_file_in_one_place(enter, database):
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    shown = await maker.open("/finance/exports")
    english = await maker.open("/finance/exports", lang="en")
    fewer = await officer.open("/finance/exports")
    addresses = [
        line.split('"')[0]
        for line in shown.source.split('href="')
        if line.startswith("/finance/") and "format=csv" in line.split('"')[0]
    ]
    answers = [await maker.http.get(each.replace("&amp;", "&")) for each in addresses]

    assert len(addresses) >= 12
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"].split(";")[0] for answer in answers} == {"text/csv"}
    assert "Lines of the bank" in english.text
    assert "/finance/ledger" not in fewer.links.values()
    assert HERE in fewer.links.values()
