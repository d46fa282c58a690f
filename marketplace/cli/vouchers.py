"""Voucher programmes from the command line: check and import their files, try changed rules."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from marketplace.cli.running import json_option, print_json, run_with_database
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.money import yuan
from marketplace.kernel.spreadsheets import FileFormat, table_file
from marketplace.kernel.spreadsheets.writing import SHEET_ROWS_MAX
from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.vouchers.queries import reports
from marketplace.vouchers.rules.programme_file import (
    read_programme,
    shipped_programme,
    shipped_programmes,
)

ACTOR = system_actor("vouchers")


class _ProgrammeFile(click.ParamType[Path]):
    """A TOML file, or the code of a programme that comes with the platform."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path of the file; called wrongly when there is none."""
        path = Path(value)
        if not path.suffix and not path.exists():
            path = shipped_programme(str(value))
        if not path.is_file():
            self.fail(f"there is no file {path}", param, ctx)
        return path


TOML_FILE = _ProgrammeFile()
HEAD = ("dimension", "which", "orders", "service value", "before", "after", "change")


@click.group()
def vouchers() -> None:
    """Check and import voucher programmes, and try changed rules on past orders."""


@vouchers.command()
@click.argument("file", type=TOML_FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Validate a programme's FILE, or a shipped one by its code; exit code 1 with problems."""
    problems: list[dict[str, str]] = []
    try:
        read_programme(file.read_bytes())
    except ProgrammeRefused as refusal:
        problems = [{"where": each.rule, "what": each.message} for each in refusal.reasons]
    if as_json:
        print_json({"file": str(file), "ok": not problems, "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{problem['where']}: {problem['what']}", err=True)
        click.echo(f"{file}: {'valid' if not problems else f'{len(problems)} problem(s)'}")
    sys.exit(1 if problems else 0)


@vouchers.command()
@json_option
def shipped(as_json: bool) -> None:
    """List the real programmes that come along: each is checked and imported by its code."""
    found = shipped_programmes()
    if as_json:
        print_json(
            [
                {
                    "code": each.code,
                    "year": each.year,
                    "name": each.name,
                    "name_en": each.name_en,
                    "source": each.source,
                    "assumed": each.assumed,
                }
                for each in found
            ]
        )
        return
    table = Table("code", "year", "name", "source")
    for each in found:
        table.add_row(each.code, str(each.year), each.name, each.source)
    Console().print(table)


@vouchers.command("import")
@click.argument("file", type=TOML_FILE)
@json_option
def import_file(file: Path, as_json: bool) -> None:
    """Draft the programme that FILE describes; a person approves it on the platform."""
    from marketplace.vouchers.use_cases import ImportProgramme, import_programme

    command = ImportProgramme(file.read_bytes())

    async def work(database: Database) -> Any:
        return await atomically(database, import_programme, command, actor=ACTOR)

    drafted = run_with_database(work)
    if as_json:
        print_json({"programme_id": drafted.id, "code": drafted.code, "year": drafted.year})
    else:
        click.echo(f"Programme {drafted.id} ({drafted.code}, {drafted.year}) is drafted.")


@vouchers.command("dry-run")
@click.argument("programme")
@click.argument("file", type=TOML_FILE, required=False)
@click.option(
    "--set", "settings", multiple=True, metavar="TERM=VALUE", help="A changed term, as in TOML."
)
@click.option("--from", "from_on", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--until", "until_on", type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table as .csv or .xlsx.")
@json_option
def try_rules(
    programme: str,
    file: Path | None,
    settings: Sequence[str],
    from_on: datetime | None,
    until_on: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Reckon what the past orders of PROGRAMME (its id or code) would have been paid.

    Under the terms of FILE, or the ones in force with each --set. Nothing is changed.
    """
    from marketplace.vouchers import queries
    from marketplace.vouchers.queries import dry_runs
    from marketplace.vouchers.queries.dry_run_tables import cut_note, table_of
    from marketplace.vouchers.rules.terms import terms_of
    from marketplace.vouchers.use_cases import TermGiven, changed_terms

    changes = {}
    if file is not None:
        plan = read_programme(file.read_bytes())
        changes = {
            name: TermGiven(given["value"], given["source"], given.get("note", ""))
            for name, given in plan.terms.items()
            if name != "layers"
        }
    changes |= {name: TermGiven(value, "dry run") for name, value in map(_setting, settings)}
    if not changes:
        raise click.UsageError("Name a FILE, or what changes by --set TERM=VALUE.")

    async def reckon(tx: Tx, _: None) -> dry_runs.DryRunFound:
        of = await queries.programme_named(tx, programme)
        after = await changed_terms(tx, of, of.terms, changes)
        asked = dry_runs.PastOrders(
            of.id,
            from_on.date() if from_on else of.opens_on,
            until_on.date() if until_on else tx.today,
        )
        return await dry_runs.dry_run(tx, asked, of.agreed, terms_of(after))

    async def work(database: Database) -> dry_runs.DryRunFound:
        return await atomically(database, reckon, None, actor=ACTOR)

    found = run_with_database(work)
    if out is not None:
        form = FileFormat.XLSX if out.suffix == ".xlsx" else FileFormat.CSV
        shown = found.rows if form is FileFormat.CSV else found.rows[: SHEET_ROWS_MAX - 2]
        table = [*table_of(shown), *cut_note(len(shown), len(found.rows))]
        out.write_bytes(asyncio.run(table_file(table, form, sheet="试算 dry run")))
    if as_json:
        print_json(asdict(found))
    else:
        _show(found)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {text}: write TERM=VALUE.")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"--set {text}: {error}.") from error


def _show(found: Any) -> None:
    total = found.total
    table = Table(title=f"{total.orders:,} orders, {yuan(total.service_value_fen)} CNY")
    for column in HEAD:
        table.add_column(column, justify="left" if column in HEAD[:2] else "right")
    for row in (*found.rows, total):
        table.add_row(
            row.dimension or "total",
            row.label,
            f"{row.orders_before:,} → {row.orders_after:,}",
            *(
                yuan(amount)
                for amount in (
                    row.service_value_fen,
                    row.before_fen,
                    row.after_fen,
                    row.after_fen - row.before_fen,
                )
            ),
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for layer in found.layers:
        click.echo(
            f"{layer.funder} {layer.region_code}: {yuan(layer.after_fen)} CNY of a budget of"
            f" {yuan(layer.budget_fen)} CNY"
        )
    _show_let_in(found.let_in)


def _show_let_in(let_in: Any) -> None:
    """Orders that no voucher paid for, and what nobody knows of them."""
    click.echo(
        f"\nOf {let_in.seen:,} orders of SMEs without a voucher the change lets"
        f" {let_in.let_in:,} in, with {yuan(let_in.let_in_fen)} CNY"
        f" ({let_in.orders_before:,} → {let_in.orders_after:,} orders,"
        f" {yuan(let_in.before_fen)} → {yuan(let_in.after_fen)} CNY)."
    )
    for fact, orders in sorted(let_in.unknown.items()):
        click.echo(f"Not known of {orders:,} of them: {fact}.")
    click.echo("Taken as given: " + " ".join(let_in.assumed))


@vouchers.command()
@click.option("--programme", type=int, help="Only the programme of this number.")
@json_option
def reconcile(programme: int | None, as_json: bool) -> None:
    """Compare programme accounts with the ledger; exit code 1 when a sum differs."""

    async def work(database: Database) -> list[reports.Compared]:
        asked = reports.ReconciliationAsked(programme)
        return await atomically(database, reports.reconciliation, asked, actor=ACTOR)

    compared = run_with_database(work)
    differing = [each for each in compared if each.difference_fen]
    if as_json:
        print_json({"balanced": not differing, "sums": [asdict(each) for each in compared]})
    else:
        for each in differing:
            where = "all programmes" if each.layer_id is None else f"layer {each.layer_id}"
            click.echo(
                f"{where}, {each.what}: tables {yuan(each.tables_fen)},"
                f" ledger {yuan(each.ledger_fen)}",
                err=True,
            )
        click.echo(f"{len(compared)} sums compared, {len(differing)} differ.")
    sys.exit(1 if differing else 0)
