"""Booking's named constraints hold whatever is written, with no rule in between."""

from typing import Any

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.booking import a_bookable_instrument
from tests.builders.parties import a_person

pytestmark = pytest.mark.asyncio

INSERT = """
    insert into reservation (instrument_id, provider_id, calendar_id, seat, during, blocked,
      status, organisation_id, person_id, user_class, purpose, held_until, placed_at, ended_at,
      decided_by, changed_at)
    values ($1, 1, $1, $2, $3::text::tstzrange, $4::text::tstzrange, $5, 1, 1, 'own_unit', $6,
      $7::text::timestamptz, now(), $8::text::timestamptz, $9, now())
    returning id
"""
MORNING = "[2025-03-05 09:00+08,2025-03-05 11:00+08)"
NOON = "[2025-03-05 11:00+08,2025-03-05 13:00+08)"
ACROSS = "[2025-03-05 10:59+08,2025-03-05 11:01+08)"


@pytest.fixture
async def raw(database: Database):
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def write(
    raw,
    instrument_id: int,
    *,
    seat: int = 1,
    during: str = MORNING,
    blocked: str | None = None,
    status: str = "confirmed",
    purpose: str = "teaching",
    held_until: str | None = None,
    ended_at: str | None = None,
    decided_by: int | None = None,
) -> int:
    made: int = await raw.fetchval(
        INSERT,
        instrument_id,
        seat,
        during,
        blocked or during,
        status,
        purpose,
        held_until,
        ended_at,
        decided_by,
    )
    return made


async def test_two_live_reservations_never_share_an_instant_of_a_seat(database: Database, raw):
    instrument_id = await a_bookable_instrument(database)
    await write(raw, instrument_id)
    await write(raw, instrument_id, during=NOON)

    for status, held in (("requested", "2025-03-05"), ("confirmed", None), ("in_use", None)):
        with pytest.raises(asyncpg.ExclusionViolationError) as violated:
            await write(raw, instrument_id, during=ACROSS, status=status, held_until=held)
        assert violated.value.constraint_name == "reservation_no_overlap"


async def test_the_buffers_count_and_other_seats_and_instruments_do_not(database: Database, raw):
    first, second = [await a_bookable_instrument(database) for _ in range(2)]
    await write(raw, first, blocked="[2025-03-05 08:30+08,2025-03-05 11:30+08)")

    with pytest.raises(asyncpg.ExclusionViolationError):
        await write(raw, first, during=NOON)
    await write(raw, first, during=NOON, seat=2)
    await write(raw, second, during=NOON)


async def test_an_ended_reservation_keeps_nobody_out_and_cannot_come_back(database: Database, raw):
    instrument_id = await a_bookable_instrument(database)
    ended = await write(raw, instrument_id, status="cancelled", ended_at="2025-03-01")
    await write(raw, instrument_id)

    with pytest.raises(asyncpg.ExclusionViolationError):
        await raw.execute(
            "update reservation set status = 'confirmed', ended_at = null where id = $1", ended
        )


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"seat": 0}, "reservation_seat"),
        ({"during": "empty"}, "reservation_during"),
        ({"during": "(2025-03-05,2025-03-06)"}, "reservation_during"),
        ({"during": "[2025-03-05,)"}, "reservation_blocked"),
        ({"during": "[2025-03-05,2025-03-06]"}, "reservation_during"),
        ({"blocked": NOON}, "reservation_blocked"),
        ({"status": "lost", "ended_at": "2025-03-01"}, "reservation_status"),
        ({"purpose": "fun"}, "reservation_purpose"),
        ({"status": "requested"}, "reservation_held"),
        ({"status": "cancelled"}, "reservation_ended"),
        ({"ended_at": "2025-03-01"}, "reservation_ended"),
        ({"decided_by": 1}, "reservation_second_person"),
    ],
)
async def test_a_reservation_that_makes_no_sense_is_not_stored(
    database: Database, raw, wrong: dict[str, Any], constraint: str
):
    instrument_id = await a_bookable_instrument(database)

    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await write(raw, instrument_id, **wrong)

    assert violated.value.constraint_name == constraint


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ("60, 30, 240, 60, 30, 0, 0, 1", "booking_rule_lengths"),
        ("30, 45, 240, 60, 30, 0, 0, 1", "booking_rule_lengths"),
        ("30, 60, 30, 60, 30, 0, 0, 1", "booking_rule_lengths"),
        ("0, 30, 240, 60, 30, 0, 0, 1", "booking_rule_step"),
        ("30, 30, 240, -1, 30, 0, 0, 1", "booking_rule_notice"),
        ("30, 30, 240, 60, 0, 0, 0, 1", "booking_rule_horizon"),
        ("30, 30, 240, 60, 30, -1, 0, 1", "booking_rule_buffers"),
        ("30, 30, 240, 60, 30, 0, 0, 0", "booking_rule_seats"),
    ],
)
async def test_a_booking_rule_that_makes_no_sense_is_not_stored(
    database: Database, raw, values: str, constraint: str
):
    instrument_id = await a_bookable_instrument(database)
    await raw.execute("delete from booking_rule")

    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await raw.execute(
            "insert into booking_rule (instrument_id, step_minutes, minimum_minutes,"
            " maximum_minutes, notice_minutes, horizon_days, before_minutes, after_minutes, seats,"
            " needs_approval, open_on_holidays, set_by, set_at)"
            f" values ({instrument_id}, {values}, false, false, 1, now())"
        )

    assert violated.value.constraint_name == constraint


@pytest.mark.parametrize(
    ("columns", "values", "constraint"),
    [
        ("reserved_minutes", "0", "usage_session_reserved"),
        ("reserved_minutes, actual_minutes", "60, 5", "usage_session_closed"),
        ("reserved_minutes, closed_at", "60, now()", "usage_session_closed"),
        (
            "reserved_minutes, closed_at, actual_minutes, billable_minutes, preparation_minutes,"
            " test_minutes, post_minutes",
            "60, now() + interval '1 hour', 60, 60, 30, 30, 1",
            "usage_session_minutes",
        ),
        ("reserved_minutes, problem", "60, 'odd'", "usage_session_problem"),
    ],
)
async def test_a_session_that_makes_no_sense_is_not_stored(
    database: Database, raw, columns: str, values: str, constraint: str
):
    instrument_id = await a_bookable_instrument(database)
    person_id = await a_person(database)
    reservation_id = await write(raw, instrument_id, status="in_use")

    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await raw.execute(
            f"insert into usage_session (reservation_id, instrument_id, opened_at, operator_id,"
            f" {columns}) values ({reservation_id}, {instrument_id}, now(), {person_id}, {values})"
        )

    assert violated.value.constraint_name == constraint


async def test_a_reservation_has_one_session(database: Database, raw):
    instrument_id = await a_bookable_instrument(database)
    reservation_id = await write(raw, instrument_id, status="in_use")
    insert = (
        "insert into usage_session (reservation_id, instrument_id, opened_at, operator_id,"
        f" reserved_minutes) values ({reservation_id}, {instrument_id}, now(), 1, 60)"
    )
    await raw.execute(insert)

    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        await raw.execute(insert)

    assert violated.value.constraint_name == "usage_session_reservation_id"
