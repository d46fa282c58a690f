"""What was said of sessions after they had ended: by staff at once, by users within bounds."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from marketplace.booking.errors import (
    RepairAnswered,
    RepairRefused,
    SecondPersonNeeded,
    SessionMinutesRefused,
    SessionNotInProblem,
    SessionSettled,
    SessionStillOpen,
)
from marketplace.booking.queries import (
    ProblemSearch,
    Reservation,
    SessionRepair,
    UsageSession,
    repairs_of,
    session_of,
    session_problems,
)
from marketplace.booking.rules.sessions import Problem, RepairKind
from marketplace.booking.use_cases import (
    AcceptSession,
    AnswerRepair,
    CloseSession,
    OpenSession,
    RepairSession,
    ReportSessionEnd,
    accept_session,
    close_forgotten_sessions,
    close_session,
    confirm_repair,
    open_session,
    reject_repair,
    repair_session,
    report_session_end,
    settle_session,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, clock_at
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def manager(database: Database) -> Actor:
    return await an_actor(database, Role.PROVIDER_MANAGER)


@pytest.fixture
async def user(database: Database) -> Actor:
    return await an_actor(database, Role.BUYER)


@pytest.fixture
async def forgotten(
    database: Database, clock: SetClock, manager: Actor, user: Actor
) -> Reservation:
    """Wednesday from nine to eleven; the user left without checking out, and it is Thursday."""
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await a_reservation(database, instrument_id=instrument_id, actor=user)
    clock.set(placed.starts_at)
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(clock_at(3, 9))
    await atomically(database, close_forgotten_sessions, None, actor=TEST)
    return placed


async def report(
    database: Database, placed: Reservation, hour: float, *, by: Actor
) -> SessionRepair:
    """Who used it says that they left at an hour of Wednesday."""
    command = ReportSessionEnd(placed.id, clock_at(2, hour), "door log")
    return await atomically(database, report_session_end, command, actor=by)


async def session(database: Database, placed: Reservation) -> UsageSession:
    found = await atomically(database, session_of, placed.id, actor=TEST)
    assert found is not None
    return found


async def kinds(database: Database, placed: Reservation) -> list[RepairKind]:
    found = await atomically(database, repairs_of, placed.id, actor=TEST)
    return [one.kind for one in found]


async def told(database: Database) -> list[tuple[int, int, bool]]:
    async def ask(tx: Tx, _: None) -> list[tuple[int, int, bool]]:
        payloads = await tx.scalars(
            select(outbox_event.c.payload)
            .where(outbox_event.c.name == "SessionRepaired")
            .order_by(outbox_event.c.id)
        )
        return [
            (one["billable_minutes_before"], one["billable_minutes"], one["by_staff"])
            for one in payloads
        ]

    return await atomically(database, ask, None, actor=TEST)


async def test_staff_repair_a_session_with_a_reason_and_every_repair_is_kept(
    database: Database, manager: Actor, forgotten: Reservation
):
    mend = RepairSession(
        forgotten.id,
        clock_at(2, 10.5),
        "the log of the instrument says so",
        15,
        opened_at=clock_at(2, 9.25),
        samples_run=3,
    )
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(Missing):
        await atomically(database, repair_session, mend, actor=stranger)
    for wrong in (clock_at(2, 9), clock_at(3, 9.1)):
        with pytest.raises(SessionMinutesRefused):
            await atomically(
                database, repair_session, RepairSession(forgotten.id, wrong, "no"), actor=manager
            )

    first = await atomically(database, repair_session, mend, actor=manager)
    second = await atomically(
        database,
        repair_session,
        RepairSession(forgotten.id, clock_at(2, 11), "misread"),
        actor=manager,
    )

    assert (first.problem, first.actual_minutes, first.test_minutes) == (None, 75, 60)
    assert (first.billable_minutes, first.samples_run, first.closed_how) == (90, 3, "person")
    assert (second.opened_at, second.actual_minutes) == (clock_at(2, 9.25), 105)
    kept = await atomically(database, repairs_of, forgotten.id, actor=TEST)
    assert [(one.kind, one.by_staff) for one in kept] == [(RepairKind.REPAIR, True)] * 2
    assert [one.before["problem"] for one in kept] == ["never-closed", None]
    assert [one.after["billable_minutes"] for one in kept] == [90, 120]
    assert await told(database) == [(120, 90, True), (90, 120, True)]


async def test_a_repair_is_never_changed_nor_removed(
    database: Database, manager: Actor, forgotten: Reservation
):
    mend = RepairSession(forgotten.id, clock_at(2, 10), "as the log says")
    await atomically(database, repair_session, mend, actor=manager)

    for change in ("update session_repair set reason = 'other'", "delete from session_repair"):

        async def tamper(tx: Tx, statement: str) -> None:
            await become_owner(tx)
            await tx.execute(text(statement))

        with pytest.raises(Exception, match="append-only"):
            await atomically(database, tamper, change, actor=TEST)


async def test_a_users_word_that_lowers_the_bill_by_little_holds_at_once(
    database: Database, user: Actor, forgotten: Reservation
):
    said = await report(database, forgotten, 10.5, by=user)

    now = await session(database, forgotten)
    assert (said.kind, said.by_staff, said.made_by) == (RepairKind.REPAIR, False, user.person_id)
    assert (now.problem, now.actual_minutes, now.billable_minutes) == (None, 90, 90)
    assert await told(database) == [(120, 90, False)]
    with pytest.raises(RepairRefused):
        await report(database, forgotten, 10, by=user)


async def test_a_users_word_that_lowers_it_by_much_waits_for_another_person_of_the_provider(
    database: Database, manager: Actor, user: Actor, forgotten: Reservation
):
    said = await report(database, forgotten, 9.5, by=user)

    assert said.kind is RepairKind.PROPOSAL
    now = await session(database, forgotten)
    assert (now.problem, now.billable_minutes) == (Problem.NEVER_CLOSED, 120)
    with pytest.raises(RepairRefused) as refused:
        await report(database, forgotten, 10.9, by=user)
    assert [reason.rule for reason in refused.value.reasons] == ["one-at-a-time"]
    answer = AnswerRepair(said.id, "seen on the door log")
    with pytest.raises(Missing):
        await atomically(database, confirm_repair, answer, actor=user)
    await atomically(database, confirm_repair, answer, actor=manager)
    for again in (confirm_repair, reject_repair):
        with pytest.raises(RepairAnswered):
            await atomically(database, again, answer, actor=manager)

    now = await session(database, forgotten)
    assert (now.problem, now.actual_minutes, now.billable_minutes) == (None, 30, 30)
    kept = await atomically(database, repairs_of, forgotten.id, actor=TEST)
    assert [(one.kind, one.answer) for one in kept] == [
        (RepairKind.PROPOSAL, RepairKind.CONFIRMATION),
        (RepairKind.CONFIRMATION, None),
    ]


async def test_a_rejected_word_leaves_the_session_in_the_queue_and_a_repair_answers_one(
    database: Database, manager: Actor, user: Actor, forgotten: Reservation
):
    said = await report(database, forgotten, 9.5, by=user)
    await atomically(database, reject_repair, AnswerRepair(said.id, "seen later"), actor=manager)
    assert (await session(database, forgotten)).problem == Problem.NEVER_CLOSED
    again = await report(database, forgotten, 9.75, by=user)

    mend = RepairSession(forgotten.id, clock_at(2, 10), "by the door log")
    await atomically(database, repair_session, mend, actor=manager)

    with pytest.raises(RepairAnswered):
        await atomically(database, confirm_repair, AnswerRepair(again.id, "yes"), actor=manager)
    assert await kinds(database, forgotten) == ["proposal", "rejection", "proposal", "repair"]


async def test_nobody_decides_on_their_own_report(
    database: Database, clock: SetClock, manager: Actor
):
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    own = await a_reservation(database, instrument_id=instrument_id, actor=manager)
    clock.set(own.starts_at)
    await atomically(database, open_session, OpenSession(own.id), actor=manager)
    with pytest.raises(SessionStillOpen):
        await report(database, own, 9.5, by=manager)
    clock.set(clock_at(3, 9))
    await atomically(database, close_forgotten_sessions, None, actor=TEST)
    said = await report(database, own, 9.5, by=manager)

    with pytest.raises(SecondPersonNeeded):
        await atomically(database, confirm_repair, AnswerRepair(said.id, "yes"), actor=manager)


async def test_who_used_it_speaks_of_their_own_of_an_earlier_end_and_in_time(
    database: Database, clock: SetClock, manager: Actor, user: Actor, forgotten: Reservation
):
    for stranger in (manager, await an_actor(database, Role.BUYER)):
        with pytest.raises(Missing):
            await report(database, forgotten, 10.5, by=stranger)
    clock.set(clock_at(12, 9))
    with pytest.raises(RepairRefused) as refused:
        await report(database, forgotten, 11.5, by=user)

    assert [reason.rule for reason in refused.value.reasons] == [
        "before-automatic-end",
        "repair-days",
    ]


async def test_staff_accept_what_needs_no_repair_and_only_what_waits(
    database: Database, clock: SetClock, manager: Actor, user: Actor, forgotten: Reservation
):
    await report(database, forgotten, 9.5, by=user)
    vouch = AcceptSession(forgotten.id, "it ran all night")

    accepted = await atomically(database, accept_session, vouch, actor=manager)

    assert (accepted.problem, accepted.billable_minutes) == (None, 120)
    assert await kinds(database, forgotten) == ["proposal", "acceptance"]
    with pytest.raises(SessionNotInProblem):
        await atomically(database, accept_session, vouch, actor=manager)


async def test_minutes_that_are_paid_for_stand(
    database: Database, manager: Actor, user: Actor, forgotten: Reservation
):
    unsettled = await atomically(database, settle_session, forgotten.id, actor=TEST)
    assert unsettled is not None
    assert unsettled.settled_at is None
    await report(database, forgotten, 10.75, by=user)

    settled = await atomically(database, settle_session, forgotten.id, actor=TEST)

    assert settled is not None
    assert settled.settled_at is not None
    mend = RepairSession(forgotten.id, clock_at(2, 10), "as the log says")
    with pytest.raises(SessionSettled):
        await atomically(database, repair_session, mend, actor=manager)
    with pytest.raises(SessionSettled):
        await report(database, forgotten, 10, by=user)


async def test_the_queue_shows_what_waits_longest_first_by_kind_age_and_report(
    database: Database, clock: SetClock, manager: Actor, user: Actor, forgotten: Reservation
):
    await report(database, forgotten, 9.5, by=user)

    async def found(**wanted: object) -> int:
        search = ProblemSearch(**wanted)  # type: ignore[arg-type]
        return (await atomically(database, session_problems, search, actor=manager)).total

    page = await atomically(database, session_problems, ProblemSearch(), actor=manager)
    (waiting,) = page.problems
    assert waiting.age_minutes == 22 * 60
    assert waiting.proposed_end_at == clock_at(2, 9.5)
    assert [
        await found(problem=Problem.NEVER_CLOSED),
        await found(problem=Problem.OVERRUN),
        await found(older_than_hours=22),
        await found(older_than_hours=23),
        await found(proposed=True),
        await found(proposed=False),
        await found(instrument_id=forgotten.instrument_id),
        await found(instrument_id=forgotten.instrument_id + 1),
    ] == [1, 0, 1, 0, 1, 0, 1, 0]
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)
    seen = [
        (await atomically(database, session_problems, ProblemSearch(), actor=one)).total
        for one in (stranger, auditor)
    ]
    assert seen == [0, 1]


async def test_a_person_who_overran_may_not_say_otherwise_but_staff_may(
    database: Database, clock: SetClock, manager: Actor, user: Actor
):
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await a_reservation(database, instrument_id=instrument_id, actor=user)
    clock.set(placed.starts_at)
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(placed.ends_at + timedelta(minutes=45))
    closed = await atomically(database, close_session, CloseSession(placed.id), actor=TEST)
    assert closed.problem == Problem.OVERRUN

    with pytest.raises(RepairRefused) as refused:
        await report(database, placed, 11, by=user)
    vouched = AcceptSession(placed.id, "agreed on the phone")
    accepted = await atomically(database, accept_session, vouched, actor=manager)

    assert [reason.rule for reason in refused.value.reasons] == ["closed-by-platform"]
    assert (accepted.problem, accepted.billable_minutes) == (None, 180)
