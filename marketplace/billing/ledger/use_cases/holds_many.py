"""Settling many holds at once, set by set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from marketplace.billing.ledger.use_cases.calls import db_call
from marketplace.billing.ledger.use_cases.holds import SettleHold
from marketplace.kernel.db import Tx

_SETTLE_MANY = db_call(
    "select entry_id from ledger_settle_many(:holds, :amounts, :credits, :kinds, :keys,"
    " :source_kinds, :source_ids, :effective_on, :made_by, :at) order by place",
    holds=[int],
    amounts=[int],
    credits=[int],
    kinds=[str],
    keys=[str],
    source_kinds=[str],
    source_ids=[int],
    effective_on=date,
    made_by=int,
    at=datetime,
)


async def settle_holds(tx: Tx, commands: Sequence[SettleHold]) -> list[int | None]:
    """Settle many holds of one day, all of them or none; the entries in the order given.

    What `settle_hold` does to one: post what was used, release the rest; no entry where nothing
    was used. A hold that ended before is refused even when it was settled the same way, so the
    caller has locked what the holds are for. Remarks are not kept.

    Raises:
        HoldExceeded, HoldOver, HoldResolved, HoldMissing: of any of them.
        PeriodClosed, LedgersMixed, KeyReusedForOtherEntry.
        ValueError: when they are of several days.
    """
    if not commands:
        return []
    (effective_on,) = {command.effective_on for command in commands}
    result = await tx.execute(
        _SETTLE_MANY,
        {
            "holds": [command.hold_id for command in commands],
            "amounts": [command.amount_fen for command in commands],
            "credits": [command.credit_account_id for command in commands],
            "kinds": [command.kind for command in commands],
            "keys": [command.key for command in commands],
            "source_kinds": [command.source_kind for command in commands],
            "source_ids": [command.source_id for command in commands],
            "effective_on": effective_on,
            "made_by": tx.actor.person_id,
            "at": tx.now,
        },
    )
    return list(result.scalars())
