"""Booking as people do it: by drag, by form on a phone, without scripts, in English."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.axe import faults
from tests.browser.conftest import PHONE
from tests.browser.gestures import drag_onto, drag_over_hours
from tests.builders.booking import at_hours
from tests.builders.orders import a_market, an_order

pytestmark = pytest.mark.timeout(180)


async def test_a_buyer_drags_over_free_time_and_orders_it(open_as, database):
    market = await a_market(database, notice_minutes=0)
    page = await open_as(market.buyer)
    await page.goto(f"/instruments/{market.instrument_id}")
    await page.wait_for_selector("[data-ready] .ec-bg-event.ec-free")
    await page.get_by_role("button", name="下一页").click()
    await page.wait_for_selector(".ec-bg-event.ec-free")
    await drag_over_hours(page, day=3, begins=10, ends=12)
    await expect(page.locator("#price")).to_contain_text("2025年3月13日 10:00–12:00")
    await expect(page.locator("#price")).to_contain_text("自付")
    await page.get_by_role("button", name="生成报价").click()
    await expect(page.locator("h1")).to_contain_text("报价")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="签署并下单").click()
    await expect(page.locator("#flash")).to_contain_text("订单已提交")


async def test_a_buyer_drags_its_own_booking_and_sees_the_difference_before_it_moves(
    open_as, database
):
    market = await a_market(database, notice_minutes=0)
    order = await an_order(market, during=at_hours(2, 9, 11))
    page = await open_as(market.buyer)
    await page.goto(f"/instruments/{market.instrument_id}")
    own = page.locator(".ec-event.ec-order")
    await own.wait_for()
    box = await page.locator(".ec-body .ec-day").first.bounding_box()
    assert box is not None
    await drag_onto(page, own, right=0, down=4 * box["height"] / (24 - 6))
    await page.wait_for_url(f"**/orders/{order.id}/time?*")

    assert "day=2025-03-05" in page.url
    assert "start=13%3A00" in page.url
    assert "minutes=120" in page.url
    await expect(page.locator("main")).to_contain_text("13:00–15:00")
    await expect(page.locator("main")).to_contain_text("差")


async def test_the_form_books_on_a_phone_in_english(open_as, database):
    market = await a_market(database, notice_minutes=0)
    page = await open_as(market.buyer, language="en", size=PHONE)
    await page.goto(f"/instruments/{market.instrument_id}")
    await page.get_by_role("textbox", name="Day").fill("2025-03-12")
    await page.get_by_label("Start", exact=True).fill("10:00")
    await page.get_by_role("button", name="Show the price").click()
    await expect(page.locator("#price")).to_contain_text("You pay")
    wide = await page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )

    assert not wide


async def test_search_and_booking_need_no_scripts(open_as, database):
    market = await a_market(database, notice_minutes=0)
    page = await open_as(market.buyer, scripts=False)
    await page.goto("/")
    await page.get_by_role("searchbox").fill("电子")
    await page.get_by_role("button", name="搜索").click()
    await page.get_by_role("link", name="场发射扫描电子显微镜").first.click()
    await page.get_by_label("日期").fill("2025-03-12")
    await page.get_by_label("开始", exact=True).fill("10:00")
    await page.get_by_label("小时").fill("2")
    await page.get_by_role("button", name="看价格").click()
    await page.get_by_role("button", name="生成报价").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="签署并下单").click()
    await expect(page.locator("#flash")).to_contain_text("订单已提交")


async def test_the_language_changes_where_one_is(open_as, database):
    page = await open_as()
    await page.goto("/instruments?text=XRD")
    await page.get_by_role("button", name="English").click()

    assert page.url.endswith("/instruments?text=XRD")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_the_calendar_shows_beijing_time_wherever_the_browser_is(open_as, database):
    market = await a_market(database)
    page = await open_as(market.buyer)
    await page.goto(f"/instruments/{market.instrument_id}")
    await page.wait_for_selector("[data-ready] .ec-bg-event")
    heading = await page.locator(".ec-col-head.ec-today").first.text_content()

    # Nine in the morning there is eight in the evening of the day before in New York.
    assert "3/3" in (heading or "")
    assert await faults(page) == []
