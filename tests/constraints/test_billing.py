"""The named constraints of pricing, invoicing and rewards hold whatever is written."""

from typing import Any

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.invoicing import a_charge
from tests.builders.rewards import a_graded_provider, a_reward_fund, an_approved_run

# What a valid row of each table says; each case below changes one thing of it.
ROWS: dict[str, dict[str, Any]] = {
    "cost_sheet": {
        "instrument_id": 1,
        "year": 2025,
        "version": 1,
        "planned_minutes": 180,
        "total_fen": 100,
        "unit_cost_fen": 33,
        "filed_by": 1,
        "filed_at": "now()",
    },
    "cost_component": {"cost_sheet_id": 1, "kind": "'labour'", "amount_fen": 0},
    "price_list": {
        "instrument_id": 1,
        "version": 1,
        "cost_sheet_id": 1,
        "state_set": "false",
        "state_source": "''",
        "notice_ends_on": "'2025-03-10'",
        "in_force_from": "'2025-03-11'",
        "filed_by": 1,
        "filed_at": "now()",
        "withdrawn_by": "null",
    },
    "price": {
        "price_list_id": 1,
        "customer_class": "'sme'",
        "unit": "'hour'",
        "amount_fen": 1,
        "minimum_fen": 0,
        "minutes_per_unit": "null",
    },
    "charge_line": {
        "order_id": 1,
        "kind": "'service'",
        "provider_id": 1,
        "legal_entity_id": 1,
        "instrument_id": 1,
        "buyer_id": 1,
        "buyer_legal_entity_id": 1,
        "service_value_fen": 100,
        "voucher_fen": 25,
        "own_fen": 75,
        "settled_on": "'2025-03-03'",
        "voucher_order": "true",
        "affiliated": "false",
        "counts_for_reward": "true",
        "reverses": "null",
        "recorded_by": 1,
        "recorded_at": "now()",
    },
    "invoice": {
        "order_id": 1,
        "provider_id": 1,
        "buyer_id": 1,
        "number": "'25322000000012345678'",
        "amount_fen": 1,
        "issued_on": "'2025-03-03'",
        "recorded_by": 1,
        "recorded_at": "now()",
    },
    "provider_grade": {
        "provider_id": 1,
        "year": 2025,
        "grade": "'good'",
        "source": "'assessment 1'",
        "noted_by": 1,
        "noted_at": "now()",
    },
    "reward_run": {
        "year": 2025,
        "sequence": 1,
        "through": "'2025-12-31'",
        "status": "'draft'",
        "terms": "'{}'",
        "budget_fen": "null",
        "total_fen": 0,
        "made_by": 1,
        "made_at": "now()",
        "approved_by": "null",
        "approved_at": "null",
        "discarded_by": "null",
    },
    "reward_entity_share": {
        "run_id": 1,
        "legal_entity_id": 1,
        "service_total_fen": 2000,
        "entitled_fen": 100,
        "capped_fen": 100,
        "paid_before_fen": 40,
        "claimed_fen": 60,
        "amount_fen": 60,
    },
    "reward_share": {
        "run_id": 1,
        "legal_entity_id": 1,
        "provider_id": 1,
        "service_total_fen": 2000,
        "rate_basis_points": 500,
        "weight": 600_000,
        "uncapped_fen": 100,
        "bound_fen": 100,
        "paid_before_fen": 40,
        "amount_fen": 60,
        "arithmetic": "'{}'",
    },
    "reward_year": {"legal_entity_id": 1, "year": 2025, "paid_fen": 0, "cap_fen": 100},
}

REFUSED = [
    ("cost_sheet", {"planned_minutes": 0}, "cost_sheet_planned_minutes_range"),
    ("cost_sheet", {"unit_cost_fen": 34}, "cost_sheet_unit_cost_rounds_down"),
    ("cost_component", {"kind": "'profit'"}, "cost_component_kind"),
    ("cost_component", {"amount_fen": -1}, "cost_component_amount_range"),
    ("price_list", {"in_force_from": "'2025-03-10'"}, "price_list_after_notice"),
    ("price_list", {"state_set": "true"}, "price_list_state_source_named"),
    ("price_list", {"withdrawn_by": 1}, "price_list_withdrawn_whole"),
    ("price", {"customer_class": "'friend'"}, "price_customer_class"),
    ("price", {"unit": "'month'", "minutes_per_unit": 60}, "price_unit"),
    ("price", {"amount_fen": -1}, "price_amounts_range"),
    ("price", {"unit": "'sample'"}, "price_minutes_per_unit_given"),
    ("price", {"unit": "'sample'", "minutes_per_unit": 0}, "price_minutes_per_unit_range"),
    ("charge_line", {"kind": "'gift'"}, "charge_line_kind"),
    ("charge_line", {"own_fen": 76}, "charge_line_parts"),
    ("charge_line", {"reverses": 1}, "charge_line_sign"),
    (
        "charge_line",
        {"service_value_fen": -100, "voucher_fen": -25, "own_fen": -75},
        "charge_line_sign",
    ),
    ("charge_line", {"affiliated": "true"}, "charge_line_reward_base"),
    ("charge_line", {"kind": "'no_show_fee'"}, "charge_line_reward_base"),
    (
        "charge_line",
        {"kind": "'move_fee'", "counts_for_reward": "false"},
        "charge_line_move_fee_own",
    ),
    ("invoice", {"number": "'2532200000001234567X'"}, "invoice_number_shape"),
    ("invoice", {"amount_fen": 0}, "invoice_amount_range"),
    ("invoice", {"kind": "'green'"}, "invoice_kind"),
    ("invoice", {"kind": "'red'", "reason": "'wrong'"}, "invoice_red"),
    ("invoice", {"kind": "'red'", "reverses": 1}, "invoice_red_reason"),
    ("invoice", {"tax_fen": 10**9}, "invoice_tax_range"),
    ("provider_grade", {"grade": "'splendid'"}, "provider_grade_grade"),
    ("provider_grade", {"source": "''"}, "provider_grade_source_named"),
    ("reward_run", {"status": "'paid'"}, "reward_run_status"),
    ("reward_run", {"through": "'2026-01-01'"}, "reward_run_through_in_year"),
    (
        "reward_run",
        {"status": "'approved'", "approved_by": 1, "approved_at": "now()"},
        "reward_run_second_person",
    ),
    ("reward_run", {"status": "'approved'"}, "reward_run_approved_whole"),
    ("reward_run", {"status": "'discarded'"}, "reward_run_discarded_whole"),
    ("reward_run", {"budget_fen": 5, "total_fen": 6}, "reward_run_budget"),
    ("reward_entity_share", {"capped_fen": 101}, "reward_entity_share_capped"),
    ("reward_entity_share", {"claimed_fen": 61}, "reward_entity_share_claimed"),
    ("reward_entity_share", {"amount_fen": 61}, "reward_entity_share_amount"),
    ("reward_share", {"weight": -1}, "reward_share_weight"),
    ("reward_share", {"amount_fen": -1}, "reward_share_amount"),
    ("reward_share", {"amount_fen": 61}, "reward_share_bound"),
    ("reward_year", {"paid_fen": 101}, "reward_year_cap"),
    ("reward_year", {"paid_fen": -1}, "reward_year_cap"),
]

TWICE = [
    ("cost_sheet", {}, "cost_sheet_version"),
    ("price_list", {}, "price_list_version"),
    ("charge_line", {}, "charge_line_order"),
    ("invoice", {"order_id": 2}, "invoice_number"),
    ("reward_run", {"sequence": 2}, "reward_run_one_draft"),
    ("reward_run", {"through": "'2025-06-30'"}, "reward_run_sequence"),
]


@pytest.fixture
async def raw(database: Database):
    """A connection on which rows may refer to what does not exist."""
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


async def write(raw, table, **changes):
    row = ROWS[table] | changes
    await raw.execute(
        f"insert into {table} ({', '.join(row)}) values ({', '.join(map(str, row.values()))})"
    )


@pytest.mark.parametrize("table", ROWS)
async def test_a_valid_row_is_taken(raw, table):
    await write(raw, table)


@pytest.mark.parametrize(("table", "changes", "constraint"), REFUSED)
async def test_a_wrong_row_is_refused_by_its_constraint(raw, table, changes, constraint):
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await write(raw, table, **changes)

    assert constraint == refusal.value.constraint_name


@pytest.mark.parametrize(("table", "changes", "constraint"), TWICE)
async def test_the_same_thing_twice_is_refused(raw, table, changes, constraint):
    await write(raw, table)

    with pytest.raises(asyncpg.UniqueViolationError) as refusal:
        await write(raw, table, **changes)

    assert constraint == refusal.value.constraint_name


HISTORY = (
    "cost_sheet",
    "cost_component",
    "price",
    "charge_line",
    "invoice",
    "provider_grade",
    "reward_entity_share",
    "reward_share",
)


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("change", ["update {0} set {1} = {1}", "delete from {0}"])
async def test_history_is_not_rewritten(raw, table, change):
    await write(raw, table)
    await raw.execute("set session_replication_role = origin")

    with pytest.raises(asyncpg.RestrictViolationError) as refusal:
        await raw.execute(change.format(table, next(iter(ROWS[table]))))

    assert f"{table}_append_only" == refusal.value.constraint_name


async def test_a_price_list_is_at_most_withdrawn_and_once(raw):
    await write(raw, "price_list")
    await raw.execute("set session_replication_role = origin")
    withdraw = "update price_list set withdrawn_by = 1, withdrawn_at = now()"

    with pytest.raises(asyncpg.RestrictViolationError):
        await raw.execute("update price_list set in_force_from = '2025-03-12'")
    await raw.execute(withdraw)
    with pytest.raises(asyncpg.RestrictViolationError):
        await raw.execute(withdraw)


async def test_a_decided_run_is_history(raw, database):
    await a_reward_fund(database)
    await a_charge(database, provider_id=await a_graded_provider(database))
    await an_approved_run(database)
    await raw.execute("set session_replication_role = origin")

    for change in ("update reward_run set total_fen = 0", "delete from reward_run"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await raw.execute(change)
