"""Closing a period: by two persons, for good, with what the books said."""

from __future__ import annotations

from datetime import date

import pytest
import pytest_asyncio

from marketplace.billing.ledger.errors import (
    PeriodClosed,
    PeriodMissing,
    PeriodNotOver,
    PeriodOverlaps,
    SelfApproval,
)
from marketplace.billing.ledger.queries import periods
from marketplace.billing.ledger.use_cases import (
    AccountType,
    ClosePeriod,
    LedgerName,
    ProposePeriod,
    close_period,
    post_many,
    propose_period,
)
from marketplace.kernel.actors import Actor
from tests.builders.ledger import a_posted_entry, a_wallet, an_account, an_entry, do
from tests.builders.parties import a_person

FEBRUARY = ProposePeriod(LedgerName.CASH, date(2025, 2, 1), date(2025, 2, 28))
IN_FEBRUARY = date(2025, 2, 14)


@pytest_asyncio.fixture
async def maker(database) -> Actor:
    return Actor(await a_person(database), 1, "centre")


@pytest_asyncio.fixture
async def checker(database) -> Actor:
    return Actor(await a_person(database), 1, "centre")


@pytest_asyncio.fixture
async def bank(database) -> int:
    return await an_account(database, AccountType.BANK)


async def test_a_period_is_closed_by_another_person_with_its_trial_balance(
    database, maker, checker, bank
):
    wallet = await a_wallet(database, funds_fen=0)
    await a_posted_entry(
        database, debit=bank, credit=wallet, amount_fen=500, effective_on=IN_FEBRUARY
    )
    await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=9)
    period_id = await do(database, propose_period, FEBRUARY, actor=maker)

    with pytest.raises(SelfApproval):
        await do(database, close_period, ClosePeriod(period_id), actor=maker)
    closed = await do(database, close_period, ClosePeriod(period_id), actor=checker)

    assert (closed.made_by, closed.approved_by) == (maker.person_id, checker.person_id)
    assert closed.trial_balance is not None
    assert {line["type"]: line["balance_fen"] for line in closed.trial_balance} == {
        "bank": 500,
        "wallet": -500,
    }
    assert [found.id for found in await do(database, periods, LedgerName.CASH)] == [period_id]


async def test_nothing_is_posted_to_the_days_of_a_closed_period(database, maker, checker, bank):
    wallet = await a_wallet(database, funds_fen=0)
    period_id = await do(database, propose_period, FEBRUARY, actor=maker)
    early = {"debit": bank, "credit": wallet, "effective_on": IN_FEBRUARY}
    await a_posted_entry(database, **early)
    await do(database, close_period, ClosePeriod(period_id), actor=checker)

    with pytest.raises(PeriodClosed):
        await a_posted_entry(database, **early)
    with pytest.raises(PeriodClosed):
        await do(database, post_many, [an_entry(**early, amount_fen=1)])
    with pytest.raises(PeriodClosed):
        await do(database, close_period, ClosePeriod(period_id), actor=checker)
    await a_posted_entry(database, debit=bank, credit=wallet)
    spent = await an_account(database, AccountType.PROGRAMME_SPENT, 1)
    appropriation = await an_account(database, AccountType.APPROPRIATION, 1)
    other_ledger = early | {"debit": appropriation, "credit": spent}
    await a_posted_entry(database, **other_ledger)


async def test_days_that_have_not_passed_are_not_closed(database, maker):
    for first_on, last_on in (
        (date(2025, 3, 1), date(2025, 3, 3)),
        (date(2025, 2, 2), date(2025, 2, 1)),
    ):
        command = ProposePeriod(LedgerName.CASH, first_on, last_on)
        with pytest.raises(PeriodNotOver):
            await do(database, propose_period, command, actor=maker)


async def test_a_day_is_in_one_period(database, maker):
    await do(database, propose_period, FEBRUARY, actor=maker)

    command = ProposePeriod(LedgerName.CASH, date(2025, 2, 28), date(2025, 3, 1))
    with pytest.raises(PeriodOverlaps):
        await do(database, propose_period, command, actor=maker)
    with pytest.raises(PeriodMissing):
        await do(database, close_period, ClosePeriod(999), actor=maker)
