"""Noting the grades that an evaluation gave providers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from marketplace.billing.rewards.rules.states import Grade
from marketplace.billing.rewards.tables import provider_grade
from marketplace.kernel.db import Tx

__all__ = ["Grade", "NoteGrade", "note_grade", "note_grades"]


@dataclass(frozen=True, slots=True)
class NoteGrade:
    """The final grade of a provider for a year; `source` says which assessment gave it."""

    provider_id: int
    year: int
    grade: Grade
    source: str


async def note_grade(tx: Tx, command: NoteGrade) -> int:
    """Note one grade, and answer the note's id. See `note_grades`."""
    (noted_id,) = await note_grades(tx, [command])
    return noted_id


async def note_grades(tx: Tx, commands: Sequence[NoteGrade]) -> Sequence[int]:
    """Note grades in one statement; a later note for the same provider and year replaces it.

    Called when an evaluation is final. A run drafted before is then out of date.

    Policy: J.26b, J.30a
    """
    noted_ids: Sequence[int] = await tx.scalars(
        insert(provider_grade).returning(provider_grade.c.id, sort_by_parameter_order=True),
        [
            {
                "provider_id": command.provider_id,
                "year": command.year,
                "grade": command.grade.value,
                "source": command.source,
                "noted_by": tx.actor.person_id,
                "noted_at": tx.now,
            }
            for command in commands
        ],
    )
    for noted_id, command in zip(noted_ids, commands, strict=True):
        tx.audit(
            "note",
            subject="provider_grade",
            subject_id=noted_id,
            provider_id=command.provider_id,
            year=command.year,
            grade=command.grade.value,
        )
    return noted_ids
