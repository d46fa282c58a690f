"""What the ledger says of budgets and vouchers, each asked for in one question.

One question sees one moment: the layers of a voucher are spent together, and two questions could
see one of them before another order and one after it.
"""

from __future__ import annotations

from collections.abc import Collection

from marketplace.billing.ledger.queries import AccountType, balances_of
from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.rows import GrantPart, PartBalance


async def budgets_available(tx: Tx, layer_ids: Collection[int]) -> dict[int, int]:
    """What is left to grant of each layer's budget; 0 before the programme is approved."""
    found = await balances_of(tx, AccountType.PROGRAMME_BUDGET, layer_ids)
    return {
        layer_id: found[layer_id].available_fen if layer_id in found else 0
        for layer_id in layer_ids
    }


async def part_balances(tx: Tx, parts: Collection[GrantPart]) -> dict[int, list[PartBalance]]:
    """What is left and frozen of each part, by grant, in the order of their accounts."""
    accounts = await balances_of(tx, AccountType.VOUCHER, [part.id for part in parts])
    found: dict[int, list[PartBalance]] = {part.grant_id: [] for part in parts}
    for part in sorted(parts, key=lambda each: accounts[each.id].id):
        account = accounts[part.id]
        found[part.grant_id].append(
            PartBalance(part, account.id, account.available_fen, account.held_fen)
        )
    return found
