"""`marketplace vouchers`: programme files are checked and imported, changed rules are tried."""

from __future__ import annotations

import json

from sqlalchemy import text

from marketplace.kernel.db import Database
from marketplace.vouchers.rules.programme_file import shipped_programme
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider
from tests.builders.vouchers import a_grant, a_redemption, orders_are_numbers


async def test_a_programme_file_is_valid_or_every_problem_is_told(marketplace, tmp_path):
    good = await marketplace("vouchers", "check", "jiangsu-2020", "--json")
    broken = tmp_path / "broken.toml"
    broken.write_text("code = 'x'\nyear = 1\n", encoding="utf-8")
    bad = await marketplace("vouchers", "check", broken, "--json")

    assert (good.exit_code, json.loads(good.stdout)["ok"]) == (0, True)
    told = {problem["where"] for problem in json.loads(bad.stdout)["problems"]}
    assert (bad.exit_code, {"name", "year", "layers", "terms"} <= told) == (1, True)
    assert (await marketplace("vouchers", "check", "nowhere")).exit_code == 2


async def test_the_programmes_that_come_along_are_listed_by_their_codes(marketplace):
    as_json = json.loads((await marketplace("vouchers", "shipped", "--json")).stdout)
    as_table = (await marketplace("vouchers", "shipped")).stdout

    codes = [each["code"] for each in as_json]
    assert {"jiangsu-2020", "karamay-2025"} <= set(codes)
    assert codes == sorted(codes)
    assert all(each["assumed"] for each in as_json)
    assert "karamay-2025" in as_table


async def test_a_programme_is_imported_once(marketplace, database: Database):
    url = database.url.replace("+asyncpg", "")
    file = shipped_programme("hubei-2022")

    first = await marketplace("vouchers", "import", file, "--json", DATABASE_URL=url)
    again = await marketplace("vouchers", "import", file, DATABASE_URL=url)

    assert json.loads(first.stdout)["code"] == "hubei-2022"
    assert again.exit_code == 1


async def test_a_changed_rule_is_tried_on_past_orders(marketplace, database: Database, tmp_path):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_redemption(database, granted=granted, provider_id=await a_provider(database))
    url = database.url.replace("+asyncpg", "")
    days = ("--from", "2025-01-01", "--until", "2025-12-31")
    out = tmp_path / "table.xlsx"
    tried = ("vouchers", "dry-run", granted.programme_id, *days)

    as_json = await marketplace(
        *tried, "--set", "cap_per_order_fen=20_000", "--json", DATABASE_URL=url
    )
    as_table = await marketplace(
        *tried, "--set", "minimum_order_fen=1_000_000", "--out", out, DATABASE_URL=url
    )
    by_file = await marketplace(*tried, shipped_programme("hunan-2026"), "--json", DATABASE_URL=url)

    total = json.loads(as_json.stdout)["total"]
    assert (total["before_fen"], total["after_fen"]) == (50_000, 20_000)
    assert "-500.00" in as_table.stdout
    assert out.read_bytes().startswith(b"PK")
    assert by_file.exit_code == 1
    assert "Who redeems stays the same" in by_file.stderr
    assert (await marketplace(*tried, DATABASE_URL=url)).exit_code == 2
    assert (await marketplace(*tried, "--set", "nonsense", DATABASE_URL=url)).exit_code == 2


async def test_programme_accounts_are_reconciled_and_a_difference_is_told(
    marketplace, database: Database
):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_redemption(database, granted=granted, provider_id=await a_provider(database))
    url = database.url.replace("+asyncpg", "")
    of_programme = ("vouchers", "reconcile", "--programme", granted.programme_id)

    good = await marketplace("vouchers", "reconcile", DATABASE_URL=url)
    as_json = await marketplace(*of_programme, "--json", DATABASE_URL=url)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(text("update redemption_part set amount_fen = amount_fen - 1"))
    bad = await marketplace(*of_programme, DATABASE_URL=url)

    assert (good.exit_code, "0 differ" in good.stdout) == (0, True)
    told = json.loads(as_json.stdout)
    assert told["balanced"] is True
    assert {each["what"] for each in told["sums"]} == {"budget", "identity", "held", "used"}
    assert bad.exit_code == 1
    assert "used: tables 249.99, ledger 250.00" in bad.stderr
