"""What the application's role may do with each table, and that nothing more can be had by SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.billing.ledger.rules.chart import AccountType
from marketplace.kernel.db import Database
from marketplace.kernel.roles import (
    APPLICATION_ROLE,
    DELETABLE,
    READ_ONLY,
    Rights,
    grant_application,
    rights_of,
    take_role,
)
from tests.builders.ledger import a_posted_entry, a_wallet, an_account

# Books and evidence: what is written there is neither changed nor taken away. Named here, so that
# a trigger that somebody drops, and the right that would follow, is missed.
NEVER_CHANGED = frozenset(
    [
        "account_type",
        "alembic_version",
        "audit_event",
        "bank_statement",
        "charge_line",
        "claim_audit",
        "clawback_recovery",
        "clearing_item",
        "correction_credit",
        "credit_note",
        "credit_receipt",
        "custody_event",
        "deliverable",
        "dispute_evidence",
        "entry",
        "free_use_evidence",
        "grant_change_part",
        "hold",
        "hold_end",
        "invoice",
        "invoice_file",
        "item_delivery",
        "ledger_verification",
        "line_attachment",
        "order_event",
        "posting",
        "price",
        "provider_revenue",
        "redemption_part",
        "redemption_return",
        "reward_entity_share",
        "reward_share",
        "seal",
        "session_repair",
        "true_up",
    ]
)
# Of these only the columns named here move.
MOVING = {
    "account": {"posted_fen", "held_fen", "seq", "closed_at"},
    "clearing": {"undone_at", "undone_by", "undo_reason"},
    "line_match": {"undone_at", "undone_by", "undo_reason"},
    "period_reopening": {"approved_at", "approved_by"},
    "redemption": {"claim_id", "excluded_at", "excluded_reason", "returned_fen"},
    "statement_line": {"status", "matches", "note"},
}

TABLES = """
select c.relname as name,
       has_table_privilege($1, c.oid, 'SELECT') as reads,
       has_table_privilege($1, c.oid, 'INSERT') as adds,
       has_table_privilege($1, c.oid, 'UPDATE') as changes,
       has_table_privilege($1, c.oid, 'DELETE') as deletes,
       has_table_privilege($1, c.oid, 'TRUNCATE') or has_table_privilege($1, c.oid, 'TRIGGER')
         or has_table_privilege($1, c.oid, 'REFERENCES') or pg_has_role($1, c.relowner, 'MEMBER')
         as more,
       array(select a.attname::text from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               and has_column_privilege($1, c.oid, a.attnum, 'UPDATE')) as moving,
       exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
               where t.tgrelid = c.oid and p.proname = 'refuse_change' and t.tgqual is null
                 and t.tgtype & 8 = 8) as keeps_rows
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def application(database_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A plain connection in the application's role."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await take_role(connection)
    yield connection
    await connection.close()


async def test_every_table_gives_the_application_what_it_needs_and_no_more(owner):
    tables = {row["name"]: row for row in await owner.fetch(TABLES, APPLICATION_ROLE)}

    assert [] == [name for name, row in tables.items() if not row["reads"] or row["more"]]
    assert {name for name, row in tables.items() if not row["adds"]} == READ_ONLY
    assert {name for name, row in tables.items() if row["deletes"]} == DELETABLE
    assert {n for n in NEVER_CHANGED if tables[n]["changes"] or tables[n]["moving"]} == set()
    assert {name: set(tables[name]["moving"]) for name in MOVING} == MOVING
    # Neither by privilege nor by trigger: a table may do without one of them, the books not.
    assert {n for n in NEVER_CHANGED - READ_ONLY if not tables[n]["keeps_rows"]} == set()


async def test_a_table_that_may_be_emptied_has_no_trigger_that_says_otherwise(owner):
    for row in await owner.fetch(TABLES, APPLICATION_ROLE):
        assert not (row["deletes"] and row["keeps_rows"]), row["name"]


async def test_a_new_table_is_append_only_until_a_migration_has_looked_at_it(owner):
    await owner.execute("create table fresh (id bigint, note text)")
    await owner.execute("create table books (id bigint, note text)")
    await owner.execute("create view both_of_them as select * from fresh")
    await owner.execute(
        "create trigger books_append_only before update on books"
        " for each row execute function refuse_change()"
    )
    before = {row["name"]: row for row in await owner.fetch(TABLES, APPLICATION_ROLE)}
    await grant_application(owner)
    after = {row["name"]: row for row in await owner.fetch(TABLES, APPLICATION_ROLE)}

    assert [before[name]["changes"] for name in ("fresh", "books")] == [False, False]
    assert [after[name]["changes"] for name in ("fresh", "books")] == [True, False]
    assert await owner.fetchval(
        "select has_table_privilege($1, 'both_of_them', 'SELECT')", APPLICATION_ROLE
    )


async def test_what_was_granted_by_hand_goes_with_the_next_migration(owner):
    await owner.execute(f"grant update, delete, truncate on entry to {APPLICATION_ROLE}")
    await owner.execute(f"grant update (amount_fen) on posting to {APPLICATION_ROLE}")
    await owner.execute(f"revoke insert on entry from {APPLICATION_ROLE}")
    await grant_application(owner)
    tables = {row["name"]: row for row in await owner.fetch(TABLES, APPLICATION_ROLE)}

    for name in ("entry", "posting"):
        assert (tables[name]["adds"], tables[name]["changes"], tables[name]["deletes"]) == (
            True,
            False,
            False,
        )
        assert not tables[name]["moving"]
        assert not tables[name]["more"]


@pytest.mark.parametrize(
    ("facts", "rights"),
    [
        ({}, Rights(frozenset({"SELECT", "INSERT", "UPDATE"}))),
        ({"fixed": True}, Rights(frozenset({"SELECT", "INSERT"}))),
        (
            {"fixed_columns": frozenset({"id"})},
            Rights(frozenset({"SELECT", "INSERT"}), frozenset({"note"})),
        ),
        ({"kind": "v"}, Rights(frozenset({"SELECT"}))),
        ({"kind": "S"}, Rights(frozenset({"USAGE"}))),
        ({"name": "alembic_version"}, Rights(frozenset({"SELECT"}))),
        ({"name": "favourite"}, Rights(frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"}))),
    ],
)
def test_rights_follow_from_the_triggers(facts, rights):
    asked = {
        "name": "parcel",
        "kind": "r",
        "fixed": False,
        "fixed_columns": frozenset(),
        "columns": frozenset({"id", "note"}),
    } | facts

    assert rights_of(asked.pop("name"), asked.pop("kind"), **asked) == rights


ATTACKS = [
    "update entry set remark = 'other'",
    "delete from entry",
    "truncate entry cascade",
    "update posting set amount_fen = 1",
    "delete from posting",
    "update seal set entries = 1",
    "delete from hold_end",
    "update audit_event set action = 'other'",
    "delete from audit_event",
    "update account set min_available_fen = -1000000",
    "update account set type = 'payable'",
    "delete from account",
    "insert into account_type values ('mine', 'cash', 1, null, false, null)",
    "update redemption_part set amount_fen = 1",
    "delete from claim_evidence",
    "update statement_line set amount_fen = 1",
    "delete from service_order",
    "delete from person",
    "update alembic_version set version_num = '0001'",
    "alter table posting disable trigger all",
    "alter table account drop constraint account_min_available",
    "drop trigger posting_checked on posting",
    "drop table posting cascade",
    "create table mine ()",
    "create function public.now() returns timestamptz language sql as 'select null'",
    "create or replace function refuse_change() returns trigger language plpgsql"
    " as 'begin return new; end'",
    "set session_replication_role = replica",
    "select set_config('session_replication_role', 'replica', false)",
    "alter role marketplace_application superuser",
    "copy entry from program 'true'",
]


async def test_the_application_can_do_none_of_this(database, owner, application):
    wallet = await a_wallet(database, funds_fen=1_000)
    await a_posted_entry(
        database, debit=wallet, credit=await an_account(database, AccountType.BANK), amount_fen=100
    )
    state = "select (select count(*) from entry), (select sum(posted_fen) from account)"
    before = await owner.fetchrow(state)

    for attack in ATTACKS:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(attack)
    # To grant what one does not have is only warned of.
    await application.execute(f"grant update on entry to {APPLICATION_ROLE}")
    assert await owner.fetchrow(state) == before
    assert not await owner.fetchval(
        "select has_table_privilege($1, 'entry', 'UPDATE')", APPLICATION_ROLE
    )


async def test_every_connection_of_the_application_is_in_its_role(database: Database):
    async with database.engine.connect() as first, database.engine.connect() as second:
        for connection in (first, second):
            assert await connection.scalar(text("select current_user")) == APPLICATION_ROLE
            await connection.rollback()
            assert await connection.scalar(text("select current_user")) == APPLICATION_ROLE
