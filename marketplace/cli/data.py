"""Operator work on the data: import instruments, verify the books, compute rewards, add users."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec

from marketplace.cli.running import json_option, print_json, run_with_database
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.parties.roles import Role


@click.group()
def instruments() -> None:
    """Work on the catalogue of instruments."""


@instruments.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--provider", "provider_id", type=int, required=True, help="Organisation that owns them."
)
@click.option("--dry-run", is_flag=True, help="Report what would happen; change nothing.")
@json_option
def import_file(file: Path, provider_id: int, dry_run: bool, as_json: bool) -> None:
    """Import instruments from FILE (CSV or XLSX in the national layout, type 4).

    Good lines land, bad ones are listed with line, column and reason; the same file twice changes
    nothing. Exit code 1 when a line was refused.
    """
    from marketplace.catalogue import use_cases

    async def work(database: Database) -> Any:
        return await use_cases.import_file(
            database, provider_id=provider_id, path=file, dry_run=dry_run
        )

    report = run_with_database(work)
    if as_json:
        print_json(msgspec.to_builtins(report, enc_hook=str))
    else:
        for problem in report.errors:
            click.echo(f"{file.name}:{problem.line}: {problem.column}: {problem.message}", err=True)
        click.echo(
            f"{report.lines} lines: {report.added} added, {report.changed} changed, "
            f"{report.unchanged} unchanged, {report.refused} refused"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )
    sys.exit(1 if report.refused else 0)


@click.group()
def ledger() -> None:
    """Look after the books."""


@ledger.command()
@json_option
def verify(as_json: bool) -> None:
    """Recompute every balance, chain and seal; exit code 1 when something does not fit."""
    from marketplace.billing.ledger import queries

    report = run_with_database(queries.verify)
    if as_json:
        print_json(msgspec.to_builtins(report, enc_hook=str))
    else:
        for problem in report.problems:
            click.echo(str(problem), err=True)
        click.echo(
            f"{'The books balance' if report.ok else 'THE BOOKS DO NOT BALANCE'}: "
            f"{report.entries} entries, {report.postings} postings, {report.accounts} accounts, "
            f"{report.seals} seals checked"
        )
    sys.exit(0 if report.ok else 1)


@click.group()
def rewards() -> None:
    """Compute the rewards of providers."""


@rewards.command("run")
@click.option("--year", type=click.IntRange(2000, 2100), required=True)
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), help="Count up to this day.")
@click.option("--dry-run", is_flag=True, help="Compute and print; write nothing.")
@json_option
def run_rewards(year: int, through: Any, dry_run: bool, as_json: bool) -> None:
    """Draft the reward run of YEAR under both caps [J.30a, J.30b].

    A draft pays nothing: a second person approves it on the platform.
    """
    from marketplace.billing.rewards import queries, use_cases

    last_day = through.date() if through else None
    preview = queries.WhatIfAsked(year=year, through=last_day, values={})
    draft = use_cases.DraftRun(year=year, through=last_day or date(year, 12, 31))

    async def work(database: Database) -> Any:
        actor = system_actor("rewards run")
        if dry_run:
            return await atomically(database, queries.what_if, preview, actor=actor)
        return await atomically(database, use_cases.draft_run, draft, actor=actor)

    document = msgspec.to_builtins(run_with_database(work), enc_hook=str)
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if not isinstance(value, list | dict):
            click.echo(f"{name:>24}: {value}")


@click.group()
def user() -> None:
    """Work on people."""


@user.command("create")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--organisation", "organisation_id", type=int, required=True)
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.password_option(help="Asked for when absent, so that it stays out of the shell's history.")
@json_option
def create(
    email: str, name: str, organisation_id: int, role: str, password: str, as_json: bool
) -> None:
    """Register a person with a role in an organisation, for instance the first administrator."""
    from marketplace.parties import use_cases

    command = use_cases.AddMember(
        organisation_id=organisation_id,
        role=role,
        person=use_cases.RegisterPerson(email=email, name=name, password=password),
    )

    async def work(database: Database) -> Any:
        return await atomically(
            database, use_cases.add_member, command, actor=system_actor("user create")
        )

    person = run_with_database(work)
    if as_json:
        print_json({"id": person.id, "email": email})
    else:
        click.echo(f"Created {name} <{email}> as {role}, person {person.id}.")
