"""The books on pages: from any figure to its entry, and from the entry to what it came from."""

from __future__ import annotations

import pytest

from marketplace.billing.ledger.queries import AccountType
from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.parties.roles import Role
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.orders import a_delivered_order, a_market
from tests.builders.parties import an_actor
from tests.builders.payouts import a_finance_team, money_owed

pytestmark = pytest.mark.timeout(180)


async def test_every_figure_leads_to_its_entries_and_to_what_they_came_from(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    browser = await enter(await an_actor(database, Role.FINANCE_MAKER))
    browser.http.cookies.set("lang", "en", domain="platform.test")

    trial = await browser.open("/finance/trial-balance")
    accounts = await browser.open(trial.links["Payable"])
    account = await browser.open(accounts.links["Payable"])
    entry = await browser.open(
        next(path for path in account.links.values() if "/finance/ledger/" in path)
    )

    assert "In balance" in trial.text
    assert "Out by" not in trial.text
    assert "Order settled, own part" in account.text
    assert f"/orders/{order.id}" == entry.links[f"Order {order.id}"]
    assert 200 == (await browser.open(entry.links[f"Order {order.id}"])).status


async def test_the_journal_is_filtered_and_exported_as_it_is_shown(enter, database):
    provider_id = (await an_actor(database, Role.PROVIDER_MANAGER)).organisation_id
    await money_owed(database, provider_id=provider_id, amount_fen=1234_56)
    bank = await an_account(database, AccountType.BANK)
    fund = await an_account(database, AccountType.VOUCHER_FUND)
    await a_posted_entry(
        database, debit=bank, credit=fund, amount_fen=9_00, kind="voucher_fund_received"
    )
    browser = await enter(await an_actor(database, Role.AUDITOR))

    every = await browser.open("/finance/ledger", lang="en")
    some = await browser.open("/finance/ledger", lang="en", kind="voucher_fund_received")
    file = await browser.http.get(some.links["CSV"])
    wrong = await browser.open("/finance/ledger", **{"from": "yesterday"})
    none = await browser.open("/finance/ledger", until="2020-01-01")

    assert "1,234.56" in every.text
    assert "1,234.56" not in some.text
    assert 3 == len(file.text.splitlines())
    assert 200 == (await browser.http.get(every.links["Excel"])).status_code
    assert 400 == wrong.status
    assert "请填写日期" in wrong.text
    assert "没有符合条件的分录" in none.text


async def test_an_entry_is_corrected_by_its_negation_and_only_by_another_person(enter, database):
    centre = await a_finance_team(database)
    provider_id = (await an_actor(database, Role.PROVIDER_MANAGER)).organisation_id
    bank = await an_account(database, AccountType.BANK)
    payable = await an_account(database, AccountType.PAYABLE, provider_id)
    own = await a_posted_entry(
        database, debit=bank, credit=payable, made_by=centre.checker.person_id
    )
    others = await a_posted_entry(database, debit=bank, credit=payable)
    browser = await enter(centre.checker)
    fields = {"_key": "a", "reason": "记错供应商"}

    refused = await browser.post(f"/finance/ledger/{own}/reverse", fields)
    unsaid = await browser.post(f"/finance/ledger/{others}/reverse", {"_key": "b"})
    shown = await browser.open(f"/finance/ledger/{others}")
    done = await browser.send(shown, f"/finance/ledger/{others}/reverse", reason="记错供应商")
    again = await browser.post(f"/finance/ledger/{others}/reverse", {"reason": "再来", "_key": "c"})
    maker = await (await enter(centre.maker)).post(f"/finance/ledger/{others}/reverse", fields)

    assert 422 == refused.status or 409 == refused.status
    assert "记错供应商" in refused.source
    assert 400 == unsaid.status
    assert "已冲正" in done.text
    assert "冲正" in done.text
    assert again.status in (409, 422)
    assert 403 == maker.status
    assert 404 == (await browser.open("/finance/ledger/999999")).status


async def test_accounts_are_exported_with_their_owners(enter, database):
    provider_id = (await an_actor(database, Role.PROVIDER_MANAGER)).organisation_id
    payable = await money_owed(database, provider_id=provider_id, amount_fen=500)
    browser = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    shown = await browser.open("/finance/accounts", lang="en", type="payable")
    file = await browser.http.get(shown.links["CSV"])
    one = await browser.open(f"/finance/accounts/{payable}")
    rows = await browser.http.get(one.links["CSV"])
    regulator = await enter(await an_actor(database, Role.REGULATOR))

    assert 2 == len(file.text.splitlines())
    assert 2 == len(rows.text.splitlines())
    assert 200 == (await regulator.open("/finance/trial-balance")).status
    assert 403 == (await regulator.open("/finance/accounts")).status
    assert 200 == (await browser.http.get("/finance/trial-balance/file")).status_code
