"""Assessments against somebody who writes SQL: each attack is refused, under a name."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from marketplace.evaluation.errors import OwnAssessment
from marketplace.evaluation.use_cases import FileObjection, file_objection
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import DomainError
from tests.builders.evaluation import an_evaluated_year


@pytest_asyncio.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def refused(sql, statement: str) -> str:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await sql.execute(statement)
    return str(getattr(caught.value, "constraint_name", None))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'secret'", "assessment_status"),
        ("grade = 'superb'", "assessment_grade"),
        ("total_points = 10001", "assessment_total_points"),
        ("total_points = -1", "assessment_total_points"),
        ("veto = 'fraud', grade = 'good'", "assessment_veto"),
        (
            "status = 'final', finalised_by = made_by, finalised_at = now()",
            "assessment_two_persons",
        ),
        ("status = 'final'", "assessment_final"),
        ("finalised_by = 1, finalised_at = now()", "assessment_final"),
        ("status = 'final', finalised_by = 1", "assessment_finalised_at"),
        ("status = 'draft'", "assessment_published"),
        ("objections_end_on = null", "assessment_published"),
        ("provider_id = 9999", "assessment_provider_id_fkey"),
    ],
)
async def test_an_assessment_keeps_to_its_states(database, sql, change, constraint):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.publish()

    assert constraint == await refused(sql, f"update assessment set {change}")


async def test_a_provider_has_one_assessment_a_year(database, sql):
    year = await an_evaluated_year(database)
    await year.draft()
    columns = (
        "provider_id, year, status, indicators, points, terms, total_points, grade, made_by,"
        " made_at"
    )

    assert "assessment_provider_year" == await refused(
        sql, f"insert into assessment ({columns}) select {columns} from assessment"
    )


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("component = 'support'", "expert_score_component"),
        ("score = 101", "expert_score_score"),
        ("score = -1", "expert_score_score"),
        ("assessment_id = 9999", "expert_score_assessment_id_fkey"),
    ],
)
async def test_an_expert_scores_what_only_experts_can_judge(database, sql, change, constraint):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.score("landmark_services", 100)

    assert constraint == await refused(sql, f"update expert_score set {change}")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("answer = 'yes'", "objection_answered"),
        ("answered_by = 1, answered_at = now()", "objection_answered"),
        ("answer = 'yes', answered_by = 1", "objection_answered_at"),
    ],
)
async def test_an_answer_names_who_gave_it_and_when(database, sql, change, constraint):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    command = FileObjection(published.id, "机时统计有误，请复核。")
    await atomically(database, file_objection, command, actor=year.manager)

    assert constraint == await refused(sql, f"update objection set {change}")


def test_finalising_ones_own_is_the_same_refusal_from_the_database():
    assert DomainError.by_constraint["assessment_two_persons"] is OwnAssessment
