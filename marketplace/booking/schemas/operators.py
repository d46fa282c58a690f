"""Operators on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries.operators import Absence, AbsencePage, OperatorCalendar
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.schemas.periods import ReasonGiven, during_of
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.use_cases.operators import (
    AbsenceNoted,
    AssignOperator,
    NameOperators,
    NoteAbsence,
    SetOperatorHours,
)
from marketplace.kernel.time import During
from marketplace.kernel.wire import Id, In, Instant, Out, Page

OPERATORS_MAX = 100
HOURS_MAX = 100
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class OperatorsIn(In):
    """Everybody who attends reservations on the instrument."""

    person_ids: Annotated[list[Id], msgspec.Meta(max_length=OPERATORS_MAX)]

    def to_command(self, instrument_id: int) -> NameOperators:
        """The command for `instrument_id`."""
        return NameOperators(instrument_id, tuple(self.person_ids))


class OperatorOut(Out):
    """Somebody who attends reservations on the instrument."""

    person_id: int
    name: str
    named_by: int
    named_at: datetime


class WorkingHoursIn(In):
    """At work on `weekday` (0 is Monday) between two minutes of the day, Shanghai time."""

    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay


class WorkingWeekIn(In):
    """A usual week at work; it replaces the one before."""

    hours: Annotated[list[WorkingHoursIn], msgspec.Meta(max_length=HOURS_MAX)]

    def to_command(self, person_id: int) -> SetOperatorHours:
        """The command for `person_id`."""
        hours = (Hours(one.weekday, one.opens_minute, one.closes_minute) for one in self.hours)
        return SetOperatorHours(person_id, tuple(hours))


class WorkingHoursOut(Out):
    """At work on `weekday` (0 is Monday) between two minutes of the day, Shanghai time."""

    weekday: int
    opens_minute: int
    closes_minute: int


class AbsenceIn(In):
    """When an operator is away, and why."""

    starts_at: Instant
    ends_at: Instant
    reason: ReasonGiven

    def to_command(self, person_id: int) -> NoteAbsence:
        """The command for `person_id`."""
        return NoteAbsence(person_id, during_of(self.starts_at, self.ends_at), self.reason)


class AbsenceOut(Out):
    """Time in which an operator is away."""

    id: int
    person_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    noted_by: int
    noted_at: datetime
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, row: Absence) -> AbsenceOut:
        """From the row."""
        return cls.like(row)


class AbsenceNotedOut(Out):
    """The absence, and the reservations that need another operator because of it."""

    absence: AbsenceOut
    reservations: list[ReservationOut]

    @classmethod
    def of(cls, noted: AbsenceNoted) -> AbsenceNotedOut:
        """From the result."""
        return cls(
            absence=AbsenceOut.of(noted.absence),
            reservations=[ReservationOut.of(row) for row in noted.reservations],
        )


def absence_page(found: AbsencePage, page: int, page_size: int) -> Page[AbsenceOut]:
    """One page of the list."""
    return Page(
        results=[AbsenceOut.of(row) for row in found.absences],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class StretchOut(Out):
    """A stretch of time."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, during: During) -> StretchOut:
        """From the interval."""
        return cls(starts_at=during.starts_at, ends_at=during.ends_at)


class OperatorCalendarOut(Out):
    """When an operator works, is away, and whom they attend."""

    person_id: int
    at_work: list[StretchOut]
    absences: list[AbsenceOut]
    reservations: list[ReservationOut]

    @classmethod
    def of(cls, found: OperatorCalendar) -> OperatorCalendarOut:
        """From the answer of the query."""
        return cls(
            person_id=found.person_id,
            at_work=[StretchOut.of(one) for one in found.at_work],
            absences=[AbsenceOut.of(row) for row in found.absences],
            reservations=[ReservationOut.of(row) for row in found.reservations],
        )


class AssignmentIn(In):
    """Who attends the reservation; null: nobody, where its user may operate it alone."""

    operator_id: Id | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self, reservation_id: int) -> AssignOperator:
        """The command for `reservation_id`."""
        return AssignOperator(reservation_id, self.operator_id, self.override_reason)
