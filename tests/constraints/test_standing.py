"""The named constraints of quotas, qualifications, training and operators, with no rule between."""

from typing import Any

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.booking import a_bookable_instrument
from tests.builders.parties import a_person

pytestmark = pytest.mark.asyncio

NOW = "2025-03-03 09:00+08"
GOOD: dict[str, dict[str, Any]] = {
    "quota": {
        "provider_id": 1,
        "subject": "person",
        "period": "week",
        "measure": "minutes",
        "at_most": 600,
        "set_by": 1,
        "set_at": NOW,
    },
    "qualification": {
        "instrument_id": "instrument",
        "provider_id": 1,
        "person_id": "person",
        "granted_by": 1,
        "granted_at": NOW,
        "reason": "trained",
    },
    "training_request": {
        "instrument_id": "instrument",
        "provider_id": 1,
        "organisation_id": 1,
        "person_id": "person",
        "status": "asked",
        "asked_at": NOW,
    },
    "operator_hours": {
        "provider_id": 1,
        "person_id": "person",
        "weekday": 0,
        "opens_minute": 540,
        "closes_minute": 1020,
    },
    "operator_absence": {
        "provider_id": 1,
        "person_id": "person",
        "during": "[2025-03-05,2025-03-06)",
        "reason": "leave",
        "noted_by": 1,
        "noted_at": NOW,
    },
}
DATED = {"trainer_id": 1, "held_at": NOW, "place": "204"}
ANSWERED = {"answered_by": 1, "answered_at": NOW}


@pytest.fixture
async def raw(database: Database):
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def write(raw: Any, table: str, row: dict[str, Any]) -> int:
    """The row, written as text so that every type is PostgreSQL's own affair."""
    given = {name: value for name, value in row.items() if value is not None}
    values = ", ".join(f"'{value}'" for value in given.values())
    made: int = await raw.fetchval(
        f"insert into {table} ({', '.join(given)}) values ({values}) returning id"
    )
    return made


@pytest.fixture
async def ids(database: Database) -> dict[str, int]:
    return {
        "instrument": await a_bookable_instrument(database),
        "person": await a_person(database),
    }


def filled(table: str, ids: dict[str, int], changes: dict[str, Any]) -> dict[str, Any]:
    """A good row with `changes`; who is called `person` where it says who, is that person."""
    return {
        name: ids[value] if value in ids and name.endswith(("_id", "_by")) else value
        for name, value in (GOOD[table] | changes).items()
    }


@pytest.mark.parametrize(
    ("table", "wrong", "constraint"),
    [
        ("quota", {"subject": "dog"}, "quota_subject"),
        ("quota", {"user_class": "king"}, "quota_user_class"),
        ("quota", {"period": "decade"}, "quota_period"),
        ("quota", {"measure": "tears"}, "quota_measure"),
        ("quota", {"period": "open"}, "quota_open"),
        ("quota", {"at_most": -1}, "quota_at_most"),
        ("quota", {"ended_at": NOW}, "quota_ended"),
        ("qualification", {"granted_by": "person"}, "qualification_by_another"),
        ("qualification", {"valid_until": NOW}, "qualification_valid"),
        ("qualification", {"revoked_at": NOW}, "qualification_revoked"),
        ("training_request", {"status": "lost"} | ANSWERED, "training_request_status"),
        ("training_request", {"status": "scheduled"}, "training_request_scheduled"),
        ("training_request", {"place": "204"}, "training_request_scheduled"),
        ("training_request", {"status": "declined"}, "training_request_answered"),
        ("training_request", ANSWERED, "training_request_answered"),
        ("training_request", {"status": "passed"} | DATED | ANSWERED, "training_request_passed"),
        (
            "training_request",
            {"status": "scheduled"} | DATED | {"trainer_id": "person"},
            "training_request_by_another",
        ),
        (
            "training_request",
            {"status": "declined"} | ANSWERED | {"answered_by": "person"},
            "training_request_by_another",
        ),
        ("operator_hours", {"weekday": 7}, "operator_hours_weekday"),
        ("operator_hours", {"closes_minute": 540}, "operator_hours_minutes"),
        ("operator_absence", {"during": "empty"}, "operator_absence_during"),
        ("operator_absence", {"during": "[2025-03-05,)"}, "operator_absence_during"),
        ("operator_absence", {"withdrawn_at": NOW}, "operator_absence_withdrawn"),
    ],
)
async def test_what_makes_no_sense_is_not_stored(
    raw: Any, ids: dict[str, int], table: str, wrong: dict[str, Any], constraint: str
):
    row = filled(table, ids, wrong)

    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await write(raw, table, row)

    assert constraint == violated.value.constraint_name


@pytest.mark.parametrize(
    ("table", "constraint", "ends"),
    [
        ("quota", "quota_once", {"ended_at": NOW, "ended_by": 1}),
        (
            "qualification",
            "qualification_stands",
            {"revoked_at": NOW, "revoked_by": 1, "revoked_because": "broke a lens"},
        ),
        ("training_request", "training_request_open", {"status": "withdrawn"} | ANSWERED),
    ],
)
async def test_there_is_one_of_a_kind_until_it_ends(
    raw: Any, ids: dict[str, int], table: str, constraint: str, ends: dict[str, Any]
):
    row = filled(table, ids, {})
    first = await write(raw, table, row)

    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        await write(raw, table, row)

    assert constraint == violated.value.constraint_name
    changed = ", ".join(f"{name} = '{value}'" for name, value in ends.items())
    await raw.execute(f"update {table} set {changed} where id = {first}")
    await write(raw, table, row)


async def test_hours_of_an_operator_never_overlap_at_whatever_unit(raw: Any, ids: dict[str, int]):
    await write(raw, "operator_hours", filled("operator_hours", ids, {}))
    await write(raw, "operator_hours", filled("operator_hours", ids, {"weekday": 1}))
    later = {"opens_minute": 1020, "closes_minute": 1080}
    await write(raw, "operator_hours", filled("operator_hours", ids, later))

    with pytest.raises(asyncpg.ExclusionViolationError) as violated:
        await write(raw, "operator_hours", filled("operator_hours", ids, {"opens_minute": 1019}))

    assert "operator_hours_no_overlap" == violated.value.constraint_name
