"""Grant, extend and revoke qualifications, and remind of those that run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.booking.errors import (
    QualificationEnded,
    QualificationRefused,
    QualificationStands,
    QualificationToOneself,
)
from marketplace.booking.events import (
    QualificationExpiring,
    QualificationGranted,
    QualificationRevoked,
)
from marketplace.booking.queries.qualifications import (
    QUALIFICATION,
    Qualification,
    require_known_person,
    reservations_ahead,
    visible_qualification,
)
from marketplace.booking.tables import qualification as table
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.rulebook import rulebook

REMINDERS = 100


@dataclass(frozen=True, slots=True)
class GrantQualification:
    """A person may operate an instrument until `valid_until`, or until it is revoked."""

    instrument_id: int
    person_id: int
    reason: str
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExtendQualification:
    """A later end, or none."""

    qualification_id: int
    reason: str
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeQualification:
    """A person shall not operate the instrument any more."""

    qualification_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The revoked qualification, and what its holder still has reserved on the instrument."""

    qualification: Qualification
    reservations: Sequence[int]


async def grant_qualification(tx: Tx, command: GrantQualification) -> Qualification:
    """Let somebody operate an instrument of one's own organisation.

    Policy: F.booking (authorisation per instrument).

    Raises:
        InstrumentMissing: when it belongs to others.
        PersonMissing: when the provider does not know the person.
        QualificationToOneself: when both are one person.
        QualificationRefused: when it would have ended already.
        QualificationStands: when the person has one, perhaps one that ran out.
    """
    found = await own_instrument(tx, command.instrument_id)
    await require_known_person(tx, command.person_id, found.provider_id)
    _require_another(tx, command.person_id)
    require_end_ahead(tx, command.valid_until)
    made = await tx.first(
        Qualification,
        insert(table)
        .values(
            instrument_id=found.id,
            provider_id=found.provider_id,
            person_id=command.person_id,
            granted_by=tx.actor.person_id,
            granted_at=tx.now,
            valid_until=command.valid_until,
            reason=command.reason,
        )
        .on_conflict_do_nothing()
        .returning(*QUALIFICATION),
    )
    if made is None:
        raise QualificationStands("Extend the one that the person has, or revoke it first.")
    note_grant(tx, made)
    return made


async def extend_qualification(tx: Tx, command: ExtendQualification) -> Qualification:
    """Let a qualification last longer, also one that ran out; its holder is reminded anew.

    Raises:
        Missing: when the instrument belongs to others.
        QualificationToOneself: when the actor holds it.
        QualificationEnded: when it was revoked.
        QualificationRefused: when it would end earlier than it does.
    """
    present = await _own(tx, command.qualification_id)
    require_end_ahead(tx, command.valid_until)
    until = present.valid_until
    if until is None or (command.valid_until is not None and command.valid_until < until):
        raise QualificationRefused(
            "It lasts longer already; to end it earlier, revoke it.", limit=until
        )
    made = await tx.one(
        Qualification,
        update(table)
        .where(table.c.id == present.id)
        .values(valid_until=command.valid_until, reminded_at=None)
        .returning(*QUALIFICATION),
    )
    tx.audit(
        "extend",
        subject="qualification",
        subject_id=made.id,
        person_id=made.person_id,
        before=_told(until),
        after=_told(made.valid_until),
        reason=command.reason,
    )
    return made


async def revoke_qualification(tx: Tx, command: RevokeQualification) -> Revoked:
    """Take a qualification away; what its holder has reserved stands until somebody cancels it.

    Raises:
        Missing: when the instrument belongs to others.
        QualificationToOneself: when the actor holds it.
        QualificationEnded: when it was revoked before.
    """
    present = await _own(tx, command.qualification_id)
    made = await tx.one(
        Qualification,
        update(table)
        .where(table.c.id == present.id)
        .values(revoked_by=tx.actor.person_id, revoked_at=tx.now, revoked_because=command.reason)
        .returning(*QUALIFICATION),
    )
    tx.audit(
        "revoke",
        subject="qualification",
        subject_id=made.id,
        person_id=made.person_id,
        reason=command.reason,
    )
    tx.record(
        QualificationRevoked(
            qualification_id=made.id,
            instrument_id=made.instrument_id,
            person_id=made.person_id,
            reason=command.reason,
        )
    )
    return Revoked(made, await reservations_ahead(tx, made.instrument_id, made.person_id))


async def remind_of_expiry(tx: Tx, _: None = None) -> int:
    """Tell of each qualification that ends within the province's term: once, and late if need be.

    One batch; what somebody else is working on is left to them.
    """
    ahead = timedelta(days=rulebook().booking.qualification_reminder_days.on(tx.today))
    due = (
        select(table.c.id)
        .where(
            table.c.valid_until <= tx.now + ahead,
            table.c.revoked_at.is_(None),
            table.c.reminded_at.is_(None),
        )
        .order_by(table.c.valid_until)
        .limit(REMINDERS)
        .with_for_update(skip_locked=True)
    )
    told = await tx.all(
        Qualification,
        update(table)
        .where(table.c.id.in_(due.scalar_subquery()))
        .values(reminded_at=tx.now)
        .returning(*QUALIFICATION),
    )
    for one in told:
        if one.valid_until is not None:
            tx.record(
                QualificationExpiring(
                    qualification_id=one.id,
                    instrument_id=one.instrument_id,
                    person_id=one.person_id,
                    valid_until=one.valid_until,
                )
            )
    return len(told)


def note_grant(tx: Tx, made: Qualification) -> None:
    """Write down and tell that a qualification was granted."""
    tx.audit(
        "grant",
        subject="qualification",
        subject_id=made.id,
        instrument_id=made.instrument_id,
        person_id=made.person_id,
        valid_until=_told(made.valid_until),
        reason=made.reason,
    )
    tx.record(
        QualificationGranted(
            qualification_id=made.id,
            instrument_id=made.instrument_id,
            person_id=made.person_id,
        )
    )


def require_end_ahead(tx: Tx, valid_until: datetime | None) -> None:
    """Nothing, when a qualification would end later than now, or not by itself.

    Raises:
        QualificationRefused: otherwise.
    """
    if valid_until is not None and valid_until <= tx.now:
        raise QualificationRefused("It would have ended already.", asked=valid_until)


def _require_another(tx: Tx, person_id: int) -> None:
    if person_id == tx.actor.person_id:
        raise QualificationToOneself("A colleague decides whether you may operate it.")


async def _own(tx: Tx, qualification_id: int) -> Qualification:
    """A qualification that stands, for an instrument of the actor's, its row locked."""
    await tx.execute(select(table.c.id).where(table.c.id == qualification_id).with_for_update())
    present = await visible_qualification(tx, qualification_id)
    _require_another(tx, present.person_id)
    if present.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such qualification.")
    if present.revoked_at is not None:
        raise QualificationEnded("Grant a new one.", revoked_at=present.revoked_at)
    return present


def _told(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
