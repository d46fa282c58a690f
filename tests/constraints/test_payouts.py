"""Payouts against somebody who writes SQL: each attack is refused, under a name."""

import asyncpg
import pytest
import pytest_asyncio

from marketplace.billing.payouts.errors import PayoutFixed, PayoutWithdrawn
from marketplace.kernel.errors import DomainError
from tests.builders.payouts import a_bank_account, a_finance_team, a_payout, a_sent_batch


@pytest_asyncio.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def refused(sql, statement: str) -> str:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await sql.execute(statement)
    return str(getattr(caught.value, "constraint_name", None))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("verified_by = made_by, verified_at = now()", "bank_account_two_persons"),
        ("verified_by = 1, verified_at = null", "bank_account_verified"),
        ("cnaps = '12'", "bank_account_cnaps"),
        ("number = 'DE12 3456'", "bank_account_number"),
    ],
)
async def test_a_bank_account_is_what_two_persons_have_seen(database, sql, change, constraint):
    await a_bank_account(database, verified_by=None)

    assert constraint == await refused(sql, f"update bank_account set {change}")


async def test_an_organisation_has_no_second_verified_account(database, sql):
    made = await a_bank_account(database)
    copied = f"""insert into bank_account (organisation_id, bank_name, cnaps, number, holder,
      made_by, made_at, verified_by, verified_at)
      select organisation_id, bank_name, cnaps, '99999999', holder, made_by, now(), 1, now()
      from bank_account where id = {made.id}"""

    assert "bank_account_one_verified" == await refused(sql, copied)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("amount_fen = amount_fen + 1", "payout_keeps_its_terms"),
        ("organisation_id = 1", "payout_keeps_its_terms"),
        ("source_id = source_id + 1", "payout_keeps_its_terms"),
        ("debit_account_id = (select max(id) from account)", "payout_keeps_its_terms"),
        ("status = 'sent'", "payout_batched"),
        ("status = 'withdrawn'", "payout_withdrawn"),
        ("withdrawn_by = 1", "payout_withdrawn"),
        (
            "status = 'withdrawn', withdrawn_at = now(), withdrawal_reason = 'x'",
            "payout_withdrawn",
        ),
        ("end_to_end_id = 'SC-P-999'", None),
    ],
)
async def test_a_payout_keeps_its_terms(database, sql, change, constraint):
    await a_payout(database)

    assert str(constraint) == await refused(sql, f"update payout set {change}")
    assert DomainError.by_constraint["payout_keeps_its_terms"] is PayoutFixed


@pytest.mark.parametrize(
    "change", ["status = 'instructed'", "withdrawal_reason = 'another'", "attempt = attempt + 1"]
)
async def test_a_withdrawn_payout_stays_as_it_is(database, sql, change):
    await a_payout(database)
    await sql.execute(
        "update payout set status = 'withdrawn', withdrawn_by = 1, withdrawn_at = now(),"
        " withdrawal_reason = 'forged'"
    )

    assert "payout_stays_withdrawn" == await refused(sql, f"update payout set {change}")
    assert DomainError.by_constraint["payout_stays_withdrawn"] is PayoutWithdrawn


async def test_a_payout_is_never_deleted_and_its_source_never_used_twice(database, sql):
    await a_payout(database)
    copied = """insert into payout (organisation_id, amount_fen, source_kind, source_id,
      debit_account_id, status, instructed_by, instructed_at)
      select organisation_id, {}, source_kind, source_id, debit_account_id, status,
      instructed_by, now() from payout"""

    assert "payout_append_only" == await refused(sql, "delete from payout")
    assert "payout_source" == await refused(sql, copied.format(1))
    assert "payout_amount" == await refused(sql, copied.format(0))


async def test_a_batch_has_two_persons_and_control_figures(database, sql):
    await a_payout(database)
    await a_sent_batch(database, centre=await a_finance_team(database))

    assert "payout_batch_two_persons" == await refused(
        sql, "update payout_batch set approved_by = made_by"
    )
    assert "payout_batch_control" == await refused(sql, "update payout_batch set total_fen = 0")
    assert "payout_status" == await refused(sql, "update payout set status = 'paid'")
    assert "payout_batch_status" == await refused(sql, "update payout_batch set status = 'paid'")
