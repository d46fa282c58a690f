"""What becomes of each line when its claim is approved: paid, cut, refused, lost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries import Claim, programme
from marketplace.vouchers.queries.lines import refused_lines
from marketplace.vouchers.queries.returns import NetRedemption, net_redemptions
from marketplace.vouchers.rules.claims import LineDecided, LineOutcome, line_outcome
from marketplace.vouchers.rules.states import ReturnCause
from marketplace.vouchers.use_cases.returns import GiveBack, give_back


async def settle_lines(tx: Tx, found: Claim) -> None:
    """Give back what is not approved of a claim, and free the lines that may be claimed again.

    The redemptions are locked: a refund waits, and then meets an approved claim.
    """
    of = await net_redemptions(tx, claim_id=found.id, lock=True)
    line = tables.claim_line.c
    rows = await tx.execute(
        select(line.redemption_id, line.approved_fen, line.reason).where(line.claim_id == found.id)
    )
    decided = {row.redemption_id: row for row in rows}
    short = [
        each for each in of if not each.excluded and decided[each.id].approved_fen < each.net_fen
    ]
    refused = await refused_lines(tx, [each.id for each in short])
    allowed = {
        each: (await programme(tx, each)).agreed.resubmissions
        for each in {one.programme_id for one in short}
    }
    free: list[int] = []
    for each in short:
        row = decided[each.id]
        before = len(refused.get(each.id, ()))
        outcome = line_outcome(
            LineDecided(row.approved_fen, each.net_fen, before), allowed[each.programme_id]
        )
        if outcome is LineOutcome.REFUSED:
            free.append(each.id)
        else:
            await _cut(tx, each, each.net_fen - row.approved_fen, row.reason)
    await _set_free(tx, free)


async def _cut(tx: Tx, of: NetRedemption, amount_fen: int, reason: str) -> None:
    await give_back(tx, GiveBack(of.id, amount_fen, ReturnCause.CUT, reason))


async def _set_free(tx: Tx, redemption_ids: Sequence[int]) -> None:
    table = tables.redemption
    await tx.execute(update(table).where(table.c.id.in_(redemption_ids)).values(claim_id=None))
