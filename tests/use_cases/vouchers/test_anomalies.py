"""What people do with anomalies: assign, decide, answer; and what is blocked until then."""

from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.parties.roles import Role
from marketplace.vouchers import errors
from marketplace.vouchers.queries import anomalies as queries
from marketplace.vouchers.queries.anomalies import AnomalySearch
from marketplace.vouchers.queries.blocking import blocking_anomalies
from marketplace.vouchers.queries.paging import FIRST_PAGE
from marketplace.vouchers.rules.anomalies import (
    AnomalyKind,
    AnomalyStatus,
    Subject,
    SubjectKind,
)
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    DecideApplication,
    approve_claim,
    decide_application,
)
from marketplace.vouchers.use_cases.anomalies import (
    AnswerFinding,
    AssignAnomaly,
    DecideAnomaly,
    answer_finding,
    assign_anomaly,
    decide_anomaly,
)
from marketplace.vouchers.use_cases.guards import RunDetectors, run_detectors
from tests.builders.anomalies import a_finding, found
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    a_claim,
    a_grant,
    a_hold,
    a_programme,
    an_application,
    an_officer,
)


async def decide(
    database: Database, officer: Actor, anomaly_id: int, outcome: str, reason: str = "Looked at."
) -> queries.AnomalyPage:
    command = DecideAnomaly(anomaly_id, AnomalyStatus(outcome), reason)
    return await atomically(database, decide_anomaly, command, actor=officer)


async def refused(error: type[DomainError], *asked: Any, actor: Actor) -> None:
    with pytest.raises(error):
        await atomically(*asked, actor=actor)


async def test_a_dismissed_anomaly_is_opened_again_by_new_evidence_only(
    database: Database,
) -> None:
    officer = await an_officer(database)
    (first,) = await found(database, a_finding(Subject(SubjectKind.ORDER, 1)))
    await decide(database, officer, first.id, "dismissed")

    (same,) = await found(database, a_finding(Subject(SubjectKind.ORDER, 2)))
    assert (same.id, same.status) == (first.id, "dismissed")
    (again,) = await found(database, a_finding(proof="y"))
    assert (again.id, again.status, again.reason) == (first.id, "open", "")

    await decide(database, officer, first.id, "confirmed")
    (kept,) = await found(database, a_finding(proof="z"))
    assert kept.status == "confirmed"
    page = await atomically(database, queries.anomaly_page, first.id, actor=officer)
    assert [each.kind for each in page.events] == [
        "found",
        "dismissed",
        "evidence_changed",
        "reopened",
        "confirmed",
        "evidence_changed",
    ]
    assert [each.id for each in page.subjects] == [1, 2]


async def test_an_anomaly_is_given_to_an_officer_and_decided_by_that_one(
    database: Database,
) -> None:
    officer, other = await an_officer(database), await an_officer(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    (one,) = await found(database, a_finding(Subject(SubjectKind.ORDER, 1)))

    await refused(
        errors.AssigneeUnfit,
        database,
        assign_anomaly,
        AssignAnomaly(one.id, provider.person_id),
        actor=officer,
    )
    command = AssignAnomaly(one.id, officer.person_id)
    page = await atomically(database, assign_anomaly, command, actor=other)
    assert (page.anomaly.status, page.anomaly.assigned_to) == ("in_review", officer.person_id)
    with pytest.raises(errors.AnomalyElsewhere):
        await decide(database, other, one.id, "dismissed")
    with pytest.raises(errors.ReasonMissing):
        await decide(database, officer, one.id, "dismissed", " ")
    asked = await decide(database, officer, one.id, "needs_information", "Ask the registrar.")
    assert asked.anomaly.status == "needs_information"
    await decide(database, officer, one.id, "dismissed")
    with pytest.raises(errors.AnomalyDecided):
        await decide(database, officer, one.id, "confirmed")
    await refused(errors.AnomalyDecided, database, assign_anomaly, command, actor=other)
    await refused(errors.AnomalyMissing, database, queries.anomaly_page, one.id, actor=provider)


async def test_who_is_involved_neither_takes_it_on_nor_decides_it(database: Database) -> None:
    made = await a_claim(database, status="in_notice")
    other = await an_officer(database)
    (one,) = await found(database, a_finding(Subject(SubjectKind.CLAIM, made.claim_id)))

    command = AssignAnomaly(one.id, made.officer.person_id)
    await refused(errors.AnomalyInvolved, database, assign_anomaly, command, actor=other)
    with pytest.raises(errors.AnomalyInvolved):
        await decide(database, made.officer, one.id, "dismissed")

    async def past_the_rule(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                f"update anomaly set status = 'dismissed', decided_by = {made.officer.person_id},"
                " decided_at = seen_at, reason = 'x'"
            )
        )

    with pytest.raises(errors.AnomalyInvolved):
        await atomically(database, past_the_rule, None, actor=TEST)


async def test_nothing_is_granted_while_a_blocking_anomaly_is_open(database: Database) -> None:
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    (one,) = await found(database, a_finding(Subject(SubjectKind.APPLICATION, application_id)))
    command = DecideApplication(application_id, 4_000_000)
    officer = await an_officer(database)

    with pytest.raises(errors.AnomaliesBlock) as blocked:
        await atomically(database, decide_application, command, actor=officer)
    assert [reason.asked for reason in blocked.value.reasons] == [one.id]

    await decide(database, await an_officer(database), one.id, "dismissed")
    await atomically(database, decide_application, command, actor=officer)


async def test_no_claim_is_paid_while_one_of_its_redemptions_is_in_doubt(
    database: Database,
) -> None:
    made = await a_claim(database, status="in_notice")
    about = Subject(SubjectKind.REDEMPTION, made.redemption_ids[0])
    claim = Subject(SubjectKind.CLAIM, made.claim_id)
    (one,) = await found(database, a_finding(about))

    blocking = await atomically(database, blocking_anomalies, claim, actor=TEST)
    assert [each.id for each in blocking] == [one.id]
    await decide(database, await an_officer(database), one.id, "confirmed")
    blocking = await atomically(database, blocking_anomalies, claim, actor=TEST)
    assert [each.status for each in blocking] == ["confirmed"]


async def test_an_organisation_sees_what_was_confirmed_about_it_and_answers(
    database: Database,
) -> None:
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    about = Subject(SubjectKind.ORGANISATION, provider.organisation_id)
    (one,) = await found(database, a_finding(about))

    answer = AnswerFinding(one.id, "It was one contract for the year.")
    await refused(errors.AnomalyMissing, database, answer_finding, answer, actor=provider)
    await decide(database, await an_officer(database), one.id, "confirmed", "One contract twice.")

    seen = await atomically(database, queries.findings, FIRST_PAGE, actor=provider)
    assert [(each.id, each.reason) for each in seen.rows] == [(one.id, "One contract twice.")]
    answered = await atomically(database, answer_finding, answer, actor=provider)
    assert [each.statement for each in answered.statements] == [answer.statement]
    await refused(
        errors.ReasonMissing, database, answer_finding, AnswerFinding(one.id, " "), actor=provider
    )
    none = await atomically(database, queries.findings, FIRST_PAGE, actor=stranger)
    assert none.rows == []
    await refused(errors.AnomalyMissing, database, queries.finding, one.id, actor=stranger)


async def test_a_claim_is_looked_at_by_itself(database: Database) -> None:
    made = await a_claim(database)
    officer = await an_officer(database)

    run = await atomically(
        database, run_detectors, RunDetectors(claim_id=made.claim_id), actor=officer
    )

    assert (run.claim_id, run.found) == (made.claim_id, 0)
    await refused(
        errors.ClaimMissing, database, run_detectors, RunDetectors(claim_id=77_777), actor=officer
    )
    listed = await atomically(database, queries.anomaly_runs, FIRST_PAGE, actor=officer)
    assert listed.total == 1


async def test_a_list_is_narrowed_by_every_filter(database: Database) -> None:
    officer = await an_officer(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    about = Subject(SubjectKind.ORGANISATION, provider.organisation_id)
    await found(
        database,
        a_finding(about, Subject(SubjectKind.ORDER, 7)),
        a_finding(kind=AnomalyKind.PRICE_OUTLIER, key="p"),
    )

    async def ids(**asked: Any) -> int:
        search = AnomalySearch(**asked)
        return (await atomically(database, queries.anomalies, search, actor=officer)).total

    day = database.clock.now().date()
    assert await ids() == 2
    assert await ids(kind="price-outlier") == 1
    assert await ids(severity="blocking", organisation_id=provider.organisation_id) == 1
    assert await ids(order_id=7, status="open", found_from=day, found_until=day) == 1
    assert await ids(claim_id=7) == await ids(assigned_to=officer.person_id) == 0
    unseen = await atomically(database, queries.anomalies, AnomalySearch(), actor=provider)
    assert unseen.total == 0


async def test_a_blocked_claim_is_not_approved(database: Database) -> None:
    made = await a_claim(database, status="in_notice")
    await found(database, a_finding(Subject(SubjectKind.REDEMPTION, made.redemption_ids[0])))
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    after = text("update claim set notice_ends_on = '2025-03-01'")

    async def end_notice(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await tx.execute(text("set session_replication_role = replica"))
        await tx.execute(after)
        await tx.execute(text("set session_replication_role = origin"))

    await atomically(database, end_notice, None, actor=TEST)

    with pytest.raises(errors.AnomaliesBlock):
        await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)


async def test_a_voucher_in_doubt_pays_for_nothing_until_somebody_decides(
    database: Database,
) -> None:
    granted = await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    (one,) = await found(database, a_finding(Subject(SubjectKind.GRANT, granted.grant_id)))

    with pytest.raises(errors.AnomaliesBlock):
        await a_hold(database, granted=granted, provider_id=provider.organisation_id)

    await decide(database, await an_officer(database), one.id, "dismissed")
    await a_hold(database, granted=granted, provider_id=provider.organisation_id)
