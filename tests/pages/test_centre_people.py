"""People on pages: found, given roles, locked out and let in, and looked as without changing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Tx, atomically
from marketplace.kernel.errors import OnlyLooking
from marketplace.parties.errors import ViewingMissing, ViewingRefused
from marketplace.parties.roles import Role
from marketplace.parties.rules.viewing import VIEWING_MINUTES
from marketplace.parties.use_cases import BeginViewing, begin_viewing, end_viewing
from marketplace.web.sessions import PageSession
from tests.builders.pages import OWN_PAGE
from tests.builders.parties import TEST, a_legal_entity, a_person, an_actor, an_sme
from tests.pages.conftest import SHARED
from tests.pages.test_who_sees import ROUTES

pytestmark = pytest.mark.timeout(180)

# Taken while one looks as somebody else, each for a reason.
TAKEN = {
    "POST /prefs": "language and theme of one's own browser",
    "POST /sign-out": "ends one's own session",
    "POST /view-as/end": "ends the view",
}


async def test_an_administrator_finds_people_and_keeps_their_sign_ins_and_roles(
    enter, database, clock
):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    buyer = await an_actor(database, Role.BUYER)
    browser = await enter(buyer)
    since = clock.now() + timedelta(minutes=1)
    kept = PageSession(buyer.person_id, buyer.organisation_id, int(since.timestamp()))
    cookie = await SHARED.state.page_sessions.begin(kept)
    browser.http.cookies.set("sid", cookie, domain="platform.test")
    clock.set(since + timedelta(minutes=1))
    here = f"/ops/users/{buyer.person_id}"

    listed = await administrator.open("/ops/users", role="buyer")
    nobody = await administrator.open("/ops/users", text="没有这个人")
    file = await administrator.http.get("/ops/users/file?role=buyer&format=csv")
    sheet = await administrator.open(here)
    granted = await administrator.post(
        f"{here}/grant", {"role": f"{buyer.organisation_id}:sme_administrator"}
    )
    unfit = await administrator.post(f"{here}/grant", {"role": f"{buyer.organisation_id}:auditor"})
    revoked = await administrator.post(
        f"{here}/revoke", {"organisation": buyer.organisation_id, "role": "sme_administrator"}
    )
    before = await browser.open("/me")
    ended = await administrator.post(f"{here}/end-sessions", {})
    after = await browser.open("/me")
    disabled = await administrator.post(f"{here}/disable", {})
    enabled = await administrator.post(f"{here}/enable", {})
    own = await administrator.open("/ops/users", role="administrator")

    assert here in listed.links.values()
    assert "没有符合条件的人员" in nobody.text
    assert len(file.text.strip().splitlines()) == 2
    assert "采购员" in sheet.text
    assert "角色已授予" in granted.text
    assert unfit.status == 422
    assert "角色已收回" in revoked.text
    assert before.path == "/me"
    assert "已结束全部登录" in ended.text
    assert after.path.startswith("/sign-in")
    assert "已停用登录" in disabled.text
    assert "已恢复登录" in enabled.text
    assert f"/ops/users/{buyer.person_id}" not in own.links.values()


async def test_a_legal_entity_is_verified_by_another_person_than_who_entered_it(enter, database):
    entity = await a_legal_entity(database, name="待核验科技有限公司")
    waiting = await a_person(database, name="新来的")
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))

    queue = await administrator.open("/ops/verification", text="待核验科技")
    done = await administrator.send(queue, f"/ops/verification/{entity}/verify")
    again = await administrator.post(f"/ops/verification/{entity}/verify", {})

    assert "待核验科技有限公司" in queue.text
    assert f"/ops/users/{waiting}" in queue.links.values()
    assert "已核验" in done.text
    assert again.status == 409


async def test_an_organisation_is_suspended_for_a_reason(enter, database):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    here = f"/ops/orgs/{await an_sme(database)}"

    unsaid = await administrator.post(f"{here}/suspend", {"reason": ""})
    suspended = await administrator.post(f"{here}/suspend", {"reason": "证照被吊销"})
    resumed = await administrator.post(f"{here}/resume", {})

    assert unsaid.status == 400
    assert "单位已停用" in suspended.text
    assert "单位已恢复" in resumed.text


async def test_who_looks_as_somebody_sees_their_pages_and_changes_nothing(enter, database, clock):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    buyer = await an_actor(database, Role.BUYER)
    here = f"/ops/users/{buyer.person_id}"
    asked = {"organisation": buyer.organisation_id, "reason": "用户报告看不到订单"}

    unsaid = await administrator.post(f"{here}/view-as", {**asked, "reason": ""})
    begun = await administrator.post(f"{here}/view-as", asked)
    refused = {
        str(route): (
            await administrator.http.request(
                "POST", route.made_up_address(), headers=OWN_PAGE, follow_redirects=False
            )
        )
        for route in ROUTES
        if route.method == "POST" and str(route) not in TAKEN
    }
    closed = await administrator.open("/ops/users")
    preferred = await administrator.post("/prefs", {"theme": "night", "back": "/me"})
    ended = await administrator.post("/view-as/end", {})
    later = await administrator.post(f"{here}/view-as", asked)
    clock.set(clock.now() + timedelta(minutes=VIEWING_MINUTES))
    own_again = await administrator.open("/ops/users")
    trail = await administrator.open("/ops/audit", action="view_as")

    assert unsaid.status == 400
    assert "只读" in begun.text
    assert begun.path == "/me"
    assert "我的订单" in begun.text or "/orders" in begun.links.values()
    wrong = {
        name: answer.status_code
        for name, answer in refused.items()
        if answer.status_code != 403 or "正在以他人身份查看" not in answer.text
    }
    assert wrong == {}
    assert len(refused) > 50
    assert closed.status == 403
    assert "只读" in preferred.text
    assert ended.path == here
    assert "只读，" not in ended.text.partition("以此人身份查看")[0]
    assert "用户报告看不到订单" in ended.text
    assert "只读" in later.text
    assert own_again.status == 200
    assert "用户报告看不到订单" in trail.text


async def test_nobody_looks_as_oneself_or_as_somebody_who_sees_more(enter, database):
    administrator = await an_actor(database, Role.ADMINISTRATOR)
    finance = await an_actor(database, Role.FINANCE_CHECKER)
    buyer = await an_actor(database, Role.BUYER)
    for whom in (finance, administrator):
        asked = BeginViewing(whom.person_id, whom.organisation_id, "看看")
        with pytest.raises(ViewingRefused):
            await atomically(database, begin_viewing, asked, actor=administrator)
    asked = BeginViewing(buyer.person_id, buyer.organisation_id, "看看")
    begun = await atomically(database, begin_viewing, asked, actor=administrator)

    with pytest.raises(ViewingMissing):
        await atomically(database, end_viewing, begun.id, actor=finance)
    browser = await enter(administrator)
    shown = await browser.post(
        f"/ops/users/{finance.person_id}/view-as",
        {"organisation": finance.organisation_id, "reason": "看看"},
    )

    assert shown.status == 403
    assert "不能以此人身份查看" in shown.text


async def test_postgresql_refuses_what_somebody_who_only_looks_would_write(database):
    buyer = await an_actor(database, Role.BUYER)
    looks = Actor(
        buyer.person_id,
        buyer.organisation_id,
        buyer.organisation_kind,
        buyer.roles,
        only_looks=True,
    )

    async def write(tx: Tx, _: None) -> None:
        tx.audit("look", subject="person", subject_id=1)

    with pytest.raises(OnlyLooking):
        await atomically(database, write, None, actor=looks)
    await atomically(database, write, None, actor=TEST)


async def test_organisations_are_found_by_kind_and_place_and_given_out_as_shown(enter, database):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    sme = await an_sme(database)

    found = await administrator.open("/ops/orgs", kind="sme", region="320000")
    none = await administrator.open("/ops/orgs", kind="sme", region="440000")
    file = await administrator.http.get("/ops/orgs/file?kind=sme&region=320000&format=csv")

    assert f"/ops/orgs/{sme}" in found.links.values()
    assert "没有符合条件的单位" in none.text
    assert len(file.text.strip().splitlines()) == 2


async def test_anomalies_are_asked_for_by_what_they_are_and_given_out_as_shown(enter, database):
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))

    none = await officer.open("/ops/anomalies", kind="split-orders", severity="blocking")
    wrong = await officer.open("/ops/anomalies", kind="no-such-kind")
    file = await officer.http.get("/ops/anomalies/file?status=open&format=csv")

    assert "没有符合条件的异常" in none.text
    assert wrong.status == 400
    assert len(file.text.strip().splitlines()) == 1
