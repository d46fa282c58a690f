"""Pages on paper: Chromium prints what people hand on, without what can only be pressed."""

from __future__ import annotations

import io

import pytest
from playwright.async_api import Page
from pypdf import PdfReader

from marketplace.orders.use_cases import AcceptOrder, accept_order
from tests.builders.orders import a_delivered_order, a_market, a_sample_order

pytestmark = pytest.mark.timeout(180)
A4 = (595, 842)


async def printed(page: Page, address: str) -> tuple[str, PdfReader]:
    """The text of a page as the browser prints it, and the file."""
    await page.goto(address)
    await page.wait_for_load_state("networkidle")
    found = PdfReader(io.BytesIO(await page.pdf(prefer_css_page_size=True)))
    return "".join(each.extract_text() for each in found.pages).replace("\n", ""), found


async def test_orders_statements_and_instruments_are_printed_as_papers(open_as, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    # At night the screen is dark: paper is not.
    page = await open_as(market.buyer, theme="night")
    story, file = await printed(page, f"/orders/{order.id}")
    statement, _ = await printed(page, "/account?from=2025-03-01&until=2025-03-31")
    instrument, _ = await printed(page, f"/instruments/{market.instrument_id}")
    await page.emulate_media(media="print")
    ink = await page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )

    assert A4 == tuple(round(each) for each in file.pages[0].mediabox[2:])
    assert "¥800.00" in story
    assert "¥400.00" in statement
    assert "收费标准" in instrument
    for text in (story, statement, instrument):
        assert "退出登录" not in text
        assert "工作台" not in text
    assert ["rgb(255, 255, 255)", "rgb(0, 0, 0)"] == ink


async def test_the_sheet_that_travels_with_samples_comes_in_both_languages(open_as, database):
    market = await a_market(database)
    order = await a_sample_order(market, samples=3)
    page = await open_as(market.buyer)
    texts = {}
    for language in ("zh", "en"):
        answer = await page.request.get(f"/orders/{order.id}/sample-sheet.pdf?in={language}")
        sheet = PdfReader(io.BytesIO(await answer.body()))
        texts[language] = "".join(each.extract_text() for each in sheet.pages)
        assert A4 == tuple(round(each) for each in sheet.pages[0].mediabox[2:])
    statement = await page.request.get("/account/statement.pdf?from=2025-03-01&until=2025-03-31")
    months = PdfReader(io.BytesIO(await statement.body()))

    assert "送样" in texts["zh"]
    assert "ample" in texts["en"]
    assert months.pages[0].extract_text().strip()
