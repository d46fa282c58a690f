"""Files of the tax authority, red invoices, non-tax revenue, accounts, on settled orders."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import asyncpg
import pytest
import pytest_asyncio
from pypdf import PdfReader
from sqlalchemy import text

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import (
    InvoiceFileUsed,
    InvoiceMissing,
    InvoiceRefused,
    OrderInvoiced,
    RedAboveBlue,
    RevenueNotedAtOnce,
    YearNotOver,
)
from marketplace.billing.invoicing.papers import CreditShown, StatementFor, statement_paper
from marketplace.billing.invoicing.queries import AccountAsked, InvoiceSearch
from marketplace.billing.invoicing.use_cases import (
    NoteRevenue,
    TakeInvoiceBack,
    TrueUpYear,
    note_revenue,
    take_invoice_back,
    true_up_year,
)
from marketplace.billing.pricing.rules.states import CostKind
from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day, shanghai_instant
from marketplace.orders.use_cases import (
    AcceptOrder,
    IssueInvoiceFile,
    accept_order,
    issue_invoice_file,
)
from tests.builders.einvoice import an_invoice_file
from tests.builders.invoicing import an_invoice_number
from tests.builders.orders import Market, a_delivered_order, a_market
from tests.builders.owner import become_owner
from tests.builders.pricing import a_cost_sheet


@pytest_asyncio.fixture
async def market(database) -> Market:
    return await a_market(database)


async def a_settled_order(market: Market):
    delivered = await a_delivered_order(market)
    return await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)


async def test_a_file_is_held_against_the_order_recorded_and_kept(market):
    order = await a_settled_order(market)
    wrong = await an_invoice_file(market, order, buyer_name="别的公司")
    with pytest.raises(InvoiceRefused):
        await market.do(
            issue_invoice_file, IssueInvoiceFile(order.id, "a.xml", wrong), by=market.manager
        )
    content = await an_invoice_file(market, order)
    filing = IssueInvoiceFile(order.id, "发票.xml", content)

    recorded = await market.do(issue_invoice_file, filing, by=market.manager)

    assert (order.settled_fen, 1_00, True) == (
        recorded.amount_fen,
        recorded.tax_fen,
        recorded.has_file,
    )
    kept = await market.do(queries.invoice_file_of, recorded.id, by=market.buyer)
    assert (content, "发票.xml") == (kept.content, kept.name)
    with pytest.raises(OrderInvoiced):
        await market.do(issue_invoice_file, filing, by=market.manager)


async def test_a_red_invoice_frees_what_it_takes_back_and_no_more(market):
    order = await a_settled_order(market)
    content = await an_invoice_file(market, order)
    blue = await market.do(
        issue_invoice_file, IssueInvoiceFile(order.id, "a.xml", content), by=market.manager
    )
    today = blue.issued_on

    def red(amount_fen: int, **changes):
        asked = {
            "invoice_id": blue.id,
            "number": an_invoice_number(year=today.year),
            "amount_fen": amount_fen,
            "issued_on": today,
            "reason": "开票有误",
        }
        return TakeInvoiceBack(**(asked | changes))

    with pytest.raises(InvoiceRefused):
        await market.do(take_invoice_back, red(blue.amount_fen + 1), by=market.manager)
    early = red(1, issued_on=today - timedelta(days=1))
    with pytest.raises(InvoiceRefused):
        await market.do(take_invoice_back, early, by=market.manager)
    with pytest.raises(InvoiceMissing):
        await market.do(take_invoice_back, red(1), by=market.buyer)
    taken = await market.do(take_invoice_back, red(blue.amount_fen), by=market.manager)

    assert ("red", blue.id) == (taken.kind, taken.reverses)
    assert await market.do(queries.invoice_of, order.id) is None
    await _free_the_number(market, blue.number)
    with pytest.raises(InvoiceFileUsed):
        await market.do(
            issue_invoice_file, IssueInvoiceFile(order.id, "a.xml", content), by=market.manager
        )
    anew = await market.do(
        issue_invoice_file,
        IssueInvoiceFile(order.id, "b.xml", await an_invoice_file(market, order)),
        by=market.manager,
    )
    assert anew.left_fen == order.settled_fen
    found = await market.do(queries.invoices, InvoiceSearch(kind="red"), by=market.buyer)
    assert [taken.id] == [one.id for one in found.results]


async def _free_the_number(market: Market, number: str) -> None:
    """So that only the file itself can be recognised."""
    async with market.database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text("update invoice set number = :free where number = :number"),
            {"free": an_invoice_number(), "number": number},
        )


async def test_postgresql_keeps_invoices_within_the_charge_whoever_writes_them(market):
    order = await a_settled_order(market)
    raw = await asyncpg.connect(market.database.url.replace("postgresql+asyncpg", "postgresql"))
    insert = """insert into invoice (order_id, provider_id, buyer_id, kind, reverses, reason,
        number, amount_fen, issued_on, recorded_by, recorded_at)
        values ($1, $2, $3, $4, $5, 'x', $6, $7, current_date, 1, now()) returning id"""

    async def write(kind: str, amount_fen: int, reverses: int | None = None) -> int:
        return await raw.fetchval(
            insert,
            order.id,
            order.provider_id,
            order.buyer_id,
            kind,
            reverses,
            an_invoice_number(),
            amount_fen,
        )

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await write("blue", order.settled_fen + 1)
    assert OrderInvoiced.constraint == refusal.value.constraint_name
    blue = await write("blue", order.settled_fen)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await write("red", order.settled_fen + 1, blue)
    await raw.close()

    assert RedAboveBlue.constraint == refusal.value.constraint_name


async def test_invoices_say_how_the_provider_books_its_income(market):
    order = await a_settled_order(market)
    provider_id = market.manager.organisation_id
    noting = NoteRevenue(provider_id, date(2025, 1, 1), non_tax_revenue=True)
    await market.do(note_revenue, noting, by=market.manager)
    with pytest.raises(RevenueNotedAtOnce):
        await market.do(note_revenue, noting, by=market.manager)

    recorded = await market.do(
        issue_invoice_file,
        IssueInvoiceFile(order.id, "a.xml", await an_invoice_file(market, order)),
        by=market.manager,
    )

    assert recorded.non_tax_revenue


@pytest.mark.parametrize(("language", "title"), [("zh", "对账单"), ("en", "Statement of account")])
async def test_an_account_lists_what_was_bought_and_prints_in_both_languages(
    market, language, title
):
    order = await a_settled_order(market)
    today = shanghai_day(market.database.clock.now())
    asked = AccountAsked(today - timedelta(days=30), today)

    account = await market.do(queries.account_of, asked, by=market.buyer)
    paper = statement_paper(
        account,
        asked,
        StatementFor(
            market.buyer.organisation_id,
            {market.buyer.organisation_id: "南京材料公司"},
            market.database.clock.now(),
            language,
            [CreditShown(1, market.buyer.organisation_id, 9_876, 0, 5_432, 0, 4_444, today)],
        ),
    )

    assert (1, order.settled_fen) == (account.total, account.service_value_fen)
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages)
    assert title in words
    assert yuan(order.settled_fen) in words
    assert [amount for amount in ("98.76", "54.32", "44.44") if amount not in words] == []


async def test_a_year_is_settled_once_it_is_over_with_what_its_orders_brought(market, clock):
    order = await a_settled_order(market)
    settling = TrueUpYear(market.instrument_id, 2025)
    with pytest.raises(YearNotOver):
        await market.do(true_up_year, settling, by=market.manager)
    clock.set(shanghai_instant(date(2026, 1, 15), 600))
    await a_cost_sheet(
        market.database,
        instrument_id=market.instrument_id,
        actual=True,
        components=((CostKind.LABOUR, order.settled_fen - 5),),
    )

    found = await market.do(true_up_year, settling, by=market.manager)

    assert (order.settled_fen, 5) == (found.income_fen, found.surplus_fen)
