"""Assessments on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

import msgspec

from marketplace.evaluation import queries, use_cases
from marketplace.kernel.wire import In, Out, Prose, Why

Score = Annotated[int, msgspec.Meta(ge=0, le=100)]
Text = Annotated[Prose, msgspec.Meta(min_length=10)]


class AssessmentOut(Out):
    """A provider's year. Points are hundredths: 8250 stands for 82.50."""

    id: int
    provider_id: int
    year: int
    status: str
    grade: str
    total_points: int
    points: dict[str, int]
    indicators: dict[str, Any]
    terms: dict[str, Any]
    veto: str | None
    objections_end_on: date | None
    finalised_at: datetime | None

    @classmethod
    def of(cls, row: queries.Assessment) -> Self:
        """From a row."""
        return cls.like(row)


class YearOut(Out):
    """What a step came to."""

    year: int
    assessments: int

    @classmethod
    def of(cls, done: use_cases.YearStep | use_cases.Drafted) -> Self:
        """From what was done."""
        return cls(year=done.year, assessments=done.assessments)


class ScoreIn(In):
    """An expert's points for a component that no record can measure."""

    component: Literal["landmark_services", "rules_and_practice"]
    score: Score


class VetoIn(In):
    """A verified breach of credit or safety; null takes it back."""

    veto: Why | None


class ObjectionIn(In):
    """What the provider holds against its assessment, at least ten characters."""

    text: Text


class AnswerIn(In):
    """What the centre answers, at least ten characters."""

    answer: Text


class ObjectionOut(Out):
    """An objection and its answer."""

    id: int
    assessment_id: int
    text: str
    filed_at: datetime
    answer: str | None
    answered_at: datetime | None

    @classmethod
    def of(cls, row: queries.Objection) -> Self:
        """From a row."""
        return cls.like(row)
