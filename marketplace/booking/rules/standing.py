"""May this person reserve this instrument, whenever it is free? Every reason why not, at once.

Suspended rights, a missing qualification, no operator, a quota passed. Upkeep is never stopped by
any of them: who repairs an instrument does it for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.rules.operators import (
    Needed,
    Operation,
    Operator,
    free_operators,
    is_assisted,
    next_attended,
    operation_refusal,
    operator_refusal,
)
from marketplace.booking.rules.quotas import UNCOUNTED_PURPOSES, QuotaUse, quota_refusals, told
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.rules.training import TrainingStatus
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import SHANGHAI, During

# How far ahead the next free operator is looked for.
OPERATOR_DAYS_AHEAD = 14
# What else is possible for who is not qualified, where an operator may attend.
OR_ATTENDED = "Or reserve it with an operator: assisted."


@dataclass(frozen=True, slots=True)
class StandingAsked:
    """Who wants to reserve what, when, as which class of user and what for.

    `schedule` is the instrument's; `assisted` as in `PlaceReservation`. A reservation that moves
    leaves itself out of the sums with `except_id`.
    """

    schedule: Schedule
    during: During
    purpose: Purpose
    user_class: UserClass
    person_id: int
    organisation_id: int
    assisted: bool | None = None
    except_id: int | None = None

    @property
    def is_upkeep(self) -> bool:
        """Whether it is for the instrument's sake: then nobody's standing matters."""
        return self.purpose in UNCOUNTED_PURPOSES

    @property
    def operation(self) -> Operation:
        """Who operates the instrument."""
        return Operation(self.schedule.terms.operation)

    @property
    def qualification(self) -> Needed:
        """Whether a qualification is needed."""
        return Needed(self.schedule.terms.qualification)

    @property
    def may_be_assisted(self) -> bool:
        """Whether operators matter at all."""
        if self.is_upkeep or self.assisted is False:
            return False
        return bool(self.assisted) or self.operation is Operation.OPERATOR

    @property
    def operators_within(self) -> During:
        """Where operators are looked at: the time itself, and some days for the next free one."""
        ahead = timedelta(days=OPERATOR_DAYS_AHEAD)
        return During(self.during.starts_at, self.during.ends_at + ahead)


@dataclass(frozen=True, slots=True)
class Suspended:
    """Booking rights are suspended, on every instrument, until they come back by themselves."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Qualified:
    """A qualification that stands; None: until it is revoked."""

    valid_until: datetime | None

    def covers(self, during: During) -> bool:
        """Whether the whole of `during` lies before it runs out."""
        return self.valid_until is None or during.ends_at <= self.valid_until


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person, before one reservation on one instrument."""

    suspended: Suspended | None = None
    qualified: Qualified | None = None
    is_operator: bool = False
    training: TrainingStatus | None = None
    quotas: tuple[QuotaUse, ...] = ()
    # Loaded only where an operator is to attend.
    operators: tuple[Operator, ...] = ()


def is_attended(standing: Standing, asked: StandingAsked) -> bool:
    """Whether an operator attends the reservation."""
    return not asked.is_upkeep and is_assisted(
        asked.operation, asked=asked.assisted, is_operator=standing.is_operator
    )


def candidates(standing: Standing, asked: StandingAsked) -> list[int]:
    """The operators who could attend it; nobody attends themselves."""
    return free_operators(_others(standing, asked), asked.during)


def operators_for(standing: Standing, asked: StandingAsked) -> list[int] | None:
    """Who could attend it; None where nobody has to."""
    return candidates(standing, asked) if is_attended(standing, asked) else None


def standing_refusals(
    standing: Standing, asked: StandingAsked, *, at: datetime
) -> tuple[Reason, ...]:
    """Every reason in the person why `asked` is refused at `at`; empty for upkeep.

    A missing qualification cannot be set aside: staff grant it, or somebody operates for them.

    Policy: F.booking (training and authorisation per instrument; limits per person).
    """
    if asked.is_upkeep:
        return ()
    return (
        *_suspension(standing),
        *_qualification(standing, asked),
        *_operation(standing, asked),
        *quota_refusals(standing.quotas, asked.during, peak=asked.schedule.peak),
    )


def lasting_refusals(standing: Standing, asked: StandingAsked) -> tuple[Reason, ...]:
    """What would stop the person whichever time they choose; quotas of the current periods."""
    nobody = asked.operation is Operation.OPERATOR and not _others(standing, asked)
    return (
        *_suspension(standing),
        *_qualification(standing, asked),
        *((operator_refusal(None, named=False),) if nobody and not standing.is_operator else ()),
        *(_exhausted(use) for use in standing.quotas if not use.left),
    )


def _suspension(standing: Standing) -> Iterator[Reason]:
    if standing.suspended is not None:
        until = standing.suspended.until
        yield Reason(
            "suspended",
            f"Booking rights are suspended until {_told(until)}. See GET /strikes for what it"
            " stands on; against each strike there is an appeal, POST /strikes/{id}/appeal.",
            limit=until,
            source="F.booking",
        )


def _qualification(standing: Standing, asked: StandingAsked) -> Iterator[Reason]:
    needed = asked.qualification
    if needed is Needed.NONE or standing.is_operator:
        return
    if needed is Needed.SELF_OPERATED and is_attended(standing, asked):
        return
    qualified = standing.qualified
    if qualified is not None and qualified.covers(asked.during):
        return
    yield Reason(
        "qualification",
        f"{_lacking(qualified)} {_what_to_do(standing, asked)}",
        limit=None if qualified is None else qualified.valid_until,
        asked=asked.during.ends_at,
        source="F.booking",
    )


def _lacking(qualified: Qualified | None) -> str:
    if qualified is None or qualified.valid_until is None:
        return "You are not qualified for this instrument."
    return f"Your qualification for this instrument ends {_told(qualified.valid_until)}."


def _what_to_do(standing: Standing, asked: StandingAsked) -> str:
    if standing.training is TrainingStatus.SCHEDULED:
        return "Your training has a date: see GET /training-requests."
    if standing.training is TrainingStatus.ASKED:
        return "You asked for training; the provider will name a date: see GET /training-requests."
    if asked.qualification is Needed.SELF_OPERATED and asked.operation is Operation.EITHER:
        return f"{_ask(asked)} {OR_ATTENDED}"
    return _ask(asked)


def _ask(asked: StandingAsked) -> str:
    return f"Ask for training: POST /instruments/{asked.schedule.instrument_id}/training-requests."


def _operation(standing: Standing, asked: StandingAsked) -> Iterator[Reason]:
    impossible = operation_refusal(
        asked.operation, asked=asked.assisted, is_operator=standing.is_operator
    )
    if impossible is not None:
        yield impossible
    elif is_attended(standing, asked) and not candidates(standing, asked):
        others = _others(standing, asked)
        following = next_attended(
            others,
            asked.during,
            until=asked.operators_within.ends_at,
            step_minutes=asked.schedule.terms.step_minutes,
        )
        yield operator_refusal(following, named=bool(others))


def _others(standing: Standing, asked: StandingAsked) -> list[Operator]:
    return [one for one in standing.operators if one.person_id != asked.person_id]


def _exhausted(use: QuotaUse) -> Reason:
    return Reason(
        "quota",
        f"{told(use)}: all of it is used.",
        limit=use.at_most,
        asked={"quota_id": use.quota_id, "used": use.used, "ends_at": use.ends_at},
        source="F.booking",
        overridable=True,
    )


def _told(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
