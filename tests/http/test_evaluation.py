"""The API of the yearly evaluation, as evaluators, experts, providers and the public meet it."""

from __future__ import annotations

from itertools import count

import pytest

from marketplace.evaluation.errors import ObjectionMissing
from marketplace.kernel.bodies import NotJson
from marketplace.parties.roles import Role
from tests.builders.evaluation import an_evaluated_year
from tests.builders.parties import an_actor, bearer

API = "/api/v1"
OBJECTION = {"text": "机时统计有误，请复核一下。"}
ANSWER = {"answer": "复核后维持原来的结果。"}
_keys = count()


@pytest.fixture
def as_(services):
    """Headers with which an actor sends a new request."""

    def headers(actor):
        return bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}

    return headers


async def test_a_year_from_the_draft_to_the_published_grade(api, database, as_):
    year = await an_evaluated_year(database)
    provider = {"provider_id": year.manager.organisation_id}

    async def listed(**headers):
        return (await api.get(f"{API}/assessments", params=provider, **headers)).json()

    drafted = await api.post(f"{API}/evaluations/2025/draft", headers=as_(year.evaluator))
    unseen = await listed()
    (draft,) = (await listed(headers=as_(year.expert)))["results"]
    one = f"{API}/assessments/{draft['id']}"
    scored = await api.post(
        f"{one}/scores",
        json={"component": "rules_and_practice", "score": 88},
        headers=as_(year.expert),
    )
    published = await api.post(f"{API}/evaluations/2025/publish", headers=as_(year.evaluator))
    own = await api.get(one, headers=as_(year.manager))
    hidden = await api.get(one)
    objected = await api.post(f"{one}/objections", json=OBJECTION, headers=as_(year.manager))
    objections = await api.get(f"{one}/objections", headers=as_(year.manager))
    early = await api.post(f"{API}/evaluations/2025/finalise", headers=as_(year.colleague))
    year.days_later(14)
    answered = await api.post(
        f"{API}/objections/{objected.json()['id']}/answer",
        json=ANSWER,
        headers=as_(year.evaluator),
    )
    refused = await api.post(f"{API}/evaluations/2025/finalise", headers=as_(year.evaluator))
    final = await api.post(f"{API}/evaluations/2025/finalise", headers=as_(year.colleague))
    seen = await listed()

    assert (200, {"year": 2025, "assessments": 1}) == (drafted.status_code, drafted.json())
    assert (0, []) == (unseen["total"], unseen["results"])
    assert (200, 200) == (scored.status_code, published.status_code)
    assert 8_800 == own.json()["points"]["rules_and_practice"]
    assert (404, "/problems/assessment-not-found") == (hidden.status_code, hidden.json()["type"])
    assert (201, None) == (objected.status_code, objected.json()["answer"])
    assert [objected.json()] == objections.json()
    assert (422, "/problems/nothing-to-assess") == (early.status_code, early.json()["type"])
    assert ANSWER["answer"] == answered.json()["answer"]
    assert (422, "/problems/assessment-self-finalised") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert (200, 1) == (final.status_code, final.json()["assessments"])
    assert ("final", "unqualified") == (seen["results"][0]["status"], seen["results"][0]["grade"])
    assert "made_by" not in seen["results"][0]


async def test_what_is_published_is_not_scored_again(api, database, as_):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    score = {"component": "landmark_services", "score": 100}
    answers = [
        await api.post(f"{API}/assessments/{published.id}/{what}", json=body, headers=as_(actor))
        for what, body, actor in (
            ("scores", score, year.expert),
            ("veto", {"veto": "fraud"}, year.evaluator),
        )
    ]

    assert [(409, "/problems/assessment-published")] * 2 == [
        (answer.status_code, answer.json()["type"]) for answer in answers
    ]


async def test_after_the_notice_an_objection_comes_too_late(api, database, as_):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    year.days_later(8)
    late = await api.post(
        f"{API}/assessments/{published.id}/objections", json=OBJECTION, headers=as_(year.manager)
    )

    assert (409, "/problems/objections-closed", "2025-03-10") == (
        late.status_code,
        late.json()["type"],
        late.json()["limit"],
    )


async def test_another_provider_neither_sees_nor_files_objections(api, database, as_):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    at = f"{API}/assessments/{published.id}/objections"
    answers = [
        await api.get(at, headers=as_(stranger)),
        await api.post(at, json=OBJECTION, headers=as_(stranger)),
    ]
    year.days_later(14)
    await year.finalise()
    # What is final is public; what others held against it is not.
    answers.append(await api.get(at, headers=as_(stranger)))

    assert [404] * 3 == [answer.status_code for answer in answers]


async def test_an_objection_that_is_not_there_has_no_answer(api, database, as_):
    evaluator = await an_actor(database, Role.EVALUATOR)
    answer = await api.post(f"{API}/objections/7/answer", json=ANSWER, headers=as_(evaluator))

    assert (404, f"/problems/{ObjectionMissing.code}") == (
        answer.status_code,
        answer.json()["type"],
    )


@pytest.mark.parametrize(
    ("at", "body"),
    [
        ("assessments/1/scores", {"component": "support", "score": 1}),
        ("assessments/1/scores", {"component": "landmark_services", "score": 101}),
        ("assessments/1/scores", {"component": "landmark_services", "score": -1}),
        ("assessments/1/scores", {"component": "landmark_services", "score": 9.5}),
        ("assessments/1/scores", {"component": "landmark_services"}),
        ("assessments/1/veto", {"veto": ""}),
        ("assessments/1/veto", {}),
        ("objections/1/answer", {"answer": "too short"}),
        ("objections/1/answer", {"answer": "nul \u0000 is no text"}),
        ("evaluations/1999/draft", None),
        ("evaluations/2101/publish", None),
    ],
)
async def test_what_does_not_fit_is_malformed(api, services, as_, at, body):
    everybody = await an_actor(services.database, Role.EVALUATOR, Role.EXPERT)
    answer = await api.post(f"{API}/{at}", json=body, headers=as_(everybody))

    assert (400, "/problems/malformed") == (answer.status_code, answer.json()["type"])


async def test_a_year_without_rules_is_refused_and_not_an_error(api, database, as_):
    year = await an_evaluated_year(database)
    answer = await api.post(f"{API}/evaluations/2010/draft", headers=as_(year.evaluator))

    assert (422, "/problems/no-term-in-force") == (answer.status_code, answer.json()["type"])


async def test_a_draft_sent_twice_is_drafted_once(api, database, as_):
    year = await an_evaluated_year(database)
    headers = as_(year.evaluator)
    first, second = [
        await api.post(f"{API}/evaluations/2025/draft", headers=headers) for _ in range(2)
    ]

    assert first.json() == second.json()
    assert "true" == second.headers["idempotency-replayed"]


async def test_a_body_that_is_not_json_is_of_the_wrong_kind(api, services, as_):
    evaluator = await an_actor(services.database, Role.EVALUATOR)
    answer = await api.post(
        f"{API}/objections/1/answer",
        content="answer=reviewed+and+kept",
        headers=as_(evaluator) | {"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (415, f"/problems/{NotJson.code}") == (answer.status_code, answer.json()["type"])
