"""What the ledger says of budgets and vouchers."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.billing.ledger.queries import AccountName, AccountType, account_id, balance
from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.rows import GrantPart, PartBalance


async def budget_available(tx: Tx, layer_id: int) -> int:
    """What is left to grant of a layer's budget; 0 before the programme is approved."""
    account = await account_id(tx, AccountName(AccountType.PROGRAMME_BUDGET, layer_id))
    return 0 if account is None else (await balance(tx, account)).available_fen


async def part_balances(tx: Tx, parts: Iterable[GrantPart]) -> list[PartBalance]:
    """The parts with what is left and frozen of each, in the order of their accounts."""
    found = []
    for part in parts:
        account = await account_id(tx, AccountName(AccountType.VOUCHER, part.id))
        assert account is not None, "a grant opens the account of each part"
        left = await balance(tx, account)
        found.append(PartBalance(part, account, left.available_fen, left.held_fen))
    return sorted(found, key=lambda each: each.account_id)
