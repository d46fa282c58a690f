"""A provider's day in Chromium: the timeline, the inbox and the week that is painted."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.async_api import Locator, Page, expect

from marketplace.booking.queries import Purpose, visible_reservation
from tests.browser.gestures import drag_onto
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours
from tests.builders.orders import a_market, an_order

pytestmark = pytest.mark.timeout(180)


async def _onto_the_other_row(page: Page, held: Locator) -> None:
    """Drag something from its row of the timeline to the other one."""
    box = await held.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    rows = [await each.bounding_box() for each in await page.locator(".ec-row-head").all()]
    centres = [each["y"] + each["height"] / 2 for each in rows if each is not None]
    assert len(centres) == 2
    other = max(centres, key=lambda each: abs(each - middle))
    await drag_onto(page, held, right=0, down=other - middle)


async def test_own_time_is_dragged_to_another_instrument_and_moves_once_confirmed(
    open_as, database
):
    market = await a_market(database, notice_minutes=0)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    placed = await a_reservation(
        database,
        instrument_id=market.instrument_id,
        during=at_hours(1, 9, 11),
        actor=market.technician,
        purpose=Purpose.TEACHING,
    )
    page = await open_as(market.technician)
    await page.goto("/provider/schedule?day=2025-03-04")
    held = page.locator(".ec-event.ec-own").first
    await held.wait_for()
    await _onto_the_other_row(page, held)
    await expect(page.locator("#move-dialog")).to_be_visible()
    await expect(page.locator("#move")).to_contain_text("可以调整")
    await page.locator("#move").get_by_role("button", name="调整").click()
    await expect(page.locator("#flash")).to_contain_text("已调整")
    plan = await (await page.request.get("/provider/schedule/times?day=2025-03-04")).json()

    assert [([str(there)], placed.starts_at)] == [
        (each["resourceIds"], datetime.fromisoformat(each["start"])) for each in plan["events"]
    ]


async def test_a_drop_onto_taken_time_says_why_and_nothing_moves(open_as, database):
    market = await a_market(database, notice_minutes=0)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    for instrument_id, purpose in (
        (market.instrument_id, Purpose.TEACHING),
        (there, Purpose.MAINTENANCE),
    ):
        placed = await a_reservation(
            database,
            instrument_id=instrument_id,
            during=at_hours(1, 9, 11),
            actor=market.technician,
            purpose=purpose,
        )
    page = await open_as(market.technician)
    await page.goto("/provider/schedule?day=2025-03-04")
    held = page.locator(".ec-event.ec-own").first
    await held.wait_for()
    await _onto_the_other_row(page, held)
    await expect(page.locator("#move")).to_contain_text("可改为")
    await page.keyboard.press("Escape")
    await expect(page.locator("#move-dialog")).to_be_hidden()
    stayed = await market.do(visible_reservation, placed.id, by=market.technician)

    assert placed.revision == stayed.revision


async def test_several_requests_are_answered_by_keyboard(open_as, database):
    market = await a_market(database, notice_minutes=0, needs_approval=True)
    for day in (1, 2, 3):
        await an_order(market, during=at_hours(day, 9, 11))
    page = await open_as(market.manager)
    await page.goto("/provider/requests")
    await page.wait_for_selector("[data-island=inbox][data-ready]")
    for key in ("j", "x", "j", "x", "a"):
        await page.keyboard.press(key)
    await expect(page.locator("[data-row]")).to_have_count(1)
    await page.wait_for_selector("[data-island=inbox][data-ready]")
    await page.keyboard.press("j")
    await page.keyboard.press("d")
    await page.keyboard.type("设备检修")
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_contain_text("没有待答复的申请")


async def test_a_painted_week_tells_whom_it_hits_before_it_holds(open_as, database):
    market = await a_market(database, notice_minutes=0)
    ordered = await an_order(market, during=at_hours(2, 9, 11))
    page = await open_as(market.manager)
    await page.goto(f"/provider/instruments/{market.instrument_id}/availability")
    row = page.locator(".painter-row").nth(2)
    await row.wait_for()
    first = await row.locator(".painter-slot").nth(16).bounding_box()
    last = await row.locator(".painter-slot").nth(23).bounding_box()
    assert first is not None
    assert last is not None
    before = await page.locator("[data-hours]").nth(2).input_value()
    await page.mouse.move(first["x"] + 3, first["y"] + 3)
    await page.mouse.down()
    await page.mouse.move(last["x"] + 3, last["y"] + 3, steps=12)
    await page.mouse.up()
    await expect(page.locator("[data-hours]").nth(2)).not_to_have_value(before)
    await page.get_by_role("button", name="看会影响哪些预约").first.click()
    await expect(page.locator("#main")).to_contain_text(f"订单 {ordered.id}")
