"""Own instruments: times with whom a change hits, the rule, the price book."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.billing.pricing.queries import price_lists
from marketplace.billing.pricing.use_cases import ObjectToPrices, object_to_prices
from marketplace.booking.queries import booking_terms, weekly_hours_of
from marketplace.catalogue.queries import opening_hours
from marketplace.parties.roles import Role
from tests.builders.orders import a_market, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)
WEEK = {"what": "week", "which": "opening"} | {f"day{day}": "09:00-17:00" for day in range(5)}


async def test_a_change_of_hours_says_whom_it_hits_before_it_is_made(enter, database):
    market = await a_market(database)
    ordered = await an_order(market)
    path = f"/provider/instruments/{market.instrument_id}/availability"
    browser = await enter(market.manager)
    shown = await browser.open(path)
    late = {**WEEK, "day2": "13:00-17:00"}
    looked = await browser.post(path, {**late, "step": "look"})
    kept = await market.do(opening_hours, market.instrument_id, by=market.manager)
    saved = await browser.post(path, {**WEEK, "step": "save"})
    now = await market.do(opening_hours, market.instrument_id, by=market.manager)
    wrong = await browser.post(path, {**WEEK, "day0": "9 to 5", "step": "save"})
    classes = await browser.post(path, {**late, "which": "enterprise", "step": "save"})
    own = await market.do(weekly_hours_of, market.instrument_id, by=market.manager)

    assert "00:00-24:00" in shown.source
    assert "会影响 1 个预约" in looked.text
    assert f"/orders/{ordered.id}" in looked.links.values()
    assert "13:00-17:00" in looked.source
    assert 7 == len(kept)
    assert "开放时间已更新" in saved.text
    assert [(0, 540, 1020), (1, 540, 1020)] == [
        (each.weekday, each.opens_minute, each.closes_minute) for each in now[:2]
    ]
    assert "格式如" in wrong.text
    assert "9 to 5" in wrong.source
    assert "开放时间已更新" in classes.text
    assert {"enterprise"} == {each.user_class for each in own}


async def test_days_and_closures_are_set_looked_at_and_taken_back(enter, database):
    market = await a_market(database)
    await an_order(market)
    path = f"/provider/instruments/{market.instrument_id}/availability"
    browser = await enter(market.manager)
    closing = {
        "what": "close",
        "from_day": "2025-03-05",
        "from_clock": "08:00",
        "until_day": "2025-03-05",
        "until_clock": "12:00",
        "kind": "maintenance",
        "reason": "年度保养",
    }
    looked = await browser.post(path, {**closing, "step": "look"})
    backwards = await browser.post(path, {**closing, "until_day": "2025-03-04", "step": "save"})
    day = {"what": "day", "on": "2025-03-09", "hours": "10:00-12:00", "note": "开放日"}
    free = await browser.post(
        path, {**closing, "from_day": "2025-03-12", "until_day": "2025-03-13", "step": "save"}
    )
    opened = await browser.post(path, {**day, "step": "save"})
    undone = await browser.post(path, {"what": "undated", "on": "2025-03-09", "step": "save"})
    (reopen,) = [form.action for form in opened.forms if form.action.endswith("/reopen")]
    again = await (await enter(market.technician)).post(reopen, {})

    assert "会影响 1 个预约" in looked.text
    assert "结束应晚于开始" in backwards.text
    assert "年度保养" in free.text
    assert "开放日" in opened.text
    assert "开放日" not in undone.text
    assert "已恢复开放" in again.text
    assert 403 == (await (await enter(market.technician)).post(path, {})).status


async def test_a_rule_is_changed_as_far_as_the_province_lets_it(enter, database):
    market = await a_market(database)
    path = f"/provider/instruments/{market.instrument_id}/rules"
    browser = await enter(market.manager)
    shown = await browser.open(path)
    saved = await browser.send(shown, path, minimum_minutes="60", needs_approval="yes")
    far = await browser.send(shown, path, horizon_days="40000", _key="far")
    terms = await market.do(booking_terms, market.instrument_id, by=market.manager)

    assert "预约规则已更新" in saved.text
    assert (60, True) == (terms.minimum_minutes, terms.needs_approval)
    assert far.status in (409, 422)
    assert "40000" in far.source


async def test_prices_are_filed_compared_tried_and_answered_for(enter, database):
    market = await a_market(database)
    path = f"/provider/instruments/{market.instrument_id}"
    browser = await enter(market.manager)
    shown = await browser.open(f"{path}/prices", customer="sme", amount="3")
    prices = {f"{who}-hour": "300" for who in ("own_unit", "academic", "sme", "enterprise")}
    dear = await browser.post(f"{path}/price-lists", {**prices, "sme-hour": "9999"})
    filed = await browser.post(f"{path}/price-lists", prices)
    (newest, _) = await market.do(price_lists, market.instrument_id, by=market.manager)
    objection = await market.do(
        object_to_prices, ObjectToPrices(newest.id, "偏高"), by=market.buyer
    )
    answer = f"/provider/price-lists/{newest.id}/answer"
    said = {"objection": objection.id, "outcome": "refused", "answer": "按成本核定"}
    answered = await browser.post(answer, said)
    none = await browser.post(f"{path}/cost-sheets", {"year": "2025", "planned_hours": "1500"})
    costs = await browser.post(
        f"{path}/cost-sheets", {"year": "2025", "planned_hours": "1500", "cost-labour": "750000"}
    )
    withdrawn = await browser.post(f"/provider/price-lists/{newest.id}/withdraw", {})

    assert "¥1,200.00" in shown.text
    assert dear.status in (409, 422)
    assert "9999" in dear.source
    assert "价格已报送，进入公示" in filed.text
    assert "科技型中小企业 / 小时 ¥400.00 ¥300.00" in filed.text
    assert "已答复异议" in answered.text
    assert "请至少填写一项成本" in none.text
    assert "¥500.00/小时" in costs.text
    assert "价格已撤回" in withdrawn.text
    stranger = await enter(await an_actor(database, Role.PROVIDER_MANAGER))
    for address in (answer, f"/provider/price-lists/{newest.id}/withdraw", f"{path}/price-lists"):
        assert 404 == (await stranger.post(address, {})).status


async def test_a_whole_tariff_is_filed_and_what_a_customer_pays_is_worked_out(
    enter, database, clock
):
    market = await a_market(database)
    path = f"/provider/instruments/{market.instrument_id}"
    browser = await enter(market.manager)
    costs = {
        "year": "2025",
        "planned_hours": "1500",
        "cost-labour": "750000",
        "item-0-code": "operator",
        "item-0-kind": "staff_help",
        "item-0-name": "操作员",
        "item-0-unit": "hour",
        "item-0-cost": "80",
    }
    badly = await browser.post(f"{path}/cost-sheets", {**costs, "item-0-code": "操作员"})
    await browser.post(f"{path}/cost-sheets", costs)
    tariff = {
        "enterprise-hour": "300",
        "enterprise-hour-least": "200",
        "enterprise-hour-tiers": "3:250，5:200",
        "enterprise-element": "30",
        "minutes-element": "6",
        "urgent": "50",
        "hours-0-name": "夜间",
        "hours-0-days": "workdays",
        "hours-0-from": "18:00",
        "hours-0-until": "00:00",
        "hours-0-factor": "60",
        "extra-operator": "80",
    }
    unread = await browser.post(
        f"{path}/price-lists",
        {**tariff, "enterprise-hour-tiers": "third", "hours-0-from": "dusk", "minutes-element": ""},
    )
    filed = await browser.post(f"{path}/price-lists", tariff)
    (newest, _) = await market.do(price_lists, market.instrument_id, by=market.manager)
    again = await browser.open(f"{path}/prices")
    clock.set(clock.now() + timedelta(days=21))
    asked = {"customer": "enterprise", "unit": "hour", "amount": "4", "on": "2025-03-26"}
    day = await browser.open(f"{path}/prices", **asked)
    night = await browser.open(
        f"{path}/prices", **{**asked, "at": "19:00", "urgent": "yes", "with-operator": "1"}
    )
    elements = await browser.open(f"{path}/prices", **{**asked, "unit": "element", "amount": "5"})

    assert "小写字母、数字和连字符" in badly.text
    for said in ("格式如 10:350, 20:300", "请填写时间", "请填写每个单位用时"):
        assert said in unread.text
    assert "dusk" in unread.source
    assert "价格已报送" in filed.text
    assert "周一 18:00–24:00 夜间" in filed.text
    assert 5 == len(newest.hours)
    again_form = again.form(f"{path}/price-lists").fields
    assert {name: again_form[name] for name in ("hours-0-days", "enterprise-hour-tiers")} == {
        "hours-0-days": "workdays",
        "enterprise-hour-tiers": "3:250.00, 5:200.00",
    }
    assert "¥1,100.00" in day.text
    assert "¥1,070.00" in night.text
    assert "¥150.00" in elements.text


async def test_many_prices_are_tried_and_filed_from_one_file(enter, database):
    market = await a_market(database)
    browser = await enter(market.manager)
    nothing = await browser.post("/provider/prices/upload", {"kind": "prices"})
    file = ("价格.csv", "单位内部编号,用户类别\nno-such,企业\n".encode(), "text/csv")
    wrong = await browser.post("/provider/prices/upload", {"kind": "prices"}, file=file)

    assert 400 == nothing.status
    assert wrong.status in (200, 400, 422)


async def test_the_list_shows_what_is_ones_own_and_exports_it(enter, database):
    market = await a_market(database)
    browser = await enter(market.technician)
    shown = await browser.open("/provider/instruments", text="扫描", lang="en")
    file = await browser.http.get("/provider/instruments/file", params={"status": "withdrawn"})
    details = await browser.open(f"/provider/instruments/{market.instrument_id}")
    stranger = await enter(await an_actor(database, Role.TECHNICIAN))

    assert "CN¥400.00" in shown.text
    assert 1 == len(file.text.splitlines())
    assert "基本信息" in details.text
    for tab in ("", "/prices", "/availability", "/rules"):
        path = f"/provider/instruments/{market.instrument_id}{tab}"
        assert 404 == (await stranger.open(path)).status
