"""Reconciling by keyboard: moving, accepting, saying by hand, taking back; always in balance."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.reconciliation.rules.states import MatchKind
from tests.browser.axe import faults
from tests.browser.conftest import PHONE
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.payouts import a_finance_team, a_sent_payout
from tests.builders.reconciliation import BankLine, a_statement, explained, the_lines

pytestmark = pytest.mark.timeout(180)
DESK = "/finance/reconciliation"


async def balanced(page: Page) -> dict[str, Decimal]:
    """What the totals above the lines say; opening + in − out = closing = books must hold."""
    bar = page.locator("#balancing")
    await expect(bar).to_be_in_viewport()
    told = {
        name: Decimal(re.sub(r"[^0-9.\-]", "", amount.replace("−", "-")) or "0")
        for name, amount in await bar.locator("dl > div").evaluate_all(
            "all => all.map(each => [each.querySelector('dt').textContent.trim(),"
            " each.querySelector('dd').textContent.trim()])"
        )
    }
    assert told["期初"] + told["+ 收入"] - told["− 支出"] == told["= 期末"] == told["账面"]
    assert told["差额"] == 0
    return told


async def lines_of_the_bank(database, centre) -> list[int]:
    """Two payouts that were sent, a fee and a receipt nobody knows; the lines in their order."""
    payouts = [await a_sent_payout(database, centre=centre) for _ in range(2)]
    funds_fen = sum(each.amount_fen for each in payouts)
    await a_statement(
        database,
        BankLine(funds_fen, remark="财政拨款", reference="A0"),
        *(
            BankLine(-each.amount_fen, remark=f"结算 {each.end_to_end_id}", reference=f"B{place}")
            for place, each in enumerate(payouts)
        ),
        BankLine(9_900, remark="不明来款", reference="B2"),
        BankLine(-300, remark="网银汇款", reference="B3"),
    )
    funds, *lines = await the_lines(database)
    await explained(database, funds.id, MatchKind.VOUCHER_FUND)
    # What is paid came out of the fund that the bank received, and not out of the bank once more.
    fund, bank = [
        await an_account(database, type) for type in (AccountType.VOUCHER_FUND, AccountType.BANK)
    ]
    await a_posted_entry(database, debit=fund, credit=bank, amount_fen=funds_fen)
    return [each.id for each in lines]


async def test_lines_are_explained_without_touching_the_mouse(open_as, database):
    centre = await a_finance_team(database)
    first, second, unknown, fee = await lines_of_the_bank(database, centre)
    page = await open_as(centre.maker)
    await page.goto(DESK)
    await page.wait_for_selector("[data-island=reconcile][data-ready]")
    panel, row = page.locator("#line-panel"), "[data-row='{}']"
    before = await balanced(page)

    # j and k move between the lines, and the panel tells of the one that is looked at.
    await expect(page.locator(row.format(first))).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator(row.format(second))).to_be_focused()
    await expect(panel).to_contain_text(f"流水 {second}")
    await page.keyboard.press("k")
    await expect(page.locator(row.format(first))).to_be_focused()
    await expect(panel).to_contain_text(f"流水 {first}")
    await expect(panel).to_contain_text("85 分")
    await expect(panel).to_contain_text("摘要写明了这笔付款")
    assert await faults(page) == []

    # Enter accepts the suggestion; the next open line has the focus, and the equation holds.
    await page.keyboard.press("Enter")
    await expect(page.locator("#flash")).to_contain_text("已匹配")
    await expect(page.locator(row.format(second))).to_be_focused()
    await expect(page.locator(row.format(first))).to_have_count(0)
    after = await balanced(page)
    assert [each["待查明"] for each in (before, after)] == [4, 3]

    # u takes it back: the line is open again, and looked at.
    await page.keyboard.press("u")
    await expect(page.locator("#flash")).to_contain_text("重新待查明")
    await expect(page.locator(row.format(first))).to_be_focused()
    assert await balanced(page) == before

    # x says by hand what no rule knows.
    for _ in range(3):
        await page.keyboard.press("j")
    await expect(panel).to_contain_text(f"流水 {fee}")
    await page.keyboard.press("x")
    await expect(page.locator("#field-kind")).to_be_focused()
    await page.locator("#field-kind").select_option("charge")
    await page.locator("#field-reason").fill("银行汇款手续费")
    await page.keyboard.press("Enter")
    await expect(page.locator("#flash")).to_contain_text("已匹配")
    await expect(page.locator(row.format(first))).to_be_focused()
    assert (await balanced(page))["待查明"] == 3
    await expect(page.locator(row.format(unknown))).to_be_visible()


async def test_the_filters_stay_while_lines_are_explained(open_as, database):
    centre = await a_finance_team(database)
    first, second, *_ = await lines_of_the_bank(database, centre)
    page = await open_as(centre.maker)
    await page.goto(f"{DESK}?text=结算")
    await page.wait_for_selector("[data-island=reconcile][data-ready]")
    await expect(page.locator("[data-row]")).to_have_count(2)

    await page.keyboard.press("j")
    await expect(page.locator("#line-panel")).to_contain_text(f"流水 {second}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#flash")).to_contain_text("已匹配")
    await expect(page.locator("[data-row]")).to_have_count(1)
    await expect(page.locator(f"[data-row='{first}']")).to_be_focused()


async def test_a_line_is_explained_on_a_phone_at_night_without_scripts(open_as, database):
    centre = await a_finance_team(database)
    first, second, *_ = await lines_of_the_bank(database, centre)
    page = await open_as(centre.maker, language="en", theme="night", size=PHONE, scripts=False)
    await page.goto(DESK)
    await page.get_by_role("button", name="That is it").first.click()
    await expect(page.locator("#flash")).to_contain_text("Matched.")
    await expect(page.locator("#line-panel")).to_contain_text(f"Line {second}")
    await page.get_by_role("button", name="Undo").click()

    await expect(page.locator("#line-panel")).to_contain_text(f"Line {first}")
