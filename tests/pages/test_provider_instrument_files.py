"""Instruments by file: tried, imported with a report line by line, saved and imported again."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.catalogue import a_csv, a_line, an_xlsx, rows_of
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
HERE = "/provider/instruments/imports"
LINES = [a_line(innerId="A-1"), a_line(innerId="A-2"), a_line(innerId="A-3", worth="x")]


async def test_a_file_is_tried_then_imported_and_what_is_wrong_is_told_line_by_line(
    enter, database
):
    browser = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    file = ("清单.csv", a_csv(LINES), "text/csv")
    empty = await browser.open(HERE)
    tried = await browser.post(HERE, {"step": "try"}, file=file)
    still = await browser.open("/provider/instruments")
    landed = await browser.post(HERE, {"step": "import"}, file=file)
    listed = await browser.open(HERE)
    errors = await browser.http.get(landed.links["CSV"])
    english = await browser.open(landed.path, lang="en")

    assert "还没有导入过文件" in empty.text
    assert "尚未导入" in tried.text
    assert "共 3 行：新增 2，更新 0，无变化 0，拒收 1" in tried.text
    assert "没有符合条件的仪器" in still.text
    assert HERE in still.links.values()
    assert "文件已导入" in landed.text
    assert "不是有效的金额" in landed.text
    assert landed.path == listed.links["清单.csv"]
    assert 2 == len(errors.text.splitlines())
    assert "not an amount" in english.text

    own = await browser.http.get("/provider/instruments/national/file")
    again = await browser.post(
        HERE, {"step": "import"}, file=("again.csv", own.content, "text/csv")
    )

    assert "共 2 行：新增 0，更新 0，无变化 2，拒收 0" in again.text


async def test_a_workbook_is_taken_and_what_is_no_list_is_refused_as_a_whole(enter, database):
    browser = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    book = ("清单.xlsx", an_xlsx(rows_of(LINES[:2])), "application/octet-stream")
    taken = await browser.post(HERE, {"step": "import"}, file=book)
    none = await browser.post(HERE, {"step": "try"})
    strange = await browser.post(HERE, {"step": "try"}, file=("a.csv", b"a,b\n1,2\n", "text/csv"))

    assert "新增 2" in taken.text
    assert (400, "请选择文件" in none.text) == (none.status, True)
    assert 400 <= strange.status < 500
    assert "文件没有国家平台格式的表头" in strange.text


async def test_imports_are_the_managers_and_those_of_another_provider_do_not_exist(enter, database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    file = ("清单.csv", a_csv(LINES), "text/csv")
    landed = await (await enter(manager)).post(HERE, {"step": "import"}, file=file)
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    technician = await enter(await an_actor(database, Role.TECHNICIAN))

    assert 404 == (await stranger.open(landed.path)).status
    assert 404 == (await stranger.open(f"{landed.path}/file")).status
    assert 403 == (await technician.open(HERE)).status
    assert "批量导入" not in (await technician.open("/provider/instruments")).text
