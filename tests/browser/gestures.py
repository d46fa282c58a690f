"""What hands do in a browser that no click does: drags over calendars and timelines."""

from __future__ import annotations

from playwright.async_api import Locator, Page

# The calendar of an instrument shows from six to midnight.
FIRST_HOUR, LAST_HOUR = 6, 24


async def drag_over_hours(page: Page, *, day: int, begins: float, ends: float) -> None:
    """Draw over the hours of a day of the week that is shown; Monday is 0."""
    column = await page.locator(".ec-body .ec-day").nth(day).bounding_box()
    assert column is not None
    hour = column["height"] / (LAST_HOUR - FIRST_HOUR)
    x, top = column["x"] + column["width"] / 2, column["y"] - FIRST_HOUR * hour
    await page.mouse.move(x, top + (begins + 0.1) * hour)
    await page.mouse.down()
    await page.mouse.move(x, top + (begins + 0.3) * hour)
    await page.mouse.move(x, top + (ends - 0.1) * hour, steps=8)
    await page.mouse.up()


async def drag_onto(page: Page, held: Locator, *, right: float, down: float) -> None:
    """Take something and let it go so many pixels to the right and below."""
    await held.scroll_into_view_if_needed()
    box = await held.bounding_box()
    assert box is not None
    x, y = box["x"] + min(12, box["width"] / 2), box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + right / 4, y + down / 4, steps=3)
    await page.mouse.move(x + right, y + down, steps=10)
    await page.mouse.up()
