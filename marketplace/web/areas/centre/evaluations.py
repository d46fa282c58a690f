"""The yearly evaluation: drafted from records, scored by experts, in notice, objected to, final."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.evaluation import queries as evaluation
from marketplace.evaluation.errors import ObjectionMissing
from marketplace.evaluation.queries import EXPERT_COMPONENTS
from marketplace.evaluation.use_cases import (
    AnswerObjection,
    DraftAssessments,
    FinaliseAssessments,
    GiveScore,
    PublishAssessments,
    SetVeto,
    answer_objection,
    draft_assessments,
    finalise_assessments,
    give_score,
    publish_assessments,
    set_veto,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

READERS = evaluation.STAFF
HERE = "/ops/evaluations"
PAGE_SIZE = 30
TEXT_LENGTH_MAX = 2_000
GRADES = ("excellent", "good", "qualified", "unqualified")
HEADS = (
    ("单位", "Provider"),
    ("年度", "Year"),
    ("状态", "State"),
    ("总分", "Points"),
    ("等级", "Grade"),
    ("一票否决", "Veto"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of assessments, and where each year stands."""

    rows: list[evaluation.Assessment]
    total: int
    years: Mapping[int, Mapping[str, int]]
    last_year: int
    names: Names


async def desk(tx: Tx, search: evaluation.AssessmentSearch) -> Desk:
    """Best first within a year, the latest year first."""
    rows, total = await evaluation.assessments(tx, search)
    who = await names(tx, (each.provider_id for each in rows))
    return Desk(rows, total, await evaluation.years_assessed(tx), tx.today.year - 1, who)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An assessment with what stands behind its points, and what was said against it."""

    assessment: evaluation.Assessment
    scores: list[evaluation.ExpertScore]
    objections: list[evaluation.Objection]
    names: Names


async def sheet(tx: Tx, assessment_id: int) -> Sheet:
    """One assessment.

    Raises:
        AssessmentMissing: when there is none.
    """
    found = await evaluation.assessment_by_id(tx, assessment_id)
    scores = await evaluation.expert_scores(tx, assessment_id)
    objections = await evaluation.objections(tx, assessment_id)
    people = [
        found.made_by,
        found.finalised_by,
        *(each.person_id for each in scores),
        *(each.filed_by for each in objections),
        *(each.answered_by for each in objections),
    ]
    return Sheet(found, scores, objections, await names(tx, [found.provider_id], people))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> evaluation.AssessmentSearch:
    search = evaluation.AssessmentSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        grade=form.choice("grade", GRADES, needed=False) or None,
        provider_id=form.whole("provider", least=1, most=2**62, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_evaluations(request: PageRequest) -> Response[Any]:
    """Where each year stands, and everybody's points and grade."""
    return await _desk(request)


async def _desk(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    named = [(grade, label("grade", grade)) for grade in GRADES]
    return page(
        request,
        "centre/evaluations.html",
        status=status,
        found=await read(request, desk, search),
        search=search,
        filters=filters,
        refusal=refusal,
        grades=[(grade, visitor.speech.either(it.chinese, it.english)) for grade, it in named],
        may_evaluate=visitor.has(Role.EVALUATOR),
        key=new_key(),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_evaluations_file(request: PageRequest) -> Response[bytes]:
    """The assessments that the filters leave, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        provider = found.names.organisations[each.provider_id]
        state, grade = label("assessment", each.status), label("grade", each.grade)
        rows.append(
            [
                speech.either(provider.name, provider.name_en),
                each.year,
                speech.either(state.chinese, state.english),
                f"{each.total_points / 100:.2f}",
                speech.either(grade.chinese, grade.english),
                each.veto or "",
            ]
        )
    return await as_file(form, "assessments", HEADS, rows)


Step = tuple[Callable[[Tx, Any], Awaitable[Any]], Any, tuple[str, str]]


def _year_step(form: Typed) -> Step:
    """Draft a year, publish its drafts, or make final what is ready."""
    year = form.whole("year", least=2000, most=2100) or 2000
    done = form.choice("do", ("draft", "publish", "finalise"))
    if done == "publish":
        said = ("已公示，各单位可提出异议", "They are in notice; providers may object.")
        return publish_assessments, PublishAssessments(year), said
    if done == "finalise":
        said = ("已定案，等级用于奖励", "They are final; rewards follow the grades.")
        return finalise_assessments, FinaliseAssessments(year), said
    return draft_assessments, DraftAssessments(year), ("已按记录算出草稿", "The drafts are there.")


@post(f"{HERE}/steps", **members(Role.EVALUATOR))
async def send_step(request: PageRequest) -> Response[Any]:
    """Take a year one step on."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    use_case, command, said = _year_step(form)
    try:
        form.require()
        return await act(request, form, use_case, command, to=HERE, said=said)
    except DomainError as error:
        return await _desk(request, told(error, speech), error.status)


@get(f"{HERE}/{{assessment_id:int}}", **members(*READERS))
async def show_evaluation(request: PageRequest, assessment_id: FromPath[int]) -> Response[Any]:
    """One provider's year: points, what the records say, scores, objections."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _sheet(request, assessment_id, form)


async def _sheet(
    request: PageRequest,
    assessment_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    named = [(component, label("component", component)) for component in EXPERT_COMPONENTS]
    return page(
        request,
        "centre/evaluation.html",
        status=status,
        found=await read(request, sheet, assessment_id),
        form=form,
        refusal=refusal,
        components=[(name, visitor.speech.either(it.chinese, it.english)) for name, it in named],
        may_evaluate=visitor.has(Role.EVALUATOR),
        may_score=visitor.has(Role.EXPERT),
        key=new_key(),
    )


async def _take(
    request: PageRequest, assessment_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, evaluation.assessment_by_id, assessment_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _sheet(request, assessment_id, form, told(error, form.speech), error.status)

    return await take(request, asked, to=f"{HERE}/{assessment_id}", said=said, again=again)


@post(f"{HERE}/{{assessment_id:int}}/score", **members(Role.EXPERT))
async def send_score(request: PageRequest, assessment_id: FromPath[int]) -> Response[Any]:
    """One's own points for what no record can measure."""

    def asked(form: Typed) -> Any:
        component = form.choice("component", EXPERT_COMPONENTS)
        score = form.whole("score", most=100) or 0
        return give_score, GiveScore(assessment_id, component, score)

    return await _take(request, assessment_id, asked, ("评分已记录", "Your score is recorded."))


@post(f"{HERE}/{{assessment_id:int}}/veto", **members(Role.EVALUATOR))
async def send_veto(request: PageRequest, assessment_id: FromPath[int]) -> Response[Any]:
    """A verified breach of credit or safety; empty takes it back."""

    def asked(form: Typed) -> Any:
        veto = form.text("veto", length_max=200, needed=False) or None
        return set_veto, SetVeto(assessment_id, veto)

    return await _take(request, assessment_id, asked, ("已记录", "It is recorded."))


@post(
    f"{HERE}/{{assessment_id:int}}/objections/{{objection_id:int}}",
    **members(Role.EVALUATOR),
)
async def send_answer(
    request: PageRequest, assessment_id: FromPath[int], objection_id: FromPath[int]
) -> Response[Any]:
    """Answer an objection, once."""
    found = await read(request, sheet, assessment_id)
    if objection_id not in {each.id for each in found.objections}:
        raise ObjectionMissing()

    def asked(form: Typed) -> Any:
        answer = form.text("answer", length_max=TEXT_LENGTH_MAX)
        return answer_objection, AnswerObjection(objection_id, answer)

    return await _take(request, assessment_id, asked, ("已答复", "Answered."))


routes: list[ControllerRouterHandler] = [
    show_evaluations,
    get_evaluations_file,
    send_step,
    show_evaluation,
    send_score,
    send_veto,
    send_answer,
]
