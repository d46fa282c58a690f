"""The whole way of one booking in Chromium, as the people on it go it: from the search of a
company to the yuan on the bank's statement, and from there back to the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import FilePayload, Page, expect

from marketplace.billing.payouts.queries import PayoutSearch, payouts
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.browser.conftest import Open
from tests.browser.gestures import drag_over_hours
from tests.builders.booking import at_hours
from tests.builders.orders import Market, a_market
from tests.builders.parties import an_actor
from tests.builders.payouts import Centre, a_bank_account, a_finance_team
from tests.builders.reconciliation import BANK_ACCOUNT, BankLine, a_file
from tests.builders.vouchers import a_voucher_fund, an_invoice_number

pytestmark = pytest.mark.timeout(300)
KINDS = ("contract", "invoice", "payment-proof", "result", "usage-log")
PDF = "application/pdf"


async def test_a_booking_goes_from_the_search_to_the_banks_statement_and_back(
    open_as, database, clock
):
    market = await a_market(database, notice_minutes=0, needs_approval=True)
    await a_voucher_fund(database)
    await a_bank_account(database, owner=market.manager)
    centre = await a_finance_team(database)
    buyer = await open_as(market.buyer)
    manager = await open_as(market.manager)

    order = await _finds_and_orders(buyer, market)
    await _accepts_by_keyboard(manager)
    await _serves_and_delivers(manager, order, clock)
    await _accepts_and_settles(buyer, order)
    claim = await _claims(manager)
    await _audits(await open_as(market.officer), claim)
    clock.set(clock.now() + timedelta(days=30))
    await _pays(open_as, centre, claim)
    await _matches(await open_as(centre.maker), market, clock)
    await _looks_it_up(await open_as(await an_actor(database, Role.AUDITOR)), order)


async def _finds_and_orders(page: Page, market: Market) -> str:
    """Search, drag over free time, see the price after the voucher, sign; the order's address."""
    await page.goto("/")
    await page.get_by_role("searchbox").fill("扫描电子")
    await page.get_by_role("button", name="搜索").click()
    # Its own price: half of it is the voucher's.
    await expect(page.locator("#main")).to_contain_text("¥200.00")
    await page.get_by_role("link", name="场发射扫描电子显微镜").first.click()
    await page.wait_for_selector("[data-ready] .ec-bg-event.ec-free")
    await drag_over_hours(page, day=2, begins=9, ends=11)
    await expect(page.locator("#price")).to_contain_text("2025年3月5日 09:00–11:00")
    await expect(page.locator("#price")).to_contain_text("−¥400.00")
    await page.get_by_role("button", name="生成报价").click()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="签署并下单").click()
    await expect(page.locator("#flash")).to_contain_text("订单已提交")
    assert f"/instruments/{market.instrument_id}" not in page.url
    return page.url


async def _accepts_by_keyboard(page: Page) -> None:
    await page.goto("/provider/requests")
    await page.wait_for_selector("[data-island=inbox][data-ready]")
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.locator("#flash")).to_be_visible()
    await expect(page.locator("#main")).to_contain_text("没有待答复的申请")


async def _serves_and_delivers(page: Page, order: str, clock: SetClock) -> None:
    clock.set(at_hours(2, 9, 11).starts_at)
    await page.goto("/provider/usage")
    await page.get_by_role("button", name="开始上机").click()
    clock.set(at_hours(2, 9, 11).ends_at)
    await page.get_by_role("button", name="结束上机").click()
    await page.get_by_role("button", name="结束", exact=True).click()
    await page.goto(order)
    await page.get_by_label("结果文件").set_input_files(_paper("报告.pdf"))
    await page.get_by_role("button", name="上传结果").click()
    await page.get_by_role("button", name="交付结果").click()
    await expect(page.locator("#main")).to_contain_text("待验收")


async def _accepts_and_settles(page: Page, order: str) -> None:
    await page.goto(order)
    await page.get_by_role("button", name="验收并结算").click()
    await expect(page.locator("#main")).to_contain_text("结算 ¥800.00（创新券 ¥400.00")


async def _claims(page: Page) -> str:
    """Gather, attach every paper, submit; the number of the claim."""
    await page.goto("/claims")
    await page.get_by_role("button", name="汇总成新申请").click()
    await expect(page.locator("h1")).to_contain_text("兑付申请")
    for kind in KINDS:
        await page.locator(f"input[name={kind}]").set_input_files(_paper(f"{kind}.pdf"))
    await page.get_by_label("发票号码").fill(an_invoice_number())
    await page.get_by_role("button", name="附上所选文件").click()
    await expect(page.locator("#main")).to_contain_text("齐全")
    await page.get_by_role("button", name="提交申请").click()
    await expect(page.locator("#flash")).to_contain_text("已提交")
    return page.url.rpartition("/")[2]


async def _audits(page: Page, claim: str) -> None:
    await page.goto(f"/finance/vouchers/{claim}")
    await page.get_by_role("button", name="开始审核并抽查").click()
    await page.get_by_role("button", name="抽查…").click()
    await page.get_by_role("radio", name="通过", exact=True).check()
    await page.get_by_role("textbox", name="查到了什么").fill("合同、发票与机时一致")
    await page.get_by_role("button", name="记录结果").click()
    await page.get_by_role("button", name="开始公示…").click()
    await page.get_by_role("button", name="开始公示", exact=True).click()
    await expect(page.locator("#flash")).to_contain_text("公示")


async def _pays(open_as: Open, centre: Centre, claim: str) -> None:
    """One approves the claim, another drafts the batch, the first approves, the other sends."""
    checker, maker = await open_as(centre.checker), await open_as(centre.maker)
    await checker.goto(f"/finance/vouchers/{claim}")
    await checker.get_by_role("button", name="核准并付款…").click()
    await checker.get_by_role("button", name="核准", exact=True).click()
    await expect(checker.locator("#flash")).to_contain_text("付款已指令")
    await maker.goto("/finance/batches")
    await maker.get_by_role("button", name="编制批次").click()
    await expect(maker.locator("#flash")).to_contain_text("批次已生成")
    await checker.goto(maker.url)
    await checker.get_by_role("button", name="复核通过…").click()
    await checker.get_by_role("button", name="复核通过", exact=True).click()
    await expect(checker.locator("#flash")).to_contain_text("批次已复核")
    await maker.reload()
    await maker.get_by_role("button", name="已送银行…").click()
    await maker.get_by_role("button", name="已送银行", exact=True).click()
    await expect(maker.locator("#flash")).to_contain_text("已记录送交银行")


async def _matches(page: Page, market: Market, clock: SetClock) -> None:
    """The bank's file is looked at, imported, and its line accepted with the Enter key."""
    (payout,), _ = await market.do(payouts, PayoutSearch())
    line = BankLine(
        -payout.amount_fen,
        booked_on=clock.now().date(),
        name="示例大学",
        remark="创新券兑付",
        reference="B1",
    )
    content = a_file([line], opening_fen=10**9)
    await page.goto("/finance/imports")
    await page.get_by_label("我方账号").fill(BANK_ACCOUNT)
    await page.locator("#field-file").set_input_files(
        FilePayload(name="四月.csv", mimeType="text/csv", buffer=content)
    )
    await page.get_by_role("button", name="预览").click()
    await page.get_by_role("button", name="导入 1 条新流水").click()
    await expect(page.locator("h1")).to_contain_text("对账单")
    await page.goto("/finance/reconciliation")
    await page.wait_for_selector("[data-island=reconcile][data-ready]")
    # The first line is the bank's opening balance; the next is the payout.
    await page.keyboard.press("j")
    await expect(page.locator("#line-panel")).to_contain_text(payout.end_to_end_id)
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_contain_text("已匹配")


async def _looks_it_up(page: Page, order: str) -> None:
    """From the line of the bank to the payout, the claim, and the order that it paid."""
    await page.goto("/finance/reconciliation?status=all")
    await page.get_by_role("link", name="示例大学").click()
    await page.locator("#line-panel a[href^='/finance/payouts/']").click()
    await expect(page.locator("h1")).to_contain_text("付款")
    await expect(page.locator("#main")).to_contain_text("已到账")
    await page.locator("#main a[href^='/orders/']").click()
    await expect(page).to_have_url(order)
    await expect(page.locator("#main")).to_contain_text("¥400.00")


def _paper(name: str) -> FilePayload:
    return FilePayload(name=name, mimeType=PDF, buffer=f"%PDF-1.7 {name}".encode())
