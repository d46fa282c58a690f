"""A correction after a year is closed is asked back: by two, posted, and taken in to the fen."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import text

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries import AccountName
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    ClawbackDecided,
    ClawbackExceedsPaid,
    ClawbackMissing,
    ClawbackOutdated,
    ClawbackProposed,
    ClawbackSecondPerson,
    NothingOverpaid,
    NothingToRecover,
    YearOpen,
)
from marketplace.billing.rewards.use_cases import (
    DecideClawback,
    ProposeClawback,
    RecoverClawback,
    RecoverySource,
    decide_clawback,
    overpaid_of_year,
    propose_clawback,
    recover_clawback,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.time import SHANGHAI
from marketplace.parties.roles import Role
from tests.builders.invoicing import a_charge, a_credit
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.parties import a_legal_entity, an_actor
from tests.builders.rewards import (
    a_checker,
    a_graded_provider,
    a_maker,
    a_reward_fund,
    an_approved_run,
    refused_by_hand,
)

TEST = system_actor("test")
YEAR_END = date(2025, 12, 31)


class Closed:
    """A university of two units that was paid 100 CNY for 2025, and the year is over."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock

    async def make(self):
        self.fund = await a_reward_fund(self.database, amount_fen=1_000_00)
        self.entity = await a_legal_entity(self.database)
        self.units = [
            await a_graded_provider(self.database, legal_entity_id=self.entity) for _ in range(2)
        ]
        self.orders = [
            await a_charge(self.database, provider_id=each, settled_on=date(2025, 11, 3))
            for each in self.units
        ]
        self.maker, self.checker = await a_maker(self.database), await a_checker(self.database)
        self.clock.set(datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI))
        self.run = await self.a_run()
        return self

    async def a_run(self):
        return await an_approved_run(
            self.database, maker=self.maker, checker=self.checker, through=YEAR_END
        )

    async def do(self, use_case, command, *, by=None):
        return await atomically(self.database, use_case, command, actor=by or TEST)

    async def propose(self, **changes):
        asked = ProposeClawback(self.entity, 2025, "仪器故障退款")
        return await self.do(propose_clawback, replace(asked, **changes), by=self.maker)

    async def decide(self, found, *, agreed=True, by=None):
        command = DecideClawback(found.clawback.id, agreed, "已核对")
        return await self.do(decide_clawback, command, by=by or self.checker)

    async def owed(self):
        await a_credit(self.database, order_id=self.orders[0], own_fen=400_00)
        await a_credit(self.database, order_id=self.orders[1], own_fen=200_00)
        return await self.decide(await self.propose())

    async def pays_in(self, provider_id, amount_fen):
        """A transfer that the bank's statement has shown with the reference of the wallet."""
        wallet = await an_account(self.database, AccountType.WALLET, owner_id=provider_id)
        await a_posted_entry(
            self.database,
            debit=await an_account(self.database, AccountType.BANK_SUSPENSE),
            credit=wallet,
            amount_fen=amount_fen,
            kind=EntryKind.WALLET_TOP_UP,
        )

    async def recover(self, found, provider_id, source=RecoverySource.WALLET):
        command = RecoverClawback(found.clawback.id, provider_id, source)
        return await self.do(recover_clawback, command, by=self.maker)

    async def balance(self, type, owner_id=None):
        account_id = await self.do(ledger.account_id, AccountName(type, owner_id))
        if account_id is None:
            return 0
        return (await self.do(ledger.balance, account_id)).posted_fen

    async def statement(self):
        return await self.do(queries.entity_statement, queries.EntityYear(self.entity, 2025))


@pytest.fixture
async def case(database, clock):
    return await Closed(database, clock).make()


async def test_the_difference_is_proposed_decided_by_another_posted_and_taken_in(case):
    await a_credit(case.database, order_id=case.orders[0], own_fen=400_00)
    await a_credit(case.database, order_id=case.orders[1], own_fen=200_00)
    (listed,) = await case.do(overpaid_of_year, 2025)
    proposed = await case.propose()
    with pytest.raises(ClawbackProposed):
        await case.propose()
    with pytest.raises(ClawbackSecondPerson):
        await case.decide(proposed, by=case.maker)
    owed = await case.decide(proposed)
    with pytest.raises(ClawbackDecided):
        await case.decide(proposed)
    fund_while_owed = await case.balance(AccountType.REWARD_FUND)
    first, second = case.units

    with pytest.raises(NothingToRecover):
        await case.recover(owed, first)
    await case.pays_in(first, 15_00)
    partly = await case.recover(owed, first)
    await case.pays_in(first, 50_00)
    await case.recover(partly, first)
    await case.pays_in(second, 10_00)
    received = await case.recover(partly, second)

    # 5 % of 2,000 was paid; 5 % of 1,400 is due: 20 and 10 of it go back.
    assert (100_00, 70_00) == (listed.paid_fen, listed.due_fen)
    assert ("proposed", 30_00) == (proposed.clawback.status, proposed.clawback.amount_fen)
    assert {first: 20_00, second: 10_00} == {
        line.provider_id: line.amount_fen for line in proposed.lines
    }
    assert ("owed", 15_00) == (partly.clawback.status, partly.clawback.recovered_fen)
    assert ("received", 30_00) == (received.clawback.status, received.clawback.recovered_fen)
    assert [15_00, 5_00, 10_00] == [each.amount_fen for each in received.recoveries]
    # The fund has the money again only once it has come in; what was paid in too much stays.
    assert 900_00 == fund_while_owed
    assert 930_00 == await case.balance(AccountType.REWARD_FUND)
    assert 45_00 == await case.balance(AccountType.WALLET, first)
    assert [0, 0] == [
        await case.balance(AccountType.REWARD_RECEIVABLE, each) for each in case.units
    ]
    assert 0 == await case.balance(AccountType.REWARD_RETURN_PENDING)
    with pytest.raises(ClawbackDecided):
        await case.recover(received, second)
    assert (70_00, 30_00, 0) == (
        (await case.statement()).paid_fen,
        (await case.statement()).clawed_back_fen,
        (await case.statement()).overpaid_fen,
    )
    assert [] == await case.do(overpaid_of_year, 2025)


async def test_an_open_year_nets_by_itself_and_is_not_asked_back(database, clock):
    case = Closed(database, clock)
    await case.make()
    with pytest.raises(YearOpen):
        await case.propose(year=2026)
    assert [] == await case.do(overpaid_of_year, 2026)

    with pytest.raises(NothingOverpaid):
        await case.propose()
    with pytest.raises(NothingOverpaid):
        await case.propose(legal_entity_id=await a_legal_entity(database))


async def test_what_is_owed_frees_room_under_the_cap_and_is_not_netted_twice(case):
    await case.owed()
    again = await case.a_run()
    await a_charge(case.database, provider_id=case.units[0], settled_on=date(2025, 12, 1))
    more = await case.a_run()

    assert 0 == again.total_fen
    assert 50_00 == more.total_fen
    assert 120_00 == (await case.statement()).paid_fen


async def test_a_proposal_that_is_out_of_date_is_rejected_and_made_again(case):
    await a_credit(case.database, order_id=case.orders[0], own_fen=400_00)
    proposed = await case.propose()
    await a_credit(case.database, order_id=case.orders[0], own_fen=100_00)

    with pytest.raises(ClawbackOutdated):
        await case.decide(proposed)
    rejected = await case.decide(proposed, agreed=False)
    again = await case.propose()

    assert ("rejected", 25_00) == (rejected.clawback.status, again.clawback.amount_fen)


async def test_its_own_providers_see_a_clawback_once_it_is_decided(case):
    manager = await an_actor(case.database, Role.PROVIDER_MANAGER, organisation_id=case.units[1])
    stranger = await an_actor(case.database, Role.PROVIDER_MANAGER)
    await a_credit(case.database, order_id=case.orders[0], own_fen=400_00)
    proposed = await case.propose()
    with pytest.raises(ClawbackMissing):
        await case.do(queries.clawback, proposed.clawback.id, by=manager)
    await case.decide(proposed)

    seen = await case.do(queries.clawbacks, queries.ClawbackSearch(), by=manager)
    unseen = await case.do(queries.clawbacks, queries.ClawbackSearch(year=2025), by=stranger)

    assert (1, 0) == (seen.total, unseen.total)
    assert (
        20_00
        == (await case.do(queries.clawback, proposed.clawback.id, by=manager)).clawback.amount_fen
    )
    with pytest.raises(ClawbackMissing):
        await case.do(queries.clawback, proposed.clawback.id, by=stranger)
    with pytest.raises(ClawbackMissing):
        await case.recover(proposed, case.units[1])


async def test_the_database_itself_refuses_to_ask_back_more_than_was_paid(case):
    found = await case.owed()
    of = found.clawback.id
    for statement, constraint in (
        (f"update reward_clawback set amount_fen = 1 where id = {of}", "append_only"),
        (f"update reward_clawback_line set amount_fen = 1 where clawback_id = {of}", "append_only"),
        (f"update reward_clawback set recovered_fen = 3000 where id = {of}", "received"),
        ("update reward_year set paid_fen = -1", "cap"),
        (
            "with more as (insert into reward_clawback (legal_entity_id, year, paid_fen, due_fen,"
            " amount_fen, terms, reason, status, proposed_by, proposed_at, decided_by, decided_at)"
            f" values ({case.entity}, 2025, 9000, 0, 9000, '{{}}', 'x', 'owed', 1, now(),"
            f" {case.checker.person_id}, now()) returning id)"
            " insert into reward_clawback_line (clawback_id, provider_id, amount_fen)"
            f" select id, {case.units[0]}, 9000 from more",
            "within_paid",
        ),
    ):
        assert (await refused_by_hand(case.database, statement)).endswith(constraint)


async def test_who_would_owe_more_than_was_paid_is_told_so(case):
    found = await case.owed()

    async def overreach(tx, _):
        columns = "legal_entity_id, year, terms, reason, proposed_by, proposed_at"
        more = await tx.scalar(
            text(
                f"insert into reward_clawback ({columns}, paid_fen, due_fen, amount_fen, status,"
                f" decided_by, decided_at) select {columns}, 9000, 0, 9000, status, decided_by,"
                " decided_at from reward_clawback returning id"
            )
        )
        await tx.execute(
            text("insert into reward_clawback_line values (:id, :provider, 9000)"),
            {"id": more, "provider": found.lines[0].provider_id},
        )

    with pytest.raises(ClawbackExceedsPaid):
        await case.do(overreach, None)
