"""Monthly statements: what is digested, what differs, when one is due, who may confirm.

Policy: F.289-15 (records are complete and reported by the quarter), F.hours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.booking.errors import (
    StatementBlocked,
    StatementMonthNotOver,
    StatementSecondPerson,
)
from marketplace.booking.rules.machine_hours import Grain, day_after
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During, shanghai_instant

# Raised when the shape of the digested content changes, so that an old digest is read as it was.
CONTENT_VERSION = 1


class StatementStatus(StrEnum):
    """The life of a statement."""

    DRAFT = "draft"
    """Drawn up from the sessions; may be drawn up anew."""
    CONFIRMED = "confirmed"
    """A second person vouched for it: it never changes again."""


@dataclass(frozen=True, slots=True)
class LineKey:
    """What a line is about."""

    instrument_id: int
    purpose: str
    user_class: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a line; `session_minutes` is `minutes`, `overlap_minutes`, `idle_minutes`."""

    minutes: int = 0
    session_minutes: int = 0
    idle_minutes: int = 0
    overlap_minutes: int = 0
    self_operated_minutes: int = 0
    reserved_minutes: int = 0
    sessions: int = 0
    samples: int = 0
    no_shows: int = 0
    late_cancellations: int = 0

    def less(self, other: Counts) -> Counts:
        """How much more this says than `other`; figures may be below zero."""
        return Counts(**{name: getattr(self, name) - getattr(other, name) for name in COUNTS})

    @property
    def is_nothing(self) -> bool:
        """Whether every figure is zero."""
        return self == Counts()


COUNTS: tuple[str, ...] = tuple(Counts.__dataclass_fields__)

Lines = Mapping[LineKey, Counts]


@dataclass(frozen=True, slots=True)
class LineDifference:
    """A line on which a confirmed statement and the sessions no longer agree."""

    key: LineKey
    confirmed: Counts
    live: Counts

    @property
    def change(self) -> Counts:
        """What the next version will say more."""
        return self.live.less(self.confirmed)


class CheckKind(StrEnum):
    """What is looked at before a month is confirmed."""

    OPEN = "open"
    """A session of the month is still running, or nobody checked out."""
    IN_DOUBT = "in-doubt"
    """The platform had to close a session; nobody has said yet when it ended."""
    UNDECIDED = "undecided"
    """A reservation has begun, nobody came, and it does not count as a no-show yet."""
    OVER_THE_EDGE = "over-the-edge"
    """A session began before the month or ended after it; the month has its part."""
    NOTHING_RAN = "nothing-ran"
    """A session was closed without preparation, test or post-processing."""


BLOCKING = frozenset({CheckKind.OPEN, CheckKind.IN_DOUBT, CheckKind.UNDECIDED})
_BLOCKED_BECAUSE = {
    CheckKind.OPEN: "{count} sessions are still open; close them.",
    CheckKind.IN_DOUBT: "{count} sessions wait in the problem queue; say when they ended.",
    CheckKind.UNDECIDED: "{count} reservations have begun without a session; they turn into"
    " no-shows by themselves shortly.",
}


def during_of_month(month: date) -> During:
    """The month that begins on `month`, in Shanghai."""
    return During(shanghai_instant(month), shanghai_instant(day_after(month, Grain.MONTH)))


def due_on(month: date, *, due_days: int) -> date:
    """The last day on which the statement of `month` is confirmed in time."""
    return day_after(month, Grain.MONTH) + timedelta(days=due_days - 1)


def months_before(day: date, count: int) -> list[date]:
    """The last `count` months that are over on `day`, the oldest first."""
    months: list[date] = []
    first = day.replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(first)
    return months[::-1]


def require_month_over(month: date, *, today: date) -> None:
    """Nothing, when the month lies behind.

    Raises:
        StatementMonthNotOver: with the day from which it can be stated.
    """
    opens_on = day_after(month, Grain.MONTH)
    if today < opens_on:
        raise StatementMonthNotOver(
            f"It can be stated from {opens_on} on.", opens_on=opens_on, asked=month
        )


def require_second_person(*, drafted_by: int, confirming: int) -> None:
    """Nothing, when who confirms is not who drafted.

    Raises:
        StatementSecondPerson: when they are one.
    """
    if drafted_by == confirming:
        raise StatementSecondPerson("You drafted it; a colleague has to confirm it.")


def require_nothing_blocking(counts: Mapping[CheckKind, int]) -> None:
    """Nothing, when every session of the month is closed and none is in doubt.

    Raises:
        StatementBlocked: with every reason.
    """
    reasons = Reasons()
    for kind, because in _BLOCKED_BECAUSE.items():
        if counts.get(kind, 0):
            reasons.add(
                kind.value,
                because.format(count=counts[kind]),
                limit=0,
                asked=counts[kind],
                source="F.289-15",
            )
    reasons.raise_as(StatementBlocked)


def digest(
    *, provider_id: int, month: date, version: int, replaces_sha256: str | None, lines: Lines
) -> str:
    """SHA-256 over what a statement says and over the version that it replaces.

    The content is JSON with sorted keys and lines in the order of instrument, purpose and class of
    user, so that whoever has the figures computes the same digest.
    """
    content = {
        "content_version": CONTENT_VERSION,
        "provider_id": provider_id,
        "month": month.isoformat(),
        "version": version,
        "replaces_sha256": replaces_sha256,
        "lines": [asdict(key) | asdict(counts) for key, counts in _in_order(lines)],
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(confirmed: Lines, live: Lines) -> list[LineDifference]:
    """Every line on which the two disagree, in order; a line that one of them lacks is zero."""
    keys = {key: Counts() for key in (*confirmed, *live)}
    return [
        LineDifference(key, confirmed.get(key, Counts()), live.get(key, Counts()))
        for key, _ in _in_order(keys)
        if confirmed.get(key, Counts()) != live.get(key, Counts())
    ]


def _in_order(lines: Lines) -> Iterable[tuple[LineKey, Counts]]:
    return sorted(
        lines.items(),
        key=lambda line: (line[0].instrument_id, line[0].purpose, line[0].user_class),
    )
