"""What was confirmed stays, and nothing is too long to be counted, whatever is written."""

import asyncpg
import pytest

from marketplace.booking.errors import ReservationTooLong, SessionTooLong
from marketplace.kernel.db import Database, Tx, atomically
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.parties import a_person, a_provider

pytestmark = pytest.mark.asyncio

STATEMENT = """
    insert into hours_statement (provider_id, month, version, replaces_id, status, reason, sha256,
      drafted_by, drafted_at, confirmed_by, confirmed_at)
    values ($1, $2::text::date, $3, $4, $5, $6, $7, 1, now(), $8,
            case when $8::bigint is null then null else now() end)
    returning id
"""
LINE = """
    insert into hours_statement_line (statement_id, instrument_id, purpose, user_class, minutes,
      session_minutes, idle_minutes, overlap_minutes, self_operated_minutes, reserved_minutes,
      sessions, samples, no_shows, late_cancellations)
    values ($1, $2, 'teaching', 'own_unit', $3, $4, 0, 0, 0, 0, 1, 0, 0, 0)
"""


@pytest.fixture
async def raw(database: Database):
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def write(raw, provider_id: int, **changes) -> int:
    asked = {
        "month": "2025-03-01",
        "version": 1,
        "replaces_id": None,
        "status": "draft",
        "reason": None,
        "sha256": "a" * 64,
        "confirmed_by": None,
    } | changes
    made: int = await raw.fetchval(STATEMENT, provider_id, *asked.values())
    return made


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("hours_statement_month", {"month": "2025-03-02"}),
        ("hours_statement_versions", {"version": 0}),
        ("hours_statement_versions", {"version": 2}),
        ("hours_statement_versions", {"reason": "first of its month"}),
        ("hours_statement_status", {"status": "final"}),
        ("hours_statement_sha256", {"sha256": "A" * 64}),
        ("hours_statement_confirmed", {"status": "confirmed"}),
        ("hours_statement_second_person", {"status": "confirmed", "confirmed_by": 1}),
    ],
)
async def test_a_statement_that_makes_no_sense_is_refused(
    database: Database, raw, constraint: str, changes: dict
):
    provider_id = await a_provider(database)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await write(raw, provider_id, **changes)

    assert constraint == refused.value.constraint_name


async def test_a_month_has_one_draft_and_one_statement_of_each_version(database: Database, raw):
    provider_id = await a_provider(database)
    first = await write(raw, provider_id)

    for changes in ({}, {"version": 2, "replaces_id": first, "reason": "repaired"}):
        with pytest.raises(asyncpg.UniqueViolationError):
            await write(raw, provider_id, **changes)


async def test_what_was_confirmed_can_neither_be_changed_nor_taken_away(database: Database, raw):
    instrument_id = await a_bookable_instrument(database)
    provider_id = await raw.fetchval(
        "select provider_id from instrument where id = $1", instrument_id
    )
    statement_id = await write(raw, provider_id)
    await raw.execute(LINE, statement_id, instrument_id, 60, 60)
    confirm = "update hours_statement set status = 'confirmed', confirmed_by = $2, confirmed_at ="
    await raw.execute(f"{confirm} now() where id = $1", statement_id, await a_person(database))

    attempts = [
        ("update hours_statement set reason = 'later'", "hours_statement_append_only"),
        ("delete from hours_statement", "hours_statement_append_only"),
        ("truncate hours_statement cascade", None),
        ("update hours_statement_line set minutes = 1", "hours_statement_line_append_only"),
        ("delete from hours_statement_line", "hours_statement_line_append_only"),
        ("truncate hours_statement_line", None),
        (
            "insert into hours_statement_line select statement_id, instrument_id, 'external',"
            " user_class, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0 from hours_statement_line",
            "hours_statement_line_append_only",
        ),
    ]
    for attempt, constraint in attempts:
        with pytest.raises(asyncpg.RestrictViolationError) as refused:
            await raw.execute(attempt)
        assert constraint in (None, refused.value.constraint_name), attempt


async def test_a_line_adds_up(database: Database, raw):
    instrument_id = await a_bookable_instrument(database)
    statement_id = await write(raw, await a_provider(database))

    for minutes, session_minutes in ((60, 61), (-1, -1)):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await raw.execute(LINE, statement_id, instrument_id, minutes, session_minutes)
        assert "hours_statement_line_figures" == refused.value.constraint_name


async def test_nothing_lasts_so_long_that_a_period_would_not_see_it(database: Database):
    instrument_id = await a_bookable_instrument(database)

    async def reserve(tx: Tx, days: int) -> int:
        driver = await tx.raw()
        made: int = await driver.fetchval(
            "insert into reservation (instrument_id, provider_id, calendar_id, seat, during,"
            " blocked, status, organisation_id, person_id, user_class, purpose, placed_at,"
            " ended_at, changed_at)"
            " select $1, 1, $1, 1, span, span, 'used', 1, 1, 'own_unit', 'teaching', now(), now(),"
            " now() from (select tstzrange(now(), now() + make_interval(days => $2)) as span) s"
            " returning id",
            instrument_id,
            days,
        )
        return made

    async def use(tx: Tx, minutes: int) -> None:
        reservation_id = await reserve(tx, 60)
        driver = await tx.raw()
        await driver.execute(
            "insert into usage_session (reservation_id, instrument_id, opened_at, closed_at,"
            " closed_how, reserved_minutes, actual_minutes, billable_minutes, preparation_minutes,"
            " test_minutes, post_minutes, operator_id)"
            " values ($1, $2, now(), now(), 'person', 1, $3, 1, 0, 1, 0, 1)",
            reservation_id,
            instrument_id,
            minutes,
        )

    with pytest.raises(ReservationTooLong):
        await atomically(database, reserve, 61, actor=TEST)
    with pytest.raises(SessionTooLong):
        await atomically(database, use, 60 * 1440 + 1, actor=TEST)
    await atomically(database, use, 60 * 1440, actor=TEST)
