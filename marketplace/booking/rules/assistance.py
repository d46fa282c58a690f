"""Free time where an operator has to attend: only as far as one of them can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from marketplace.booking.rules.intervals import common, without
from marketplace.booking.rules.operators import Operation, Operator, attended, is_assisted
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.timetable import Busy, Remedy, Timetable
from marketplace.kernel.time import During


def needs_operator(schedule: Schedule, assisted: bool | None) -> bool:
    """Whether a reservation that asks for an operator, or does not say, would be attended."""
    operation = Operation(schedule.terms.operation)
    return is_assisted(operation, asked=assisted, is_operator=False)


def attended_timetable(
    schedule: Schedule, times: Timetable, operators: Sequence[Operator], within: During
) -> Timetable:
    """`times` with what is free and attended; the rest of what is free is busy, for that reason.

    `operators` are those of the instrument; where its users operate it there is nobody to come.
    """
    if Operation(schedule.terms.operation) is Operation.SELF:
        reason = Busy(within, "operation", "Its users operate this instrument by themselves.")
        lost = common(times.free, [within])
        return _without(times, (), [replace(reason, during=one) for one in lost])
    free = attended(times.free, operators)
    lost = without(times.free, free)
    told = "No operator can attend."
    return _without(times, free, [Busy(one, "operator", told, Remedy.ASK_STAFF) for one in lost])


def _without(times: Timetable, free: Sequence[During], lost: Sequence[Busy]) -> Timetable:
    busy = sorted([*times.busy, *lost], key=lambda one: one.during)
    seats = [
        replace(one, during=part) for one in times.seats for part in common([one.during], free)
    ]
    return Timetable(free=tuple(free), busy=tuple(busy), seats=tuple(seats))
