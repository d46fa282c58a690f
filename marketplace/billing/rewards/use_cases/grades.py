"""Noting the grade that an evaluation gave a provider."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert

from marketplace.billing.rewards.rules.states import Grade
from marketplace.billing.rewards.tables import provider_grade
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class NoteGrade:
    """The final grade of a provider for a year; `source` says which assessment gave it."""

    provider_id: int
    year: int
    grade: Grade
    source: str


async def note_grade(tx: Tx, command: NoteGrade) -> int:
    """Note a grade, and answer the note's id; a later note for the same year replaces it.

    Called when an evaluation is final. A run drafted before is then out of date.

    Policy: J.26b, J.30a
    """
    noted_id: int = await tx.scalar(
        insert(provider_grade)
        .values(
            provider_id=command.provider_id,
            year=command.year,
            grade=command.grade.value,
            source=command.source,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
        .returning(provider_grade.c.id)
    )
    tx.audit(
        "note",
        subject="provider_grade",
        subject_id=noted_id,
        provider_id=command.provider_id,
        year=command.year,
        grade=command.grade.value,
    )
    return noted_id
