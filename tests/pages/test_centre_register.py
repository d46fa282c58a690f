"""The register on pages: legal entities with their holders, organisations, people, step by step."""

from __future__ import annotations

import pytest

from marketplace.kernel.db import atomically
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.parties.rules.shareholding import Shareholding
from tests.builders.parties import (
    PASSWORD,
    TEST,
    a_legal_entity,
    a_uscc,
    an_actor,
    an_organisation,
)

pytestmark = pytest.mark.timeout(180)

LICENCE = {
    "uscc": "",
    "name": "江宁精密检测有限公司",
    "name_en": "Jiangning Precision Testing Ltd",
    "kind": "company",
    "capital": "social",
    "region": "320100",
    "representative": "周敏",
    "phone": "025-8000 0000",
    "address": "南京市江宁区 1 号",
    "holders": "周敏, 60\n吴磊，39.5",
    "since": "2024-01-01",
    "source": "企业信用信息公示系统",
}
NEW = {"name": "郑晓", "email": "zheng.xiao@example.org", "password": PASSWORD, "phone": ""}


async def test_a_company_comes_in_with_its_entity_its_organisation_and_its_first_person(
    enter, database
):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    other = await enter(await an_actor(database, Role.ADMINISTRATOR))

    listed = await administrator.open("/ops/entities")
    licence = await administrator.open("/ops/entities/new")
    wrong = await administrator.send(licence, "/ops/entities", **{**LICENCE, "uscc": "123"})
    unread = await administrator.send(
        licence, "/ops/entities", **{**LICENCE, "uscc": a_uscc(), "holders": "周敏", "phone": "a"}
    )
    code = a_uscc()
    made = await administrator.send(licence, "/ops/entities", **{**LICENCE, "uscc": code})
    twice = await administrator.post("/ops/entities", {**LICENCE, "uscc": code})
    here = made.path
    own = await administrator.post(f"{here}/verify", {})
    verified = await other.send(await other.open(here), f"{here}/verify")
    asked = await administrator.open(made.links["登记单位"])
    unfit = await administrator.send(asked, "/ops/orgs", kind="sme", agency="yes")
    unit = await administrator.send(asked, "/ops/orgs", kind="sme", name_en="Jiangning Testing")
    weak = await administrator.send(
        unit, f"{unit.path}/members", **{**NEW, "password": "1", "role": "buyer"}
    )
    joined = await administrator.send(unit, f"{unit.path}/members", **NEW, role="buyer")

    assert "/ops/entities/new" in listed.links.values()
    assert wrong.status == 422
    assert "统一社会信用代码有误" in wrong.text
    assert wrong.form("/ops/entities").fields["name"] == LICENCE["name"]
    assert unread.status == 400
    assert "第 1 行" in unread.text
    assert "待核验" in made.text
    assert "39.5%" in made.text
    assert twice.status == 409
    assert own.status == 422
    assert "已核验" in verified.text
    assert asked.form("/ops/orgs").fields["name"] == LICENCE["name"]
    assert unfit.status == 422
    assert unfit.form("/ops/orgs").fields["name"] == LICENCE["name"]
    assert unit.path.startswith("/ops/orgs/")
    assert weak.status == 422
    assert weak.form(f"{unit.path}/members").fields["email"] == NEW["email"]
    assert "郑晓 采购员" in joined.text


async def test_a_person_is_registered_first_and_given_a_role_afterwards(enter, database):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    blank = await administrator.open("/ops/users/new")

    made = await administrator.send(blank, "/ops/users", **NEW)
    twice = await administrator.send(blank, "/ops/users", **NEW)

    assert made.path.startswith("/ops/users/")
    assert "还没有角色" in made.text
    assert twice.status == 409
    assert "该邮箱已注册" in twice.text


async def test_holders_change_from_a_day_on_and_the_days_before_keep_theirs(enter, database):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    mother = await a_legal_entity(database, name="母公司")
    code = (await atomically(database, parties.legal_entity, mother, actor=TEST)).uscc
    entity = await a_legal_entity(
        database, name="子公司", shareholdings=(Shareholding("吴磊", 10_000),)
    )
    here = f"/ops/entities/{entity}"

    asked = await administrator.open(f"{here}/holders")
    too_much = await administrator.send(
        asked, f"{here}/holders", holders="吴磊, 60\n周敏, 60", since="2025-01-01", source="公示"
    )
    changed = await administrator.send(
        asked, f"{here}/holders", holders=f"{code}; 80%", since="2025-01-01", source="公示"
    )
    moved = await administrator.send(changed, f"{here}/contact", address="新址 2 号", phone="025")
    letters = await administrator.send(changed, f"{here}/contact", phone="abc")
    several = await administrator.open(here, other="公司")
    tied = await administrator.open(here, other="母公司")
    none = await administrator.open(here, other="没有这家")

    assert asked.form(f"{here}/holders").fields["holders"] == "吴磊, 100"
    assert too_much.status == 422
    assert "60" in too_much.form(f"{here}/holders").fields["holders"]
    assert "母公司" in changed.text
    assert "同一控制下的法人" in changed.text
    assert "股权沿革（2 条）" in changed.text
    assert "新址 2 号" in moved.text
    assert letters.status == 400
    assert "母公司" in several.text
    assert "关联" in tied.text
    assert "直接持股" in tied.text
    assert "没有这个法人" in none.text


async def test_staff_find_legal_entities_and_see_what_their_role_may_know(enter, database):
    entity = await a_legal_entity(
        database, name="被查公司", shareholdings=(Shareholding("吴磊", 10_000),)
    )
    unit = await an_organisation(database, kind="sme", legal_entity_id=entity)
    maker = await enter(await an_actor(database, Role.FINANCE_MAKER))
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    here = f"/ops/entities/{entity}"

    listed = await maker.open("/ops/entities", text="被查", kind="company", verified="no")
    nobody = await maker.open("/ops/entities", text="没有", verified="yes")
    file = await maker.http.get("/ops/entities/file?text=被查&format=csv")
    waiting = await (await enter(await an_actor(database, Role.AUDITOR))).http.get(
        "/ops/verification/file?text=被查&format=csv"
    )
    plain, full = await maker.open(here), await officer.open(here)

    assert here in listed.links.values()
    assert "没有符合条件的法人" in nobody.text
    assert len(file.text.strip().splitlines()) == 2
    assert len(waiting.text.strip().splitlines()) == 2
    assert "吴磊" in plain.text
    assert "股权沿革" not in plain.text
    assert "关联关系" not in plain.text
    assert f"/ops/orgs/{unit}" not in plain.links.values()
    assert "股权沿革" in full.text
    assert "关联关系" in full.text
    assert "变更股权" not in full.text


async def test_an_organisation_without_its_legal_entity_asks_for_it(enter, database):
    entity = await a_legal_entity(database, name="要登记单位的法人")
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))

    blank = await administrator.open("/ops/orgs/new")
    found = await administrator.open("/ops/orgs/new", of="要登记单位")
    missing = await administrator.open("/ops/orgs/new", entity=2**50)

    assert "属于哪个法人" in blank.text
    assert f"/ops/orgs/new?entity={entity}" in found.links.values()
    assert missing.status == 404
