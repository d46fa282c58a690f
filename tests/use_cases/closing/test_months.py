"""A month is found ready, signed by another person, and its books are closed in every ledger."""

from __future__ import annotations

from datetime import date

import pytest
import pytest_asyncio

from marketplace.billing.ledger.errors import PeriodClosed, PeriodNotOver
from marketplace.billing.ledger.queries import periods
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.closing.errors import (
    MonthClosed,
    MonthDrafted,
    MonthNotReady,
    OwnDraft,
    SignOffUnknown,
)
from marketplace.closing.queries.months import SignOffSearch, days_checklist, sign_offs
from marketplace.closing.rules.checklist import ItemName, ItemState
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.months import SignMonth, draft_month, sign_month
from tests.builders.closing import a_month, sealed_and_verified
from tests.builders.ledger import a_hold, a_posted_entry, an_account, do
from tests.builders.payouts import a_finance_team
from tests.builders.reconciliation import a_line

FEBRUARY = Month(2025, 2)


@pytest_asyncio.fixture
async def centre(database):
    return await a_finance_team(database)


async def test_a_month_is_signed_by_two_persons_and_closed_in_every_ledger(database, centre):
    await a_month(database)
    await sealed_and_verified(database)

    draft = await do(database, draft_month, FEBRUARY, actor=centre.maker)
    with pytest.raises(MonthDrafted):
        await do(database, draft_month, FEBRUARY, actor=centre.other_maker)
    with pytest.raises(OwnDraft):
        await do(database, sign_month, SignMonth(draft.id), actor=centre.maker)
    signed = await do(database, sign_month, SignMonth(draft.id), actor=centre.checker)

    assert (signed.made_by, signed.approved_by) == (
        centre.maker.person_id,
        centre.checker.person_id,
    )
    closed = await do(database, periods, None)
    assert {one.ledger for one in closed if one.closed_at} == {"cash", "voucher", "credit"}
    for refused in (
        do(database, sign_month, SignMonth(draft.id), actor=centre.checker),
        do(database, draft_month, FEBRUARY, actor=centre.maker),
    ):
        with pytest.raises(MonthClosed):
            await refused
    bank, income = [
        await an_account(database, type) for type in (AccountType.BANK, AccountType.FEE_INCOME)
    ]
    with pytest.raises(PeriodClosed):
        await a_posted_entry(database, debit=bank, credit=income, effective_on=date(2025, 2, 28))
    found, total = await do(database, sign_offs, SignOffSearch(year=2025))
    assert ([one.id for one in found], total) == ([draft.id], 1)
    assert (await do(database, sign_offs, SignOffSearch(year=2024)))[1] == 0


async def test_each_open_item_is_a_reason_and_leads_to_what_is_open(database, centre):
    await a_month(database, a_line(55, "who is this", booked_on=date(2025, 2, 12)))

    with pytest.raises(MonthNotReady) as refused:
        await do(database, draft_month, FEBRUARY, actor=centre.maker)

    assert {reason.rule for reason in refused.value.reasons} == {
        "unexplained",
        "suspense",
        "seals",
        "verified",
    }
    items = {item.name: item for item in await do(database, days_checklist, FEBRUARY)}
    unexplained = items[ItemName.UNEXPLAINED]
    assert (unexplained.figure, unexplained.amount_fen) == (1, 55)
    assert (unexplained.oldest_on, len(unexplained.ids)) == (date(2025, 2, 12), 1)
    assert items[ItemName.SEALS].figure == len(items[ItemName.SEALS].ids) > 0
    march = {item.name: item for item in await do(database, days_checklist, Month(2025, 3))}
    assert march[ItemName.EARLIER].names == ("cash",)
    assert march[ItemName.STATEMENTS].state is ItemState.OPEN


async def test_what_comes_up_after_the_draft_stops_the_signature(database, centre):
    await a_month(database)
    await sealed_and_verified(database)
    draft = await do(database, draft_month, FEBRUARY, actor=centre.maker)
    bank, income = [
        await an_account(database, type) for type in (AccountType.BANK, AccountType.FEE_INCOME)
    ]
    await a_posted_entry(database, debit=bank, credit=income, effective_on=date(2025, 2, 20))

    with pytest.raises(MonthNotReady) as refused:
        await do(database, sign_month, SignMonth(draft.id), actor=centre.checker)
    assert "bank" in {reason.rule for reason in refused.value.reasons}
    with pytest.raises(SignOffUnknown):
        await do(database, sign_month, SignMonth(999), actor=centre.checker)


async def test_a_month_that_is_not_over_is_not_closed_and_old_holds_are_shown(
    database, clock, centre
):
    sme = await a_month(database)
    wallet = await an_account(database, AccountType.WALLET, sme)
    await a_hold(database, account_id=wallet, amount_fen=200)
    await sealed_and_verified(database)

    items = {item.name: item for item in await do(database, days_checklist, Month(2025, 12))}
    aged = items[ItemName.HOLDS_AGED]
    assert (aged.state, aged.figure, aged.amount_fen) == (ItemState.ATTENTION, 1, 200)
    with pytest.raises((MonthNotReady, PeriodNotOver)):
        await do(database, draft_month, Month(2025, 12), actor=centre.maker)
