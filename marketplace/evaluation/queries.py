"""Reads of assessments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select

from marketplace.evaluation.errors import AssessmentMissing
from marketplace.evaluation.rules.index import EXPERT_COMPONENTS as EXPERT_COMPONENTS
from marketplace.evaluation.tables import assessment, expert_score, objection
from marketplace.kernel.db import Tx
from marketplace.parties.roles import SEES_EVERYTHING, Role

STAFF = (Role.EVALUATOR, Role.EXPERT, Role.ADMINISTRATOR, *SEES_EVERYTHING)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A provider's year: its indicators, its points by component, its grade."""

    id: int
    provider_id: int
    year: int
    status: str
    indicators: Mapping[str, Any]
    points: Mapping[str, int]
    terms: Mapping[str, Any]
    total_points: int
    grade: str
    veto: str | None
    made_by: int
    made_at: datetime
    objections_end_on: date | None
    finalised_by: int | None
    finalised_at: datetime | None


@dataclass(frozen=True, slots=True)
class Objection:
    """What a provider holds against its assessment, and the answer."""

    id: int
    assessment_id: int
    text: str
    filed_by: int
    filed_at: datetime
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExpertScore:
    """What one expert gave a component, 0 to 100."""

    person_id: int
    component: str
    score: int
    given_at: datetime


@dataclass(frozen=True, slots=True)
class AssessmentSearch:
    """Which assessments to list; None stands for any."""

    year: int | None = None
    grade: str | None = None
    provider_id: int | None = None
    page: int = 1
    page_size: int = 50


def _visible(tx: Tx) -> Select[Any]:
    """Staff see everything; providers their own once it is published; the public what is final."""
    asked = select(assessment)
    if tx.actor.has(*STAFF, "system"):
        return asked
    own = assessment.c.provider_id == tx.actor.organisation_id
    return asked.where(
        (assessment.c.status == "final") | (own & (assessment.c.status == "published"))
    )


async def assessment_by_id(tx: Tx, assessment_id: int) -> Assessment:
    """One assessment that the caller may see.

    Raises:
        AssessmentMissing: when there is none.
    """
    return await tx.one(
        Assessment,
        _visible(tx).where(assessment.c.id == assessment_id),
        missing=AssessmentMissing,
    )


async def assessments(tx: Tx, search: AssessmentSearch) -> tuple[list[Assessment], int]:
    """A page of assessments, best first, and how many there are."""
    asked = _visible(tx)
    for name in ("year", "grade", "provider_id"):
        wanted = getattr(search, name)
        if wanted is not None:
            asked = asked.where(assessment.c[name] == wanted)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(
        assessment.c.year.desc(), assessment.c.total_points.desc(), assessment.c.id
    ).limit(search.page_size)
    rows = await tx.all(Assessment, listed.offset((search.page - 1) * search.page_size))
    return rows, total


async def objections(tx: Tx, assessment_id: int) -> list[Objection]:
    """The objections to one assessment, oldest first."""
    return await tx.all(
        Objection,
        select(objection)
        .where(objection.c.assessment_id == assessment_id)
        .order_by(objection.c.id),
    )


async def expert_scores(tx: Tx, assessment_id: int) -> list[ExpertScore]:
    """Who gave what; an expert reads their own scores only, so that nobody follows another."""
    table = expert_score.c
    asked = select(table.person_id, table.component, table.score, table.given_at).where(
        table.assessment_id == assessment_id
    )
    if not tx.actor.has(Role.EVALUATOR, *SEES_EVERYTHING):
        asked = asked.where(table.person_id == tx.actor.person_id)
    return await tx.all(ExpertScore, asked.order_by(table.component, table.person_id))


async def years_assessed(tx: Tx) -> dict[int, dict[str, int]]:
    """How many assessments of each year are in each state, the latest year first."""
    rows = await tx.execute(
        select(assessment.c.year, assessment.c.status, func.count().label("found"))
        .group_by(assessment.c.year, assessment.c.status)
        .order_by(assessment.c.year.desc())
    )
    years: dict[int, dict[str, int]] = {}
    for row in rows:
        years.setdefault(row.year, {})[row.status] = row.found
    return years


async def expert_means(tx: Tx, year: int) -> dict[int, dict[str, int]]:
    """The mean of the experts' scores by provider and component, in hundredths of a point."""
    rows = await tx.execute(
        select(
            assessment.c.provider_id,
            expert_score.c.component,
            func.floor(func.avg(expert_score.c.score) * 100).label("points"),
        )
        .join(assessment, assessment.c.id == expert_score.c.assessment_id)
        .where(assessment.c.year == year)
        .group_by(assessment.c.provider_id, expert_score.c.component)
    )
    means: dict[int, dict[str, int]] = {}
    for row in rows:
        means.setdefault(row.provider_id, {})[row.component] = int(row.points)
    return means
