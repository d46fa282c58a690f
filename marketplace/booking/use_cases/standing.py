"""Ask for a good standing where something is reserved, moved or offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from marketplace.booking.errors import ReservationRefused
from marketplace.booking.queries.standing import operators_of, standing
from marketplace.booking.rules.alternatives import search_window
from marketplace.booking.rules.standing import (
    Standing,
    StandingAsked,
    is_attended,
    operators_for,
    standing_refusals,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During


async def require_standing(tx: Tx, asked: StandingAsked) -> list[int] | None:
    """The operators who could attend, None where nobody has to; quotas stay locked until COMMIT.

    Raises:
        ReservationRefused: with everything that stands against the person.
    """
    who = await standing(tx, asked)
    Reasons(list(standing_refusals(who, asked, at=tx.now))).raise_as(ReservationRefused)
    return operators_for(who, asked)


async def acceptable(tx: Tx, asked: StandingAsked, who: Standing) -> Callable[[During], bool]:
    """Whether the person could reserve another time instead, as far as it is known.

    Of quotas those periods are known that `asked` touches; operators are read for all the time in
    which alternatives are looked for.
    """
    if is_attended(who, asked):
        window = search_window(asked.schedule.terms, asked.during, at=tx.now)
        around = await operators_of(tx, asked.schedule, window)
        who = replace(who, operators=around)

    def would_do(during: During) -> bool:
        return not standing_refusals(who, replace(asked, during=during), at=tx.now)

    return would_do
