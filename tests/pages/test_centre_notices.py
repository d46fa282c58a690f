"""Notices on pages: published in both languages, shown to whom they are for, withdrawn."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)

ASKED = {
    "severity": "warning",
    "title_zh": "周六停机维护",
    "title_en": "Maintenance on Saturday",
    "text_zh": "上午八点至十点",
    "text_en": "From eight to ten",
    "from_day": "2025-03-03",
    "from_time": "08:00",
    "until_day": "2025-03-09",
    "until_time": "18:00",
    "audience": ["buyer", "technician"],
}


async def test_a_notice_is_shown_to_its_roles_in_the_language_of_each_until_it_is_withdrawn(
    enter, visitor, database
):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    buyer = await enter(await an_actor(database, Role.BUYER))
    before = await buyer.open("/me")

    one_language = await administrator.post("/ops/notices", {**ASKED, "text_en": ""})
    backwards = await administrator.post("/ops/notices", {**ASKED, "until_day": "2025-03-02"})
    unread = await administrator.post("/ops/notices", {**ASKED, "title_en": "", "from_time": "x"})
    published = await administrator.post("/ops/notices", ASKED)
    told = await buyer.open("/me")
    in_english = await buyer.open("/me", lang="en")
    stranger = await visitor.open("/")
    file = await administrator.http.get("/ops/notices/file?format=csv&state=shown")
    withdraw = next(each.action for each in published.forms if each.action.endswith("/withdraw"))
    unsaid = await administrator.post(withdraw, {"withdrawn_reason": ""})
    withdrawn = await administrator.post(withdraw, {"withdrawn_reason": "改期"})
    again = await administrator.post(withdraw, {"withdrawn_reason": "改期"})
    after = await buyer.open("/me")
    everybody = await administrator.post("/ops/notices", {**ASKED, "audience": []})
    seen = await visitor.open("/")

    assert "停机" not in before.text
    assert one_language.status == 422
    assert "正文须中英文都填或都不填" in one_language.text
    assert "结束时间须晚于开始时间" in backwards.text
    assert unread.status == 400
    assert "请填写时间" in unread.text
    assert "通知已发布" in published.text
    assert "周六停机维护" in told.text
    assert "Maintenance on Saturday" in in_english.text
    assert "周六停机维护" not in in_english.text
    assert "停机" not in stranger.text
    assert "周六停机维护" in file.text
    assert unsaid.status == 400
    assert "通知已撤回" in withdrawn.text
    assert again.status == 409
    assert "停机" not in after.text
    assert "通知已发布" in everybody.text
    assert "周六停机维护" in seen.text


async def test_who_oversees_reads_notices_and_only_an_administrator_writes_them(enter, database):
    auditor = await enter(await an_actor(database, Role.AUDITOR))

    assert (await auditor.open("/ops/notices")).status == 200
    assert (await auditor.post("/ops/notices", ASKED)).status == 403
