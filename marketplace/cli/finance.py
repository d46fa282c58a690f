"""Finance's operator work: how the money stands, statements, payment files, checklists, packs.

What two persons decide is decided on the platform: nothing here approves, signs or pays.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from marketplace.cli.data import ID, ledger
from marketplace.cli.running import json_option, print_json, run_with_database
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.money import yuan
from marketplace.kernel.spreadsheets import FileFormat, table_file
from marketplace.kernel.time import SystemClock, shanghai_day

ACTOR = system_actor("finance")
A_DAY = click.DateTime(["%Y-%m-%d"])
A_MONTH = click.DateTime(["%Y-%m"])
out_option = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to."
)


def _show(head: list[str], rows: list[list[Any]], *, numbers_from: int) -> None:
    table = Table()
    for place, column in enumerate(head):
        table.add_column(column, justify="right" if place >= numbers_from else "left")
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@ledger.command("trial-balance")
@click.option("--as-of", type=A_DAY, help="At the end of this day.  [default: today]")
@click.option("--out", type=click.Path(path_type=Path), help="Write it as .csv or .xlsx.")
@json_option
def trial_balance(as_of: datetime | None, out: Path | None, as_json: bool) -> None:
    """Debits, credits and balance of every type of account; exit code 1 when they do not sum up."""
    from marketplace.billing.ledger import queries

    day = as_of.date() if as_of else shanghai_day(SystemClock().now())

    async def work(database: Database) -> list[queries.TrialBalanceLine]:
        return await atomically(database, queries.trial_balance, day, actor=ACTOR)

    lines = run_with_database(work)
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.ledger] = sums.get(line.ledger, 0) + line.balance_fen
    head = ["ledger", "type", "accounts", "debit", "credit", "balance"]
    rows = [
        [
            line.ledger,
            line.type,
            line.accounts,
            *map(yuan, (line.debit_fen, line.credit_fen, line.balance_fen)),
        ]
        for line in lines
    ]
    if out is not None:
        form = FileFormat.XLSX if out.suffix == ".xlsx" else FileFormat.CSV
        out.write_bytes(asyncio.run(table_file([head, *rows], form, sheet="试算平衡")))
    if as_json:
        print_json({"as_of": day, "sums": sums, "lines": [asdict(line) for line in lines]})
    else:
        _show(head, rows, numbers_from=2)
        for name, total in sums.items():
            click.echo(f"{name}: sums to {yuan(total)} CNY")
    sys.exit(1 if any(sums.values()) else 0)


@click.group()
def payouts() -> None:
    """Look at payouts, and fetch payment files."""


@payouts.command()
@json_option
def waiting(as_json: bool) -> None:
    """Payouts that the bank has not paid, by status."""
    from marketplace.billing.payouts import queries

    async def work(database: Database) -> list[queries.WaitingPayouts]:
        return await atomically(database, queries.waiting_payouts, None, actor=ACTOR)

    found = run_with_database(work)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [[f"{e.oldest_at:%Y-%m-%d}", e.status, e.payouts, yuan(e.amount_fen)] for e in found]
    _show(["since", "status", "payouts", "CNY"], rows, numbers_from=2)


@payouts.command("file")
@click.argument("batch_id", type=ID)
@out_option
def batch_file(batch_id: int, out: Path) -> None:
    """Write the payment file of an approved batch; it is the same bytes each time."""
    from marketplace.billing.payouts import use_cases

    async def work(database: Database) -> use_cases.BatchFile:
        step = use_cases.BatchStep(batch_id)
        return await atomically(database, use_cases.batch_file, step, actor=ACTOR)

    file = run_with_database(work)
    out.write_bytes(file.content)
    click.echo(f"{file.name} written to {out}")


@click.group()
def reconciliation() -> None:
    """Import bank statements, explain their lines, compare books and bank."""


@reconciliation.command()
@click.option("--from", "first", type=A_DAY, help="First day.  [default: the first there is]")
@click.option("--until", type=A_DAY, help="Last day.  [default: the last there is]")
@json_option
def balancing(first: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Opening + in − out = closing, against the ledger; exit code 1 when they differ."""
    from marketplace.billing.reconciliation import queries

    asked = queries.BalancingAsked(first and first.date(), until and until.date())

    async def work(database: Database) -> queries.Balancing:
        return await atomically(database, queries.balancing, asked, actor=ACTOR)

    found = run_with_database(work)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        rows = [
            [
                one.account_number,
                one.stated_until_on,
                one.lines,
                *map(yuan, (one.opening_fen, one.in_fen, one.out_fen, one.closing_fen)),
            ]
            for one in found.accounts
        ]
        head = ["account", "stated until", "lines", "opening", "in", "out", "closing"]
        _show(head, rows, numbers_from=2)
        click.echo(
            f"Bank {yuan(found.closing_fen)}, books {yuan(found.ledger_fen)}, difference"
            f" {yuan(found.difference_fen)} CNY; {found.unexplained_lines} lines are not explained,"
            f" {yuan(found.suspense_fen)} CNY lie in suspense."
        )
    sys.exit(1 if found.difference_fen else 0)


@reconciliation.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", required=True, help="The platform's account that it is of.")
@click.option("--dry-run", is_flag=True, help="Read it and tell what would happen; keep nothing.")
@json_option
def import_statement(file: Path, account: str, dry_run: bool, as_json: bool) -> None:
    """Import a statement: camt.053, camt.054, MT940, CSV, XLSX or XLS, whole or not at all."""
    from marketplace.billing.reconciliation import use_cases

    content = file.read_bytes()

    async def preview(database: Database) -> dict[str, Any]:
        asked = use_cases.PreviewStatement(account, content)
        found = await atomically(database, use_cases.preview_statement, asked, actor=ACTOR)
        told: dict[str, Any] = msgspec.to_builtins(found)
        return {name: value for name, value in told.items() if name != "first"}

    async def keep(database: Database) -> dict[str, Any]:
        wanted = use_cases.ImportStatement(account, file.name, content)
        made = await atomically(database, use_cases.import_statement, wanted, actor=ACTOR)
        told: dict[str, Any] = msgspec.to_builtins(made)
        return told

    found = run_with_database(preview if dry_run else keep)
    problems = found.get("problems") or []
    if as_json:
        print_json(found)
    else:
        for problem in problems:
            click.echo(f"{problem['rule']}: {problem['message']}", err=True)
        click.echo(
            f"{file.name}: {found['lines']} lines"
            + (" (dry run: nothing was kept)" if dry_run else f", statement {found['id']}")
        )
    sys.exit(1 if problems else 0)


@reconciliation.command()
@json_option
def match(as_json: bool) -> None:
    """Explain open lines that are surely payments, as the job does; the rest waits for a person."""
    from marketplace.billing.reconciliation import use_cases

    async def work(database: Database) -> use_cases.OpenReport:
        return await atomically(database, use_cases.match_open, use_cases.MatchOpen(), actor=ACTOR)

    report = run_with_database(work)
    if as_json:
        print_json(asdict(report))
        return
    for what, by_stage in asdict(report).items():
        told = ", ".join(f"{stage} {count}" for stage, count in by_stage.items())
        click.echo(f"{what}: {told or 'none'}")


@click.group()
def closing() -> None:
    """Look at a month's checklist, and pack it for auditors."""


def _month(given: datetime) -> Any:
    from marketplace.closing.rules.months import Month

    return Month(given.year, given.month)


@closing.command()
@click.argument("month", type=A_MONTH)
@json_option
def checklist(month: datetime, as_json: bool) -> None:
    """What keeps MONTH (as 2025-02) from being signed off; exit code 1 when something does."""
    from marketplace.closing.queries.months import days_checklist
    from marketplace.closing.rules.checklist import Item, ItemState

    async def work(database: Database) -> tuple[Item, ...]:
        return await atomically(database, days_checklist, _month(month), actor=ACTOR)

    items = run_with_database(work)
    if as_json:
        print_json(msgspec.to_builtins(items))
    else:
        for item in items:
            click.echo(f"{item.state.value:>10}  {item.name.value:<17} {item.message}")
    sys.exit(1 if any(item.state is ItemState.OPEN for item in items) else 0)


@closing.command()
@click.argument("month", type=A_MONTH)
@out_option
def pack(month: datetime, out: Path) -> None:
    """Build the audit pack of MONTH (as 2025-02) now, and write the archive."""
    from marketplace.closing.queries.packs import Pack
    from marketplace.closing.use_cases import packs

    async def work(database: Database) -> Pack:
        asked = await atomically(database, packs.ask_pack, _month(month), actor=ACTOR)
        await packs.build_pack(database, asked.id)
        built, keys = await atomically(database, packs.take_pack, asked.id, actor=ACTOR)
        with out.open("wb") as file:
            async for part in packs.pack_content(keys):
                file.write(part)
        return built

    built = run_with_database(work)
    click.echo(f"{built.entries_done} entries written to {out}, SHA-256 {built.sha256}")
