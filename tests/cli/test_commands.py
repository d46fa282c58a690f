"""The operator's commands: exit codes, JSON, and a clear line for whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import asyncpg
import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from marketplace import __version__
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.cli import main
from marketplace.cli.running import Operated
from tests.builders.catalogue import a_csv, a_line
from tests.builders.invoicing import a_charge
from tests.builders.ledger import a_posted_entry, a_wallet, an_account
from tests.builders.owner import become_owner
from tests.builders.parties import PASSWORD, a_centre, a_provider, a_uscc
from tests.builders.rewards import a_graded_provider
from tests.conftest import with_database

PEOPLE = "select name, email, password_hash from person where id > 1"


def every_command(group: click.Group, *above: str) -> Iterator[list[str]]:
    for name, command in group.commands.items():
        yield [*above, name]
        if isinstance(command, click.Group):
            yield from every_command(command, *above, name)


async def counted(database, table: str) -> int:
    async with database.engine.connect() as connection:
        found: int = (await connection.execute(text(f"select count(*) from {table}"))).scalar_one()
        return found


@pytest.mark.parametrize("command", [[], *every_command(main)], ids=" ".join)
async def test_every_command_explains_itself(marketplace, command):
    told = await marketplace(*command, "--help")

    assert 0 == told.exit_code
    assert told.output.startswith("Usage: ")
    assert len(told.output.splitlines()[2].split()) > 2


async def test_it_says_its_version(marketplace):
    assert f"marketplace, version {__version__}\n" == (await marketplace("--version")).output


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["serve", "--port", "0"],
        ["serve", "--port", "70000"],
        ["serve", "--processes", "0"],
        ["rewards", "run"],
        ["rewards", "run", "--year", "1"],
        ["rewards", "run", "--year", "2025", "--through", "yesterday"],
        ["instruments", "import", "no-such-file.csv", "--provider", "1"],
        ["rulebook", "show", "--on", "31.12.2025"],
        ["user", "create", "--email", "a@b.cn"],
    ],
    ids=" ".join,
)
async def test_called_wrongly_it_ends_with_two(marketplace, arguments):
    told = await marketplace(*arguments)

    assert 2 == told.exit_code
    assert "Usage: " in told.stderr


# ── What an operator can get wrong ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "arguments",
    [
        ["migrate"],
        ["ledger", "verify"],
        ["rewards", "run", "--year", "2025", "--dry-run"],
    ],
    ids=" ".join,
)
async def test_a_database_that_does_not_answer_is_one_clear_line(marketplace, arguments):
    told = await marketplace(*arguments)

    assert (1, "", 1) == (told.exit_code, told.stdout, len(told.stderr.splitlines()))
    assert told.stderr.startswith("The database marketplace at 127.0.0.1:1 does not answer")
    assert "hunter2" not in told.output


async def test_a_database_that_is_not_there_is_said_so(operate, database_url):
    elsewhere = with_database(database_url, "elsewhere")
    for command in (["ledger", "verify"], ["rewards", "run", "--year", "2025"], ["migrate"]):
        told = await operate(*command, DATABASE_URL=elsewhere)

        assert 1 == told.exit_code
        assert told.stderr.startswith("The database elsewhere does not exist; create it")


@pytest.mark.parametrize(
    "address", ["postgresql://me@localhost:many/x", "postgresql:///x?host=/run&port=5432x"]
)
async def test_an_address_that_cannot_be_read_is_said_so(marketplace, address):
    told = await marketplace("migrate", DATABASE_URL=address)

    assert 1 == told.exit_code
    assert "DATABASE_URL cannot be read: " in told.stderr


async def test_a_database_that_was_never_migrated_is_said_so(operate, database_url):
    address = database_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(address)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()

    for command in (["ledger", "verify"], ["rewards", "run", "--year", "2025", "--dry-run"]):
        told = await operate(*command)

        assert 1 == told.exit_code
        assert told.stderr.endswith("is not of this release; run `marketplace migrate`.\n")


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"DATABASE_URL": "mysql://somewhere"}, "DATABASE_URL has to begin with postgresql://"),
        ({"MARKETPLACE_PORT": "http"}, "  port: Input should be a valid integer"),
        ({"MARKETPLACE_LOG_LEVEL": "loud"}, "  log_level: Input should be 'DEBUG'"),
    ],
)
async def test_settings_that_are_wrong_are_named(marketplace, environment, line):
    told = await marketplace("migrate", **environment)

    assert 1 == told.exit_code
    assert line in told.stderr
    assert "Traceback" not in told.output


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["rulebook", "show"]], ids=" ".join)
async def test_without_its_rulebook_nothing_starts(marketplace, command):
    told = await marketplace(*command, MARKETPLACE_PROVINCE="atlantis")

    assert 1 == told.exit_code
    assert "atlantis.toml cannot be used" in told.stderr


async def test_several_web_processes_without_redis_are_refused(marketplace):
    told = await marketplace("serve", "--processes", "2")

    assert 2 == told.exit_code
    assert "several web processes need REDIS_URL" in told.stderr


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, click.Abort])
def test_interrupted_it_ends_with_130(interruption):
    @click.command()
    def wait() -> None:
        raise interruption

    told = CliRunner().invoke(Operated(commands={"wait": wait}), ["wait"])

    assert (130, "Interrupted.\n") == (told.exit_code, told.stderr)


def test_a_bug_keeps_its_traceback():
    @click.command()
    def wrong() -> None:
        raise ZeroDivisionError

    told = CliRunner().invoke(Operated(commands={"wrong": wrong}), ["wrong"])

    assert isinstance(told.exception, ZeroDivisionError)


# ── The database ──────────────────────────────────────────────────────────────────────────────────


async def test_migrating_twice_changes_nothing(operate):
    first, second = [await operate("migrate") for _ in range(2)]

    assert [(0, "The database is up to date.\n")] * 2 == [
        (told.exit_code, told.stdout) for told in (first, second)
    ]


async def test_a_database_of_a_newer_release_is_left_alone(operate, database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    told = await operate("migrate")

    assert 1 == told.exit_code
    assert "9999" in told.stderr


# ── Instruments ───────────────────────────────────────────────────────────────────────────────────


async def an_import(operate, file, provider_id, *more):
    told = await operate("instruments", "import", file, "--provider", provider_id, *more)
    return told.exit_code, told


async def test_an_import_tells_lands_and_changes_nothing_again(operate, database, tmp_path):
    provider_id = await a_provider(database)
    file = tmp_path / "仪器.csv"
    file.write_bytes(a_csv([a_line(), a_line(innerId="A-002")], encoding="gb18030"))

    code, dry = await an_import(operate, file, provider_id, "--dry-run", "--json")
    assert (0, True, 2, None) == (
        code,
        (report := json.loads(dry.stdout))["dry_run"],
        report["added"],
        report["batch_id"],
    )
    assert 0 == await counted(database, "instrument")

    code, real = await an_import(operate, file, provider_id)
    assert (0, "2 lines: 2 added, 0 changed, 0 unchanged, 0 refused\n") == (code, real.stdout)

    code, again = await an_import(operate, file, provider_id)
    assert (0, "2 lines: 0 added, 0 changed, 2 unchanged, 0 refused\n") == (code, again.stdout)
    assert 2 == await counted(database, "instrument")


async def test_bad_lines_are_named_and_good_ones_land(operate, database, tmp_path):
    provider_id = await a_provider(database)
    file = tmp_path / "some.csv"
    file.write_bytes(a_csv([a_line(), a_line(innerId="A-002", worth="many")]))
    code, told = await an_import(operate, file, provider_id)

    assert (1, 1) == (code, await counted(database, "instrument"))
    assert told.stderr.startswith("some.csv:3: ")
    assert told.stdout.endswith("1 added, 0 changed, 0 unchanged, 1 refused\n")


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04 no workbook", b"a,b\n1,2"])
async def test_what_is_no_table_of_instruments_is_refused(operate, database, tmp_path, content):
    file = tmp_path / "some.bin"
    file.write_bytes(content)
    code, told = await an_import(operate, file, await a_provider(database))

    assert 1 == code
    assert told.stderr
    assert "Traceback" not in told.output


async def test_an_import_for_nobody_is_refused(operate, database, tmp_path):
    file = tmp_path / "some.csv"
    file.write_bytes(a_csv([a_line()]))
    code, told = await an_import(operate, file, 4_711)

    assert (1, "") == (code, told.stdout)


# ── People and organisations ──────────────────────────────────────────────────────────────────────


async def create_user(operate, organisation_id, *more, role="administrator", **how):
    return await operate(
        *("user", "create", "--email", "first@example.com", "--name", "王一"),
        *("--organisation", organisation_id, "--role", role, *more),
        **how,
    )


async def test_a_new_platform_gets_its_centre_and_its_first_administrator(operate, database):
    made = await operate(
        *("organisation", "create", "--uscc", a_uscc(), "--name", "江苏省大型科学仪器平台"),
        *("--region", "320000", "--legal-representative", "张三", "--json"),
    )
    centre = json.loads(made.stdout)
    told = await create_user(operate, centre["id"], input=f"{PASSWORD}\n{PASSWORD}\n")
    async with database.engine.connect() as connection:
        (person,) = (await connection.execute(text(PEOPLE))).all()

    assert (0, "centre") == (made.exit_code, centre["kind"])
    assert (0, True) == (told.exit_code, "as administrator, person" in told.stdout)
    assert ("王一", "first@example.com") == (person.name, person.email)
    assert PASSWORD not in told.output
    assert PASSWORD not in person.password_hash


async def test_a_new_user_as_json_is_one_document(operate, database):
    told = await create_user(operate, await a_centre(database), "--password", PASSWORD, "--json")

    assert {"id", "email"} == set(json.loads(told.stdout))


async def test_a_role_that_does_not_exist_is_a_wrong_call(operate):
    told = await create_user(operate, 1, "--password", PASSWORD, role="king")

    assert 2 == told.exit_code
    assert "'king' is not one of" in told.stderr


async def test_what_the_platform_refuses_is_said_with_its_reason(operate, database):
    centre_id = await a_centre(database)
    unfit = await create_user(operate, centre_id, "--password", PASSWORD, role="buyer")
    weak = await create_user(operate, centre_id, "--password", "12345")
    nobody = await create_user(operate, 4_711, "--password", PASSWORD)
    first = await create_user(operate, centre_id, "--password", PASSWORD)
    second = await create_user(operate, centre_id, "--password", PASSWORD)

    assert [1, 1, 1, 0, 1] == [told.exit_code for told in (unfit, weak, nobody, first, second)]
    assert all(told.stderr and not told.stdout for told in (unfit, weak, nobody, second))
    assert "12345" not in weak.output
    assert 1 == await counted(database, "person where id > 1")


async def test_an_organisation_with_a_wrong_code_is_refused(operate, database):
    told = await operate(
        *("organisation", "create", "--uscc", "123", "--name", "中心", "--region", "320000"),
        *("--legal-representative", "张三"),
    )

    assert (1, 1) == (told.exit_code, await counted(database, "legal_entity"))


# ── Books and rewards ─────────────────────────────────────────────────────────────────────────────


async def test_books_in_order_verify_and_books_tampered_with_do_not(
    operate, database, database_url
):
    await a_wallet(database)
    bank = await an_account(database, AccountType.BANK)
    suspense = await an_account(database, AccountType.BANK_SUSPENSE)
    await a_posted_entry(database, debit=bank, credit=suspense)

    fine = await operate("ledger", "verify")
    as_json = await operate("ledger", "verify", "--json")
    connection = await asyncpg.connect(
        database_url.replace("+asyncpg", ""),
        server_settings={"session_replication_role": "replica"},
    )
    await connection.execute("update posting set amount_fen = amount_fen + 1 where entry_id = 1")
    await connection.close()
    tampered = await operate("ledger", "verify")

    assert (0, True) == (fine.exit_code, fine.stdout.startswith("The books balance: 2 entries"))
    assert (0, 2, 0) == (
        as_json.exit_code,
        json.loads(as_json.stdout)["entries"],
        json.loads(as_json.stdout)["problems_total"],
    )
    assert 1 == tampered.exit_code
    assert tampered.stdout.startswith("THE BOOKS DO NOT BALANCE")
    assert tampered.stderr


async def test_a_dry_run_of_rewards_says_what_would_be_and_writes_nothing(operate, database):
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id)
    run = ("rewards", "run", "--year", "2025", "--through", "2025-12-31")

    before = await counted(database, "audit_event")
    dry = await operate(*run, "--dry-run")
    as_json = json.loads((await operate(*run, "--dry-run", "--json")).stdout)
    written = await counted(database, "reward_run"), await counted(database, "audit_event") - before
    real = await operate(*run, "--json")
    twice = await operate(*run)

    assert (0, 0) == written
    assert "service_total: 1,000.00 CNY" in dry.stdout
    assert dry.stdout.endswith("Nothing was written.\n")
    assert (50_00, 1, "J.30a") == (
        as_json["claimed_fen"],
        as_json["providers"],
        as_json["terms"]["share_cap_basis_points"]["source"],
    )
    assert (0, "draft", 50_00) == (
        real.exit_code,
        json.loads(real.stdout)["status"],
        json.loads(real.stdout)["total_fen"],
    )
    assert (1, 1) == (twice.exit_code, await counted(database, "reward_run"))


@pytest.mark.parametrize(
    "asked", [["--year", "2025", "--through", "2024-12-31"], ["--year", "2100"], ["--year", "2010"]]
)
async def test_rewards_of_another_time_are_refused(operate, asked):
    told = await operate("rewards", "run", *asked)

    assert (1, "") == (told.exit_code, told.stdout)
