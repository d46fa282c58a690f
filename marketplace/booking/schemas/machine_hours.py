"""Machine-hours on the wire."""

from __future__ import annotations

from datetime import date

import msgspec

from marketplace.booking.queries import (
    MachineHoursFound,
)
from marketplace.booking.rules.states import Purpose
from marketplace.kernel.wire import Out


class MachineHoursOut(Out):
    """Effective minutes of one instrument for one purpose in one month."""

    instrument_id: int
    provider_id: int
    purpose: Purpose
    month: date
    minutes: int


class MachineHoursPage(Out):
    """One page of machine-hours; `total_minutes` sums all pages, to the minute."""

    results: list[MachineHoursOut]
    total: int
    page: int
    page_size: int
    total_minutes: int

    @classmethod
    def of(cls, found: MachineHoursFound, *, page: int, page_size: int) -> MachineHoursPage:
        """From the answer of the query."""
        return cls(
            results=[
                msgspec.convert(row, MachineHoursOut, from_attributes=True) for row in found.rows
            ],
            total=found.total,
            page=page,
            page_size=page_size,
            total_minutes=found.total_minutes,
        )
