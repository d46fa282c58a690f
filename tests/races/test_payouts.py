"""Money that is owed is paid once, whoever comes at the same moment."""

import asyncio

from sqlalchemy import text

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import balances
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts.errors import (
    BatchChanged,
    BatchNotReady,
    NothingToPay,
    PayoutNotReady,
)
from marketplace.billing.payouts.queries import PayoutSearch, payouts
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    CloseBankAccount,
    DraftBatch,
    InstructPayout,
    InstructSettlements,
    WithdrawPayout,
    approve_batch,
    close_bank_account,
    draft_batch,
    instruct_payout,
    instruct_settlements,
    send_batch,
    withdraw_payout,
)
from marketplace.kernel.db import atomically
from marketplace.parties.roles import Role
from tests.builders.ledger import TEST
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payee,
    a_payout,
    money_owed,
    the_books,
    the_payout,
)


async def at_once(*steps):
    return await asyncio.gather(*steps, return_exceptions=True)


async def test_two_makers_draft_at_once_and_each_payout_is_in_one_batch(database):
    centre = await a_finance_team(database)
    made = [await a_payout(database) for _ in range(6)]

    results = await at_once(
        *(
            atomically(database, draft_batch, DraftBatch(lines_max=4), actor=actor)
            for actor in (centre.maker, centre.other_maker) * 3
        )
    )
    drafted = [one for one in results if not isinstance(one, BaseException)]
    refused = [one for one in results if isinstance(one, BaseException)]
    batched = [await the_payout(database, one.id) for one in made]

    assert all(isinstance(one, NothingToPay) for one in refused)
    assert sum(one.lines for one in drafted) == len(
        [one for one in batched if one.batch_id is not None]
    )
    assert {one.id for one in drafted} >= {one.batch_id for one in batched} - {None}


async def test_settlement_runs_at_once_never_pay_more_than_is_owed(database):
    for fen in (100, 20_000, 3_000_000):
        await money_owed(database, provider_id=await a_payee(database), amount_fen=fen)

    results = await at_once(
        *(
            atomically(database, instruct_settlements, InstructSettlements(), actor=TEST)
            for _ in range(8)
        )
    )
    found, total = await atomically(database, payouts, PayoutSearch(), actor=TEST)

    assert [type(one) for one in results].count(NothingToPay) == 7
    assert total == 3
    assert sum(one.amount_fen for one in found) == 3_020_100
    assert await the_books(database) == {"bank": 3_020_100, "payout_in_transit": -3_020_100}


async def racing_instructions(database) -> int:
    """What is left to a provider that is owed 1,000 when ten instructions want 300 each."""
    provider_id = await a_payee(database)
    await money_owed(database, provider_id=provider_id, amount_fen=1_000)

    results = await at_once(
        *(
            atomically(
                database,
                instruct_payout,
                InstructPayout(provider_id, 300, "claim", source_id, AccountType.PAYABLE),
                actor=TEST,
            )
            for source_id in range(1, 11)
        )
    )
    assert all(
        isinstance(one, InsufficientFunds) for one in results if isinstance(one, BaseException)
    )
    (account,) = await atomically(database, balances, AccountType.PAYABLE, actor=TEST)
    return account.posted_fen


async def test_instructions_that_race_for_one_balance_stop_at_zero(database):
    assert 100 == await racing_instructions(database)


async def test_control_without_the_limit_instructions_pay_more_than_is_owed(database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table account drop constraint account_min_available"))

    assert await racing_instructions(database) < 0


async def test_an_account_closed_while_its_batch_is_sent_gets_no_money_afterwards(database):
    centre = await a_finance_team(database)
    for _ in range(6):
        owner = await an_actor(database, Role.PROVIDER_MANAGER)
        account = await a_bank_account(database, owner=owner)
        await a_payout(database, organisation_id=owner.organisation_id)
        drafted = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
        step = BatchStep(drafted.id)
        await atomically(database, approve_batch, step, actor=centre.checker)

        sent, closed = await at_once(
            atomically(database, send_batch, step, actor=centre.maker),
            atomically(database, close_bank_account, CloseBankAccount(account.id), actor=owner),
        )

        assert not isinstance(closed, BaseException)
        # Either it was sent while the account was open, or the closing was seen.
        assert isinstance(sent, BatchChanged) or sent.sent_at <= closed.closed_at


async def test_a_batch_is_sent_once_however_often_it_is_asked(database):
    centre = await a_finance_team(database)
    await a_payout(database)
    drafted = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    step = BatchStep(drafted.id)
    await atomically(database, approve_batch, step, actor=centre.checker)

    results = await at_once(
        *(atomically(database, send_batch, step, actor=centre.maker) for _ in range(5))
    )

    assert sum(isinstance(one, BatchNotReady) for one in results) == 4


async def test_a_payout_is_withdrawn_or_in_a_batch_and_never_both(database):
    centre = await a_finance_team(database)
    for _ in range(12):
        made = await a_payout(database, amount_fen=300)
        withdraw = WithdrawPayout(made.id, "The claim was forged.")
        before = (await the_books(database)).get("payable", 0)

        drafted, *withdrawals = await at_once(
            atomically(database, draft_batch, DraftBatch(), actor=centre.maker),
            *(
                atomically(database, withdraw_payout, withdraw, actor=centre.checker)
                for _ in range(2)
            ),
        )

        found = await the_payout(database, made.id)
        refused = [one for one in withdrawals if isinstance(one, BaseException)]
        assert all(isinstance(one, PayoutNotReady) for one in refused)
        freed = before - (await the_books(database)).get("payable", 0)
        if isinstance(drafted, BaseException):
            assert isinstance(drafted, NothingToPay)
            assert (found.status, len(refused), freed) == ("withdrawn", 1, 300)
        else:
            assert (found.status, found.batch_id, freed) == ("batched", drafted.id, 0)
            assert len(refused) == 2
