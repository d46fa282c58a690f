"""What providers set of classes, hours and calendars holds whatever is written, with no rule."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.booking import a_bookable_instrument

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


CLASS_TERMS = "insert into class_terms values ({id}, {values})"
WEEKLY = """
    insert into weekly_hours (instrument_id, kind, user_class, weekday, opens_minute,
      closes_minute, lapses_minutes) values ({id}, {values})"""
DATED = """
    insert into dated_hours (instrument_id, day, opens_minute, closes_minute, note, set_by, set_at)
    values ({id}, {values}, '', 1, now())"""
RULE = "update booking_rule set {values} where instrument_id = {id}"
CLOSURE = """
    insert into closure (instrument_id, kind, during, reason, made_by, made_at)
    values ({id}, {values}, tstzrange('2025-03-10', '2025-03-11'), 'x', 1, now())"""


@pytest.mark.parametrize(
    ("statement", "values", "constraint"),
    [
        (RULE, "makeup_days = 'never'", "booking_rule_makeup_days"),
        (RULE, "calendar_id = instrument_id", "booking_rule_calendar_of_another"),
        (RULE, "operation = 'robot'", "booking_rule_operation"),
        (RULE, "qualification = 'some'", "booking_rule_qualification"),
        (RULE, "answer_minutes = 4", "booking_rule_answer"),
        (RULE, "outside_floor_minutes = 10081", "booking_rule_outside_floor"),
        (RULE, "outside_floor_lapses_minutes = -1", "booking_rule_outside_floor"),
        (CLASS_TERMS, "'friends', true", "class_terms_user_class"),
        (CLASS_TERMS, "'academic', true, -1", "class_terms_notice"),
        (CLASS_TERMS, "'academic', true, null, 0", "class_terms_horizon"),
        (CLASS_TERMS, "'academic', true, null, null, 0", "class_terms_maximum"),
        (WEEKLY, "'tea', null, 0, 0, 60, null", "weekly_hours_kind"),
        (WEEKLY, "'class', null, 0, 0, 60, null", "weekly_hours_user_class"),
        (WEEKLY, "'peak', 'academic', 0, 0, 60, null", "weekly_hours_user_class"),
        (WEEKLY, "'priority', null, 0, 0, 60, null", "weekly_hours_lapses"),
        (WEEKLY, "'peak', null, 0, 0, 60, 5", "weekly_hours_lapses"),
        (WEEKLY, "'peak', null, 7, 0, 60, null", "weekly_hours_weekday"),
        (WEEKLY, "'peak', null, 0, 60, 60, null", "weekly_hours_minutes"),
        (WEEKLY, "'peak', null, 0, 0, 1441, null", "weekly_hours_minutes"),
        (DATED, "'2025-03-10', 60, 60", "dated_hours_minutes"),
        (CLOSURE, "'outside'", "closure_kind"),
    ],
)
async def test_what_makes_no_sense_is_not_stored(
    database: Database, raw: asyncpg.Connection, statement: str, values: str, constraint: str
):
    instrument_id = await a_bookable_instrument(database)

    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await raw.execute(statement.format(id=instrument_id, values=values))

    assert violated.value.constraint_name == constraint


async def test_hours_of_one_kind_and_class_never_overlap_and_others_may(
    database: Database, raw: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)

    for values in (
        "'peak', null, 0, 0, 60, null",
        "'peak', null, 0, 60, 90, null",
        "'peak', null, 1, 0, 60, null",
        "'priority', null, 0, 0, 60, 5",
        "'class', 'academic', 0, 0, 60, null",
        "'class', 'own_unit', 0, 0, 60, null",
    ):
        await raw.execute(WEEKLY.format(id=instrument_id, values=values))
    await raw.execute(DATED.format(id=instrument_id, values="'2025-03-10', 0, 60"))
    await raw.execute(DATED.format(id=instrument_id, values="'2025-03-11', 0, 60"))

    for statement, values, constraint in (
        (WEEKLY, "'peak', null, 0, 30, 90, null", "weekly_hours_no_overlap"),
        (WEEKLY, "'class', 'academic', 0, 59, 90, null", "weekly_hours_no_overlap"),
        (DATED, "'2025-03-10', 59, 90", "dated_hours_no_overlap"),
    ):
        with pytest.raises(asyncpg.ExclusionViolationError) as violated:
            await raw.execute(statement.format(id=instrument_id, values=values))
        assert violated.value.constraint_name == constraint


async def test_a_class_has_its_terms_once(database: Database, raw: asyncpg.Connection):
    instrument_id = await a_bookable_instrument(database)
    terms = CLASS_TERMS.format(id=instrument_id, values="'academic', true")
    await raw.execute(terms)

    with pytest.raises(asyncpg.UniqueViolationError):
        await raw.execute(terms)
