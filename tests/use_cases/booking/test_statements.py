"""Monthly statements: drafted, confirmed by a second person, frozen, corrected by the next one."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from marketplace.booking.errors import (
    NothingToCorrect,
    StatementBlocked,
    StatementChanged,
    StatementMissing,
    StatementMonthNotOver,
    StatementNotDraft,
    StatementReasonNeeded,
    StatementSecondPerson,
)
from marketplace.booking.queries import (
    MonthsAsked,
    Purpose,
    Statement,
    StatementPart,
    StatementSearch,
    compared_months,
    missing_statements,
    statement_differences,
    statement_lines,
    statement_page,
    statements,
)
from marketplace.booking.rules.statements import CheckKind, Counts, StatementStatus
from marketplace.booking.use_cases import (
    ConfirmStatement,
    DraftStatement,
    confirm_statement,
    discard_statement,
    draft_missing_statements,
    draft_statement,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.hours import a_history, a_session_in_history
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

MARCH = date(2025, 3, 1)
APRIL_2 = shanghai_instant(date(2025, 4, 2))


async def a_unit(database: Database, clock: SetClock) -> tuple[Actor, Actor, int]:
    """A technician, a manager and an instrument that ran twice in March; it is 2 April."""
    technician = await an_actor(database, Role.TECHNICIAN)
    provider_id = technician.organisation_id
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument_id = await a_bookable_instrument(database, provider_id=provider_id)
    await ran(database, instrument_id, day=5, purpose=Purpose.TEACHING)
    await ran(database, instrument_id, day=6)
    clock.set(APRIL_2)
    return technician, manager, instrument_id


async def ran(database: Database, instrument_id: int, *, day: int, **changes) -> int:
    return await a_session_in_history(
        database,
        instrument_id=instrument_id,
        opened_at=shanghai_instant(date(2025, 3, day), 600),
        **changes,
    )


async def run_sql(database: Database, statement: str, **values) -> None:
    async def write(tx: Tx, _: None) -> None:
        await tx.execute(text(statement), values)

    await atomically(database, write, None, actor=TEST)


async def repair(database: Database, session_id: int, test_minutes: int = 20) -> None:
    """What a repair comes to: the session was shorter."""
    await run_sql(
        database,
        "update usage_session set test_minutes = :minutes, problem = null where id = :id",
        id=session_id,
        minutes=test_minutes,
    )


async def draft(database: Database, by: Actor, reason: str | None = None) -> Statement:
    return await atomically(database, draft_statement, DraftStatement(MARCH, reason), actor=by)


async def confirm(database: Database, found: Statement, by: Actor) -> Statement:
    command = ConfirmStatement(found.id, found.sha256)
    return await atomically(database, confirm_statement, command, actor=by)


async def test_a_month_is_drafted_by_one_and_confirmed_by_another(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)

    drafted = await draft(database, technician)
    confirmed = await confirm(database, drafted, manager)
    lines, total = await atomically(
        database, statement_lines, StatementPart(drafted.id), actor=technician
    )

    assert (StatementStatus.DRAFT, 1) == (drafted.status, drafted.version)
    assert (StatementStatus.CONFIRMED, manager.person_id) == (
        confirmed.status,
        confirmed.confirmed_by,
    )
    counts = Counts(minutes=60, session_minutes=60, reserved_minutes=60, sessions=1)
    assert 2 == total
    assert {
        (instrument_id, "own_research", "own_unit"): counts,
        (instrument_id, "teaching", "own_unit"): counts,
    } == {(key.instrument_id, key.purpose, key.user_class): line for key, line in lines}


async def test_nobody_confirms_their_own_draft_nor_what_they_have_not_read(
    database: Database, clock: SetClock
):
    _, manager, instrument_id = await a_unit(database, clock)
    drafted = await draft(database, manager)
    colleague = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=manager.organisation_id
    )

    with pytest.raises(StatementSecondPerson):
        await confirm(database, drafted, manager)
    unread = ConfirmStatement(drafted.id, "0" * 64)
    with pytest.raises(StatementChanged):
        await atomically(database, confirm_statement, unread, actor=colleague)
    await ran(database, instrument_id, day=7)
    with pytest.raises(StatementChanged):
        await confirm(database, drafted, colleague)
    anew = await draft(database, manager)

    assert drafted.id == anew.id
    assert drafted.sha256 != anew.sha256
    assert StatementStatus.CONFIRMED == (await confirm(database, anew, colleague)).status


async def test_open_and_doubtful_sessions_keep_a_month_from_being_confirmed(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)
    doubtful = await ran(database, instrument_id, day=9, problem="never-closed")
    open_ = await ran(database, instrument_id, day=10)
    await ran(database, instrument_id, day=11, parts=(0, 0, 0), idle=5)
    await a_session_in_history(
        database,
        instrument_id=instrument_id,
        opened_at=shanghai_instant(date(2025, 4, 1)) - timedelta(minutes=10),
    )
    await run_sql(
        database,
        "update usage_session set closed_at = null, closed_how = null, actual_minutes = null,"
        " billable_minutes = null,"
        " preparation_minutes = null, test_minutes = null, post_minutes = null where id = :id",
        id=open_,
    )
    drafted = await draft(database, technician)

    with pytest.raises(StatementBlocked) as refused:
        await confirm(database, drafted, manager)
    page = await atomically(database, statement_page, drafted.id, actor=manager)
    await repair(database, doubtful)
    await run_sql(
        database,
        "update usage_session set closed_at = opened_at, closed_how = 'person',"
        " actual_minutes = 1, billable_minutes = 1,"
        " preparation_minutes = 0, test_minutes = 1, post_minutes = 0 where id = :id",
        id=open_,
    )
    confirmed = await confirm(database, await draft(database, technician), manager)

    assert {"open": 1, "in-doubt": 1} == {
        reason.rule: reason.asked for reason in refused.value.reasons
    }
    assert {
        CheckKind.OPEN: True,
        CheckKind.IN_DOUBT: True,
        CheckKind.OVER_THE_EDGE: False,
        CheckKind.NOTHING_RAN: False,
    } == {check.kind: check.blocks for check in page.checks}
    assert all(len(check.reservation_ids) == check.count == 1 for check in page.checks)
    assert StatementStatus.CONFIRMED == confirmed.status


async def test_a_reservation_that_nobody_took_up_is_decided_first(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)
    drafted = await draft(database, technician)
    await run_sql(
        database,
        "insert into reservation (instrument_id, provider_id, calendar_id, seat, during, blocked,"
        " status, organisation_id, person_id, user_class, purpose, placed_at, changed_at)"
        " values (:id, :provider, :id, 1, '[2025-03-31 23:00+08,2025-04-01 01:00+08)',"
        " '[2025-03-31 23:00+08,2025-04-01 01:00+08)', 'confirmed', :provider, 1, 'own_unit',"
        " 'teaching', now(), now())",
        id=instrument_id,
        provider=manager.organisation_id,
    )

    with pytest.raises(StatementBlocked, match="no-shows"):
        await confirm(database, drafted, manager)


async def test_a_later_repair_is_a_difference_and_then_the_next_version(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)
    late = await ran(database, instrument_id, day=12)
    first = await confirm(database, await draft(database, technician), manager)
    with pytest.raises(NothingToCorrect):
        await draft(database, technician, "nothing was repaired")
    await repair(database, late)

    (differing,), _ = await atomically(
        database, statement_differences, StatementPart(first.id), actor=manager
    )
    with pytest.raises(StatementReasonNeeded):
        await draft(database, technician)
    second = await draft(database, technician, "read from the instrument's own log")
    still_first = await atomically(database, statement_page, first.id, actor=manager)
    confirmed = await confirm(database, second, manager)
    found, _ = await atomically(database, statements, StatementSearch(month=MARCH), actor=manager)

    assert (-20, 20) == (differing.change.minutes, differing.change.idle_minutes)
    assert (first, 180, 160, 1) == (
        still_first.statement,
        still_first.stated.minutes,
        still_first.live.minutes,
        still_first.differing_lines,
    )
    assert (2, first.id, "read from the instrument's own log") == (
        confirmed.version,
        confirmed.replaces_id,
        confirmed.reason,
    )
    assert [confirmed, first] == found
    assert first.sha256 != confirmed.sha256


async def test_a_correction_that_came_to_nothing_is_dropped_and_a_confirmed_one_is_not(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)
    late = await ran(database, instrument_id, day=12)
    first = await confirm(database, await draft(database, technician), manager)
    await repair(database, late)
    second = await draft(database, technician, "a shorter run")
    await repair(database, late, 40)

    with pytest.raises(StatementChanged):
        await confirm(database, second, manager)
    with pytest.raises(NothingToCorrect):
        await draft(database, technician, "again")
    await atomically(database, discard_statement, second.id, actor=technician)
    with pytest.raises(StatementNotDraft):
        await atomically(database, discard_statement, first.id, actor=technician)
    with pytest.raises(StatementNotDraft):
        await confirm(database, first, manager)

    found, total = await atomically(database, statements, StatementSearch(), actor=manager)
    assert ([first], 1) == (found, total)


async def test_what_is_not_over_and_what_is_anothers_cannot_be_stated(
    database: Database, clock: SetClock
):
    technician, _, _ = await a_unit(database, clock)
    drafted = await draft(database, technician)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)
    clock.set(datetime.fromisoformat("2025-03-31T23:59:59+08:00"))

    with pytest.raises(StatementMonthNotOver):
        await draft(database, technician)
    with pytest.raises(StatementMissing):
        await confirm(database, drafted, stranger)
    for question in (statement_page, discard_statement):
        with pytest.raises(StatementMissing):
            await atomically(database, question, drafted.id, actor=stranger)

    assert 0 == (await atomically(database, statements, StatementSearch(), actor=stranger))[1]
    page = await atomically(database, statement_page, drafted.id, actor=auditor)
    assert drafted == page.statement


async def test_the_platform_drafts_what_nobody_drafted_once_however_often_it_tries(
    database: Database, clock: SetClock
):
    technician, manager, _ = await a_unit(database, clock)
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    await a_bookable_instrument(database, provider_id=other.organisation_id)
    clock.set(shanghai_instant(date(2025, 5, 20)))
    await draft(database, technician)

    drafted = await atomically(database, draft_missing_statements, None, actor=TEST)
    again = await atomically(database, draft_missing_statements, None, actor=TEST)
    found, _ = await atomically(database, statements, StatementSearch(), actor=TEST)
    by_platform = [one for one in found if one.drafted_by == TEST.person_id]

    # March of its own hand, April for both; the other's instrument was listed in April.
    assert (2, 0) == (drafted, again)
    assert {
        (manager.organisation_id, date(2025, 4, 1)),
        (other.organisation_id, date(2025, 4, 1)),
    } == {(one.provider_id, one.month) for one in by_platform}
    own = next(one for one in by_platform if one.provider_id == manager.organisation_id)
    assert StatementStatus.CONFIRMED == (await confirm(database, own, manager)).status


async def test_the_centre_sees_who_has_not_confirmed_and_since_when_that_is_too_late(
    database: Database, clock: SetClock
):
    technician, manager, _ = await a_unit(database, clock)
    evaluator = await an_actor(database, Role.EVALUATOR)
    months = MonthsAsked(date(2025, 1, 1), date(2025, 4, 1))
    drafted = await draft(database, technician)

    (in_time,), _ = await atomically(database, missing_statements, months, actor=evaluator)
    clock.set(shanghai_instant(date(2025, 4, 11)))
    (late,), _ = await atomically(database, missing_statements, months, actor=evaluator)
    stranger = await an_actor(database, Role.TECHNICIAN)
    seen_by_stranger = await atomically(database, missing_statements, months, actor=stranger)
    await confirm(database, drafted, manager)
    none_left = await atomically(database, missing_statements, months, actor=evaluator)

    assert (MARCH, drafted.id, date(2025, 4, 10), False) == (
        in_time.month,
        in_time.draft_id,
        in_time.due_on,
        in_time.overdue,
    )
    assert late.overdue
    assert ([], 0) == seen_by_stranger == none_left


async def test_confirmed_figures_stand_beside_live_ones_and_both_add_up(
    database: Database, clock: SetClock
):
    technician, manager, instrument_id = await a_unit(database, clock)
    other = await an_actor(database, Role.TECHNICIAN)
    another = await a_bookable_instrument(database, provider_id=other.organisation_id)
    await a_history(database, instruments=[another], count=40, seed=3)
    late = await ran(database, instrument_id, day=12)
    confirmed = await confirm(database, await draft(database, technician), manager)
    await repair(database, late)
    auditor = await an_actor(database, Role.AUDITOR)
    months = MonthsAsked(date(2025, 2, 1), date(2025, 4, 1))

    found = await atomically(database, compared_months, months, actor=auditor)
    own = await atomically(database, compared_months, months, actor=manager)

    (march,) = own.rows
    assert march in found.rows
    assert (confirmed.id, 1, True) == (march.statement_id, march.version, march.differs)
    assert march.confirmed is not None
    assert (120, 100) == (
        march.confirmed["own_research_minutes"],
        march.live["own_research_minutes"],
    )
    for name in found.live:
        assert found.live[name] == sum(row.live[name] for row in found.rows)
        assert found.confirmed[name] == sum(
            (row.confirmed or {}).get(name, 0) for row in found.rows
        )
    assert found.total == len(found.rows) > 1
