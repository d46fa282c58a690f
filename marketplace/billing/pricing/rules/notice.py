"""From when prices may be asked: after they stood public for the notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.billing.pricing.errors import NoticeTooShort
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import working_days_after


@dataclass(frozen=True, slots=True)
class Notice:
    """The last day of the public notice and the first day on which the prices are in force."""

    ends_on: date
    in_force_from: date


def notice(filed_on: date, *, working_days: int, wanted_from: date | None) -> Notice:
    """The notice of prices filed on `filed_on`: that day does not count, the next ones do.

    Raises:
        NoticeTooShort: when the prices are wanted before the notice has ended.

    Policy: J.15, J.21d
    """
    ends_on = working_days_after(filed_on, working_days)
    earliest = ends_on + timedelta(days=1)
    if wanted_from is not None and wanted_from < earliest:
        raise NoticeTooShort(
            f"The notice ends on {ends_on}; ask for {earliest} or later.",
            reasons=[
                Reason(
                    "notice-working-days",
                    f"Prices stand public for {working_days} working days first.",
                    limit=earliest.isoformat(),
                    asked=wanted_from.isoformat(),
                    source="J.15, J.21d",
                )
            ],
        )
    return Notice(ends_on=ends_on, in_force_from=wanted_from or earliest)
