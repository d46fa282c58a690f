"""What PostgreSQL refuses of credit and free use, whoever asks."""

import asyncpg
import pytest

from marketplace.billing.credit.queries import ReceivableSearch, receivables
from tests.builders.credit import granted_terms
from tests.builders.orders import a_market, a_quote, approved_free_use
from tests.use_cases.credit.test_credit import a_debt


async def refusal(database, statement: str) -> str | None:
    """The name of the rule by which PostgreSQL refuses a statement."""
    async with database.engine.connect() as connection:
        pooled = await connection.get_raw_connection()
        with pytest.raises(asyncpg.PostgresError) as refused:
            await pooled.driver_connection.execute(statement)
    return refused.value.constraint_name


async def test_what_is_owed_decided_and_paid_is_not_rewritten(database, monkeypatch):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    await a_debt(market, monkeypatch)
    (owed,) = (await market.do(receivables, ReceivableSearch(), by=market.buyer)).rows

    for statement, rule in (
        ("update receivable set amount_fen = 1", "receivable_kept"),
        ("update receivable set paid_fen = 1", "receivable_kept"),
        (f"update receivable set credited_fen = {owed.amount_fen + 1}", "receivable_paid"),
        ("update credit_terms set limit_fen = limit_fen + 1", "credit_terms_kept"),
        ("update credit_line set buyer_id = provider_id", "credit_line_kept"),
        ("update service_order set credit_line_id = null", "service_order_on_account"),
        (
            "insert into credit_receipt (line_id, amount_fen, how, received_on, made_by, made_at)"
            f" values ({owed.line_id}, 5, 'wallet', '2025-03-05', 1, now())",
            "credit_receipt_whole",
        ),
        (
            "insert into credit_note (receivable_id, amount_fen, credited_on, entry_id)"
            f" values ({owed.id}, 0, '2025-03-05', {owed.entry_id})",
            "credit_note_amount",
        ),
    ):
        assert await refusal(database, statement) == rule, statement


async def test_an_approved_free_use_stays_as_it_was_decided(database):
    market = await a_market(database, voucher_fen=0)
    await approved_free_use(market, await a_quote(market, purpose="disaster-relief"))

    for statement, rule in (
        ("update free_use set decided_because = 'other'", "free_use_kept"),
        ("update free_use set statement = 'other'", "free_use_kept"),
        (
            "insert into free_use_evidence (free_use_id, name, media_type, sha256, size_bytes,"
            " storage_key, stored_by, stored_at) select free_use_id, name, media_type,"
            " repeat('0', 64), 1, 'free_use/00/' || repeat('0', 64), stored_by, stored_at"
            " from free_use_evidence",
            "free_use_evidence_open",
        ),
    ):
        assert await refusal(database, statement) == rule, statement
