"""Disputes on the centre's pages: found, read with both sides' papers, ruled on once."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AnswerDispute, answer_dispute
from marketplace.parties.roles import Role
from tests.builders.disputes import a_disputed_order
from tests.builders.orders import a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)


async def test_an_officer_rules_once_the_provider_has_answered(enter, database):
    market = await a_market(database)
    order = await a_disputed_order(market)
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    here = f"/ops/disputes/{order}"
    ruling = {"pay": "60", "ruling": "方法与约定不符，按六成支付。"}

    listed = await officer.open("/ops/disputes", state="open", text="约定")
    none = await officer.open("/ops/disputes", state="ruled")
    file = await officer.http.get("/ops/disputes/file?state=open&format=csv")
    early = await officer.post(f"{here}/rule", ruling)
    answer = AnswerDispute(order, "方法经客户书面同意。", 9_000)
    await market.do(answer_dispute, answer, by=market.manager)
    unsaid = await officer.post(f"{here}/rule", {**ruling, "ruling": ""})
    ruled = await officer.post(f"{here}/rule", ruling)
    again = await officer.post(f"{here}/rule", ruling)
    missing = await officer.open(f"/ops/disputes/{order + 1000}")

    assert here in listed.links.values()
    assert "没有符合条件的争议" in none.text
    assert len(file.text.strip().splitlines()) == 2
    assert (early.status, unsaid.status, again.status) == (409, 400, 409)
    assert "按六成支付" in early.source
    assert "按六成支付" in ruled.text
    assert "60%" in ruled.text
    assert missing.status == 404


async def test_who_keeps_the_money_reads_disputes_and_does_not_rule(enter, database):
    market = await a_market(database)
    order = await a_disputed_order(market)
    reader = await enter(await an_actor(database, Role.FINANCE_CHECKER))

    shown = await reader.open(f"/ops/disputes/{order}")
    refused = await reader.post(f"/ops/disputes/{order}/rule", {"pay": "60", "ruling": "x"})

    assert "裁定并结算" not in shown.text
    assert refused.status == 403
