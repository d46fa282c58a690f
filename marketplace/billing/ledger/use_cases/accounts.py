"""Opening and closing accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from marketplace.billing.ledger.errors import AccountMissing
from marketplace.billing.ledger.rules.chart import AccountType, require_owner
from marketplace.billing.ledger.tables import account
from marketplace.billing.ledger.use_cases.calls import db_call
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account by its name; `max_balance_fen` counts when it is opened for the first time."""

    type: AccountType
    owner_id: int | None = None
    max_balance_fen: int | None = None


_OPEN = db_call(
    "select ledger_open_account(:type, :owner_id, :max_fen, :at)",
    type=str,
    owner_id=int,
    max_fen=int,
    at=datetime,
)


async def open_account(tx: Tx, command: OpenAccount) -> int:
    """The account of that name, opened if it is not there yet."""
    require_owner(command.type, command.owner_id)
    opened: int = await tx.scalar(
        _OPEN,
        {
            "type": command.type,
            "owner_id": command.owner_id,
            "max_fen": command.max_balance_fen,
            "at": tx.now,
        },
    )
    return opened


_OPEN_MANY = db_call(
    "select ledger_open_accounts(:types, :owner_ids, :max_fen, :at)",
    types=[str],
    owner_ids=[int],
    max_fen=[int],
    at=datetime,
)


async def open_accounts(tx: Tx, commands: Sequence[OpenAccount]) -> list[int]:
    """The accounts of those names, in the order given; what is not there yet is opened.

    One statement however many there are; a name that comes twice is one account.
    """
    for command in commands:
        require_owner(command.type, command.owner_id)
    opened: list[int] = await tx.scalar(
        _OPEN_MANY,
        {
            "types": [command.type for command in commands],
            "owner_ids": [command.owner_id for command in commands],
            "max_fen": [command.max_balance_fen for command in commands],
            "at": tx.now,
        },
    )
    return opened


@dataclass(frozen=True, slots=True)
class CloseAccount:
    """Nothing is to be posted to the account any more."""

    account_id: int


async def close_account(tx: Tx, command: CloseAccount) -> None:
    """Close an empty account; closing it again changes nothing.

    Raises:
        AccountMissing: when there is none.
        AccountClosed: while money lies on it or is held; or when the account is wide.
    """
    closed_at = await tx.execute(
        update(account)
        .where(account.c.id == command.account_id, account.c.closed_at.is_(None))
        .values(closed_at=tx.now)
    )
    if closed_at.rowcount == 0 and not await tx.scalar(
        select(account.c.id).where(account.c.id == command.account_id)
    ):
        raise AccountMissing()
    tx.audit("close", subject="account", subject_id=command.account_id)
