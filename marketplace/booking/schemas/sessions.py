"""Usage sessions on the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    UsageSession,
)
from marketplace.booking.schemas.periods import YEARS, ReasonGiven, SessionMinutes
from marketplace.booking.use_cases import (
    CloseSession,
    RepairSession,
)
from marketplace.kernel.time import as_utc
from marketplace.kernel.wire import In, Instant, Out


class SessionOut(Out):
    """The use of a reservation: reserved, actual and billable minutes are three things."""

    id: int
    reservation_id: int
    instrument_id: int
    opened_at: datetime
    closed_at: datetime | None
    reserved_minutes: int
    actual_minutes: int | None
    billable_minutes: int | None
    preparation_minutes: int | None
    test_minutes: int | None
    post_minutes: int | None
    operator_id: int
    problem: str | None

    @classmethod
    def of(cls, row: UsageSession) -> SessionOut:
        """From the row."""
        return msgspec.convert(row, cls, from_attributes=True)


class CloseSessionIn(In):
    """What of the session was preparation and post-processing; the rest is test time."""

    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0

    def to_command(self, reservation_id: int) -> CloseSession:
        """The command for `reservation_id`."""
        return CloseSession(
            reservation_id, self.preparation_minutes, self.test_minutes, self.post_minutes
        )


class RepairSessionIn(In):
    """When the session really ended, and how that is known."""

    closed_at: Instant
    reason: ReasonGiven
    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0

    def to_command(self, reservation_id: int) -> RepairSession:
        """The command for `reservation_id`."""
        if self.closed_at.year not in YEARS:
            raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
        return RepairSession(
            reservation_id,
            as_utc(self.closed_at),
            self.reason,
            self.preparation_minutes,
            self.test_minutes,
            self.post_minutes,
        )
