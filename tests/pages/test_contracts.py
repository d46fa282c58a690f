"""Contracts on pages: filed by the provider, noted by either, taken back by the centre alone."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import a_confirmed_order, a_market, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


async def test_a_contract_goes_to_the_registry_step_by_step(enter, database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    manager, officer = await enter(market.manager), await enter(market.officer)
    here = f"/contracts/{order.id}"
    step = f"{here}/step"

    new = await manager.open(here)
    jump = await manager.post(step, {"state": "registered", "number": "1", "on": "2025-03-03"})
    filed = [await manager.post(step, {"state": each}) for each in ("eligible", "submitted")]
    unsaid = await officer.post(step, {"state": "registered", "number": "", "on": ""})
    early = await officer.post(
        step, {"state": "registered", "number": "JS-2025-1", "on": "2025-01-01"}
    )
    done = await officer.post(
        step, {"state": "registered", "number": "JS-2025-1", "on": "2025-03-03", "place": "南京"}
    )
    corrected = await manager.post(
        f"{here}/number", {"number": "JS-2025-2", "on": "2025-03-03", "place": "南京"}
    )
    not_theirs = await manager.post(step, {"state": "refused", "reason": "撤销"})
    taken_back = await officer.post(step, {"state": "refused", "reason": "登记机构撤销认定"})

    assert "还没有人填写" in new.text
    assert f"/orders/{order.id}/contract.pdf?amendment=0&in=zh" in new.links.values()
    assert jump.status == 422
    assert "合同登记状态不能这样变更" in jump.text
    assert ["登记状态已更新" in each.text for each in filed] == [True, True]
    assert unsaid.status == 400
    assert early.status == 422
    assert "JS-2025-1" in [form.fields.get("number") for form in early.forms]
    assert "JS-2025-1" in done.text
    assert "JS-2025-2" in corrected.text
    assert not_theirs.status == 422
    assert "登记机构撤销认定" in taken_back.text


async def test_contracts_are_found_by_state_words_days_and_provider(enter, database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    unsigned = await an_order(market, during=at_hours(6, 9, 11))
    manager, officer = await enter(market.manager), await enter(market.officer)
    auditor = await enter(await an_actor(database, Role.AUDITOR))
    here = f"/contracts/{order.id}"

    all_of_it = await manager.open("/contracts", state="not_eligible", until="2025-12-31")
    none = await manager.open("/contracts", state="registered")
    of_nobody = await officer.open("/contracts", provider="没有这家")
    of_theirs = await officer.open("/contracts", provider="provider")
    file = await manager.http.get("/contracts/file?state=not_eligible&format=csv")
    read_only = await auditor.open(here)
    missing = await officer.open(f"/contracts/{unsigned.id}")

    assert here in all_of_it.links.values()
    assert "没有符合条件的合同" in none.text
    assert "没有符合条件的合同" in of_nobody.text
    assert here in of_theirs.links.values()
    assert len(file.text.strip().splitlines()) == 2
    assert "下一步" not in read_only.text
    assert not any("contract.pdf" in each for each in read_only.links.values())
    assert missing.status == 404
