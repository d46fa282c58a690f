"""Credit on pages: granted by two persons of a provider, used by a customer, aged, paid, ended."""

from __future__ import annotations

import pytest

from marketplace.kernel.db import atomically
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from tests.builders.credit import a_second_manager, granted_terms, the_line
from tests.builders.orders import a_delivered_order, a_market, a_quote
from tests.builders.parties import TEST, an_actor, an_sme
from tests.use_cases.credit.test_credit import a_debt

pytestmark = pytest.mark.timeout(240)

TERMS = {"limit": "5,000", "days": 30, "until": "2025-12-31", "reason": "十年老客户"}


async def test_credit_is_proposed_by_one_manager_and_decided_by_another(enter, database):
    market = await a_market(database)
    await a_delivered_order(market)
    manager = await enter(market.manager)
    second = await enter(await a_second_manager(market))

    empty = await manager.open("/credit")
    customers = await manager.open("/credit/new")
    (blank,) = [to for to in customers.links.values() if to.startswith("/credit/new?buyer=")]
    asked = await manager.open(blank)
    beyond = await manager.send(asked, "/credit", **TERMS | {"days": 365})
    unread = await manager.send(asked, "/credit", **TERMS | {"limit": "many"})
    proposed = await manager.send(asked, "/credit", **TERMS)
    twice = await manager.send(asked, "/credit", **TERMS, _key="another")
    here = proposed.path
    seen = await second.open(here)
    terms = next(form.action for form in seen.forms if form.action.endswith("/approve"))
    unsaid = await second.post(terms.replace("approve", "refuse"), {"reason": ""})
    own = await manager.post(terms, {})
    granted = await second.send(seen, terms)
    changed = await manager.open(f"/credit/new?buyer={market.buyer.organisation_id}")
    again = await manager.send(changed, "/credit", **TERMS | {"limit": "8000"})
    refused = await second.send(
        again, next(f.action for f in again.forms if f.action.endswith("/end")), reason="不必了"
    )
    ended = await second.send(granted, terms.replace("approve", "end"), reason="长期不下单")

    assert "还没有授信" in empty.text
    assert beyond.status == 422
    assert beyond.form("/credit").fields["reason"] == TERMS["reason"]
    assert unread.status == 400
    assert "另一位管理员审批" in proposed.text
    assert twice.status == 409
    assert unsaid.status == 400
    assert own.status == 422
    assert "授信已生效" in granted.text
    assert changed.form("/credit").fields["limit"] == "5000.00"
    assert "已撤回" in refused.text
    assert "不能再记账" not in ended.text
    assert "长期不下单" in ended.text


async def test_a_customer_orders_on_account_and_pays_and_the_provider_sees_how_old_it_is(
    enter, database, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    await a_debt(market, monkeypatch)
    manager, buyer = await enter(market.manager), await enter(market.buyer)
    here = f"/credit/{(await the_line(market)).line.id}"

    offer = await buyer.open(f"/quotes/{(await a_quote(market)).id}")
    lines = await manager.open("/credit", text="sme")
    nothing = await manager.open("/credit", text="没有这个客户")
    file = await manager.http.get("/credit/file?format=csv")
    late = await manager.open("/credit", state="overdue")
    owed = await manager.open("/credit/owed", state="open", until="2026-12-31")
    owed_file = await manager.http.get("/credit/owed/file?state=open&format=csv")
    ages = await manager.open("/credit/ageing", on="2025-03-31")
    none = await manager.open("/credit/ageing", on="2025-01-31")
    ages_file = await manager.http.get("/credit/ageing/file?on=2025-03-31&format=csv")
    mine = await buyer.open("/credit")
    line = await buyer.open(here)
    paid = await buyer.send(line, f"/account{here}/pay", amount="1")
    after = await buyer.open(here)

    assert "自付部分记账" in offer.text
    assert "on_account" not in offer.form(f"{offer.path}/order").fields
    assert here in lines.links.values()
    assert "没有符合条件的授信" in nothing.text
    assert len(file.text.strip().splitlines()) == 2
    assert "没有符合条件的授信" in late.text
    assert here in owed.links.values()
    assert len(owed_file.text.strip().splitlines()) >= 2
    assert here in ages.links.values()
    assert "这一日没有欠款" in none.text
    assert len(ages_file.text.strip().splitlines()) == 2
    assert here in mine.links.values()
    assert "给予授信" not in mine.text
    assert "终止授信" not in line.text
    assert paid.path.startswith("/account")
    assert "钱包还款 ¥1.00" in after.text


async def test_whoever_never_ordered_is_found_by_the_whole_code_only(enter, database):
    manager = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    sme = await an_sme(database)
    entity = (await atomically(database, parties.organisation, sme, actor=TEST)).legal_entity_id
    code = (await atomically(database, parties.legal_entity, entity, actor=TEST)).uscc

    nobody = await manager.open("/credit/new")
    by_name = await manager.open("/credit/new", of="sme")
    by_code = await manager.open("/credit/new", of=code.lower())

    assert "还没有客户下过单" in nobody.text
    assert "没有这样的客户" in by_name.text
    assert f"/credit/new?buyer={sme}" in by_code.links.values()
