"""A provider's own organisation: its people, their roles, the account that it is paid on."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import PASSWORD, an_actor

pytestmark = pytest.mark.timeout(120)

NEW = {"name": "新技术员", "email": "new.technician@example.org", "password": PASSWORD}
ACCOUNT = {
    "bank_name": "中国工商银行南京分行",
    "cnaps": "102301000013",
    "number": "4301010409001234567",
    "holder": "测试大学",
}


async def test_a_manager_keeps_the_people_and_the_bank_account_of_a_provider(enter, database):
    actor = await an_actor(database, Role.PROVIDER_MANAGER)
    manager = await enter(actor)

    own = await manager.open("/org")
    joined = await manager.send(own, "/org/members", **NEW, role="technician")
    (grant,) = [form.action for form in joined.forms if form.action.endswith("/grant")]
    promoted = await manager.send(joined, grant, role="provider_manager")
    unfit = await manager.post(grant, {"role": "buyer"})
    taken = await manager.post(grant.replace("grant", "revoke"), {"role": "provider_manager"})
    account = await manager.send(own, "/org/bank-accounts", **ACCOUNT)
    profile = await manager.post("/org/profile", {"year": 2025})

    assert "/org" in own.links.values()
    assert "年度企业信息" not in own.text
    assert "成员已添加" in joined.text
    assert "角色已授予" in promoted.text
    assert unfit.status == 422
    assert "角色已收回" in taken.text
    assert "待核验" in account.text
    assert profile.status == 403
