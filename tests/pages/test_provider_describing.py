"""A provider describes its instruments on pages: entered, changed, listed, withdrawn."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(120)

NEW = {
    "inner_id": "SEM-2025-01",
    "cname": "场发射扫描电子显微镜",
    "category_code": "",
    "worth": "300,000",
    "kind": "general",
    "share_mode": "external",
    "condition": "normal",
    "funds": "own",
    "province": "江苏",
    "city": "南京",
    "contact": "陈工",
    "phone": "025-80000000",
    "email": "sem@example.org",
}


async def test_a_manager_enters_an_instrument_changes_it_and_takes_it_from_the_list(
    enter, database
):
    manager = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    blank = await manager.open("/provider/instruments/new")

    unread = await manager.send(blank, "/provider/instruments", **NEW | {"worth": "viel"})
    wrong = await manager.send(blank, "/provider/instruments", **NEW | {"category_code": "12"})
    made = await manager.send(blank, "/provider/instruments", **NEW | {"category_code": "010101"})
    twice = await manager.post(
        "/provider/instruments", {**NEW, "category_code": "010101", "listed": "yes"}
    )
    here = made.path
    listed = await manager.open("/provider/instruments", text="SEM-2025")
    form = await manager.open(f"{here}/describe")
    changed = await manager.send(form, f"{here}/describe", functions="表面形貌观察", model="Apreo")
    renamed = await manager.send(form, f"{here}/describe", inner_id="SEM-9", _key="other")
    on_list = await manager.send(form, f"{here}/list")
    unsaid = await manager.post(f"{here}/withdraw", {"reason": ""})
    withdrawn = await manager.post(f"{here}/withdraw", {"reason": "搬迁"})
    foreign = await stranger.post(f"{here}/withdraw", {"reason": "搬迁"})

    assert unread.status == 400
    assert wrong.status == 422
    assert wrong.form("/provider/instruments").fields["cname"] == NEW["cname"]
    assert "仪器已登记" in made.text
    assert twice.status == 409
    assert here in listed.links.values()
    assert form.form(f"{here}/describe").fields["worth"] == "300000.00"
    assert "表面形貌观察" in changed.text
    assert renamed.status == 422
    assert "仪器已上架" in on_list.text
    assert unsaid.status == 400
    assert "仪器已下架" in withdrawn.text
    assert foreign.status == 404
