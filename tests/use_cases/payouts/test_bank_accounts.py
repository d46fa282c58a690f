"""Where money goes: registered by one person, verified by another, never two at a time."""

import pytest

from marketplace.billing.payouts.errors import (
    BankAccountClosed,
    BankAccountMissing,
    BankAccountVerifiedAlready,
    OwnBankAccount,
)
from marketplace.billing.payouts.queries import bank_accounts
from marketplace.billing.payouts.use_cases import (
    CloseBankAccount,
    VerifyBankAccount,
    close_bank_account,
    verify_bank_account,
)
from marketplace.kernel.db import atomically
from marketplace.parties.roles import Role
from tests.builders.ledger import TEST
from tests.builders.parties import an_actor
from tests.builders.payouts import a_bank_account


async def test_another_person_verifies_an_account(database):
    owner = await an_actor(database, Role.PROVIDER_MANAGER)
    made = await a_bank_account(database, owner=owner, verified_by=None)

    with pytest.raises(OwnBankAccount):
        await atomically(database, verify_bank_account, VerifyBankAccount(made.id), actor=owner)
    verified = await atomically(
        database, verify_bank_account, VerifyBankAccount(made.id), actor=TEST
    )
    again = await atomically(database, verify_bank_account, VerifyBankAccount(made.id), actor=TEST)

    assert made.verified_at is None
    assert verified.verified_by == TEST.person_id
    assert again == verified


async def test_an_organisation_has_one_verified_account_at_a_time(database):
    owner = await an_actor(database, Role.PROVIDER_MANAGER)
    first = await a_bank_account(database, owner=owner)
    second = await a_bank_account(database, owner=owner, verified_by=None)

    with pytest.raises(BankAccountVerifiedAlready):
        await atomically(database, verify_bank_account, VerifyBankAccount(second.id), actor=TEST)
    await atomically(database, close_bank_account, CloseBankAccount(first.id), actor=owner)
    verified = await atomically(
        database, verify_bank_account, VerifyBankAccount(second.id), actor=TEST
    )
    with pytest.raises(BankAccountClosed):
        await atomically(database, verify_bank_account, VerifyBankAccount(first.id), actor=TEST)

    assert verified.verified_at is not None


async def test_only_its_own_organisation_closes_an_account_and_once(database):
    owner = await an_actor(database, Role.PROVIDER_MANAGER)
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    made = await a_bank_account(database, owner=owner)

    with pytest.raises(BankAccountMissing):
        await atomically(database, close_bank_account, CloseBankAccount(made.id), actor=other)
    await atomically(database, close_bank_account, CloseBankAccount(made.id), actor=owner)
    with pytest.raises(BankAccountMissing):
        await atomically(database, close_bank_account, CloseBankAccount(made.id), actor=owner)


async def test_finance_sees_what_waits_to_be_verified(database):
    waiting = await a_bank_account(database, verified_by=None)
    await a_bank_account(database)

    assert [waiting] == await atomically(database, bank_accounts, None, actor=TEST)
