"""A closed period is opened again by two persons, with a reason; and balances of any day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from marketplace.billing.ledger.errors import (
    AccountMissing,
    PeriodClosed,
    PeriodMissing,
    PeriodNotClosed,
    ReopeningDecided,
    ReopeningMissing,
    ReopeningProposed,
    ReopenLatestFirst,
    SelfApproval,
)
from marketplace.billing.ledger.queries import (
    BalanceAsked,
    DatedBy,
    balance_as_of,
    periods,
    reopenings,
    year_of,
)
from marketplace.billing.ledger.use_cases import (
    AccountType,
    ApproveReopening,
    ClosePeriod,
    LedgerName,
    ProposePeriod,
    ProposeReopening,
    approve_reopening,
    close_period,
    propose_period,
    propose_reopening,
)
from tests.builders.ledger import a_posted_entry, a_wallet, an_account, do
from tests.builders.payouts import a_finance_team

IN_JANUARY = date(2025, 1, 20)
IN_FEBRUARY = date(2025, 2, 14)


@pytest_asyncio.fixture
async def centre(database):
    return await a_finance_team(database)


async def closed_month(database, centre, first_on: date, last_on: date) -> int:
    proposed = ProposePeriod(LedgerName.CASH, first_on, last_on)
    period_id = await do(database, propose_period, proposed, actor=centre.maker)
    await do(database, close_period, ClosePeriod(period_id), actor=centre.checker)
    return period_id


async def test_a_period_is_opened_again_by_another_person_and_keeps_what_its_closing_said(
    database, centre
):
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    early: dict[str, Any] = {"debit": bank, "credit": wallet, "effective_on": IN_FEBRUARY}
    await a_posted_entry(database, **early, amount_fen=500)
    period_id = await closed_month(database, centre, date(2025, 2, 1), date(2025, 2, 28))

    asked = ProposeReopening(period_id, "A receipt was booked to the wrong wallet")
    proposed = await do(database, propose_reopening, asked, actor=centre.maker)
    with pytest.raises(PeriodClosed):
        await a_posted_entry(database, **early)
    with pytest.raises(ReopeningProposed):
        await do(database, propose_reopening, asked, actor=centre.checker)
    approval = ApproveReopening(proposed.id)
    with pytest.raises(SelfApproval):
        await do(database, approve_reopening, approval, actor=centre.maker)
    await do(database, approve_reopening, approval, actor=centre.checker)
    with pytest.raises(ReopeningDecided):
        await do(database, approve_reopening, approval, actor=centre.checker)
    with pytest.raises(PeriodNotClosed):
        await do(database, propose_reopening, asked, actor=centre.maker)

    await a_posted_entry(database, **early, amount_fen=7)
    [kept] = await do(database, reopenings, period_id)
    assert {line["type"]: line["balance_fen"] for line in kept.trial_balance} == {
        "bank": 500,
        "wallet": -500,
    }
    await do(database, close_period, ClosePeriod(period_id), actor=centre.checker)
    [again] = await do(database, periods, LedgerName.CASH)
    assert again.trial_balance is not None
    assert again.trial_balance[0]["balance_fen"] == 507


async def test_periods_are_opened_from_the_latest_back(database, centre):
    january = await closed_month(database, centre, date(2025, 1, 1), date(2025, 1, 31))
    proposed = await do(
        database, propose_reopening, ProposeReopening(january, "why"), actor=centre.maker
    )
    await closed_month(database, centre, date(2025, 2, 1), date(2025, 2, 28))

    with pytest.raises(ReopenLatestFirst):
        await do(database, approve_reopening, ApproveReopening(proposed.id), actor=centre.checker)
    with pytest.raises(ReopenLatestFirst):
        await do(database, propose_reopening, ProposeReopening(january, "x"), actor=centre.maker)
    with pytest.raises(ReopeningMissing):
        await do(database, approve_reopening, ApproveReopening(999), actor=centre.checker)
    with pytest.raises(PeriodMissing):
        await do(database, propose_reopening, ProposeReopening(999, "x"), actor=centre.maker)


async def test_a_balance_of_a_day_counts_when_it_was_so_or_when_the_books_were_told(database):
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    for day, amount_fen in ((IN_JANUARY, 100), (IN_FEBRUARY, 30)):
        await a_posted_entry(
            database, debit=bank, credit=wallet, amount_fen=amount_fen, effective_on=day
        )

    async def on(day: date, by: DatedBy) -> int:
        return (await do(database, balance_as_of, BalanceAsked(wallet, day, by))).balance_fen

    assert await on(date(2025, 1, 31), DatedBy.EFFECTIVE) == 100
    assert await on(IN_FEBRUARY, DatedBy.EFFECTIVE) == 130
    # Both were posted on 3 March.
    assert await on(date(2025, 3, 2), DatedBy.POSTED) == 0
    assert await on(date(2025, 3, 3), DatedBy.POSTED) == 130
    with pytest.raises(AccountMissing):
        await do(database, balance_as_of, BalanceAsked(999_999, IN_JANUARY))


async def test_a_year_opens_with_what_the_one_before_closed_with(database):
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    for day, amount_fen in ((date(2024, 12, 31), 100), (date(2025, 1, 1), 30)):
        await a_posted_entry(
            database, debit=bank, credit=wallet, amount_fen=amount_fen, effective_on=day
        )

    before = await do(database, year_of, 2024)
    after = await do(database, year_of, 2025)

    assert {line.type: line.closing_fen for line in before} == {"bank": 100, "wallet": -100}
    assert {line.type: line.opening_fen for line in after} == {"bank": 100, "wallet": -100}
    assert [(line.debit_fen, line.credit_fen, line.closing_fen) for line in after] == [
        (30, 0, 130),
        (0, 30, -130),
    ]
