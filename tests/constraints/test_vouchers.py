"""The named constraints of vouchers hold whatever is written, with no rule in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from marketplace.parties.roles import Role
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import a_claim, a_grant, a_hold, an_application, orders_are_numbers

# Each statement breaks the one constraint beside it; `1` is a person, an organisation.
PROGRAMME = (
    "update programme set {} where id = (select max(id) from programme where status = 'open')"
)
LAYER = "update programme_layer set {} where id = (select min(id) from programme_layer)"
APPLICATION = "update voucher_application set {} where status = 'submitted'"
GRANT = "update voucher_grant set {}"
HOLD = "update voucher_hold set {} where status = 'held'"
REDEMPTION = "update redemption set {} where id = (select min(id) from redemption)"
REDEEMED = (
    "insert into redemption (order_id, grant_id, provider_id, service_value_fen, amount_fen,"
    " redeemed_on) select {}, grant_id, provider_id, service_value_fen, {}, redeemed_on"
    " from redemption"
)
CLAIM = "update claim set {}"
EVIDENCE = (
    "update claim_evidence set {} where id = (select min(id) from claim_evidence where kind = '{}')"
)

BROKEN = [
    ("programme_status", PROGRAMME.format("status = 'paused'")),
    ("programme_days", PROGRAMME.format("opens_on = closes_on + 1")),
    ("programme_days", PROGRAMME.format("valid_until = closes_on - 1")),
    ("programme_second_person", PROGRAMME.format("approved_by = made_by")),
    ("programme_approved", PROGRAMME.format("approved_by = null")),
    ("programme_code", PROGRAMME.format("code = 'Our own'")),
    ("programme_keeps_terms", PROGRAMME.format("terms = '{}'")),
    ("programme_keeps_terms", PROGRAMME.format("year = year + 1")),
    ("programme_layer_year", LAYER.format("budget_year = 1999")),
    ("programme_layer_funder", LAYER.format("funder = 'county'")),
    ("programme_layer_ratio", LAYER.format("ratio_basis_points = 10001")),
    ("programme_layer_ratio", LAYER.format("ratio_basis_points = 0")),
    ("programme_layer_budget", LAYER.format("budget_fen = 0")),
    ("programme_layer_keeps", LAYER.format("ratio_basis_points = 1")),
    ("programme_layer_keeps", LAYER.format("starts_on = '2026-01-01'")),
    ("programme_layer_booked", LAYER.format("budget_fen = budget_fen + 1")),
    ("voucher_application_asked", APPLICATION.format("asked_fen = 0")),
    ("voucher_application_status", APPLICATION.format("status = 'lost'")),
    ("voucher_application_second_person", APPLICATION.format("decided_by = made_by")),
    ("voucher_application_round", APPLICATION.format("round = 0")),
    ("voucher_application_waiting", APPLICATION.format("status = 'waiting'")),
    ("voucher_application_proposed", APPLICATION.format("proposed_at = now()")),
    ("voucher_application_waiting_rank", APPLICATION.format("waiting_rank = -1")),
    (
        "voucher_application_open_once",
        "insert into voucher_application (programme_id, organisation_id, asked_fen, purpose,"
        " status, checks, made_by, made_at) select programme_id, organisation_id, 1, '',"
        " 'submitted', '[]', made_by, now() from voucher_application where status = 'submitted'",
    ),
    ("voucher_grant_amount", GRANT.format("amount_fen = 0")),
    ("voucher_grant_status", GRANT.format("status = 'lost'")),
    (
        "voucher_grant_once",
        "insert into voucher_grant (programme_id, organisation_id, application_id, amount_fen,"
        " valid_until, status, granted_by, granted_at) select g.programme_id, g.organisation_id,"
        " a.id, 1, g.valid_until, 'active', 1, now() from voucher_grant g, voucher_application a"
        " where a.status = 'submitted'",
    ),
    (
        "voucher_grant_application",
        "insert into voucher_grant (programme_id, organisation_id, application_id, amount_fen,"
        " valid_until, status, granted_by, granted_at) select programme_id, 1, application_id, 1,"
        " valid_until, 'active', 1, now() from voucher_grant",
    ),
    (
        "grant_part_once",
        "insert into grant_part (grant_id, layer_id, amount_fen)"
        " select grant_id, layer_id, 1 from grant_part",
    ),
    (
        "grant_part_amount",
        "insert into grant_part (grant_id, layer_id, amount_fen)"
        " select grant_id, layer_id, -1 from grant_part",
    ),
    ("voucher_year_cap", "update voucher_year set granted_fen = cap_fen + 1"),
    ("voucher_year_cap", "update voucher_year set granted_fen = -1"),
    ("voucher_hold_persons", HOLD.format("persons = 0")),
    ("voucher_hold_status", HOLD.format("status = 'lost', ended_at = now()")),
    ("voucher_hold_amount", HOLD.format("amount_fen = service_value_fen + 1")),
    ("voucher_hold_amount", HOLD.format("amount_fen = 0")),
    ("voucher_hold_terms_version", HOLD.format("terms_version = 0")),
    ("voucher_hold_counted_year", HOLD.format("counted_year = 1999")),
    ("voucher_hold_cap_year", HOLD.format("counted_year = counted_year + 1")),
    ("voucher_grant_terms_version", GRANT.format("terms_version = 0")),
    ("voucher_hold_ended", HOLD.format("status = 'released'")),
    (
        "voucher_hold_order",
        "update voucher_hold set order_id = (select max(order_id) from voucher_hold)",
    ),
    ("voucher_hold_position", HOLD.format("position = 8")),
    (
        "voucher_hold_settled",
        HOLD.format("status = 'settled', ended_at = now(), settled_fen = amount_fen + 1"),
    ),
    ("voucher_hold_settled", HOLD.format("settled_fen = 0")),
    (
        "voucher_hold_part_ledger_hold",
        "update voucher_hold_part set ledger_hold_id = (select min(id) from hold)",
    ),
    ("voucher_hold_part_amount", "update voucher_hold_part set amount_fen = 0"),
    ("voucher_hold_part_ratio", "update voucher_hold_part set ratio_basis_points = 0"),
    ("redemption_amount", REDEEMED.format("order_id", "service_value_fen + 1")),
    ("redemption_amount", REDEEMED.format("order_id", "0")),
    ("redemption_order", REDEEMED.format("order_id", "amount_fen")),
    ("redemption_append_only", REDEMPTION.format("amount_fen = amount_fen - 1")),
    ("redemption_append_only", "delete from redemption"),
    ("redemption_excluded", REDEMPTION.format("excluded_at = now()")),
    (
        "redemption_part_amount",
        "insert into redemption_part (redemption_id, layer_id, amount_fen)"
        " select redemption_id, layer_id, 0 from redemption_part",
    ),
    ("redemption_part_append_only", "update redemption_part set amount_fen = amount_fen - 1"),
    ("redemption_part_append_only", "delete from redemption_part"),
    ("claim_append_only", "delete from claim"),
    ("claim_evidence_append_only", "delete from claim_evidence"),
    ("voucher_hold_part_append_only", "delete from voucher_hold_part"),
    ("claim_status", CLAIM.format("status = 'lost'")),
    ("claim_amount", CLAIM.format("amount_fen = -1")),
    ("claim_auditor", CLAIM.format("audited_by = submitted_by")),
    ("claim_second_person", CLAIM.format("approved_by = submitted_by, entry_id = 1")),
    ("claim_second_person", CLAIM.format("approved_by = audited_by, entry_id = 1")),
    ("claim_seed", CLAIM.format("seed = null")),
    ("claim_notice", CLAIM.format("notice_ends_on = null, approved_by = 1, entry_id = 1")),
    ("claim_entry", CLAIM.format("approved_by = 1")),
    ("claim_evidence_kind", EVIDENCE.format("kind = 'letter'", "result")),
    ("claim_evidence_dated", EVIDENCE.format("dated_on = '2025-03-03'", "result")),
    ("claim_evidence_sha256", EVIDENCE.format("sha256 = 'abc'", "result")),
    ("claim_evidence_invoice", EVIDENCE.format("invoice_number = null", "invoice")),
    ("claim_evidence_invoice", EVIDENCE.format("invoice_number = '" + "1" * 20 + "'", "result")),
    ("claim_evidence_digits", EVIDENCE.format("invoice_number = '1234'", "invoice")),
    (
        "claim_evidence_attached_once",
        "insert into claim_evidence (redemption_id, kind, sha256, reference, attached_by,"
        " attached_at) select redemption_id, kind, sha256, '', 1, now() from claim_evidence"
        " where kind = 'result'",
    ),
    (
        "claim_evidence_invoice_number",
        "update claim_evidence set invoice_number = '" + "1" * 20 + "' where kind = 'invoice'",
    ),
    (
        "claim_evidence_file",
        EVIDENCE.format(
            "sha256 = (select sha256 from claim_evidence order by id desc limit 1)", "result"
        ),
    ),
    ("claim_claimant", CLAIM.format("sme_id = 1")),
    ("claim_set_off", CLAIM.format("set_off_fen = amount_fen + 1")),
    ("claim_withdrawn", CLAIM.format("status = 'withdrawn'")),
    ("redemption_returned", REDEMPTION.format("returned_fen = amount_fen + 1")),
    ("spot_check_result", "update spot_check set result = 'lost'"),
    ("spot_check_checked", "update spot_check set checked_by = null"),
]


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection past the application to a database with one of everything in it."""
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_claim(database, granted=granted, status="in_notice", redemptions=2)
    await a_hold(database, granted=granted, provider_id=await a_provider(database))
    await an_application(
        database,
        programme_id=granted.programme_id,
        sme=await an_actor(database, Role.SME_ADMINISTRATOR),
    )
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def test_the_database_itself_refuses_what_the_constraints_forbid(
    raw: asyncpg.Connection[Any],
) -> None:
    for constraint, statement in BROKEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await raw.execute(statement)

        assert (constraint, statement) == (refused.value.constraint_name, statement)


async def test_every_named_constraint_of_vouchers_is_tried(raw: asyncpg.Connection[Any]) -> None:
    named = await raw.fetch(
        """
        select conname as name from pg_constraint
        where contype in ('c', 'u', 'x') and conrelid::regclass::text = any($1)
        """,
        [
            "programme",
            "programme_layer",
            "voucher_application",
            "voucher_grant",
            "grant_part",
            "voucher_year",
            "voucher_hold",
            "voucher_hold_part",
            "redemption",
            "redemption_part",
            "claim",
            "claim_evidence",
            "spot_check",
        ],
    )
    # Two are tried through the use case, which needs no more than a second draft; the third is
    # what `voucher_hold_cap_year` refers to.
    elsewhere = {"programme_name", "programme_layer_once", "voucher_hold_of_year"}

    tried = {constraint for constraint, _ in BROKEN} | elsewhere
    assert {row["name"] for row in named} <= tried


async def test_one_file_may_prove_several_things_of_one_redemption(
    raw: asyncpg.Connection[Any],
) -> None:
    added = await raw.execute(
        "insert into claim_evidence (redemption_id, kind, sha256, reference, attached_by,"
        " attached_at) select redemption_id, 'contract', sha256, '', 1, now() from claim_evidence"
        " where kind = 'result'"
    )

    assert added == "INSERT 0 2"
