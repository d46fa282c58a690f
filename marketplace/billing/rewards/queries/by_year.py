"""What rewards came to, year by year: sums that anybody may know."""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.tables import reward_run
from marketplace.kernel.db import Tx


async def rewards_by_year(tx: Tx, last_year: int, *, years: int = 5) -> list[tuple[int, int]]:
    """The approved rewards in fen of the last years, the earliest first; none is nought."""
    first = last_year - years + 1
    rows = await tx.execute(
        select(reward_run.c.year, func.sum(reward_run.c.total_fen).label("fen"))
        .where(
            reward_run.c.status == RunStatus.APPROVED, reward_run.c.year.between(first, last_year)
        )
        .group_by(reward_run.c.year)
    )
    found = {row.year: int(row.fen) for row in rows}
    return [(year, found.get(year, 0)) for year in range(first, last_year + 1)]
