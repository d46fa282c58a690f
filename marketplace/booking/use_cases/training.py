"""Ask for training, give it a date, and say how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.booking.errors import (
    QualificationStands,
    TrainingOfOneself,
    TrainingOpen,
    TrainingRefused,
)
from marketplace.booking.events import TrainingMoved
from marketplace.booking.queries.qualifications import (
    QUALIFICATION,
    TRAINING,
    Qualification,
    TrainingRequest,
    made_training,
    visible_training,
)
from marketplace.booking.rules.training import TrainingStatus, require_training_step
from marketplace.booking.tables import qualification
from marketplace.booking.tables import training_request as table
from marketplace.booking.use_cases.qualifications import note_grant, require_end_ahead
from marketplace.catalogue.queries import visible_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing, Reasons
from marketplace.parties.queries import places
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class AskForTraining:
    """The actor wants to learn how to operate an instrument."""

    instrument_id: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleTraining:
    """A date, a trainer of the provider's staff and a place; said again, another date."""

    training_request_id: int
    held_at: datetime
    trainer_id: int
    place: str


@dataclass(frozen=True, slots=True)
class PassTraining:
    """The person may operate the instrument, until `valid_until` or until it is revoked."""

    training_request_id: int
    answer: str
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailTraining:
    """The person has to learn more first; they may ask again."""

    training_request_id: int
    answer: str


@dataclass(frozen=True, slots=True)
class DeclineTraining:
    """The provider does not train the person, and says why."""

    training_request_id: int
    answer: str


@dataclass(frozen=True, slots=True)
class WithdrawTraining:
    """The person does not want the training any more."""

    training_request_id: int


async def ask_for_training(tx: Tx, command: AskForTraining) -> TrainingRequest:
    """Ask the provider of an instrument that one may see.

    Raises:
        InstrumentMissing: when there is none for the actor.
        QualificationStands: when the actor has one that does not run out soon.
        TrainingOpen: when the actor asked already.
    """
    found = await visible_instrument(tx, command.instrument_id)
    await _require_unqualified(tx, found.id)
    made = await tx.first(
        made_training,
        insert(table)
        .values(
            instrument_id=found.id,
            provider_id=found.provider_id,
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            status=TrainingStatus.ASKED,
            note=command.note,
            asked_at=tx.now,
        )
        .on_conflict_do_nothing()
        .returning(*TRAINING),
    )
    if made is None:
        raise TrainingOpen("Withdraw the open request to ask anew.")
    _tell(tx, made)
    return made


async def _require_unqualified(tx: Tx, instrument_id: int) -> None:
    soon = timedelta(days=rulebook().booking.qualification_reminder_days.on(tx.today))
    held = await tx.first(
        Qualification,
        select(*QUALIFICATION).where(
            qualification.c.instrument_id == instrument_id,
            qualification.c.person_id == tx.actor.person_id,
            qualification.c.revoked_at.is_(None),
        ),
    )
    if held is not None and (held.valid_until is None or held.valid_until > tx.now + soon):
        raise QualificationStands(
            "You may operate this instrument already.", valid_until=held.valid_until
        )


async def schedule_training(tx: Tx, command: ScheduleTraining) -> TrainingRequest:
    """Give a request its date, or another one.

    Raises:
        Missing: when the instrument belongs to others.
        TrainingNotInState: when it is over.
        TrainingOfOneself: when the trainer is who asked.
        TrainingRefused: when the trainer is not on the staff, or the date is past.
    """
    present = await _asked_of_us(tx, command.training_request_id, TrainingStatus.SCHEDULED)
    if command.trainer_id == present.person_id:
        raise TrainingOfOneself("Name a colleague as the trainer.")
    found = Reasons()
    held = await places(tx, command.trainer_id)
    if all(one.organisation.id != present.provider_id for one in held):
        found.add("trainer", "The trainer is one of the provider's staff.")
    if command.held_at <= tx.now:
        found.add("held_at", "The date lies ahead.", asked=command.held_at)
    found.raise_as(TrainingRefused)
    return await _move(
        tx,
        present,
        TrainingStatus.SCHEDULED,
        held_at=command.held_at,
        trainer_id=command.trainer_id,
        place=command.place,
    )


async def pass_training(tx: Tx, command: PassTraining) -> TrainingRequest:
    """Grant the qualification that was asked for, or renew the one that the person has.

    Raises:
        Missing: when the instrument belongs to others.
        TrainingNotInState: when it has no date, or is over.
        TrainingOfOneself: when the actor asked for it.
        QualificationRefused: when the qualification would have ended already.
    """
    present = await _asked_of_us(tx, command.training_request_id, TrainingStatus.PASSED)
    require_end_ahead(tx, command.valid_until)
    granted = {
        "granted_by": tx.actor.person_id,
        "granted_at": tx.now,
        "valid_until": command.valid_until,
        "reason": f"Training {present.id}: {command.answer}",
        "reminded_at": None,
    }
    made = await tx.one(
        Qualification,
        insert(qualification)
        .values(
            instrument_id=present.instrument_id,
            provider_id=present.provider_id,
            person_id=present.person_id,
            **granted,
        )
        .on_conflict_do_update(
            index_elements=["instrument_id", "person_id"],
            index_where=qualification.c.revoked_at.is_(None),
            set_=granted,
        )
        .returning(*QUALIFICATION),
    )
    note_grant(tx, made)
    return await _move(
        tx, present, TrainingStatus.PASSED, answer=command.answer, qualification_id=made.id
    )


async def fail_training(tx: Tx, command: FailTraining) -> TrainingRequest:
    """Say that the person has to learn more first.

    Raises:
        Missing: when the instrument belongs to others.
        TrainingNotInState: when it has no date, or is over.
        TrainingOfOneself: when the actor asked for it.
    """
    present = await _asked_of_us(tx, command.training_request_id, TrainingStatus.FAILED)
    return await _move(tx, present, TrainingStatus.FAILED, answer=command.answer)


async def decline_training(tx: Tx, command: DeclineTraining) -> TrainingRequest:
    """Say that the provider does not train this person, and why.

    Raises:
        Missing: when the instrument belongs to others.
        TrainingNotInState: when it is over.
        TrainingOfOneself: when the actor asked for it.
    """
    present = await _asked_of_us(tx, command.training_request_id, TrainingStatus.DECLINED)
    return await _move(tx, present, TrainingStatus.DECLINED, answer=command.answer)


async def withdraw_training(tx: Tx, command: WithdrawTraining) -> TrainingRequest:
    """Take back what one asked for.

    Raises:
        Missing: when somebody else asked for it.
        TrainingNotInState: when it is over.
    """
    present = await visible_training(tx, command.training_request_id, lock=True)
    if present.person_id != tx.actor.person_id:
        raise Missing("There is no such training request.")
    require_training_step(present.status, TrainingStatus.WITHDRAWN)
    return await _move(tx, present, TrainingStatus.WITHDRAWN)


async def _asked_of_us(
    tx: Tx, training_request_id: int, following: TrainingStatus
) -> TrainingRequest:
    """A request of somebody else to the actor's organisation, its row locked."""
    present = await visible_training(tx, training_request_id, lock=True)
    if present.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such training request.")
    if present.person_id == tx.actor.person_id:
        raise TrainingOfOneself("A colleague decides what you asked for.")
    require_training_step(present.status, following)
    return present


async def _move(
    tx: Tx, present: TrainingRequest, following: TrainingStatus, **values: Any
) -> TrainingRequest:
    if following is not TrainingStatus.SCHEDULED:
        values |= {"answered_by": tx.actor.person_id, "answered_at": tx.now}
    made = await tx.one(
        made_training,
        update(table)
        .where(table.c.id == present.id)
        .values(status=following, **values)
        .returning(*TRAINING),
    )
    tx.audit(
        following.value,
        subject="training_request",
        subject_id=made.id,
        person_id=made.person_id,
        instrument_id=made.instrument_id,
    )
    _tell(tx, made)
    return made


def _tell(tx: Tx, made: TrainingRequest) -> None:
    tx.record(
        TrainingMoved(
            training_request_id=made.id,
            instrument_id=made.instrument_id,
            person_id=made.person_id,
            status=made.status,
        )
    )
