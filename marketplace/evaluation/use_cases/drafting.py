"""Drafting the assessments of a year from records, and what people add: scores and vetoes."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.evaluation import queries
from marketplace.evaluation.errors import AssessmentMissing, AssessmentPublished, NothingToAssess
from marketplace.evaluation.rules.index import (
    Indicators,
    component_points,
    grade_of,
    total_points,
)
from marketplace.evaluation.tables import assessment, expert_score
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_instant
from marketplace.orders import queries as orders
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class DraftAssessments:
    """Compute, or compute anew, every provider's year."""

    year: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """How many assessments stand as drafts."""

    year: int
    assessments: int


@dataclass(frozen=True, slots=True)
class GiveScore:
    """An expert's points, 0 to 100, for a component that no record can measure."""

    assessment_id: int
    component: str
    score: int


@dataclass(frozen=True, slots=True)
class SetVeto:
    """A verified item of the annex on credit and safety; None takes it back."""

    assessment_id: int
    veto: str | None


async def draft_assessments(tx: Tx, command: DraftAssessments) -> Drafted:
    """Compute the assessments of a year from the platform's own records.

    What is published already stays as it is. Scores and vetoes wait while this computes: one that
    came in between would be stored and not counted.

    Raises:
        NothingToAssess: when no provider holds a listed instrument.

    Policy: J.25, J.26a, J.A1
    """
    book = rulebook()
    last_day = date(command.year, 12, 31)
    weights = book.evaluation.weights.on(last_day).model_dump()
    found = await _indicators(tx, command.year)
    if not found:
        raise NothingToAssess("No provider holds a listed instrument.")
    await drafts_locked(tx, command.year)
    experts = await queries.expert_means(tx, command.year)
    vetoes = await _vetoes(tx, command.year)
    thresholds = book.evaluation.thresholds.on(last_day)
    terms = book.evaluation.snapshot(last_day)
    rows: list[dict[str, Any]] = []
    for provider_id, indicators in found.items():
        points = component_points(
            indicators,
            experts.get(provider_id, {}),
            instruments_per_technician=book.evaluation.instruments_per_technician.on(last_day),
            full_sharing_rate_basis_points=book.evaluation.full_sharing_rate_basis_points.on(
                last_day
            ),
        )
        total = total_points(points, weights)
        rows.append(
            {
                "provider_id": provider_id,
                "year": command.year,
                "status": "draft",
                "indicators": dataclasses.asdict(indicators),
                "points": points,
                "terms": terms,
                "total_points": total,
                "grade": grade_of(total, **thresholds.model_dump(), veto=vetoes.get(provider_id)),
                "made_by": tx.actor.person_id,
                "made_at": tx.now,
            }
        )
    await _store(tx, rows)
    tx.audit("draft", subject="assessments", subject_id=command.year, providers=len(rows))
    return Drafted(command.year, len(rows))


async def drafts_locked(tx: Tx, year: int) -> int:
    """Lock the drafts of a year until the transaction ends; how many there are."""
    locked = await tx.scalars(
        select(assessment.c.id)
        .where(assessment.c.year == year, assessment.c.status == "draft")
        .order_by(assessment.c.provider_id)
        .with_for_update()
    )
    return len(locked)


async def _store(tx: Tx, rows: list[dict[str, Any]]) -> None:
    made = insert(assessment)
    renewed = ("indicators", "points", "terms", "total_points", "grade", "made_by", "made_at")
    await tx.execute(
        made.on_conflict_do_update(
            constraint="assessment_provider_year",
            set_={name: made.excluded[name] for name in renewed},
            where=assessment.c.status == "draft",
        ),
        rows,
    )


async def _indicators(tx: Tx, year: int) -> dict[int, Indicators]:
    """Everything the records say, in one query a domain."""
    book = rulebook()
    last_day = date(year, 12, 31)
    held = await catalogue.holdings(tx, book.catalogue.must_open_worth_fen.on(last_day))
    staff = await parties.technicians(tx)
    ratings = {
        rating.provider_id: rating
        for rating in await orders.ratings(tx, orders.RatingPeriod(date(year, 1, 1), last_day))
    }
    effective: dict[int, int] = defaultdict(int)
    external: dict[int, int] = defaultdict(int)
    whole_year = During(shanghai_instant(date(year, 1, 1)), shanghai_instant(date(year + 1, 1, 1)))
    for row in await booking.machine_minutes(tx, booking.MachineMinutesAsked(period=whole_year)):
        effective[row.provider_id] += row.effective_minutes
        if row.purpose == "external":
            external[row.provider_id] += row.minutes
    general = book.booking.quota_hours_general.on(last_day) * 60
    special = book.booking.quota_hours_special.on(last_day) * 60
    return {
        one.provider_id: Indicators(
            instruments=one.instruments,
            must_open=one.must_open,
            must_open_and_are=one.must_open_and_are,
            described_basis_points=one.described_basis_points,
            technicians=staff.get(one.provider_id, 0),
            effective_minutes=effective[one.provider_id],
            external_minutes=external[one.provider_id],
            quota_minutes=(one.instruments - one.special) * general + one.special * special,
            reviews=ratings[one.provider_id].reviews if one.provider_id in ratings else 0,
            stars=ratings[one.provider_id].stars if one.provider_id in ratings else 0,
        )
        for one in held
    }


async def _vetoes(tx: Tx, year: int) -> dict[int, str]:
    rows = await tx.execute(
        select(assessment.c.provider_id, assessment.c.veto).where(
            assessment.c.year == year, assessment.c.veto.is_not(None)
        )
    )
    return {row.provider_id: row.veto for row in rows}


async def give_score(tx: Tx, command: GiveScore) -> queries.Assessment:
    """Give or change one's own score while the assessment is a draft.

    Raises:
        AssessmentMissing: when there is none.
        AssessmentPublished: when it is published.
    """
    found = await _draft(tx, command.assessment_id)
    given = insert(expert_score).values(
        assessment_id=found.id,
        person_id=tx.actor.person_id,
        component=command.component,
        score=command.score,
        given_at=tx.now,
    )
    await tx.execute(
        given.on_conflict_do_update(
            constraint="expert_score_pkey",
            set_={"score": command.score, "given_at": tx.now},
        )
    )
    tx.audit("score", subject="assessment", subject_id=found.id, component=command.component)
    return found


async def set_veto(tx: Tx, command: SetVeto) -> queries.Assessment:
    """Note or take back a verified breach; the grade follows at once.

    Raises:
        AssessmentMissing: when there is none.
        AssessmentPublished: when it is published.

    Policy: J.A2, J.31
    """
    found = await _draft(tx, command.assessment_id)
    thresholds = rulebook().evaluation.thresholds.on(date(found.year, 12, 31))
    grade = grade_of(found.total_points, **thresholds.model_dump(), veto=command.veto)
    tx.audit("veto", subject="assessment", subject_id=found.id, veto=command.veto)
    return await tx.one(
        queries.Assessment,
        update(assessment)
        .where(assessment.c.id == found.id)
        .values(veto=command.veto, grade=grade)
        .returning(assessment),
        missing=AssessmentMissing,
    )


async def _draft(tx: Tx, assessment_id: int) -> queries.Assessment:
    found = await tx.one(
        queries.Assessment,
        select(assessment).where(assessment.c.id == assessment_id).with_for_update(),
        missing=AssessmentMissing,
    )
    if found.status != "draft":
        raise AssessmentPublished(asked=found.status)
    return found
