"""The yearly evaluation on pages: drafted, scored, in notice, objected to, final by another."""

from __future__ import annotations

import pytest

from marketplace.evaluation.use_cases import FileObjection, file_objection
from marketplace.kernel.db import atomically
from tests.builders.evaluation import YEAR, an_evaluated_year

pytestmark = pytest.mark.timeout(120)
STEPS = "/ops/evaluations/steps"


async def test_a_year_goes_from_draft_to_final_by_two_evaluators_and_an_expert(enter, database):
    year = await an_evaluated_year(database)
    evaluator, colleague = await enter(year.evaluator), await enter(year.colleague)
    expert = await enter(year.expert)

    drafted = await evaluator.post(STEPS, {"year": YEAR, "do": "draft"})
    here = f"/ops/evaluations/{(await year.found()).id}"
    wrong = await expert.post(f"{here}/score", {"component": "landmark_services", "score": "101"})
    scored = await expert.post(f"{here}/score", {"component": "landmark_services", "score": "90"})
    vetoed = await evaluator.post(f"{here}/veto", {"veto": "查实数据造假"})
    lifted = await evaluator.post(f"{here}/veto", {"veto": ""})
    published = await evaluator.post(STEPS, {"year": YEAR, "do": "publish"})
    late = await expert.post(f"{here}/score", {"component": "landmark_services", "score": "95"})
    command = FileObjection((await year.found()).id, "机时统计有误，请复核。")
    objection = await atomically(database, file_objection, command, actor=year.manager)
    early = await colleague.post(STEPS, {"year": YEAR, "do": "finalise"})
    unsaid = await evaluator.post(f"{here}/objections/{objection.id}", {"answer": ""})
    foreign = await evaluator.post(f"{here}/objections/{objection.id + 1}", {"answer": "维持"})
    answered = await evaluator.post(
        f"{here}/objections/{objection.id}", {"answer": "复核后维持原结果。"}
    )
    year.days_later(14)
    own = await evaluator.post(STEPS, {"year": YEAR, "do": "finalise"})
    final = await colleague.post(STEPS, {"year": YEAR, "do": "finalise"})
    shown = await evaluator.open(here)

    assert "已按记录算出草稿" in drafted.text
    assert wrong.status == 400
    assert "评分已记录" in scored.text
    assert "查实数据造假" in vetoed.text
    assert "查实数据造假" not in lifted.text
    assert "公示中" in published.text
    assert (late.status, early.status, unsaid.status, foreign.status) == (409, 422, 400, 404)
    assert "复核后维持原结果" in answered.text
    assert (own.status, "须由他人终审" in own.text) == (422, True)
    assert "已定案" in final.text
    assert "90.00" in shown.text


async def test_assessments_are_found_by_year_and_grade_and_given_out_as_they_are_shown(
    enter, database
):
    year = await an_evaluated_year(database)
    await year.draft()
    reader = await enter(year.expert)

    found = await reader.open("/ops/evaluations", year=YEAR, grade="unqualified")
    none = await reader.open("/ops/evaluations", year=YEAR - 1)
    file = await reader.http.get(f"/ops/evaluations/file?year={YEAR}&format=csv")

    assert f"/ops/evaluations/{(await year.found()).id}" in found.links.values()
    assert "没有符合条件的评价" in none.text
    assert len(file.text.strip().splitlines()) == 2
