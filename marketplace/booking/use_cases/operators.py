"""Name operators, set their hours, note their absences, and say who attends a reservation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from marketplace.booking.errors import (
    AbsenceWithdrawn,
    OperatorBusy,
    OperatorRefused,
    OverrideNotAllowed,
    ReservationNotInState,
)
from marketplace.booking.events import OperatorAssigned
from marketplace.booking.queries.operators import (
    Absence,
    NamedOperator,
    attended_in,
    hours_of_operator,
    operators,
    own_absence,
    require_colleague,
)
from marketplace.booking.queries.reservations import (
    Reservation,
    as_range,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.standing import operators_of
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.operators import (
    Operation,
    Operator,
    assignment_refusals,
    hours_refusals,
)
from marketplace.booking.rules.quotas import UNCOUNTED_PURPOSES
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.rules.states import LIVE
from marketplace.booking.tables import operator, operator_absence, operator_hours
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.change import require_provider
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Forbidden, Reason, Reasons
from marketplace.kernel.time import During
from marketplace.parties.queries import members
from marketplace.parties.roles import Role


@dataclass(frozen=True, slots=True)
class NameOperators:
    """Everybody who attends reservations on an instrument; whom it leaves out does no more."""

    instrument_id: int
    person_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetOperatorHours:
    """The weekly hours in which somebody works for the actor's organisation: the whole week."""

    person_id: int
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class NoteAbsence:
    """An operator is away, and why."""

    person_id: int
    during: During
    reason: str


@dataclass(frozen=True, slots=True)
class AbsenceNoted:
    """The absence, and the reservations that lose their operator to it unless staff change it."""

    absence: Absence
    reservations: list[Reservation]


@dataclass(frozen=True, slots=True)
class WithdrawAbsence:
    """The operator is there after all."""

    absence_id: int


@dataclass(frozen=True, slots=True)
class AssignOperator:
    """Who attends a reservation; None: its user operates the instrument alone.

    With `override_reason` an operator comes outside their hours or in spite of an absence.
    """

    reservation_id: int
    operator_id: int | None = None
    override_reason: str | None = None


async def name_operators(tx: Tx, command: NameOperators) -> list[NamedOperator]:
    """Name the operators of an instrument; what they attend already stays theirs.

    Raises:
        InstrumentMissing: when it belongs to others.
        OperatorRefused: when somebody is not on the provider's staff.
    """
    found = await own_instrument(tx, command.instrument_id)
    staff = {
        one.person_id
        for one in await members(tx, found.provider_id)
        if one.disabled_at is None and one.role in (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
    }
    strangers = sorted(set(command.person_ids) - staff)
    if strangers:
        raise OperatorRefused(
            "Operators are on the provider's staff.",
            reasons=[
                Reason("staff", "This person is not on the staff.", asked=each)
                for each in strangers
            ],
        )
    before = {one.person_id for one in await operators(tx, found.id)}
    after = set(command.person_ids)
    await tx.execute(
        delete(operator).where(
            operator.c.instrument_id == found.id, operator.c.person_id.not_in(sorted(after))
        )
    )
    if after - before:
        await tx.execute(
            insert(operator),
            [
                {
                    "instrument_id": found.id,
                    "person_id": each,
                    "named_by": tx.actor.person_id,
                    "named_at": tx.now,
                }
                for each in sorted(after - before)
            ],
        )
    tx.audit(
        "name_operators",
        subject="instrument",
        subject_id=found.id,
        before=sorted(before),
        after=sorted(after),
    )
    return await operators(tx, found.id)


async def set_operator_hours(tx: Tx, command: SetOperatorHours) -> list[Hours]:
    """Set the weekly hours of somebody on the staff; what they attend already stays theirs.

    Raises:
        PersonMissing: when they are not on the staff.
        OperatorRefused: when hours end before they begin.
        OperatorHoursOverlap: when two of the hours overlap, also with those at another unit.
    """
    await require_colleague(tx, command.person_id)
    Reasons(hours_refusals(command.hours)).raise_as(OperatorRefused)
    await tx.execute(
        delete(operator_hours).where(
            operator_hours.c.person_id == command.person_id,
            operator_hours.c.provider_id == tx.actor.organisation_id,
        )
    )
    if command.hours:
        await tx.execute(
            insert(operator_hours),
            [
                {
                    "provider_id": tx.actor.organisation_id,
                    "person_id": command.person_id,
                    "weekday": one.weekday,
                    "opens_minute": one.opens_minute,
                    "closes_minute": one.closes_minute,
                }
                for one in command.hours
            ],
        )
    tx.audit(
        "set_operator_hours",
        subject="person",
        subject_id=command.person_id,
        hours=[[one.weekday, one.opens_minute, one.closes_minute] for one in command.hours],
    )
    return await hours_of_operator(tx, command.person_id)


async def note_absence(tx: Tx, command: NoteAbsence) -> AbsenceNoted:
    """Note that somebody is away: no new reservation gets them, and those it hits are listed.

    Raises:
        PersonMissing: when they are not on the staff.
        Forbidden: when a technician notes it of somebody else.
    """
    await require_colleague(tx, command.person_id)
    _require_own_or_manager(tx, command.person_id)
    absence_id = await tx.scalar(
        insert(operator_absence)
        .values(
            provider_id=tx.actor.organisation_id,
            person_id=command.person_id,
            during=as_range(command.during),
            reason=command.reason,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
        .returning(operator_absence.c.id)
    )
    tx.audit(
        "note_absence",
        subject="person",
        subject_id=command.person_id,
        absence_id=absence_id,
        reason=command.reason,
    )
    return AbsenceNoted(
        await own_absence(tx, absence_id),
        await attended_in(tx, command.person_id, command.during),
    )


async def withdraw_absence(tx: Tx, command: WithdrawAbsence) -> Absence:
    """Let an absence hold no more; it stays on record.

    Raises:
        Missing: when another organisation noted it.
        Forbidden: when a technician withdraws that of somebody else.
        AbsenceWithdrawn: when it was withdrawn before.
    """
    c = operator_absence.c
    await tx.execute(select(c.id).where(c.id == command.absence_id).with_for_update())
    present = await own_absence(tx, command.absence_id)
    _require_own_or_manager(tx, present.person_id)
    if present.withdrawn_at is not None:
        raise AbsenceWithdrawn("Note a new one.", withdrawn_at=present.withdrawn_at)
    await tx.execute(
        update(operator_absence)
        .where(c.id == present.id)
        .values(withdrawn_at=tx.now, withdrawn_by=tx.actor.person_id)
    )
    tx.audit("withdraw_absence", subject="person", subject_id=present.person_id, id=present.id)
    return await own_absence(tx, present.id)


async def assign_operator(tx: Tx, command: AssignOperator) -> Reservation:
    """Name another operator for a reservation, or none where its user may operate it alone.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is over.
        OperatorRefused: with everything that keeps the person from attending.
        OperatorBusy: when they attend another reservation then.
    """
    present = await locked_reservation(tx, command.reservation_id)
    require_provider(tx, present)
    if present.status not in LIVE:
        raise ReservationNotInState(f"It is {present.status}.", status_now=present.status.value)
    if command.operator_id == present.operator_id:
        return present
    found = await schedule(tx, present.instrument_id, present.during)
    named = await operators_of(tx, found, present.during, besides=present.id)
    candidate = next((one for one in named if one.person_id == command.operator_id), None)
    if candidate is not None and _is_busy(candidate, present.during):
        raise OperatorBusy("Name another operator, or move one of the reservations.")
    reasons = assignment_refusals(
        Operation(found.terms.operation),
        present.during,
        operator_id=command.operator_id,
        candidate=candidate,
        is_upkeep=present.purpose in UNCOUNTED_PURPOSES,
    )
    overridden = _overridden(command, reasons)
    if len(overridden) < len(reasons):
        Reasons(list(reasons)).raise_as(OperatorRefused)
    await tx.execute(
        update(table)
        .where(table.c.id == present.id)
        .values(
            operator_id=command.operator_id,
            revision=table.c.revision + 1,
            changed_at=tx.now,
        )
    )
    tx.audit(
        "assign_operator",
        subject="reservation",
        subject_id=present.id,
        before=present.operator_id,
        after=command.operator_id,
        reason=command.override_reason if overridden else None,
        rules=[reason.rule for reason in overridden],
    )
    tx.record(
        OperatorAssigned(
            reservation_id=present.id,
            instrument_id=present.instrument_id,
            operator_id=command.operator_id or 0,
        )
    )
    return await reservation(tx, present.id)


def _overridden(command: AssignOperator, reasons: Sequence[Reason]) -> list[Reason]:
    possible = [reason for reason in reasons if reason.overridable]
    if command.override_reason is None or not possible:
        return []
    if not command.override_reason.strip():
        raise OverrideNotAllowed("Say why the rule is set aside.", reasons=reasons)
    return possible


def _is_busy(candidate: Operator, during: During) -> bool:
    return any(one.overlaps(during) for one in candidate.busy)


def _require_own_or_manager(tx: Tx, person_id: int) -> None:
    if person_id != tx.actor.person_id and not tx.actor.has(Role.PROVIDER_MANAGER):
        raise Forbidden("A manager notes the absence of somebody else.")
