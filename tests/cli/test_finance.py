"""`marketplace payouts | reconciliation | closing` and the trial balance."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace.billing.payouts.use_cases import BatchStep, DraftBatch, approve_batch, draft_batch
from marketplace.kernel.db import Database, atomically
from tests.builders.owner import become_owner
from tests.builders.payouts import a_finance_team, a_payout
from tests.builders.reconciliation import BANK_ACCOUNT, a_file, a_line


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    file = tmp_path / "明细.csv"
    file.write_bytes(a_file([a_line(5_000, "SC-W-1"), a_line(-1_200)]))
    return file


async def test_a_statement_is_tried_imported_once_and_balances(operate, database, statement):
    how = ("--account", BANK_ACCOUNT)

    tried = await operate("reconciliation", "import", statement, *how, "--dry-run", "--json")
    before = await operate("reconciliation", "balancing", "--json")
    kept = await operate("reconciliation", "import", statement, *how)
    again = await operate("reconciliation", "import", statement, *how)
    matched = await operate("reconciliation", "match", "--json")
    after = await operate("reconciliation", "balancing")
    as_json = json.loads((await operate("reconciliation", "balancing", "--json")).stdout)

    assert (0, 2, []) == (
        tried.exit_code,
        json.loads(tried.stdout)["lines"],
        json.loads(tried.stdout)["problems"],
    )
    assert json.loads(before.stdout)["accounts"] == []
    assert (0, 1) == (kept.exit_code, again.exit_code)
    assert "2 lines, statement 1" in kept.stdout
    assert again.stderr
    assert {"explained", "suggested"} == set(json.loads(matched.stdout))
    assert (0, 3_800, 0) == (
        after.exit_code,
        as_json["closing_fen"],
        as_json["difference_fen"],
    )
    assert "difference 0.00 CNY" in after.stdout


async def test_a_file_that_would_be_refused_says_why_and_keeps_nothing(operate, tmp_path):
    file = tmp_path / "broken.csv"
    file.write_bytes(a_file([a_line(5_000)]).replace("50.00".encode("gb18030"), b"5x.00"))

    tried = await operate("reconciliation", "import", file, "--account", BANK_ACCOUNT, "--dry-run")
    kept = await operate("reconciliation", "import", file, "--account", BANK_ACCOUNT)
    balancing = await operate("reconciliation", "balancing", "--json")

    assert (1, 1) == (tried.exit_code, kept.exit_code)
    assert tried.stderr
    assert kept.stderr
    assert json.loads(balancing.stdout)["accounts"] == []


async def test_payouts_that_wait_are_counted_and_a_batch_is_the_same_file_each_time(
    operate, database: Database, tmp_path
):
    centre = await a_finance_team(database)
    await a_payout(database, amount_fen=700)
    assert [("instructed", 700)] == [
        (each["status"], each["amount_fen"])
        for each in json.loads((await operate("payouts", "waiting", "--json")).stdout)
    ]
    batch = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    out = tmp_path / "batch"
    early = await operate("payouts", "file", batch.id, "--out", out)
    await atomically(database, approve_batch, BatchStep(batch.id), actor=centre.checker)
    digests = set()
    for _ in range(2):
        assert (await operate("payouts", "file", batch.id, "--out", out)).exit_code == 0
        digests.add(hashlib.sha256(out.read_bytes()).digest())

    assert (1, "A file exists once the batch is approved." in early.stderr) == (
        early.exit_code,
        True,
    )
    assert digests == {batch.content_sha256}
    assert "batched" in (await operate("payouts", "waiting")).stdout


async def test_the_trial_balance_sums_to_nothing_or_says_so(
    operate, database: Database, statement, tmp_path
):
    await operate("reconciliation", "import", statement, "--account", BANK_ACCOUNT)
    out = tmp_path / "balance.csv"

    fine = await operate("ledger", "trial-balance", "--as-of", "2025-12-31", "--out", out, "--json")
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text("update posting set amount_fen = amount_fen + 1 where amount_fen = 5000")
        )
    wrong = await operate("ledger", "trial-balance", "--as-of", "2025-12-31")

    assert (0, {"cash": 0}) == (fine.exit_code, json.loads(fine.stdout)["sums"])
    assert "bank_suspense" in out.read_text(encoding="utf-8-sig")
    assert (1, True) == (wrong.exit_code, "cash: sums to 0.01 CNY" in wrong.stdout)


async def test_a_months_checklist_says_what_is_open_and_a_pack_is_written(
    operate, database: Database, statement, tmp_path
):
    await operate("reconciliation", "import", statement, "--account", BANK_ACCOUNT)
    out = tmp_path / "pack.zip"

    listed = await operate("closing", "checklist", "2025-03")
    as_json = await operate("closing", "checklist", "2025-03", "--json")
    written = await operate("closing", "pack", "2025-03", "--out", out)
    early = await operate("closing", "pack", f"{date.today().year + 1}-01", "--out", out)

    states = {item["name"]: item["state"] for item in json.loads(as_json.stdout)}
    assert (1, "open", "ok") == (listed.exit_code, states["unexplained"], states["trial_balance"])
    assert "unexplained" in listed.stdout
    assert (0, 1) == (written.exit_code, early.exit_code)
    with zipfile.ZipFile(out) as archive:
        assert {"entries.csv", "manifest.json"} <= set(archive.namelist())
    assert (await operate("closing", "checklist", "March")).exit_code == 2
