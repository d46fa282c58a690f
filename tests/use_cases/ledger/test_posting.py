"""Posting entries: once, balanced, within limits, in open periods; and taking them back."""

from __future__ import annotations

from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.billing.ledger.errors import (
    AccountClosed,
    AccountMissing,
    BalanceTooHigh,
    EntryMissing,
    EntryReversed,
    EntryUnbalanced,
    InsufficientFunds,
    KeyReusedForOtherEntry,
    LedgersMixed,
    ReversalFinal,
    SelfApproval,
)
from marketplace.billing.ledger.queries import (
    AccountName,
    account_id,
    entry_by_id,
    entry_lines,
    verify,
)
from marketplace.billing.ledger.use_cases import (
    AccountType,
    CloseAccount,
    EntryKind,
    Line,
    OpenAccount,
    ReverseEntry,
    close_account,
    open_account,
    post_entry,
    post_many,
    reverse_entry,
    reverse_what_another_made,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx
from tests.builders.ledger import (
    A_DAY,
    TEST,
    a_key,
    a_payable,
    a_posted_entry,
    a_wallet,
    an_account,
    an_entry,
    do,
    the_balance,
)
from tests.builders.parties import a_person


@pytest_asyncio.fixture
async def bank(database: Database) -> int:
    return await an_account(database, AccountType.BANK)


async def test_a_top_up_is_in_the_bank_and_in_the_wallet(database, bank):
    wallet = await a_wallet(database, funds_fen=0)

    posted = await do(database, post_entry, an_entry(debit=bank, credit=wallet, amount_fen=500))

    assert not posted.replayed
    assert (await the_balance(database, wallet)).available_fen == 500
    assert (await the_balance(database, bank)).posted_fen == 500
    assert (await verify(database)).ok


async def test_an_account_is_opened_once_and_found_by_its_name(database):
    first = await an_account(database, AccountType.WALLET, 7)
    again = await an_account(database, AccountType.WALLET, 7)
    name = AccountName(AccountType.WALLET, 7)
    other = AccountName(AccountType.WALLET, 8)

    assert first == again == await do(database, account_id, name)
    assert await do(database, account_id, other) is None


@pytest.mark.parametrize(("type", "owner_id"), [(AccountType.WALLET, None), (AccountType.BANK, 7)])
async def test_an_account_has_an_owner_exactly_when_its_type_says_so(database, type, owner_id):
    with pytest.raises(ValueError, match="belongs to"):
        await do(database, open_account, OpenAccount(type, owner_id))


async def test_the_same_key_is_the_same_entry(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    entry = an_entry(debit=bank, credit=wallet, amount_fen=500)

    first = await do(database, post_entry, entry)
    again = await do(database, post_entry, entry)

    assert (first.entry_id, True) == (again.entry_id, again.replayed)
    assert (await the_balance(database, wallet)).posted_fen == 500


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": 501},
        {"effective_on": date(2025, 3, 4)},
        {"source_id": 2},
        {"kind": EntryKind.SUSPENSE_RESOLVED},
        {"remark": "another"},
    ],
)
async def test_a_key_refuses_another_entry(database, bank, change):
    wallet = await a_wallet(database, funds_fen=0)
    asked = {"debit": bank, "credit": wallet, "amount_fen": 500, "key": "once"}
    await do(database, post_entry, an_entry(**asked))

    with pytest.raises(KeyReusedForOtherEntry):
        await do(database, post_entry, an_entry(**(asked | change)))


async def test_a_wallet_never_goes_below_zero(database):
    wallet = await a_wallet(database, funds_fen=100)
    payable = await a_payable(database)

    with pytest.raises(InsufficientFunds):
        await a_posted_entry(database, debit=wallet, credit=payable, amount_fen=101)

    await a_posted_entry(database, debit=wallet, credit=payable, amount_fen=100)
    assert (await the_balance(database, wallet)).posted_fen == 0


async def test_an_account_may_have_an_upper_limit(database, bank):
    wallet = await an_account(database, AccountType.WALLET, 7, max_balance_fen=100)
    await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=100)

    with pytest.raises(BalanceTooHigh):
        await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=1)


async def test_a_closed_account_takes_nothing_and_only_an_empty_one_closes(database, bank):
    wallet = await a_wallet(database, funds_fen=100)

    with pytest.raises(AccountClosed):
        await do(database, close_account, CloseAccount(wallet))
    await a_posted_entry(database, debit=wallet, credit=bank, amount_fen=100)
    await do(database, close_account, CloseAccount(wallet))
    await do(database, close_account, CloseAccount(wallet))
    with pytest.raises(AccountClosed):
        await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=1)
    with pytest.raises(AccountMissing):
        await do(database, close_account, CloseAccount(999))


async def test_an_entry_stays_within_one_ledger(database, bank):
    layer = await an_account(database, AccountType.APPROPRIATION, 3)

    with pytest.raises(LedgersMixed):
        await a_posted_entry(database, debit=bank, credit=layer)
    with pytest.raises(LedgersMixed):
        await do(database, post_many, [an_entry(debit=bank, credit=layer, amount_fen=1)])


@pytest.mark.parametrize(("debit", "credit"), [(1, 999), (998, 999)])
async def test_an_account_that_does_not_exist_takes_nothing(database, bank, debit, credit):
    with pytest.raises((AccountMissing, LedgersMixed)):
        await a_posted_entry(database, debit=debit, credit=credit)
    with pytest.raises((AccountMissing, LedgersMixed)):
        await do(database, post_many, [an_entry(debit=debit, credit=credit, amount_fen=1)])


async def test_nobody_approves_their_own_entry(database, bank):
    wallet = await a_wallet(database, funds_fen=0)

    with pytest.raises(SelfApproval):
        # Who made it comes from the actor, so only the database can see that they are the same.
        await a_posted_entry(database, debit=bank, credit=wallet, approved_by=TEST.person_id)


async def test_a_reversal_negates_every_line_and_says_why(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    entry_id = await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=500)
    command = ReverseEntry(entry_id, "booked twice", a_key())

    posted = await do(database, reverse_entry, command)
    again = await do(database, reverse_entry, command)

    async def look(tx: Tx, _: None):
        lines = await entry_lines(tx, [posted.entry_id])
        return await entry_by_id(tx, posted.entry_id), await entry_by_id(tx, entry_id), lines

    reversal, reversed_one, lines = await do(database, look, None)
    assert again.entry_id == posted.entry_id
    assert again.replayed
    assert (reversal.reverses, reversed_one.reversed_by) == (entry_id, posted.entry_id)
    assert reversal.remark == "booked twice"
    assert {line.account_id: line.amount_fen for line in lines} == {bank: -500, wallet: 500}
    assert (await the_balance(database, wallet)).posted_fen == 0


async def test_an_entry_is_reversed_once_and_a_reversal_never(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    entry_id = await a_posted_entry(database, debit=bank, credit=wallet)
    first = ReverseEntry(entry_id, "wrong", a_key())
    reversal = await do(database, reverse_entry, first)

    with pytest.raises(EntryReversed):
        await do(database, reverse_entry, ReverseEntry(entry_id, "wrong again", a_key()))
    with pytest.raises(ReversalFinal):
        await do(
            database, reverse_entry, ReverseEntry(reversal.entry_id, "right after all", a_key())
        )
    with pytest.raises(EntryMissing):
        await do(database, reverse_entry, ReverseEntry(999, "which one", a_key()))


async def test_money_that_was_spent_cannot_be_taken_back(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    entry_id = await a_posted_entry(database, debit=bank, credit=wallet)
    await a_posted_entry(database, debit=wallet, credit=await a_payable(database))

    with pytest.raises(InsufficientFunds):
        await do(database, reverse_entry, ReverseEntry(entry_id, "wrong", a_key()))


async def test_a_checker_reverses_only_what_another_made(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    checker = Actor(await a_person(database), 1, "centre")
    own = an_entry(debit=bank, credit=wallet, amount_fen=100)
    posted = await do(database, post_entry, own, actor=checker)
    of_another = await a_posted_entry(database, debit=bank, credit=wallet)

    with pytest.raises(SelfApproval):
        await do(
            database,
            reverse_what_another_made,
            ReverseEntry(posted.entry_id, "wrong", a_key()),
            actor=checker,
        )
    command = ReverseEntry(of_another, "wrong", a_key())
    reversal = await do(database, reverse_what_another_made, command, actor=checker)

    assert not reversal.replayed


async def test_many_entries_are_posted_in_order_and_once(database, bank):
    wallets = [await a_wallet(database, owner_id=n, funds_fen=0) for n in range(5)]
    some = [
        an_entry(debit=bank, credit=wallet, amount_fen=10 + place)
        for place, wallet in enumerate(wallets * 4)
    ]

    posted = await do(database, post_many, some)
    again = await do(database, post_many, [*some, some[0]])

    ids = [one.entry_id for one in posted]
    assert ids == sorted(set(ids))
    assert not any(one.replayed for one in posted)
    assert [one.entry_id for one in again] == [*ids, ids[0]]
    assert all(one.replayed for one in again)
    assert (await the_balance(database, wallets[0])).posted_fen == 10 + 15 + 20 + 25
    report = await verify(database)
    assert report.problems == []
    assert report.entries == 20


async def test_many_entries_are_all_posted_or_none(database):
    wallet = await a_wallet(database, funds_fen=100)
    payable = await a_payable(database)
    some = [an_entry(debit=wallet, credit=payable, amount_fen=60) for _ in range(2)]

    with pytest.raises(InsufficientFunds):
        await do(database, post_many, some)

    assert (await the_balance(database, wallet)).posted_fen == 100


async def test_a_key_twice_in_one_set_must_say_the_same(database, bank):
    wallet = await a_wallet(database, funds_fen=0)
    same = an_entry(debit=bank, credit=wallet, amount_fen=5, key="k")
    other = an_entry(debit=bank, credit=wallet, amount_fen=6, key="k")

    posted = await do(database, post_many, [same, same])
    with pytest.raises(KeyReusedForOtherEntry):
        await do(database, post_many, [other])

    assert [one.replayed for one in posted] == [False, True]
    assert (await the_balance(database, wallet)).posted_fen == 5


async def test_an_entry_of_many_lines_and_one_by_one_are_the_same(database, bank):
    wallets = [await a_wallet(database, owner_id=n, funds_fen=0) for n in range(50)]
    lines = (
        Line(account_id=bank, amount_fen=50),
        *(Line(account_id=wallet, amount_fen=-1) for wallet in reversed(wallets)),
    )
    base = an_entry(debit=bank, credit=wallets[0], amount_fen=1).model_dump()
    entry = type(an_entry(debit=1, credit=2, amount_fen=1))(**(base | {"lines": lines}))

    posted = await do(database, post_entry, entry)
    replayed = await do(database, post_many, [entry])

    assert [posted.entry_id] == [one.entry_id for one in replayed]
    assert (await verify(database)).ok
    assert entry.effective_on == A_DAY


async def test_what_the_model_would_not_let_through_the_database_refuses_too(database, bank):
    wallet = await a_wallet(database, funds_fen=0)

    async def around_the_model(tx: Tx, amounts: str) -> None:
        await tx.execute(
            text(
                f"select ledger_post('bank_charge', '2025-03-03', '{{{bank},{wallet}}}',"
                f" '{amounts}', 'k', 'test', 1, 1, null, null, '', now())"
            )
        )

    with pytest.raises(EntryUnbalanced):
        await do(database, around_the_model, "{5,-4}")
