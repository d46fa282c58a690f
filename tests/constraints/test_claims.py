"""The named constraints of claim lines, clawbacks and sanctions hold whatever is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.vouchers import a_claim, orders_are_numbers

LINE = "update claim_line set {}"
AUDIT = (
    "insert into claim_audit (claim_id, stage, layer_id, passed, finding, made_by, made_at)"
    " select id, {}, true, '', {}, now() from claim"
)
OBJECTION = (
    "insert into claim_objection (claim_id, name, contact, statement, filed_at, status)"
    " select id, {}, now(), {} from claim"
)
CLAWBACK = "update clawback set {}"
RECOVERY = (
    "insert into clawback_recovery (clawback_id, amount_fen, source, claim_id, entry_id, made_by,"
    " made_at) select id, {}, (select max(id) from entry), 1, now() from clawback"
)
RETURN = (
    "insert into redemption_return (redemption_id, layer_id, amount_fen, cause, went_to,"
    " frees_caps, after_approval, entry_id, returned_on, reason, made_by, made_at)"
    " select redemption_id, layer_id, {}, (select max(id) from entry), '2025-03-03', '', 1, now()"
    " from redemption_part"
)
SANCTION = "update sanction set {}"

BROKEN = [
    ("claim_line_approved", LINE.format("approved_fen = claimed_fen + 1, reason = 'x'")),
    ("claim_line_clawed_back", LINE.format("clawed_back_fen = approved_fen + 1")),
    ("claim_line_reason", LINE.format("approved_fen = 0")),
    ("claim_line_decided", LINE.format("decided_by = 1")),
    ("claim_line_corrected", LINE.format("correction = 'x'")),
    ("claim_line_resubmits", LINE.format("resubmits_claim_id = claim_id, correction = 'x'")),
    ("claim_audit_stage", AUDIT.format("'late', null", 1)),
    ("claim_audit_layer", AUDIT.format("'local', null", 1)),
    ("claim_audit_once", AUDIT.format("'centre', null", 1)),
    ("claim_objection_filed", OBJECTION.format("'', 'x', 'x'", "'open'")),
    (
        "claim_objection_status",
        "insert into claim_objection (claim_id, name, contact, statement, filed_at, status,"
        " answer, answered_by, answered_at)"
        " select id, 'x', 'x', 'x', now(), 'lost', 'x', 1, now() from claim",
    ),
    ("claim_objection_answered", OBJECTION.format("'x', 'x', 'x'", "'upheld'")),
    ("clawback_cause", CLAWBACK.format("cause = 'x'")),
    ("clawback_amount", CLAWBACK.format("amount_fen = 0")),
    ("clawback_reason", CLAWBACK.format("reason = ''")),
    ("clawback_recovered", CLAWBACK.format("recovered_fen = amount_fen + 1")),
    ("clawback_recovers_what_was_decided", CLAWBACK.format("recovered_fen = 1")),
    (
        "clawback_second_person",
        CLAWBACK.format("status = 'rejected', decided_by = proposed_by, decided_at = now()"),
    ),
    ("clawback_decided", CLAWBACK.format("decided_at = now()")),
    ("clawback_entry", CLAWBACK.format("entry_id = (select max(id) from entry)")),
    ("clawback_status", CLAWBACK.format("status = 'lost', decided_by = 1, decided_at = now()")),
    ("clawback_line_amount", "update clawback_line set amount_fen = 0"),
    ("clawback_recovery_amount", RECOVERY.format("0, 'wallet', null::bigint")),
    ("clawback_recovery_source", RECOVERY.format("1, 'gift', null::bigint")),
    ("clawback_recovery_claim", RECOVERY.format("1, 'wallet', claim_id")),
    ("redemption_return_amount", RETURN.format("0, 'cut', 'budget', false, false")),
    ("redemption_return_cause", RETURN.format("1, 'lost', 'budget', false, false")),
    ("redemption_return_went_to", RETURN.format("1, 'cut', 'bank', false, false")),
    ("redemption_return_clawback", RETURN.format("1, 'cut', 'budget', false, true")),
    ("sanction_kind", SANCTION.format("kind = 'x'")),
    ("sanction_reason", SANCTION.format("reason = ''")),
    ("sanction_days", SANCTION.format("ends_on = starts_on - 1")),
    ("sanction_period", SANCTION.format("kind = 'suspension'")),
    ("sanction_of_programme", SANCTION.format("kind = 'exclusion'")),
    ("sanction_status", SANCTION.format("status = 'x', decided_by = 2, decided_at = now()")),
    (
        "sanction_second_person",
        SANCTION.format("status = 'dropped', decided_by = proposed_by, decided_at = now()"),
    ),
    ("sanction_decided", SANCTION.format("decided_at = now()")),
    ("sanction_stated", SANCTION.format("statement = 'x'")),
    ("sanction_appealed", SANCTION.format("appeal = 'x'")),
    ("sanction_appeal_decided", SANCTION.format("appeal_answer = 'x'")),
]
# A person more is needed for these; they are tried through the use cases.
ELSEWHERE = {
    "claim_line_resubmitted_once",
    "sanction_appeal_third_person",
}


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection past the application to a database with one of everything in it."""
    await orders_are_numbers(database)
    await a_claim(database, status="in_notice", redemptions=1)
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    await connection.execute(
        "insert into clawback (claim_id, organisation_id, cause, amount_fen, reason, status,"
        " proposed_by, proposed_at) select id, provider_id, 'finding', 5, 'x', 'proposed',"
        " submitted_by, now() from claim"
    )
    await connection.execute(
        "insert into clawback_line (clawback_id, claim_id, redemption_id, amount_fen)"
        " select clawback.id, clawback.claim_id, redemption_id, 5"
        " from clawback join claim_line using (claim_id)"
    )
    await connection.execute(
        "insert into sanction (organisation_id, kind, reason, starts_on, status, proposed_by,"
        " proposed_at, statement_due_on) values (1, 'warning', 'x', '2025-03-03', 'proposed', 1,"
        " now(), '2025-03-10')"
    )
    yield connection
    await connection.close()


async def test_the_database_itself_refuses_what_the_constraints_forbid(
    raw: asyncpg.Connection[Any],
) -> None:
    for constraint, statement in BROKEN:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await raw.execute(statement)

        found = getattr(refused.value, "constraint_name", None)
        assert (constraint, statement) == (found, statement), str(refused.value)


async def test_nobody_audits_a_claim_twice_past_the_application(
    raw: asyncpg.Connection[Any],
) -> None:
    local = AUDIT.format(
        "'local', (select min(id) from programme_layer)",
        "(select made_by from claim_audit where stage = 'centre')",
    )
    with pytest.raises(asyncpg.PostgresError) as refused:
        await raw.execute(local)
    assert refused.value.constraint_name == "claim_audit_by_another"


async def test_no_layer_gets_back_more_than_it_gave(raw: asyncpg.Connection[Any]) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await raw.execute(RETURN.format("amount_fen + 1, 'cut', 'budget', false, false"))
    assert refused.value.constraint_name in {
        "redemption_return_within",
        "redemption_returned",
    }


async def test_every_named_constraint_is_tried(raw: asyncpg.Connection[Any]) -> None:
    named = await raw.fetch(
        "select conname as name from pg_constraint where contype in ('c', 'u', 'x')"
        " and conrelid::regclass::text = any($1)",
        [
            "claim_line",
            "claim_audit",
            "claim_objection",
            "clawback",
            "clawback_line",
            "clawback_recovery",
            "redemption_return",
            "sanction",
        ],
    )
    assert {row["name"] for row in named} <= {name for name, _ in BROKEN} | ELSEWHERE
