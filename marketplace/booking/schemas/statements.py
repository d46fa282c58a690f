"""Monthly statements on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    Check,
    MissingStatement,
    MonthCompared,
    MonthsAsked,
    MonthsCompared,
    Statement,
    StatementPage,
)
from marketplace.booking.rules.machine_hours import Grain, first_day
from marketplace.booking.rules.statements import (
    CheckKind,
    Counts,
    LineDifference,
    LineKey,
    StatementStatus,
)
from marketplace.booking.schemas.periods import YEARS, ReasonGiven
from marketplace.booking.use_cases import ConfirmStatement, DraftStatement
from marketplace.kernel.wire import Count, Id, In, Out, Sha256

MONTHS_MAX = 24
Month = Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


def month_of(written: str) -> date:
    """The first day of a month written as 2025-03."""
    return date.fromisoformat(f"{written}-01")


def months_asked(
    first: date,
    last: date,
    *,
    provider_id: int | None,
    overdue_only: bool = False,
    page: int,
    page_size: int,
) -> MonthsAsked:
    """The months in which two days lie, and those between them.

    Raises:
        WindowRefused: when they are in the wrong order, too many, or off the calendar.
    """
    if first.year not in YEARS or last.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= months <= MONTHS_MAX:
        raise WindowRefused(f"From 1 to {MONTHS_MAX} months.", limit=MONTHS_MAX, asked=months)
    return MonthsAsked(
        first=first_day(first, Grain.MONTH, total=first),
        last=first_day(last, Grain.MONTH, total=last),
        provider_id=provider_id,
        overdue_only=overdue_only,
        page=page,
        page_size=page_size,
    )


class DraftStatementIn(In):
    """Which month to draw up, as 2025-03; why, when it was confirmed before."""

    month: Month
    reason: ReasonGiven | None = None

    def to_command(self) -> DraftStatement:
        """The command."""
        return DraftStatement(month_of(self.month), self.reason)


class ConfirmStatementIn(In):
    """The digest of the statement as it was read."""

    sha256: Sha256

    def to_command(self, statement_id: int) -> ConfirmStatement:
        """The command."""
        return ConfirmStatement(statement_id, self.sha256)


class StatementOut(Out):
    """A provider's hours of a month in one version."""

    id: Id
    provider_id: Id
    month: date
    version: Count
    replaces_id: int | None
    status: StatementStatus
    reason: str | None
    sha256: str
    drafted_by: int
    drafted_at: datetime
    confirmed_by: int | None
    confirmed_at: datetime | None

    @classmethod
    def of(cls, row: Statement) -> StatementOut:
        """From a row."""
        return cls.like(row)


class CountsOut(Out):
    """Figures of a line, or of all lines; `session_minutes` is the sum of the next three."""

    session_minutes: int
    minutes: int
    overlap_minutes: int
    idle_minutes: int
    self_operated_minutes: int
    reserved_minutes: int
    sessions: int
    samples: int
    no_shows: int
    late_cancellations: int


class CheckOut(Out):
    """What stands in the way of a month (`blocks`), or should be known of it."""

    kind: CheckKind
    blocks: bool
    count: int
    reservation_ids: list[int]

    @classmethod
    def of(cls, row: Check) -> CheckOut:
        """From a check."""
        return cls.like(row, reservation_ids=list(row.reservation_ids))


class StatementDetailOut(Out):
    """A statement, what the sessions say now, and what stands in its way."""

    statement: StatementOut
    stated: CountsOut
    live: CountsOut
    differing_lines: int
    checks: list[CheckOut]

    @classmethod
    def of(cls, page: StatementPage) -> StatementDetailOut:
        """From the answer of the query."""
        return cls(
            statement=StatementOut.of(page.statement),
            stated=CountsOut.like(page.stated),
            live=CountsOut.like(page.live),
            differing_lines=page.differing_lines,
            checks=[CheckOut.of(check) for check in page.checks],
        )


class StatementLineOut(Out):
    """One instrument, for one purpose and class of user."""

    instrument_id: int
    purpose: str
    user_class: str
    counts: CountsOut

    @classmethod
    def of(cls, line: tuple[LineKey, Counts]) -> StatementLineOut:
        """From a line."""
        key, counts = line
        return cls.like(key, counts=CountsOut.like(counts))


class LineDifferenceOut(Out):
    """A line on which the statement and the sessions disagree."""

    instrument_id: int
    purpose: str
    user_class: str
    stated: CountsOut
    live: CountsOut
    change: CountsOut

    @classmethod
    def of(cls, row: LineDifference) -> LineDifferenceOut:
        """From a difference."""
        return cls.like(
            row.key,
            stated=CountsOut.like(row.confirmed),
            live=CountsOut.like(row.live),
            change=CountsOut.like(row.change),
        )


class MissingStatementOut(Out):
    """A month that a provider has not confirmed, and since when that is too late."""

    provider_id: int
    provider_name: str
    month: date
    draft_id: int | None
    due_on: date
    overdue: bool

    @classmethod
    def of(cls, row: MissingStatement) -> MissingStatementOut:
        """From a row."""
        return cls.like(row)


class MonthComparedOut(Out):
    """A month as confirmed last (null: never) beside the sessions as they are now."""

    provider_id: int
    provider_name: str
    month: date
    statement_id: int | None
    version: int | None
    confirmed: dict[str, int] | None
    live: dict[str, int]
    differs: bool

    @classmethod
    def of(cls, row: MonthCompared) -> MonthComparedOut:
        """From a row."""
        return cls.like(row)


class MonthsComparedOut(Out):
    """A page of months; the last two sum every page."""

    results: list[MonthComparedOut]
    total: int
    page: int
    page_size: int
    confirmed: dict[str, int]
    live: dict[str, int]

    @classmethod
    def of(cls, found: MonthsCompared, *, page: int, page_size: int) -> MonthsComparedOut:
        """From the answer of the query."""
        return cls(
            results=[MonthComparedOut.of(row) for row in found.rows],
            total=found.total,
            page=page,
            page_size=page_size,
            confirmed=found.confirmed,
            live=found.live,
        )
