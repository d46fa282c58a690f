"""Operators: who of a provider's staff attends a reservation, and when they can.

An operator works in weekly hours, is away on noted absences and on public holidays, and attends
one machine at a time; PostgreSQL guards the last (`reservation_operator_free`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.booking.rules.intervals import common, widest, without
from marketplace.booking.rules.schedule import Hours
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import (
    SATURDAY,
    SHANGHAI,
    During,
    is_makeup_day,
    is_public_holiday,
    shanghai_day,
    shanghai_instant,
)

MONDAY, FRIDAY = 0, 4


class Operation(StrEnum):
    """Who operates an instrument while it is reserved."""

    SELF = "self"
    """Its users."""
    OPERATOR = "operator"
    """An operator of the provider, always."""
    EITHER = "either"
    """Its users, unless they ask for an operator."""


class Needed(StrEnum):
    """Whether somebody must be qualified to reserve an instrument."""

    NONE = "none"
    SELF_OPERATED = "self_operated"
    """Only who operates it without an operator beside them."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of an instrument: weekly hours, absences, what they attend already."""

    person_id: int
    hours: tuple[Hours, ...] = ()
    away: tuple[During, ...] = ()
    busy: tuple[During, ...] = ()


def is_assisted(operation: Operation, *, asked: bool | None, is_operator: bool) -> bool:
    """Whether an operator comes to a reservation.

    Where nothing is asked the rule decides, and `either` means by oneself. An operator of the
    instrument needs nobody beside them unless they ask.
    """
    if asked is not None:
        return asked
    return operation is Operation.OPERATOR and not is_operator


def operation_refusal(
    operation: Operation, *, asked: bool | None, is_operator: bool
) -> Reason | None:
    """Why a reservation cannot be assisted, or not be assisted, as it was asked for."""
    if asked and operation is Operation.SELF:
        return Reason(
            "operation",
            "Its users operate this instrument by themselves; leave out `assisted`.",
            limit=operation.value,
            asked=asked,
        )
    if asked is False and operation is Operation.OPERATOR and not is_operator:
        return Reason(
            "operation",
            "The provider's operators run this instrument; reserve it assisted.",
            limit=operation.value,
            asked=asked,
        )
    return None


def at_work(operator: Operator, within: During) -> list[During]:
    """When an operator is there inside `within`, whether or not they attend somebody."""
    spans = [
        During(shanghai_instant(day, one.opens_minute), shanghai_instant(day, one.closes_minute))
        for day in within.days()
        for one in _hours_on(operator.hours, day)
    ]
    return without(common(spans, [within]), operator.away)


def free_of(operator: Operator, within: During) -> list[During]:
    """When an operator could attend one more reservation inside `within`."""
    return without(at_work(operator, within), operator.busy)


def free_operators(operators: Sequence[Operator], during: During) -> list[int]:
    """Who of them could attend the whole of `during`."""
    return [one.person_id for one in operators if free_of(one, during) == [during]]


def operator_intervals(operators: Sequence[Operator], within: During) -> list[During]:
    """The longest stretches of `within` that one operator could attend from end to end.

    Two operators' stretches may overlap, as those of two seats do; what lies inside another is
    left out.
    """
    return widest(piece for one in operators for piece in free_of(one, within))


def attended(free: Sequence[During], operators: Sequence[Operator]) -> list[During]:
    """The stretches of `free` that one operator could attend from end to end."""
    return widest(
        part
        for gap in free
        for piece in operator_intervals(operators, gap)
        if (part := piece.clip(gap)) is not None
    )


def next_attended(
    operators: Sequence[Operator], during: During, *, until: datetime, step_minutes: int
) -> During | None:
    """The first time after `during` begins, as long as it, that one operator could attend.

    It begins on a step of its day; whether the instrument is free then is another question.
    """
    length = during.ends_at - during.starts_at
    if during.starts_at + length > until:
        return None
    for piece in operator_intervals(operators, During(during.starts_at, until)):
        starts_at = _on_step(piece.starts_at, step_minutes)
        if starts_at + length <= piece.ends_at:
            return During(starts_at, starts_at + length)
    return None


def operator_refusal(found: During | None, *, named: bool) -> Reason:
    """Nobody could attend: when the next one could, and whether there is anybody at all."""
    if not named:
        return Reason("operator", "The provider has named no operator for this instrument yet.")
    if found is None:
        return Reason("operator", "No operator can attend that time, nor one soon after.")
    return Reason(
        "operator",
        "No operator can attend that time; the next one is free from"
        f" {_told(found.starts_at)} to {_told(found.ends_at)}.",
        limit={"starts_at": found.starts_at, "ends_at": found.ends_at},
    )


def hours_refusals(hours: Sequence[Hours]) -> list[Reason]:
    """Which working hours end before they begin; over midnight they are two."""
    return [
        Reason(
            "hours",
            "Hours end after they begin; over midnight write them for both days.",
            asked=[one.weekday, one.opens_minute, one.closes_minute],
        )
        for one in hours
        if one.opens_minute >= one.closes_minute
    ]


def assignment_refusals(
    operation: Operation,
    during: During,
    *,
    operator_id: int | None,
    candidate: Operator | None,
    is_upkeep: bool = False,
) -> tuple[Reason, ...]:
    """Why staff cannot let `operator_id` attend a reservation, apart from attending another one.

    `candidate` is the operator of that id whom the provider has named for the instrument. Hours
    and absences may be set aside: the colleague has agreed to come.
    """
    if operator_id is None:
        if operation is not Operation.OPERATOR or is_upkeep:
            return ()
        return (
            Reason(
                "operation",
                "The provider's operators run this instrument; name another one.",
                limit=operation.value,
            ),
        )
    if candidate is None:
        return (
            Reason(
                "operator",
                "The provider has not named this person an operator of the instrument.",
                asked=operator_id,
            ),
        )
    found = Reasons()
    if any(one.overlaps(during) for one in candidate.away):
        found.add("operator-away", "The operator is away then.", overridable=True)
    elif at_work(candidate, during) != [during]:
        found.add(
            "operator-hours", "The operator does not work all of that time.", overridable=True
        )
    return tuple(found.found)


def _hours_on(hours: Sequence[Hours], day: date) -> list[Hours]:
    """The hours of a day: none on a public holiday, a workday's on a make-up day without own."""
    if is_public_holiday(day):
        return []
    weekday = day.weekday()
    own = [one for one in hours if one.weekday == weekday]
    if own or weekday < SATURDAY or not is_makeup_day(day):
        return own
    like = FRIDAY if weekday == SATURDAY else MONDAY
    return [one for one in hours if one.weekday == like]


def _on_step(instant: datetime, step_minutes: int) -> datetime:
    midnight = shanghai_instant(shanghai_day(instant))
    step = timedelta(minutes=step_minutes)
    return midnight + -(-(instant - midnight) // step) * step


def _told(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
