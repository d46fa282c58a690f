"""A chain that somebody rewrote as a whole fits itself, and not the file outside the database."""

from __future__ import annotations

import json

import asyncpg

from marketplace.billing.ledger.use_cases import AccountType, seal_entries
from tests.builders.ledger import a_posted_entry, a_wallet, an_account, do


async def sealed_entry(database) -> None:
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    await a_posted_entry(database, debit=bank, credit=wallet)
    await do(database, seal_entries, None)


async def test_seals_are_appended_and_compared(database, operate, database_url, tmp_path):
    file = tmp_path / "seals.txt"
    await sealed_entry(database)
    first = await operate("ledger", "anchor", str(file))
    assert (first.exit_code, first.stdout) == (0, f"1 seals appended to {file}\n")
    await sealed_entry(database)
    assert (await operate("ledger", "anchor", str(file))).exit_code == 0
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["1", "2"]
    assert (await operate("ledger", "verify", "--anchor", str(file))).exit_code == 0

    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute("alter table seal disable trigger user")
        await connection.execute("delete from seal")
        await connection.execute("select ledger_seal(20000, now())")
    finally:
        await connection.close()
    alone = await operate("ledger", "verify")
    assert alone.exit_code == 0, alone.output
    found = await operate("ledger", "verify", "--anchor", str(file), "--json")
    assert found.exit_code == 1
    assert [problem["message"] for problem in json.loads(found.stdout)["problems"]] == [
        "seal 1 is another one than was anchored",
        "seal 2 is in the anchor and not in the database",
    ]
    refused = await operate("ledger", "anchor", str(file))
    assert (refused.exit_code, refused.stdout) == (1, "")


async def test_a_file_that_is_no_anchor_is_said_so(operate, tmp_path):
    file = tmp_path / "seals.txt"
    file.write_text("2 " + "a" * 64 + "\n1 " + "b" * 64 + "\n")
    told = await operate("ledger", "verify", "--anchor", str(file))
    assert told.exit_code == 1
    assert "line 2 is not a seal that follows the one before" in told.stderr
