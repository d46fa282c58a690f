"""From public notice to the final grade."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, insert, select, update

from marketplace.billing.rewards import use_cases as rewards
from marketplace.evaluation import queries
from marketplace.evaluation.errors import (
    AssessmentMissing,
    NothingToAssess,
    ObjectionMissing,
    ObjectionsClosed,
    OwnAssessment,
)
from marketplace.evaluation.tables import assessment, objection
from marketplace.evaluation.use_cases.drafting import (
    DraftAssessments,
    draft_assessments,
    drafts_locked,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.time import working_days_after
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class PublishAssessments:
    """Put the drafts of a year up for objections."""

    year: int


@dataclass(frozen=True, slots=True)
class FinaliseAssessments:
    """Make the published assessments of a year final."""

    year: int


@dataclass(frozen=True, slots=True)
class YearStep:
    """What a step came to."""

    year: int
    assessments: int


@dataclass(frozen=True, slots=True)
class FileObjection:
    """What the provider holds against its assessment."""

    assessment_id: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerObjection:
    """What the centre answers."""

    objection_id: int
    answer: str


async def publish_assessments(tx: Tx, command: PublishAssessments) -> YearStep:
    """Compute the drafts once more, with every expert's score, and publish them.

    Who publishes thereby makes what is published, and somebody else finalises it.

    Raises:
        NothingToAssess: when nobody drafted the year, so that no expert could score it, or
            everything is published already.

    Policy: J.25, N.29a
    """
    if not await drafts_locked(tx, command.year):
        raise NothingToAssess("There is no draft of that year; draft it first.")
    await draft_assessments(tx, DraftAssessments(command.year))
    notice_days = rulebook().evaluation.objection_working_days.on(tx.today)
    published = await tx.execute(
        update(assessment)
        .where(assessment.c.year == command.year, assessment.c.status == "draft")
        .values(status="published", objections_end_on=working_days_after(tx.today, notice_days))
    )
    tx.audit("publish", subject="assessments", subject_id=command.year, n=published.rowcount)
    return YearStep(command.year, published.rowcount)


async def file_objection(tx: Tx, command: FileObjection) -> queries.Objection:
    """Object to one's own assessment while the notice runs.

    Raises:
        AssessmentMissing: when it is not the caller's own.
        ObjectionsClosed: before publication and after the notice.
    """
    found = await queries.assessment_by_id(tx, command.assessment_id)
    if found.provider_id != tx.actor.organisation_id:
        raise AssessmentMissing()
    if (
        found.status != "published"
        or found.objections_end_on is None
        or tx.today > found.objections_end_on
    ):
        raise ObjectionsClosed(
            "Objections are taken while the notice runs.", limit=found.objections_end_on
        )
    made = await tx.one(
        queries.Objection,
        insert(objection)
        .values(
            assessment_id=found.id,
            text=command.text,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(objection),
    )
    tx.audit("object", subject="assessment", subject_id=found.id, objection_id=made.id)
    return made


async def answer_objection(tx: Tx, command: AnswerObjection) -> queries.Objection:
    """Answer an objection, once.

    Raises:
        ObjectionMissing: when there is none.
        ObjectionsClosed: when it was answered before.
    """
    exists_at_all = await tx.scalar(
        select(objection.c.id).where(objection.c.id == command.objection_id)
    )
    if exists_at_all is None:
        raise ObjectionMissing()
    answered = await tx.one(
        queries.Objection,
        update(objection)
        .where(objection.c.id == command.objection_id, objection.c.answer.is_(None))
        .values(answer=command.answer, answered_by=tx.actor.person_id, answered_at=tx.now)
        .returning(objection),
        missing=ObjectionsClosed,
    )
    tx.audit("answer", subject="objection", subject_id=answered.id)
    return answered


async def finalise_assessments(tx: Tx, command: FinaliseAssessments) -> YearStep:
    """Make assessments final whose notice is over and whose objections are answered.

    The grades go to the rewards, which are computed from them.

    Raises:
        NothingToAssess: when none is ready: the notice still runs, or an objection is open.
        OwnAssessment: for the person who drafted them.

    Policy: J.25, J.30a
    """
    open_objection = exists().where(
        objection.c.assessment_id == assessment.c.id, objection.c.answer.is_(None)
    )
    ready = await tx.all(
        queries.Assessment,
        select(assessment)
        .where(
            assessment.c.year == command.year,
            assessment.c.status == "published",
            assessment.c.objections_end_on < tx.today,
            ~open_objection,
        )
        .order_by(assessment.c.id)
        .with_for_update(),
    )
    if not ready:
        raise NothingToAssess(
            "None is ready: the notice still runs, or an objection waits for its answer."
        )
    if any(one.made_by == tx.actor.person_id for one in ready):
        raise OwnAssessment()
    await tx.execute(
        update(assessment)
        .where(assessment.c.id.in_([one.id for one in ready]))
        .values(status="final", finalised_by=tx.actor.person_id, finalised_at=tx.now)
    )
    await rewards.note_grades(
        tx,
        [
            rewards.NoteGrade(
                provider_id=one.provider_id,
                year=one.year,
                grade=rewards.Grade(one.grade),
                source=f"assessment {one.id}",
            )
            for one in ready
        ],
    )
    tx.audit("finalise", subject="assessments", subject_id=command.year, n=len(ready))
    return YearStep(command.year, len(ready))
