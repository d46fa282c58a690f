"""From 2026 a run is public before it is paid: anybody objects, and every objection is answered."""

from datetime import date, datetime

import pytest

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    NoticeMissing,
    NoticeNeeded,
    NoticeOpen,
    NoticeOver,
    ObjectionAnswered,
    ObjectionMissing,
    ObjectionsStand,
    RunNotDraft,
    SecondPersonNeeded,
)
from marketplace.billing.rewards.rules.notices import notice_ends_on
from marketplace.billing.rewards.use_cases import (
    AnswerObjection,
    ApproveRun,
    DiscardRun,
    FileObjection,
    PublishRun,
    answer_objection,
    approve_run,
    discard_run,
    file_objection,
    publish_run,
)
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.time import SHANGHAI
from tests.builders.invoicing import a_charge, a_credit
from tests.builders.rewards import (
    a_checker,
    a_draft,
    a_graded_provider,
    a_maker,
    a_reward_fund,
    refused_by_hand,
)

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
LAST_DAY = date(2026, 3, 9)


class Published:
    """A run of 2026 in notice, with the people about it."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock

    async def make(self):
        self.clock.set(MONDAY)
        await a_reward_fund(self.database)
        self.maker, self.checker = await a_maker(self.database), await a_checker(self.database)
        provider_id = await a_graded_provider(self.database, year=2026)
        self.order_id = await a_charge(
            self.database, provider_id=provider_id, settled_on=date(2026, 2, 2)
        )
        drafted = await a_draft(
            self.database, actor=self.maker, year=2026, through=date(2026, 2, 28)
        )
        self.run = drafted
        return self

    async def do(self, use_case, command, *, by=None):
        return await atomically(self.database, use_case, command, actor=by or self.checker)

    def on(self, day):
        self.clock.set(datetime(day.year, day.month, day.day, 23, 59, tzinfo=SHANGHAI))

    async def objection(self):
        command = FileObjection(self.run.id, "李明", "13800000000", "该单位的服务没有发生")
        return await self.do(file_objection, command, by=NOBODY)


@pytest.fixture
async def case(database, clock):
    return await Published(database, clock).make()


async def test_a_run_of_2026_is_paid_after_five_working_days_in_public(case):
    with pytest.raises(NoticeNeeded):
        await case.do(approve_run, ApproveRun(case.run.id))
    published = await case.do(publish_run, PublishRun(case.run.id), by=case.maker)
    (notice,) = await case.do(queries.notices, None, by=NOBODY)
    asked = queries.NoticeAsked(case.run.id)
    page = await case.do(queries.notice_page, asked, by=NOBODY)
    case.on(LAST_DAY)
    with pytest.raises(NoticeOpen):
        await case.do(approve_run, ApproveRun(case.run.id))
    case.on(date(2026, 3, 10))

    approved = await case.do(approve_run, ApproveRun(case.run.id))

    assert ("in_notice", LAST_DAY) == (published.status, published.notice_ends_on)
    assert (case.run.id, 50_00, LAST_DAY) == (
        notice.run_id,
        notice.total_fen,
        notice.notice_ends_on,
    )
    assert [50_00] == [line.amount_fen for line in page.lines]
    assert ("approved", 50_00) == (approved.status, approved.total_fen)
    with pytest.raises(NoticeMissing):
        await case.do(queries.notice_page, asked, by=NOBODY)


async def test_a_correction_during_the_notice_waits_for_the_next_run(case):
    await case.do(publish_run, PublishRun(case.run.id), by=case.maker)
    await a_credit(case.database, order_id=case.order_id, own_fen=200_00)
    case.on(date(2026, 3, 10))

    approved = await case.do(approve_run, ApproveRun(case.run.id))

    assert 50_00 == approved.total_fen


async def test_every_objection_is_answered_before_anybody_is_paid(case):
    await case.do(publish_run, PublishRun(case.run.id), by=case.maker)
    first, second = await case.objection(), await case.objection()
    case.on(date(2026, 3, 10))
    with pytest.raises(NoticeOver):
        await case.objection()
    with pytest.raises(ObjectionsStand) as refusal:
        await case.do(approve_run, ApproveRun(case.run.id))
    with pytest.raises(SecondPersonNeeded):
        await case.do(
            answer_objection, AnswerObjection(first, False, "服务记录属实"), by=case.maker
        )

    await case.do(answer_objection, AnswerObjection(first, False, "服务记录属实"))
    with pytest.raises(ObjectionAnswered):
        await case.do(answer_objection, AnswerObjection(first, True, "又想了想"))
    await case.do(answer_objection, AnswerObjection(second, False, "同上"))
    approved = await case.do(approve_run, ApproveRun(case.run.id))
    listed = await case.do(queries.objections, queries.ObjectionSearch(run_id=case.run.id))

    assert [first, second] == [reason.asked for reason in refusal.value.reasons]
    assert "approved" == approved.status
    assert ["dismissed"] * 2 == [each.status for each in listed.results]


async def test_an_objection_that_is_right_leaves_only_a_new_draft(case):
    await case.do(publish_run, PublishRun(case.run.id), by=case.maker)
    objection_id = await case.objection()
    late = await case.objection()
    await case.do(answer_objection, AnswerObjection(objection_id, True, "服务确未发生"))
    case.on(date(2026, 3, 10))

    with pytest.raises(ObjectionsStand):
        await case.do(approve_run, ApproveRun(case.run.id))
    await case.do(discard_run, DiscardRun(case.run.id))

    with pytest.raises(ObjectionAnswered):
        await case.do(answer_objection, AnswerObjection(late, False, "已作废"))
    with pytest.raises(NoticeMissing):
        await case.objection()
    with pytest.raises(ObjectionMissing):
        await case.do(answer_objection, AnswerObjection(999, False, "没有"))
    with pytest.raises(RunNotDraft):
        await case.do(publish_run, PublishRun(case.run.id))


async def test_the_database_itself_keeps_what_was_published_and_its_notice(case):
    await case.do(publish_run, PublishRun(case.run.id), by=case.maker)
    await case.objection()

    approve = (
        "update reward_run set status = 'approved', approved_by = {0}, approved_at = '{1} 12:00+08'"
    )
    for statement, constraint in (
        ("update reward_run set total_fen = 0", "reward_run_append_only"),
        (
            "update reward_run set status = 'draft', published_by = null, published_at = null,"
            " notice_ends_on = null",
            "reward_run_append_only",
        ),
        (approve.format(case.checker.person_id, LAST_DAY), "reward_run_notice_over"),
        (
            approve.format(case.checker.person_id, "2026-03-10"),
            "reward_run_objections_dismissed",
        ),
        ("delete from reward_objection", "reward_objection_append_only"),
    ):
        assert constraint == await refused_by_hand(case.database, statement)


def test_a_notice_that_nobody_asked_for_lasts_a_working_day():
    friday = date(2026, 3, 6)

    assert [date(2026, 3, 9), date(2026, 3, 13)] == [
        notice_ends_on(friday, 0),
        notice_ends_on(friday, 5),
    ]
