"""Quarters of a calendar year, in Shanghai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.exchange.errors import QuarterNotOver
from marketplace.kernel.time import During, shanghai_instant


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter, from 1 to 4, of a year."""

    year: int
    number: int

    @property
    def first_on(self) -> date:
        """Its first day."""
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def ends_before(self) -> date:
        """The first day of the next one."""
        return date(self.year + self.number // 4, self.number % 4 * 3 + 1, 1)

    @property
    def months(self) -> tuple[date, date, date]:
        """The first days of its months."""
        first, second, third = (date(self.year, self.number * 3 - back, 1) for back in (2, 1, 0))
        return first, second, third

    @property
    def during(self) -> During:
        """From its first midnight to that of the next one."""
        return During(shanghai_instant(self.first_on), shanghai_instant(self.ends_before))

    def require_over(self, today: date) -> None:
        """Nothing, when the quarter lies behind.

        Raises:
            QuarterNotOver: with the day from which it can be reported. Policy: F.289-15.
        """
        if today < self.ends_before:
            raise QuarterNotOver(
                f"It can be reported from {self.ends_before} on.", opens_on=self.ends_before
            )
