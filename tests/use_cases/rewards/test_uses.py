"""After a reward is paid its provider says how it was used, and the next run waits for that."""

from datetime import date, datetime, timedelta

import pytest

from marketplace.billing.rewards import jobs, queries
from marketplace.billing.rewards.errors import (
    FilerDecides,
    UseEvidenceRefused,
    UseReportMissing,
    UseReportMoved,
    UsesRefused,
)
from marketplace.billing.rewards.rules.uses import is_flagged
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    AttachEvidence,
    DecideUseReport,
    DownloadEvidence,
    FileUseReport,
    PublishRun,
    Use,
    approve_run,
    attach_evidence,
    decide_use_report,
    download_evidence,
    file_use_report,
    publish_run,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.storage import use_files
from marketplace.kernel.storage.disk import DiskFiles
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SHANGHAI
from marketplace.parties.roles import Role
from tests.builders.invoicing import a_charge
from tests.builders.parties import a_legal_entity, an_actor
from tests.builders.rewards import (
    a_checker,
    a_draft,
    a_grade,
    a_graded_provider,
    a_maker,
    a_reward_fund,
    an_approved_run,
    refused_by_hand,
    the_bank_has_paid,
)

TEST = system_actor("test")
PAID_ON = date(2025, 3, 10)
DUE_ON = PAID_ON + timedelta(days=180)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


class Rewarded:
    """A university whose first unit was paid 50 CNY, with its manager and the checker."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock

    async def make(self):
        await a_reward_fund(self.database)
        self.entity = await a_legal_entity(self.database, kind="university", capital="fiscal")
        self.provider_id, self.sibling_id = [
            await a_graded_provider(self.database, legal_entity_id=self.entity) for _ in range(2)
        ]
        self.manager = await an_actor(
            self.database, Role.PROVIDER_MANAGER, organisation_id=self.provider_id
        )
        self.checker = await a_checker(self.database)
        await a_charge(self.database, provider_id=self.provider_id)
        self.run = await an_approved_run(self.database, checker=self.checker)
        await the_bank_has_paid(self.database, self.run.id, PAID_ON)
        assert 1 == await jobs.open_reports(self.database)
        (self.report,) = (await self.ask(queries.use_reports, queries.ReportSearch())).results
        return self

    async def ask(self, query, question, *, by=TEST):
        return await atomically(self.database, query, question, actor=by)

    async def do(self, use_case, command, *, by=None):
        return await atomically(self.database, use_case, command, actor=by or self.manager)

    async def attach(self, content=PDF):
        return await self.do(
            attach_evidence, AttachEvidence(self.report.id, "维修发票.pdf", content)
        )

    def uses(self, **changes):
        parts = {"maintenance": 30_00, "staff-training": 20_00} | changes
        return FileUseReport(
            self.report.id, tuple(Use(purpose, fen) for purpose, fen in parts.items())
        )

    def at(self, day, hour=9):
        self.clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI))


@pytest.fixture
async def case(database, clock, tmp_path):
    with use_files(DiskFiles(tmp_path)):
        yield await Rewarded(database, clock).make()


async def test_a_report_is_asked_for_filed_returned_and_accepted(case):
    assert ("due", DUE_ON, 50_00) == (
        case.report.status,
        case.report.due_on,
        case.report.amount_fen,
    )
    assert 0 == await jobs.open_reports(case.database)
    paper = await case.attach()
    filed = await case.do(file_use_report, case.uses())
    with pytest.raises(UseReportMoved):
        await case.do(file_use_report, case.uses())
    with pytest.raises(UseReportMoved):
        await case.attach(PDF + b"more")
    returned = await case.do(
        decide_use_report, DecideUseReport(case.report.id, False, "请列明维修项目"), by=case.checker
    )
    again = FileUseReport(
        case.report.id,
        (Use("maintenance", 40_00), Use("other", 10_00, "购买标准物质")),
        "补充了维修清单",
    )
    await case.do(file_use_report, again)
    accepted = await case.do(
        decide_use_report, DecideUseReport(case.report.id, True), by=case.checker
    )
    file = await case.do(download_evidence, DownloadEvidence(case.report.id, paper.id))
    summary = await case.ask(queries.use_summary, 2025)

    assert ["filed", "returned", "accepted"] == [
        each.report.status for each in (filed, returned, accepted)
    ]
    assert [2, 1] == [filing.number for filing in accepted.filings]
    assert "请列明维修项目" == accepted.filings[1].reason
    assert (10_00, True) == (accepted.report.outside_fen, accepted.report.flagged())
    assert PDF == file.content
    # What was returned does not count; what replaced it does.
    assert [("maintenance", 40_00), ("other", 10_00)] == [
        (each.purpose, each.amount_fen) for each in summary.purposes
    ]
    assert [("accepted", 1, 50_00)] == [
        (each.status, each.reports, each.amount_fen) for each in summary.statuses
    ]


@pytest.mark.parametrize(
    ("uses", "rules"),
    [
        ((Use("maintenance", 49_99),), ["use-whole"]),
        ((Use("travel", 50_00),), ["use-known"]),
        ((Use("other", 50_00, "  "),), ["use-reason"]),
        ((Use("maintenance", 25_00), Use("maintenance", 25_00)), ["use-once"]),
    ],
)
async def test_a_report_accounts_for_the_whole_reward(case, uses, rules):
    with pytest.raises(UsesRefused) as refusal:
        await case.do(file_use_report, FileUseReport(case.report.id, uses))

    assert [*rules, "use-evidence"] == [reason.rule for reason in refusal.value.reasons]


async def test_only_its_provider_files_and_only_another_decides(case):
    stranger = await an_actor(case.database, Role.PROVIDER_MANAGER)
    sibling = await an_actor(case.database, Role.PROVIDER_MANAGER, organisation_id=case.sibling_id)
    await case.attach()
    with pytest.raises(UseEvidenceRefused):
        await case.attach()
    for other in (stranger, sibling, case.checker):
        with pytest.raises(UseReportMissing):
            await case.do(file_use_report, case.uses(), by=other)
    with pytest.raises(UseReportMissing):
        await case.do(download_evidence, DownloadEvidence(case.report.id, 99))
    with pytest.raises(UseReportMissing):
        await case.do(decide_use_report, DecideUseReport(99, True), by=case.checker)
    await case.do(file_use_report, case.uses())

    with pytest.raises(FilerDecides):
        await case.do(decide_use_report, DecideUseReport(case.report.id, True))
    mine = await case.ask(queries.use_reports, queries.ReportSearch(), by=stranger)
    assert 0 == mine.total


async def test_who_owes_is_reminded_before_and_after_the_day(case):
    sent = []
    for days in (-31, -30, -29, -7, 0, 1, 31):
        case.at(DUE_ON + timedelta(days=days))
        sent.append(await jobs.remind_of_reports(case.database))
    overdue = await case.ask(queries.use_reports, queries.ReportSearch(status="overdue"))
    due = await case.ask(queries.use_reports, queries.ReportSearch(status="due"))
    summary = await case.ask(queries.use_summary, 2025)

    assert [0, 1, 0, 1, 0, 1, 1] == sent
    assert (1, 0) == (overdue.total, due.total)
    assert "overdue" == overdue.results[0].shown(DUE_ON + timedelta(days=31))
    assert ["overdue"] == [each.status for each in summary.statuses]
    async with case.database.engine.connect() as connection:
        told = (await connection.execute(outbox_event.select())).mappings().all()
    steps = [
        row["payload"]["step_days"] for row in told if row["name"] == "RewardUseReportReminded"
    ]
    assert [-30, -7, 1, 30] == steps


async def test_from_2026_an_overdue_report_holds_the_legal_entitys_rewards_back(case):
    case.at(date(2026, 3, 2))
    maker = await a_maker(case.database)
    for provider_id in (case.provider_id, case.sibling_id):
        await a_charge(case.database, provider_id=provider_id, settled_on=date(2026, 2, 2))
    for provider_id in (case.provider_id, case.sibling_id):
        await a_grade(case.database, provider_id=provider_id, year=2026)
    another = await a_graded_provider(case.database, year=2026)
    await a_charge(case.database, provider_id=another, settled_on=date(2026, 2, 2))

    async def a_run():
        return await a_draft(
            case.database, actor=maker, year=2026, through=date(2026, 2, 28), budget_fen=None
        )

    held = await a_run()
    await case.ask(publish_run, PublishRun(held.id), by=maker)
    case.at(date(2026, 3, 10))
    approved = await case.ask(approve_run, ApproveRun(held.id), by=case.checker)
    shares = await case.ask(queries.shares, queries.ShareSearch(held.id))
    await case.attach()
    await case.do(file_use_report, case.uses())
    made_good = await a_run()

    assert 50_00 == approved.total_fen
    assert {another: [], case.provider_id: ["use-report"], case.sibling_id: ["use-report"]} == {
        share.provider_id: share.arithmetic["bound_by"] for share in shares.results
    }
    assert 100_00 == made_good.total_fen


async def test_the_database_itself_keeps_a_report_whole(case):
    await case.attach()
    await case.do(file_use_report, case.uses())
    for statement, constraint in (
        (
            "insert into reward_use_filing (report_id, number, outside_fen, filed_by, filed_at,"
            " decision, reason, decided_by, decided_at)"
            " values (1, 2, 0, 1, now(), 'returned', 'x', 2, now())",
            "reward_use_filing_whole",
        ),
        ("update reward_use_line set amount_fen = 1", "reward_use_line_append_only"),
        ("delete from reward_use_filing", "reward_use_filing_append_only"),
        (
            "update reward_use_filing set decision = 'accepted',"
            f" decided_by = {case.manager.person_id}, decided_at = now()",
            "reward_use_filing_second_person",
        ),
    ):
        assert constraint == await refused_by_hand(case.database, statement)


async def test_a_file_that_no_report_names_is_removed(case):
    assert 0 == await jobs.remove_orphans(case.database)


@pytest.mark.parametrize(
    ("outside_fen", "flag_basis_points", "flagged"),
    [(0, 0, False), (1, 0, True), (20, 2000, False), (21, 2000, True)],
)
def test_what_goes_to_other_purposes_is_flagged_above_the_term(
    outside_fen, flag_basis_points, flagged
):
    assert flagged is is_flagged(outside_fen, 100, flag_basis_points=flag_basis_points)
