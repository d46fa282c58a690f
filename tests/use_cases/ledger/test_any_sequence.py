"""Whatever is posted, held, settled, released and reversed, in any order: the books stay true.

The sequences are made up by Hypothesis and played on one real database; a model in Python says
which steps must be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marketplace.billing.ledger.errors import (
    EntryReversed,
    HoldExceeded,
    HoldResolved,
    InsufficientFunds,
    ReversalFinal,
)
from marketplace.billing.ledger.queries import trial_balance, verify
from marketplace.billing.ledger.use_cases import (
    AccountType,
    EntryKind,
    ReleaseHold,
    ReverseEntry,
    SettleHold,
    post_entry,
    release_hold,
    reverse_entry,
    settle_hold,
)
from marketplace.kernel.db import Database
from tests.builders.ledger import (
    A_DAY,
    a_hold,
    a_key,
    an_account,
    an_entry,
    do,
    the_balance,
)

AMOUNTS = st.integers(1, 70)
ACCOUNTS = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), ACCOUNTS, ACCOUNTS, AMOUNTS),
        st.tuples(st.just("hold"), st.integers(1, 3), AMOUNTS),
        st.tuples(st.just("settle"), st.integers(0, 9), ACCOUNTS, st.integers(0, 70)),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
    ),
    min_size=15,
    max_size=40,
)


class Books:
    """The ledger as a few dictionaries. Account 0 is wide; 1 to 3 never go below zero."""

    def __init__(self, accounts: list[int]) -> None:
        self.accounts = accounts
        self.posted = [0, 0, 0, 0]
        self.held = [0, 0, 0, 0]
        self.holds: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []

    def fits(self, account: int, change: int) -> bool:
        return account == 0 or self.posted[account] + change - self.held[account] >= 0

    def move(self, debit: int, credit: int, amount: int) -> None:
        # Every account here but the bank grows by credits; the bank is counted the same way.
        self.posted[debit] -= amount
        self.posted[credit] += amount


async def attempt(refusal: type[Exception] | None, doing: Any) -> Any:
    """Do it, or see it refused the way the model says."""
    if refusal is None:
        return await doing
    with pytest.raises(refusal):
        await doing
    return None


async def post(database, books, debit, credit, amount):
    if debit == credit:
        return
    accounts = books.accounts
    entry = an_entry(debit=accounts[debit], credit=accounts[credit], amount_fen=amount)
    refusal = None if books.fits(debit, -amount) else InsufficientFunds
    posted = await attempt(refusal, do(database, post_entry, entry))
    if posted:
        books.move(debit, credit, amount)
        moved = {"debit": debit, "credit": credit, "amount": amount, "final": None}
        books.entries.append({"id": posted.entry_id, **moved})


async def hold(database, books, account, amount):
    refusal = None if books.fits(account, -amount) else InsufficientFunds
    doing = a_hold(database, account_id=books.accounts[account], amount_fen=amount)
    hold_id = await attempt(refusal, doing)
    if hold_id:
        books.held[account] += amount
        books.holds.append({"id": hold_id, "account": account, "amount": amount, "how": None})


async def settle(database, books, which, credit, amount):
    if not books.holds:
        return
    held = books.holds[which % len(books.holds)]
    if held["account"] == credit:
        return
    refusal = (
        None
        if held["how"] == "released" and amount == 0
        else HoldResolved
        if held["how"]
        else HoldExceeded
        if amount > held["amount"]
        else None
    )
    command = SettleHold(
        held["id"],
        amount,
        books.accounts[credit],
        EntryKind.ORDER_SETTLED,
        A_DAY,
        a_key(),
        "test",
        1,
    )
    posted = await attempt(refusal, do(database, settle_hold, command))
    if refusal is None and held["how"] is None:
        books.held[held["account"]] -= held["amount"]
        held["how"] = "settled" if amount else "released"
    if posted:
        books.move(held["account"], credit, amount)
        moved = {"debit": held["account"], "credit": credit, "amount": amount, "final": None}
        books.entries.append({"id": posted.entry_id, **moved})


async def release(database, books, which):
    if not books.holds:
        return
    held = books.holds[which % len(books.holds)]
    refusal = HoldResolved if held["how"] == "settled" else None
    released = await attempt(refusal, do(database, release_hold, ReleaseHold(held["id"])))
    if released:
        assert held["how"] is None
        books.held[held["account"]] -= held["amount"]
        held["how"] = "released"


async def reverse(database, books, which):
    if not books.entries:
        return
    entry = books.entries[which % len(books.entries)]
    refusal = entry["final"] or (
        None if books.fits(entry["credit"], -entry["amount"]) else InsufficientFunds
    )
    command = ReverseEntry(entry["id"], "any sequence", a_key())
    posted = await attempt(refusal, do(database, reverse_entry, command))
    if posted:
        books.move(entry["credit"], entry["debit"], entry["amount"])
        entry["final"] = EntryReversed
        books.entries.append(entry | {"id": posted.entry_id, "final": ReversalFinal})


PLAYS: dict[str, Callable[..., Awaitable[None]]] = {
    "post": post,
    "hold": hold,
    "settle": settle,
    "release": release,
    "reverse": reverse,
}


async def play_all(database: Database, steps: list[tuple[Any, ...]], owner: int) -> None:
    accounts = [
        await an_account(database, AccountType.BANK_SUSPENSE),
        await an_account(database, AccountType.WALLET, owner),
        await an_account(database, AccountType.PAYABLE, owner),
        await an_account(database, AccountType.REWARD_PAYABLE, owner),
    ]
    books = Books(accounts)
    for step in [("post", 0, 1, 200), ("post", 0, 2, 100), *steps]:
        name, *arguments = step
        await PLAYS[name](database, books, *arguments)
    for place, account in list(enumerate(accounts))[1:]:
        found = await the_balance(database, account)
        assert (found.posted_fen, found.held_fen) == (books.posted[place], books.held[place])
        assert found.available_fen >= 0
    for ledger_total in await totals(database):
        assert ledger_total == 0


async def totals(database: Database) -> list[int]:
    sums: dict[str, int] = {}
    for line in await do(database, trial_balance, A_DAY):
        assert line.debit_fen - line.credit_fen == line.balance_fen
        sums[line.ledger] = sums.get(line.ledger, 0) + line.balance_fen
    return list(sums.values())


async def test_any_sequence_of_steps_leaves_the_books_true(database):
    loop = asyncio.get_running_loop()
    owners = iter(range(1, 10_000))

    @settings(
        max_examples=200,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def sequences(steps: list[tuple[Any, ...]]) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        playing = asyncio.run_coroutine_threadsafe(play_all(database, steps, next(owners)), loop)
        playing.result(timeout=60)

    await asyncio.to_thread(sequences)

    report = await verify(database)
    assert report.problems == []
    assert report.entries > 800
