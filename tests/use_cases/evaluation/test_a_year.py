"""A year of evaluation: draft, scores, veto, notice, objections, the final grade."""

from __future__ import annotations

import asyncio

import pytest

from marketplace.billing.rewards.queries import grade_of
from marketplace.evaluation import queries
from marketplace.evaluation.errors import (
    AssessmentMissing,
    AssessmentPublished,
    NothingToAssess,
    ObjectionMissing,
    ObjectionsClosed,
    OwnAssessment,
)
from marketplace.evaluation.use_cases import (
    AnswerObjection,
    DraftAssessments,
    FileObjection,
    GiveScore,
    PublishAssessments,
    SetVeto,
    answer_objection,
    draft_assessments,
    file_objection,
    give_score,
    publish_assessments,
    set_veto,
)
from marketplace.kernel.actors import NOBODY, system_actor
from marketplace.kernel.db import atomically
from marketplace.orders.use_cases import AcceptOrder, ReviewOrder, accept_order, review_order
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import disable_person
from marketplace.rulebook.terms import NoTermInForce
from tests.builders.catalogue import an_instrument
from tests.builders.evaluation import YEAR, an_evaluated_year
from tests.builders.orders import a_delivered_order, a_market
from tests.builders.parties import a_person, a_provider, an_actor

TEST = system_actor("test")
LANDMARK, RULES = "landmark_services", "rules_and_practice"


async def do(database, use_case, command, by=TEST):
    return await atomically(database, use_case, command, actor=by)


async def see(database, assessment_id, by):
    return await do(database, queries.assessment_by_id, assessment_id, by)


async def an_objection(year, *, by=None, text="机时统计有误，请复核。"):
    command = FileObjection((await year.found()).id, text)
    return await do(year.database, file_objection, command, by or year.manager)


async def test_a_year_ends_with_a_grade_that_the_rewards_know(database):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.score(LANDMARK, 90)
    await year.publish()
    objection = await an_objection(year)
    year.days_later(14)
    answer = AnswerObjection(objection.id, "复核后维持原结果。")
    await do(database, answer_objection, answer, year.evaluator)

    final = await year.finalise()

    async def noted(tx, provider_id):
        return await grade_of(tx, provider_id, YEAR)

    grade = await do(database, noted, final.provider_id)

    assert ("final", year.colleague.person_id) == (final.status, final.finalised_by)
    assert 9_000 == final.points[LANDMARK]
    assert final.grade == grade == "unqualified"


async def test_the_figures_are_those_of_the_platforms_records(database):
    market = await a_market(database)
    await a_person(database, organisation_id=market.manager.organisation_id, roles=("technician",))
    left = await a_person(
        database, organisation_id=market.manager.organisation_id, roles=("technician",)
    )
    await do(database, disable_person, left, TEST)
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(delivered.id, 4, "很好"), by=market.buyer)

    await do(database, draft_assessments, DraftAssessments(YEAR))
    search = queries.AssessmentSearch(year=YEAR)
    (found,), total = await do(database, queries.assessments, search)

    assert (1, market.manager.organisation_id) == (total, found.provider_id)
    assert {
        "instruments": 1,
        "must_open": 0,
        "must_open_and_are": 0,
        "described_basis_points": 0,
        "technicians": 2,
        "effective_minutes": 120,
        "external_minutes": 120,
        "quota_minutes": 1400 * 60,
        "reviews": 1,
        "stars": 4,
    } == found.indicators
    assert found.terms["weights"]["source"] == "J.A1"


async def test_a_description_counts_by_what_of_it_is_filled(database):
    year = await an_evaluated_year(database)
    await an_instrument(
        database,
        provider_id=year.manager.organisation_id,
        technical="0.7 nm",
        service_content="形貌",
        fee_text="每小时 400 元",
    )

    found = await year.draft()

    # Three of six, and six of six.
    assert 7_500 == found.indicators["described_basis_points"]
    assert (2, 2) == (found.indicators["must_open"], found.indicators["must_open_and_are"])


async def test_a_described_share_is_rounded_down(database):
    year = await an_evaluated_year(database)
    for _ in range(2):
        await an_instrument(
            database, provider_id=year.manager.organisation_id, ename="", functions="", model=""
        )

    # Three of eighteen: 16.666 in a hundred.
    assert 1_666 == (await year.draft()).indicators["described_basis_points"]


async def test_the_mean_of_the_experts_counts_when_the_year_is_published(database):
    year = await an_evaluated_year(database)
    drafted = await year.draft()
    other = await an_actor(database, Role.EXPERT)
    third = await an_actor(database, Role.EXPERT)
    await year.score(RULES, 10)
    await year.score(RULES, 80)
    await year.score(RULES, 81, by=other)
    await year.score(RULES, 81, by=third)
    published = await year.publish()

    assert (0, 8_066) == (drafted.points[RULES], published.points[RULES])
    assert published.total_points - drafted.total_points == 806


async def test_a_draft_may_be_computed_again_and_keeps_its_scores_and_veto(database):
    year = await an_evaluated_year(database)
    first = await year.draft()
    await year.score(LANDMARK, 70)
    await do(database, set_veto, SetVeto(first.id, "verified fraud"), year.evaluator)
    again = await year.draft(by=year.colleague)

    assert (first.id, 7_000) == (again.id, again.points[LANDMARK])
    assert ("unqualified", "verified fraud") == (again.grade, again.veto)
    assert year.colleague.person_id == again.made_by


async def test_a_veto_makes_a_provider_unqualified_until_it_is_taken_back(database):
    year = await an_evaluated_year(database)
    drafted = await year.draft()
    vetoed = await do(database, set_veto, SetVeto(drafted.id, "accident"), year.evaluator)
    cleared = await do(database, set_veto, SetVeto(drafted.id, None), year.evaluator)

    assert ("unqualified", drafted.total_points) == (vetoed.grade, vetoed.total_points)
    assert (None, drafted.grade) == (cleared.veto, cleared.grade)


async def test_what_is_published_is_not_scored_vetoed_or_drafted_again(database):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    await an_instrument(database, provider_id=year.manager.organisation_id)

    with pytest.raises(AssessmentPublished):
        await year.score(LANDMARK, 100)
    with pytest.raises(AssessmentPublished):
        await do(database, set_veto, SetVeto(published.id, "late"), year.evaluator)
    assert published == await year.draft(by=year.colleague)


async def test_nothing_is_drafted_where_nothing_is_listed(database):
    await a_provider(database)

    with pytest.raises(NothingToAssess, match="listed instrument"):
        await do(database, draft_assessments, DraftAssessments(YEAR))


async def test_a_year_before_the_policy_is_refused(database):
    year = await an_evaluated_year(database)

    with pytest.raises(NoTermInForce):
        await do(database, draft_assessments, DraftAssessments(2005), year.evaluator)


async def test_only_a_drafted_year_is_published_and_only_once(database):
    year = await an_evaluated_year(database)
    with pytest.raises(NothingToAssess, match="draft it first"):
        await year.publish()
    await year.draft()
    await year.publish()

    with pytest.raises(NothingToAssess, match="draft it first"):
        await year.publish()


async def test_who_made_what_is_published_does_not_finalise_it(database):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.publish()
    year.days_later(14)

    with pytest.raises(OwnAssessment):
        await year.finalise(by=year.evaluator)
    assert "published" == (await year.found()).status


async def test_the_notice_lasts_five_working_days_and_its_last_day_counts(database):
    year = await an_evaluated_year(database)
    await year.draft()
    published = await year.publish()
    # Monday to Monday.
    assert "2025-03-10" == str(published.objections_end_on)

    year.days_later(7)
    with pytest.raises(NothingToAssess, match="still runs"):
        await year.finalise()
    objection = await an_objection(year)
    year.days_later(1)
    with pytest.raises(ObjectionsClosed):
        await an_objection(year)
    with pytest.raises(NothingToAssess, match="objection waits"):
        await year.finalise()
    await do(database, answer_objection, AnswerObjection(objection.id, "已复核。"), year.evaluator)

    assert "final" == (await year.finalise()).status


async def test_an_open_objection_holds_up_its_own_provider_only(database):
    year = await an_evaluated_year(database)
    await an_instrument(database)
    await year.draft()
    await year.publish()
    await an_objection(year)
    year.days_later(14)
    await year.finalise()
    search = queries.AssessmentSearch(year=YEAR)
    rows, _ = await do(database, queries.assessments, search)

    assert {"published", "final"} == {row.status for row in rows}
    assert "published" == (await year.found()).status


async def test_before_publication_there_is_nothing_to_object_to(database):
    year = await an_evaluated_year(database)
    await year.draft()

    with pytest.raises(AssessmentMissing):
        await an_objection(year)


async def test_an_objection_is_the_providers_own(database):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.publish()
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)

    with pytest.raises(AssessmentMissing):
        await an_objection(year, by=stranger)


async def test_to_what_is_final_nobody_objects(database):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.publish()
    year.days_later(14)
    await year.finalise()

    with pytest.raises(ObjectionsClosed):
        await an_objection(year)


async def test_an_objection_is_answered_once(database):
    year = await an_evaluated_year(database)
    await year.draft()
    await year.publish()
    objection = await an_objection(year)
    answer = AnswerObjection(objection.id, "已复核。")
    answered = await do(database, answer_objection, answer, year.evaluator)

    with pytest.raises(ObjectionsClosed):
        await do(database, answer_objection, answer, year.evaluator)
    with pytest.raises(ObjectionMissing):
        await do(database, answer_objection, AnswerObjection(9_999, "无"), year.evaluator)
    assert ("已复核。", year.evaluator.person_id) == (answered.answer, answered.answered_by)


async def test_who_sees_an_assessment_depends_on_how_far_it_is(database):
    year = await an_evaluated_year(database)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)
    people = {
        "public": NOBODY,
        "stranger": stranger,
        "own": year.manager,
        "expert": year.expert,
        "auditor": auditor,
    }

    async def who_sees():
        found = await year.found()
        seeing = set()
        for name, actor in people.items():
            rows, total = await do(
                database, queries.assessments, queries.AssessmentSearch(year=YEAR), actor
            )
            assert len(rows) == total
            try:
                await see(database, found.id, actor)
            except AssessmentMissing:
                assert total == 0
            else:
                assert total == 1
                seeing.add(name)
        return seeing

    await year.draft()
    assert {"expert", "auditor"} == await who_sees()
    await year.publish()
    assert {"expert", "auditor", "own"} == await who_sees()
    year.days_later(14)
    await year.finalise()
    assert set(people) == await who_sees()


async def test_the_list_is_filtered_and_paged_best_first(database):
    year = await an_evaluated_year(database)
    for _ in range(2):
        await an_instrument(database, functions="", ename="")
    await year.draft()

    async def found(**asked):
        search = queries.AssessmentSearch(**asked)
        rows, total = await do(database, queries.assessments, search)
        return [row.total_points for row in rows], total

    all_points, total = await found(year=YEAR)
    assert sorted(all_points, reverse=True) == all_points
    assert total == 3
    assert (all_points[2:], 3) == await found(year=YEAR, page=2, page_size=2)
    assert ([], 0) == await found(year=2024)
    assert ([], 0) == await found(grade="excellent")


async def test_scores_given_while_the_year_is_published_count_or_are_refused(database):
    """Whatever the order in which they come, no score is taken and then left out."""
    year = await an_evaluated_year(database)
    drafted = await year.draft()
    experts = [await an_actor(database, Role.EXPERT) for _ in range(6)]
    scoring = [
        do(database, give_score, GiveScore(drafted.id, LANDMARK, 60), expert) for expert in experts
    ]
    vetoing = do(database, set_veto, SetVeto(drafted.id, "accident"), year.colleague)
    publishing = do(database, publish_assessments, PublishAssessments(YEAR), year.evaluator)

    *scored, vetoed, published = await asyncio.gather(
        *scoring, vetoing, publishing, return_exceptions=True
    )
    taken = [answer for answer in scored if not isinstance(answer, Exception)]
    found = await year.found()

    assert not isinstance(published, Exception)
    assert all(isinstance(a, AssessmentPublished) for a in scored if isinstance(a, Exception))
    assert (6_000 if taken else 0) == found.points[LANDMARK]
    assert isinstance(vetoed, AssessmentPublished) == (found.veto is None)
