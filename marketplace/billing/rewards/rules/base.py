"""What a reward is computed from: the service total of a year, through a day of it."""

from __future__ import annotations

from datetime import date

from marketplace.billing.rewards.errors import ThroughRefused, YearOpen
from marketplace.kernel.errors import Reasons


def require_through(*, year: int, through: date, today: date, last_through: date | None) -> None:
    """Refuse a run through a day outside its year, still to come, or before an approved run's.

    A run always counts from 1 January: what earlier runs paid is taken off, so that corrections of
    their months are made good by the next one.

    Raises:
        ThroughRefused: with each reason.

    Policy: J.30a, J.30b
    """
    reasons = Reasons()
    if through.year != year:
        reasons.add(
            "through-in-year",
            f"A run of {year} ends on a day of {year}: the caps are those of a calendar year.",
            limit=year,
            asked=through.isoformat(),
            source="J.30b",
        )
    if through > today:
        reasons.add(
            "through-not-to-come",
            "Only what has been settled counts.",
            limit=today.isoformat(),
            asked=through.isoformat(),
            source="J.30a",
        )
    if last_through is not None and through < last_through:
        reasons.add(
            "through-not-back",
            f"A run through {last_through} has been approved.",
            limit=last_through.isoformat(),
            asked=through.isoformat(),
        )
    reasons.raise_as(ThroughRefused)


def require_closed(*, year: int, today: date, last_through: date | None) -> None:
    """Refuse to ask money back while the next run would take it off by itself.

    A year is closed when it is over and a run through its last day has been paid.

    Raises:
        YearOpen: when it is not.

    Policy: J.30b
    """
    last_day = date(year, 12, 31)
    if today <= last_day or last_through != last_day:
        raise YearOpen(
            f"No run through {last_day} has been paid: the next run of {year} takes it off.",
            limit=last_day.isoformat(),
            asked=None if last_through is None else last_through.isoformat(),
        )


def counted_total(service_total_fen: int) -> int:
    """The service total as it counts: corrections may take it to nothing and not below."""
    return max(service_total_fen, 0)
