"""Searching in public: what is found as a file, and what is offered where nothing is."""

from __future__ import annotations

import csv
import io

import pytest

from marketplace.web.areas.public import instruments
from tests.builders.booking import a_bookable_instrument, a_closure, at_hours
from tests.builders.orders import a_market, a_price_list
from tests.builders.pages import OWN_PAGE, Browser
from tests.pages.test_who_sees import stage

pytestmark = pytest.mark.timeout(240)

__all__ = ["stage"]


async def the_file(browser, **asked):
    answer = await browser.http.get("/instruments/file", params=asked, headers=OWN_PAGE)
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_a_file_holds_exactly_what_is_shown_with_ones_own_price(visitor, enter, database):
    market = await a_market(database)
    other = await a_bookable_instrument(database, content={"cname": "核磁共振波谱仪"})
    await a_price_list(database, instrument_id=other)
    buyer = await enter(market.buyer)
    page = await visitor.open("/instruments", text="核磁")
    public = await the_file(visitor, text="核磁")
    own = await the_file(buyer)
    sorted_own = await the_file(buyer, order="name")
    book = await visitor.http.get("/instruments/file?format=xlsx", headers=OWN_PAGE)
    wrong = await visitor.http.get("/instruments/file?format=pdf", headers=OWN_PAGE)

    assert "/instruments/file?text=" in page.source
    assert ["核磁共振波谱仪"] == [row["仪器"] for row in public]
    assert "2025-03-03 空闲小时" in public[0]
    assert public[0]["自付（元）"] == public[0]["每小时价格（元）"] != ""
    assert 2 == len(own) == len(sorted_own)
    assert [row["仪器"] for row in sorted_own] == sorted(row["仪器"] for row in own)
    assert float(own[0]["自付（元）"]) < float(own[0]["每小时价格（元）"])
    assert book.content.startswith(b"PK")
    assert 400 == wrong.status_code


async def test_a_file_that_holds_less_than_was_found_is_announced(visitor, database, monkeypatch):
    for _ in range(2):
        await a_bookable_instrument(database)
    whole = await visitor.open("/instruments")
    monkeypatch.setattr(instruments, "FILE_MAX", 1)
    part = await visitor.open("/instruments")

    assert "导出前" not in whole.text
    assert "导出前 1 台" in part.text
    assert 1 == len(await the_file(visitor))


async def test_a_day_that_is_taken_leads_to_the_next_that_are_not(visitor, enter, database):
    market = await a_market(database)
    await a_closure(database, instrument_id=market.instrument_id, during=at_hours(1, 0, 24))
    asked = {"on": "2025-03-04", "by": "2025-03-04", "hours": 2}
    public = await visitor.open("/instruments", **asked)
    browser = await enter(market.buyer)
    own = await browser.open("/instruments", **asked)
    next_day = next(to for name, to in own.links.items() if name.startswith("3/5"))
    booking = next(to for to in own.links.values() if to.startswith("/bookings/new"))
    booked = await browser.open(booking)
    without = await visitor.open("/instruments", on="2025-03-04", lang="en")

    assert "您选的日子没有符合条件的空闲仪器" in own.text
    assert "/bookings/new" not in public.source
    assert "1 台仪器" in (await browser.open(next_day)).text
    assert ("2025-03-05", "08:00") <= (
        booked.forms[-1].fields.get("day", "2025-03-05"),
        booked.forms[-1].fields.get("start", "08:00"),
    )
    assert "day=2025-03-05&" in booking
    assert 200 == booked.status
    assert "Any day" in without.links


@pytest.mark.parametrize("day", ["2024-01-01", "2025-03-01", "2027-06-01"])
async def test_the_past_and_what_is_not_open_yet_lead_to_the_first_days_from_now(
    visitor, database, day
):
    await a_market(database)
    shown = await visitor.open("/instruments", on=day, by=day)

    assert any("on=2025-03-0" in to for to in shown.links.values())
    assert "起空闲" in shown.text


async def test_a_filter_that_leaves_nothing_can_be_taken_away_alone(visitor, database):
    await a_bookable_instrument(database, content={"cname": "扫描电子显微镜"})
    words = await visitor.open("/instruments", text="unobtainium")
    two = await visitor.open("/instruments", text="扫描", region="4301", category="9901")
    one = await visitor.open("/instruments", text="扫描", region="4301")

    assert "放宽一个条件" not in words.text + two.text
    assert "1 台仪器" in (await visitor.open(one.links["不限所在地 · 1 台"])).text


async def test_rules_and_notices_are_files_for_everybody(stage):
    claim, run = stage.world.ids["noticed_claim_id"], stage.world.ids["noticed_run_id"]
    async with Browser(stage.app) as browser:
        rules = await browser.http.get("/vouchers/rules/file", headers=OWN_PAGE)
        lines = await browser.http.get(f"/claim-notices/{claim}/file", headers=OWN_PAGE)
        shares = await browser.http.get(f"/reward-notices/{run}/file?format=xlsx", headers=OWN_PAGE)
        shown = await browser.open("/vouchers/rules")

    told = list(csv.DictReader(io.StringIO(rules.content.decode("utf-8-sig"))))
    drawn = list(csv.DictReader(io.StringIO(lines.content.decode("utf-8-sig"))))
    assert {"省级", "市县"} == {line["出资方"] for line in told}
    assert ["25.0"] == sorted({line["抵扣比例（%）"] for line in told})
    assert all(line["依据"] for line in told)
    assert [("是", "400.0")] == [(line["抽中"], line["申请（元）"]) for line in drawn]
    assert shares.content.startswith(b"PK")
    assert "/vouchers/rules/file?format=csv" in shown.links.values()
