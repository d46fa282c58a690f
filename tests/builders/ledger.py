"""Accounts with money on them, entries and holds, made through the ledger's own use cases."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

from marketplace.billing.ledger import queries
from marketplace.billing.ledger.queries import Balance
from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    PlaceHold,
    open_account,
    place_hold,
    post_entry,
    transfer,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically

TEST = system_actor("test")
A_DAY = date(2025, 3, 3)

_keys = itertools.count(1)

C = TypeVar("C")
R = TypeVar("R")


def a_key() -> str:
    """A key that no other entry of this test run has."""
    return f"test:{next(_keys)}"


async def do(
    database: Database,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    *,
    actor: Actor = TEST,
) -> R:
    """Run a use case or a query in a transaction of its own."""
    return await atomically(database, use_case, command, actor=actor)


async def an_account(
    database: Database, type: AccountType, owner_id: int | None = None, **changes: Any
) -> int:
    """The account of that type and owner."""
    return await do(database, open_account, OpenAccount(type, owner_id, **changes))


def an_entry(*, debit: int, credit: int, amount_fen: int, **changes: Any) -> Entry:
    """An entry of two lines; a top-up unless another kind is given."""
    asked: dict[str, Any] = {
        "kind": EntryKind.WALLET_TOP_UP,
        "effective_on": A_DAY,
        "lines": transfer(debit=debit, credit=credit, amount_fen=amount_fen),
        "key": a_key(),
        "source_kind": "test",
        "source_id": 1,
    }
    return Entry(**(asked | changes))


async def a_posted_entry(
    database: Database, *, debit: int, credit: int, amount_fen: int = 100, **changes: Any
) -> int:
    """The id of an entry of two lines."""
    asked = an_entry(debit=debit, credit=credit, amount_fen=amount_fen, **changes)
    return (await do(database, post_entry, asked)).entry_id


async def a_wallet(database: Database, *, owner_id: int = 900, funds_fen: int = 1_000_000) -> int:
    """The wallet account of an organisation, topped up from the bank."""
    wallet = await an_account(database, AccountType.WALLET, owner_id)
    if funds_fen:
        bank = await an_account(database, AccountType.BANK)
        await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=funds_fen)
    return wallet


async def a_payable(database: Database, *, owner_id: int = 901) -> int:
    """The payable account of a provider, empty."""
    return await an_account(database, AccountType.PAYABLE, owner_id)


async def a_hold(
    database: Database, *, account_id: int, amount_fen: int = 100, **changes: Any
) -> int:
    """The id of a hold that never runs out."""
    asked: dict[str, Any] = {
        "account_id": account_id,
        "amount_fen": amount_fen,
        "expires_at": None,
        "key": a_key(),
        "source_kind": "test",
        "source_id": 1,
    }
    return await do(database, place_hold, PlaceHold(**(asked | changes)))


async def the_balance(database: Database, account_id: int) -> Balance:
    """What lies on an account."""
    return await do(database, queries.balance, account_id)
