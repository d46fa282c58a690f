"""The named constraints of applications and of what becomes of grants hold on their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.parties import a_provider
from tests.builders.vouchers import a_grant, a_hold, orders_are_numbers

TABLES = [
    "application_document",
    "application_approval",
    "grant_change",
    "grant_change_part",
    "voucher_batch",
    "voucher_cap",
    "voucher_hold_cap",
    "beneficiary_fact",
]
DIGEST = "a" * 64
DOCUMENT = (
    "insert into application_document (application_id, kind, name, media_type, sha256, size_bytes,"
    " storage_key, stored_by, stored_at, removed_at) select id, 'licence', 'l.pdf',"
    " 'application/pdf', {}, 'documents/x', 1, now(), {} from voucher_application"
)
APPROVAL = (
    "insert into application_approval (application_id, round, person_id, applied_by, amount_fen,"
    " approved_at) select id, 1, {}, made_by, {}, now() from voucher_application"
)
CHANGE = (
    "insert into grant_change (grant_id, kind, status, amount_fen, reason, application_id,"
    " proposed_by, proposed_at, decided_by, decided_at)"
    " select id, {}, 1, now(), {} from voucher_grant"
)
CAP = (
    "insert into voucher_cap (programme_id, kind, subject, funder, year, used_fen, cap_fen)"
    " select programme_id, {} from voucher_grant"
)
FACT = (
    "insert into beneficiary_fact (kind, name, number, starts_on, ends_on, source, status,"
    " decided_by, decided_at, organisation_id, stated_by, stated_at)"
    " select {}, organisation_id, 1, now() from voucher_grant"
)

BROKEN = [
    (
        "beneficiary_fact_kind",
        FACT.format("'x', '', null, '2025-1-1', null, 's', 'stated', null, null"),
    ),
    (
        "beneficiary_fact_name",
        FACT.format("'founded', 'x', null, '2025-1-1', null, 's', 'stated', null, null"),
    ),
    (
        "beneficiary_fact_number",
        FACT.format("'team', '', null, '2025-1-1', null, 's', 'stated', null, null"),
    ),
    (
        "beneficiary_fact_days",
        FACT.format("'team', '', 3, '2025-1-2', '2025-1-1', 's', 'stated', null, null"),
    ),
    (
        "beneficiary_fact_source",
        FACT.format("'team', '', 3, '2025-1-2', null, ' ', 'stated', null, null"),
    ),
    ("beneficiary_fact_status", FACT.format("'team', '', 3, '2025-1-2', null, 's', 'x', 2, now()")),
    (
        "beneficiary_fact_second_person",
        FACT.format("'team', '', 3, '2025-1-2', null, 's', 'verified', 1, now()"),
    ),
    (
        "beneficiary_fact_decided",
        FACT.format("'team', '', 3, '2025-1-2', null, 's', 'verified', null, null"),
    ),
    ("application_document_sha256", DOCUMENT.format("'abc', 1", "null")),
    ("application_document_size", DOCUMENT.format(f"'{DIGEST}', 0", "null")),
    ("application_document_size", DOCUMENT.format(f"'{DIGEST}', 10485761", "null")),
    ("application_document_removed", DOCUMENT.format(f"'{DIGEST}', 1", "now()")),
    ("application_document_once", DOCUMENT.format(f"'{DIGEST}', 1", "null")),
    ("application_approval_second_person", APPROVAL.format("made_by", 1)),
    ("application_approval_amount", APPROVAL.format("1", 0)),
    ("application_approval_once", APPROVAL.format("1", 1)),
    (
        "voucher_batch_amount",
        "insert into voucher_batch select id, 1, 101, 100 from programme",
    ),
    ("grant_change_kind", CHANGE.format("'gift', 'proposed', 1, 'x', null", "null, null")),
    ("grant_change_status", CHANGE.format("'withdrawal', 'lost', 1, 'x', null", "2, now()")),
    ("grant_change_amount", CHANGE.format("'withdrawal', 'proposed', 0, 'x', null", "null, null")),
    ("grant_change_reason", CHANGE.format("'withdrawal', 'proposed', 1, ' ', null", "null, null")),
    (
        "grant_change_application",
        CHANGE.format("'withdrawal', 'proposed', 1, 'x', application_id", "null, null"),
    ),
    (
        "grant_change_second_person",
        CHANGE.format("'withdrawal', 'done', 1, 'x', null", "1, now()"),
    ),
    ("grant_change_decided", CHANGE.format("'withdrawal', 'proposed', 1, 'x', null", "2, now()")),
    (
        "grant_change_open_once",
        CHANGE.format("'revocation', 'proposed', 0, 'x', null", "null, null"),
    ),
    (
        "grant_change_part_amount",
        "insert into grant_change_part select c.id, p.id, 0 from grant_change c, grant_part p",
    ),
    ("voucher_cap_kind", CAP.format("'moon', 1, '', 2025, 0, 1")),
    ("voucher_cap_room", CAP.format("'sme-year', 0, '', 2025, 2, 1")),
    ("voucher_cap_room", CAP.format("'sme-year', 0, '', 2025, -1, 1")),
    (
        "voucher_hold_cap_held",
        "insert into voucher_hold_cap select h.id, g.programme_id, 'sme-year', 7, '', 2025, 0"
        " from voucher_hold h, voucher_grant g",
    ),
    (
        "voucher_hold_cap_counted",
        "insert into voucher_hold_cap select h.id, g.programme_id, 'instrument-year', 9, '',"
        " 2025, 1 from voucher_hold h, voucher_grant g",
    ),
]
KEPT = [
    "delete from application_document",
    "update application_approval set amount_fen = 2",
    "delete from grant_change",
    "update grant_change_part set amount_fen = 2",
    "delete from voucher_hold_cap",
    "delete from beneficiary_fact",
]


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection past the application to a database with one of everything in it."""
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_hold(database, granted=granted, provider_id=await a_provider(database))
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    for statement in (
        DOCUMENT.format(f"'{DIGEST}', 1", "null"),
        APPROVAL.format("1", 1),
        CHANGE.format("'withdrawal', 'proposed', 1, 'Unused', null", "null, null"),
        "insert into grant_change_part select c.id, p.id, 1 from grant_change c, grant_part p",
        CAP.format("'group-year', 7, '', 2025, 50000, 50000"),
        FACT.format("'team', '', 3, '2025-1-2', null, 's', 'stated', null, null"),
        "insert into voucher_hold_cap select h.id, g.programme_id, 'group-year', 7, '',"
        " 2025, 50000 from voucher_hold h, voucher_grant g",
    ):
        await connection.execute(statement)
    yield connection
    await connection.close()


async def test_the_database_itself_refuses_what_the_constraints_forbid(
    raw: asyncpg.Connection[Any],
) -> None:
    for constraint, statement in BROKEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await raw.execute(statement)

        assert (constraint, statement) == (refused.value.constraint_name, statement)
    for statement in KEPT:
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await raw.execute(statement)


async def test_every_named_constraint_is_tried(raw: asyncpg.Connection[Any]) -> None:
    named = await raw.fetch(
        "select conname as name from pg_constraint"
        " where contype in ('c', 'u', 'x') and conrelid::regclass::text = any($1)",
        TABLES,
    )

    assert {row["name"] for row in named} <= {constraint for constraint, _ in BROKEN}


async def test_a_hold_that_ends_gives_back_to_its_cap_and_what_is_redeemed_counts(
    raw: asyncpg.Connection[Any],
) -> None:
    used = "select used_fen from voucher_cap where kind = 'group-year'"
    await raw.execute(
        "update voucher_hold set status = 'settled', ended_at = now(), settled_fen = 20000"
    )
    assert 0 == await raw.fetchval(used)

    await raw.execute(
        "insert into redemption (order_id, grant_id, provider_id, service_value_fen, amount_fen,"
        " redeemed_on) select order_id, grant_id, provider_id, service_value_fen, 20000, now()"
        " from voucher_hold"
    )
    await raw.execute(
        "insert into redemption_part select r.id, p.layer_id, 10000 from redemption r"
        " join grant_part p on p.grant_id = r.grant_id"
    )
    assert 20_000 == await raw.fetchval(used)
