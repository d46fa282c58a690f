"""Strikes: which misuse gives one, how long it counts, and when a person is suspended for them.

A suspension follows from the valid strikes alone. It does not matter in which order they became
known: who recomputes it from the same strikes gets the same end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.booking.rules.states import WITHOUT_APPROVAL, Purpose, Status
from marketplace.kernel.errors import Reasons

OVERRUN_PROBLEM = "overrun"


class StrikeKind(StrEnum):
    """What a strike is given for."""

    NO_SHOW = "no_show"
    """Reserved, and nobody came."""
    LATE_CANCEL = "late_cancel"
    """Given back too late for anybody else to use."""
    OVERRUN = "overrun"
    """Still there when the next one's time had begun."""
    WASTE = "waste"
    """Reserved far more time than was used, while others could not have it."""


class AppealStatus(StrEnum):
    """The life of an appeal against a strike."""

    OPEN = "open"
    """Waits for a decision."""
    UPHELD = "upheld"
    """The strike does not count."""
    REJECTED = "rejected"
    """The strike stands."""


@dataclass(frozen=True, slots=True)
class StrikeTerms:
    """What the rulebook says on the day of the misuse.

    `waste_percent`: reserved time in percent of the used from which on it is waste, unless less
    than `waste_minutes` were left over.

    Policy: F.booking (three times not come: suspended).
    """

    limit: int
    valid_days: int
    suspension_days: int
    appeal_days: int
    waste_percent: int
    waste_minutes: int


@dataclass(frozen=True, slots=True)
class Use:
    """How a reservation ended; the minutes where somebody checked in."""

    status: Status
    purpose: Purpose
    own_staff: bool
    instrument_down: bool
    problem: str | None = None
    reserved_minutes: int | None = None
    used_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Misuse:
    """One reason for a strike, and how it is told."""

    kind: StrikeKind
    why: str


def misuses(use: Use, *, terms: StrikeTerms) -> tuple[Misuse, ...]:
    """What of a reservation that ended gives strikes; mostly nothing.

    Nobody is blamed for an instrument that was shut, nor the provider's own people for upkeep.

    Policy: F.booking.
    """
    if use.instrument_down or (use.own_staff and use.purpose in WITHOUT_APPROVAL):
        return ()
    if use.status is Status.NO_SHOW:
        return (Misuse(StrikeKind.NO_SHOW, "Reserved, and nobody came."),)
    if use.status is Status.LATE_CANCELLED:
        return (Misuse(StrikeKind.LATE_CANCEL, "Cancelled too late for anybody else."),)
    if use.status is not Status.USED:
        return ()
    found = []
    if use.problem == OVERRUN_PROBLEM:
        found.append(Misuse(StrikeKind.OVERRUN, "Still there when the next time had begun."))
    reserved, used = use.reserved_minutes, use.used_minutes
    if reserved is not None and used is not None and _is_waste(reserved, used, terms):
        found.append(
            Misuse(StrikeKind.WASTE, f"Reserved {reserved} minutes and used {used} of them.")
        )
    return tuple(found)


def _is_waste(reserved: int, used: int, terms: StrikeTerms) -> bool:
    return reserved * 100 > used * terms.waste_percent and reserved - used >= terms.waste_minutes


@dataclass(frozen=True, slots=True)
class Counted:
    """A strike that is not waived, with the terms of its day."""

    given_at: datetime
    expires_at: datetime
    limit: int
    suspension_days: int


def counts(strikes: Sequence[Counted], *, at: datetime) -> int:
    """How many strikes count at `at`: given by then, and not expired. At its end one is over."""
    return sum(1 for one in strikes if one.given_at <= at < one.expires_at)


def suspended_until(strikes: Sequence[Counted], *, at: datetime) -> datetime | None:
    """Until when somebody with these strikes is suspended at `at`, or None.

    A strike with which as many count as the limit says suspends from its moment for the days of
    its terms; another one meanwhile lengthens it.

    Policy: F.booking (three times not come: suspended).
    """
    ends = (
        one.given_at + timedelta(days=one.suspension_days)
        for one in strikes
        if one.given_at <= at and counts(strikes, at=one.given_at) >= one.limit
    )
    return max((end for end in ends if end > at), default=None)


def appeal_refusals(*, noted_at: datetime, at: datetime, terms: StrikeTerms) -> Reasons:
    """Why an appeal cannot be filed any more; its last moment still counts."""
    found = Reasons()
    last = noted_at + timedelta(days=terms.appeal_days)
    if at > last:
        found.add(
            "appeal-days",
            f"An appeal is filed within {terms.appeal_days} days. Ask the provider to waive it.",
            limit=last,
            asked=at,
            source="J.gap",
        )
    return found
