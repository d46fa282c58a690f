"""An auditor takes a month away in one archive, and can compute again that it is whole."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import date

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType, seal_entries
from marketplace.closing.errors import DaysNotOver, PackMissing, PackNotReady
from marketplace.closing.jobs import build_packs, remove_orphan_parts
from marketplace.closing.queries.packs import PackSearch, packs
from marketplace.closing.rules import archive
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.packs import ask_pack, build_pack, take_pack
from marketplace.kernel.storage import DiskFiles, kept_file, use_files
from tests.builders.ledger import a_posted_entry, a_wallet, an_account, do

FEBRUARY = Month(2025, 2)


@pytest.fixture(autouse=True)
def store(tmp_path):
    with use_files(DiskFiles(tmp_path)):
        yield


async def test_the_digests_of_a_pack_are_those_of_its_files_and_of_the_last_seal(
    database, monkeypatch
):
    monkeypatch.setattr(archive, "PART_BYTES", 700)
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    for day in (date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 1)):
        await a_posted_entry(
            database, debit=bank, credit=wallet, amount_fen=10, effective_on=day, remark="=1+1"
        )
    await do(database, seal_entries, None)
    asked = await do(database, ask_pack, FEBRUARY)
    with pytest.raises(PackNotReady):
        await do(database, take_pack, asked.id)

    assert await build_packs(database) == 1
    pack, keys = await do(database, take_pack, asked.id)

    assert len(keys) > 1
    content = b"".join([await kept_file(key) for key in keys])
    assert (len(content), hashlib.sha256(content).hexdigest()) == (pack.size, pack.sha256)
    assert (pack.status, pack.entries_done, pack.entries_total) == ("ready", 2, 2)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        found = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(found.pop("manifest.json"))
    assert manifest == pack.manifest
    assert {
        name: {"sha256": hashlib.sha256(one).hexdigest(), "bytes": len(one)}
        for name, one in found.items()
    } == manifest["files"]
    assert set(found) == {
        "entries.csv",
        "accounts.csv",
        "trial_balance.csv",
        "evidence.csv",
        "seals.csv",
        "reconciliation.json",
        "verification.json",
    }
    lines = list(csv.DictReader(io.StringIO(found["entries.csv"].decode())))
    assert [line["amount_fen"] for line in lines] == ["10", "-10"] * 2 or [
        line["amount_fen"] for line in lines
    ] == ["-10", "10"] * 2
    assert {line["remark"] for line in lines} == {"'=1+1"}
    accounts = {
        int(row["account_id"]): (row["opening_fen"], row["debit_fen"], row["closing_fen"])
        for row in csv.DictReader(io.StringIO(found["accounts.csv"].decode()))
    }
    assert accounts[bank] == ("10", "20", "30")
    [*_, last] = csv.DictReader(io.StringIO(found["seals.csv"].decode()))
    verification = json.loads(found["verification.json"])
    assert verification["ok"]
    assert manifest["last_seal"]["sha256"] == last["sha256"] == verification["head_sha256"]
    async with database.engine.connect() as connection:
        logged = text("select count(*) from audit_event where action = 'download'")
        assert await connection.scalar(logged) == 1


async def test_a_pack_that_a_killed_worker_left_is_built_from_the_start(database):
    asked = await do(database, ask_pack, FEBRUARY)
    async with database.engine.begin() as connection:
        key = "audit_packs/ab/" + "ab" * 32
        await connection.execute(
            text(f"insert into audit_pack_part values ({asked.id}, 1, '{key}')")
        )
        await connection.execute(text("update audit_pack set status = 'building'"))

    assert await build_packs(database) == 1
    assert not await build_pack(database, asked.id)
    _, keys = await do(database, take_pack, asked.id)
    assert key not in keys
    assert await remove_orphan_parts(database) == 0
    [found], total = await do(database, packs, PackSearch())
    assert (found.id, total) == (asked.id, 1)


async def test_only_months_that_are_over_are_packed(database):
    with pytest.raises(DaysNotOver):
        await do(database, ask_pack, Month(2025, 3))
    with pytest.raises(PackMissing):
        await do(database, take_pack, 999)


async def test_a_pack_that_cannot_be_built_says_so(database, monkeypatch):
    asked = await do(database, ask_pack, FEBRUARY)

    def broken(*_):
        raise RuntimeError("the archive is broken")

    monkeypatch.setattr(archive.Archive, "begin", broken)
    with pytest.raises(RuntimeError, match="broken"):
        await build_packs(database)
    [found], _ = await do(database, packs, PackSearch())
    assert (found.id, found.status, found.problem) == (asked.id, "failed", "RuntimeError")
    assert await build_packs(database) == 0
