"""Sessions, repairs, reports, log readings and keys: their constraints hold whatever is written."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.orders import a_market
from tests.builders.usage import usage_things

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    await usage_things(await a_market(database))
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


REPAIR = """
    insert into session_repair (session_id, kind, answers_id, made_by, made_at, by_staff, reason,
      before, after)
    select session_id, {kind}, {answers}, made_by, now(), {staff}, {reason}, '{{}}', '{{}}'
      from session_repair
"""
ANSWER = REPAIR.format(kind="'confirmation'", answers="id", staff="true", reason="'seen'")


def a_repair(
    kind: str = "'repair'", answers: str = "null", staff: str = "true", reason: str = "'seen'"
) -> str:
    return REPAIR.format(kind=kind, answers=answers, staff=staff, reason=reason)


WRONG = [
    ("usage_session_problem", "update usage_session set problem = 'tired'"),
    ("usage_session_said", "update usage_session set closed_how = 'rumour'"),
    ("usage_session_said", "update usage_session set closed_how = null"),
    ("usage_session_said", "update usage_session set opened_how = 'platform'"),
    ("usage_session_samples_run", "update usage_session set samples_run = -1"),
    ("usage_session_note", "update usage_session set note = ''"),
    (
        "usage_session_settled",
        "update usage_session set settled_at = now(), closed_at = null, closed_how = null,"
        " actual_minutes = null, billable_minutes = null, preparation_minutes = null,"
        " test_minutes = null, post_minutes = null",
    ),
    ("session_repair_kind", a_repair(kind="'guess'")),
    ("session_repair_answers", a_repair(kind="'proposal'")),
    ("session_repair_answers", a_repair(kind="'confirmation'")),
    ("session_repair_answers", a_repair(kind="'rejection'", answers="id", staff="false")),
    ("session_repair_reason", a_repair(reason="''")),
    ("session_repair_append_only", "update session_repair set reason = 'other'"),
    ("session_repair_append_only", "delete from session_repair"),
    ("session_repair_append_only", "truncate session_repair"),
    ("problem_report_severity", "update problem_report set severity = 'bad'"),
    ("problem_report_note", "update problem_report set note = ''"),
    ("problem_report_resolved", "update problem_report set resolution = 'mended'"),
    ("reading_source_shape", "update reading_source set source = 'Ä'"),
    ("reading_source_tolerance", "update reading_source set tolerance_minutes = -1"),
    (
        "reading_source_name",
        "insert into reading_source (instrument_id, provider_id, source, opens_sessions,"
        " tolerance_minutes, accepts, set_by, set_at)"
        " select instrument_id, provider_id, source, true, 1, true, set_by, now()"
        " from reading_source",
    ),
    (
        "machine_reading_external_id",
        "insert into machine_reading (source_id, instrument_id, provider_id, external_id,"
        " started_at, received_at, changed_at, sent_by, state)"
        " select source_id, instrument_id, provider_id, external_id, started_at, now(), now(),"
        " sent_by, 'unbooked' from machine_reading",
    ),
    ("machine_reading_run", "update machine_reading set started_at = null, stopped_at = null"),
    ("machine_reading_run", "update machine_reading set stopped_at = started_at - interval '1 s'"),
    ("machine_reading_run", "update machine_reading set stopped_at = started_at + interval '61 d'"),
    ("machine_reading_samples", "update machine_reading set samples = -1"),
    ("machine_reading_state", "update machine_reading set state = 'odd'"),
    (
        "machine_reading_session",
        "update machine_reading set session_id = (select max(id) from usage_session)",
    ),
    ("machine_reading_resolved", "update machine_reading set state = 'dismissed'"),
    ("machine_reading_resolved", "update machine_reading set resolution = 'nothing'"),
    (
        "machine_reading_resolved",
        "update machine_reading set state = 'upkeep', resolved_by = 1, resolved_at = now(),"
        " resolution = 'pump'",
    ),
    ("api_key_prefix_shape", "update api_key set prefix = 'ABCDEFGHIJ'"),
    ("api_key_name_length", "update api_key set name = ''"),
    ("api_key_secret", "update api_key set secret_sha256 = ''"),
    ("api_key_scopes", "update api_key set scopes = '{}'"),
    ("api_key_scopes", "update api_key set scopes = '{money:move}'"),
    ("api_key_lifetime", "update api_key set expires_at = made_at"),
    ("api_key_lifetime", "update api_key set expires_at = made_at + interval '2 years 1 day'"),
    ("api_key_revoked", "update api_key set revoked_at = now()"),
    ("api_key_not_a_person", "update api_key set made_by = person_id"),
]

COPY_KEY = """
    insert into api_key (organisation_id, person_id, name, prefix, secret_sha256, scopes, made_by,
      made_at, expires_at)
    select organisation_id, {person}, {name}, {prefix}, secret_sha256, scopes, made_by, made_at,
           expires_at
      from api_key
"""


async def test_what_makes_no_sense_is_not_stored(raw: asyncpg.Connection):
    met = []
    for constraint, statement in WRONG:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as violated:
            await raw.execute(statement)
        met.append((constraint, violated.value.constraint_name))

    assert [pair for pair in met if pair[0] != pair[1]] == []


async def test_a_report_is_answered_once(raw: asyncpg.Connection):
    await raw.execute(ANSWER)

    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        await raw.execute(ANSWER)

    assert violated.value.constraint_name == "session_repair_answered_once"


@pytest.mark.parametrize(
    ("constraint", "person", "name", "prefix"),
    [
        ("api_key_prefix", "1", "'other'", "prefix"),
        ("api_key_person", "person_id", "'other'", "'0123456789'"),
        ("api_key_name", "1", "name", "'0123456789'"),
    ],
)
async def test_a_key_has_a_prefix_a_person_and_a_name_of_its_own(
    raw: asyncpg.Connection, constraint: str, person: str, name: str, prefix: str
):
    copy = COPY_KEY.format(person=person, name=name, prefix=prefix)

    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        await raw.execute(copy)
    await raw.execute("update api_key set revoked_at = now(), revoked_by = 1")

    assert violated.value.constraint_name == constraint
    if constraint == "api_key_name":
        await raw.execute(copy)
