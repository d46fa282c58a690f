"""Months and other days that are closed together."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Protocol


class Days(Protocol):
    """Days that are closed together, both ends included."""

    @property
    def first_on(self) -> date:
        """The first of them."""

    @property
    def last_on(self) -> date:
        """The last of them."""


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @property
    def first_on(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last_on(self) -> date:
        """Its last day."""
        return date(self.year, self.month, monthrange(self.year, self.month)[1])
