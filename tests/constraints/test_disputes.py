"""Disputes, corrections and runs hold in PostgreSQL, with no use case in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from marketplace.orders.use_cases import (
    AcceptOrder,
    AnswerDispute,
    ShowEvidence,
    accept_order,
    answer_dispute,
    show_evidence,
)
from tests.builders.attachments import a_pdf
from tests.builders.disputes import a_disputed_order
from tests.builders.orders import a_market, delivered_samples


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with an answered dispute, an open one, and a settled order."""
    market = await a_market(database)
    answered = await a_disputed_order(market, "answered")
    shown = ShowEvidence(answered, "x.pdf", a_pdf())
    await market.do(show_evidence, shown, by=market.buyer)
    await market.do(answer_dispute, AnswerDispute(answered, "no", 5_000), by=market.manager)
    await a_disputed_order(market, "open")
    settled = await delivered_samples(market)
    await market.do(accept_order, AcceptOrder(settled.id), by=market.buyer)
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


OPEN, ANSWERED = "where reason = 'open'", "where reason = 'answered'"
OTHER = "(select max(id) from person)"
CORRECT = (
    "insert into correction (order_id, provider_id, buyer_id, side, voucher_fen, own_fen, reason,"
    " status, proposed_by, proposed_at) select id, provider_id, buyer_id,"
)
GIVEN = f"{CORRECT} 'provider', 0, 1, 'x', 'proposed', placed_by, now() from service_order"
GIVEN += " where status = 'settled';"
APPROVE = (
    f"update correction set status = 'approved', decided_by = {OTHER}, decided_at = now(),"
    " own_entry_id = (select max(id) from entry), off_account_fen = 0, restored_fen = 0,"
    " to_budgets_fen = 0, clawed_back_fen = 0"
)
RUN = "insert into settlement_run (worker, started_at, moved_at, due, settled) values"

BROKEN = [
    (
        "dispute_answer_due",
        "insert into dispute (order_id, reason, opened_by, opened_at, answer_due_at) select id, '',"
        " placed_by, now(), now() - interval '1 day' from service_order where status = 'settled'",
    ),
    ("dispute_answered", f"update dispute set answer = 'x' {OPEN}"),
    ("dispute_answered", f"update dispute set offered_basis_points = 1 {OPEN}"),
    (
        "dispute_answered_by_other",
        f"update dispute set answer = 'x', answered_by = opened_by, answered_at = now() {OPEN}",
    ),
    (
        "dispute_offer",
        "update dispute set answer = 'x', answered_at = now(), offered_basis_points = 10000,"
        f" answered_by = {OTHER} {OPEN}",
    ),
    ("dispute_ended", f"update dispute set ended_how = 'withdrawn' {OPEN}"),
    (
        "dispute_ended",
        f"update dispute set ended_how = 'ruled', ended_by = {OTHER}, ended_at = now() {OPEN}",
    ),
    (
        "dispute_agreed",
        f"update dispute set ended_how = 'agreed', ended_by = {OTHER}, ended_at = now() {OPEN}",
    ),
    (
        "dispute_conceded",
        f"update dispute set ended_how = 'conceded', ended_by = {OTHER}, ended_at = now()"
        f" {ANSWERED}",
    ),
    (
        "dispute_heard",
        "update dispute set ruling = 'x', pay_basis_points = 1, ruled_at = opened_at,"
        f" ruled_by = {OTHER}, ended_how = 'ruled', ended_by = {OTHER}, ended_at = now() {OPEN}",
    ),
    (
        "dispute_ruled_by_other",
        "update dispute set ruling = 'x', pay_basis_points = 1, ruled_at = now(), ended_how ="
        " 'ruled', ended_by = answered_by, ended_at = now(), ruled_by = answered_by"
        f" {ANSWERED}",
    ),
    ("dispute_append_only", "update dispute set reason = 'else'"),
    ("dispute_append_only", f"update dispute set answer = 'else' {ANSWERED}"),
    ("dispute_append_only", "delete from dispute"),
    ("dispute_evidence_append_only", "update dispute_evidence set name = 'else'"),
    ("dispute_evidence_append_only", "delete from dispute_evidence"),
    (
        "dispute_evidence_once",
        "insert into dispute_evidence (dispute_id, side, name, media_type, sha256, size_bytes,"
        " storage_key, stored_by, stored_at) select dispute_id, side, name, media_type, sha256,"
        " size_bytes, storage_key, stored_by, stored_at from dispute_evidence",
    ),
    (
        "correction_within_charge",
        f"{CORRECT} 'provider', 0, 10000000, 'x', 'proposed', placed_by, now() from service_order"
        " where status = 'settled'",
    ),
    (
        "correction_within_charge",
        f"{CORRECT} 'provider', 0, 1, 'x', 'proposed', placed_by, now() from service_order"
        " where status = 'disputed'",
    ),
    ("correction_open_once", GIVEN * 2),
    (
        "correction_second_person",
        f"{GIVEN} {APPROVE}, decided_by = proposed_by".replace(f"decided_by = {OTHER}, ", ""),
    ),
    ("correction_credited", f"{GIVEN} {APPROVE}"),
    (
        "correction_own_entry",
        f"{GIVEN} {APPROVE}".replace("own_entry_id = (select max(id) from entry), ", ""),
    ),
    ("correction_voucher", f"{GIVEN} {APPROVE}".replace("restored_fen = 0", "restored_fen = 1")),
    ("correction_decided", f"{GIVEN} update correction set status = 'withdrawn'"),
    (
        "correction_amounts",
        f"{CORRECT} 'provider', 0, 0, 'x', 'proposed', placed_by, now()"
        " from service_order where status = 'settled'",
    ),
    ("correction_append_only", f"{GIVEN} delete from correction"),
    ("settlement_run_counts", f"{RUN} ('w', now(), now(), -1, 0)"),
    ("settlement_run_times", f"{RUN} ('w', now(), now() - interval '1 day', 1, 0)"),
    (
        "settlement_run_append_only",
        f"{RUN} ('w', now(), now(), 1, 0); update settlement_run set finished_at = now();"
        " update settlement_run set settled = 1",
    ),
    ("settlement_run_append_only", f"{RUN} ('w', now(), now(), 1, 0); delete from settlement_run"),
]


async def test_what_must_not_be_is_refused_by_the_database(raw: asyncpg.Connection):
    """One market for all of them: each statement is tried and rolled back."""
    refused = []
    for _, statement in BROKEN:
        attempt = raw.transaction()
        await attempt.start()
        try:
            await raw.execute(statement)
            await raw.execute("set constraints all immediate")
            refused.append(("nothing", statement))
        except asyncpg.PostgresError as refusal:
            refused.append((getattr(refusal, "constraint_name", None) or str(refusal), statement))
        finally:
            await attempt.rollback()

    assert refused == BROKEN
