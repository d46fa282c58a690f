"""The JSON API of the yearly evaluation."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.evaluation import queries, use_cases
from marketplace.evaluation.errors import AssessmentMissing
from marketplace.evaluation.schemas import (
    AnswerIn,
    AssessmentOut,
    ObjectionIn,
    ObjectionOut,
    ScoreIn,
    VetoIn,
    YearOut,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import Role

YearInPath = Annotated[int, msgspec.Meta(ge=2000, le=2100)]


@post("/evaluations/{year:int}/draft", summary="Draft a year", **allow(Role.EVALUATOR))
async def post_draft(request: ApiRequest, year: FromPath[YearInPath]) -> Response[YearOut]:
    """Compute every provider's indicators, points and grade from the platform's records."""
    return await perform(
        request,
        use_cases.draft_assessments,
        use_cases.DraftAssessments(year),
        present=YearOut.of,
        status=200,
    )


@post("/evaluations/{year:int}/publish", summary="Publish a year", **allow(Role.EVALUATOR))
async def post_publication(request: ApiRequest, year: FromPath[YearInPath]) -> Response[YearOut]:
    """Put the drafts up for objections."""
    return await perform(
        request,
        use_cases.publish_assessments,
        use_cases.PublishAssessments(year),
        present=YearOut.of,
        status=200,
    )


@post("/evaluations/{year:int}/finalise", summary="Finalise a year", **allow(Role.EVALUATOR))
async def post_final(request: ApiRequest, year: FromPath[YearInPath]) -> Response[YearOut]:
    """By another evaluator than the one who drafted; rewards follow the grades."""
    return await perform(
        request,
        use_cases.finalise_assessments,
        use_cases.FinaliseAssessments(year),
        present=YearOut.of,
        status=200,
    )


@get("/assessments", summary="Assessments", **public())
async def get_assessments(
    request: ApiRequest,
    year: FromQuery[YearInPath | None] = None,
    grade: FromQuery[Word | None] = None,
    provider_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AssessmentOut]:
    """Everybody sees what is final; a provider its own once published; evaluators all."""
    search = queries.AssessmentSearch(
        year=year, grade=grade, provider_id=provider_id, page=page, page_size=page_size
    )
    rows, total = await read(request, queries.assessments, search, actor=caller_or_nobody(request))
    return Page(
        results=[AssessmentOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get("/assessments/{assessment_id:int}", summary="An assessment", **public())
async def get_assessment(request: ApiRequest, assessment_id: FromPath[Id]) -> AssessmentOut:
    """With the figures behind every point."""
    return AssessmentOut.of(
        await read(
            request, queries.assessment_by_id, assessment_id, actor=caller_or_nobody(request)
        )
    )


@post("/assessments/{assessment_id:int}/scores", summary="Score", **allow(Role.EXPERT))
async def post_score(
    request: ApiRequest, assessment_id: FromPath[Id], data: JSONBody[ScoreIn]
) -> Response[AssessmentOut]:
    """One's own points for a component; counted when the year is drafted or published."""
    return await perform(
        request,
        use_cases.give_score,
        use_cases.GiveScore(assessment_id, data.component, data.score),
        present=AssessmentOut.of,
        status=200,
    )


@post("/assessments/{assessment_id:int}/veto", summary="Veto", **allow(Role.EVALUATOR))
async def post_veto(
    request: ApiRequest, assessment_id: FromPath[Id], data: JSONBody[VetoIn]
) -> Response[AssessmentOut]:
    """A verified breach of credit or safety makes a provider unqualified."""
    return await perform(
        request,
        use_cases.set_veto,
        use_cases.SetVeto(assessment_id, data.veto),
        present=AssessmentOut.of,
        status=200,
    )


@get(
    "/assessments/{assessment_id:int}/objections",
    summary="Objections",
    **allow(Role.PROVIDER_MANAGER, *queries.STAFF),
)
async def get_objections(request: ApiRequest, assessment_id: FromPath[Id]) -> list[ObjectionOut]:
    """To one's own assessment; evaluators see all."""

    async def question(tx: Tx, wanted: int) -> list[queries.Objection]:
        found = await queries.assessment_by_id(tx, wanted)
        if not tx.actor.has(*queries.STAFF) and found.provider_id != tx.actor.organisation_id:
            raise AssessmentMissing()
        return await queries.objections(tx, found.id)

    return [ObjectionOut.of(row) for row in await read(request, question, assessment_id)]


@post(
    "/assessments/{assessment_id:int}/objections",
    summary="Object",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_objection(
    request: ApiRequest, assessment_id: FromPath[Id], data: JSONBody[ObjectionIn]
) -> Response[ObjectionOut]:
    """While the notice runs."""
    return await perform(
        request,
        use_cases.file_objection,
        use_cases.FileObjection(assessment_id, data.text),
        present=ObjectionOut.of,
    )


@post("/objections/{objection_id:int}/answer", summary="Answer", **allow(Role.EVALUATOR))
async def post_answer(
    request: ApiRequest, objection_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[ObjectionOut]:
    """Once; the assessment can be finalised when every objection is answered."""
    return await perform(
        request,
        use_cases.answer_objection,
        use_cases.AnswerObjection(objection_id, data.answer),
        present=ObjectionOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_draft,
    post_publication,
    post_final,
    get_assessments,
    get_assessment,
    post_score,
    post_veto,
    get_objections,
    post_objection,
    post_answer,
]
