"""Operator work on the data: import instruments, verify the books, compute rewards, add users."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from marketplace.cli.running import json_option, print_json, run_with_database
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.money import yuan
from marketplace.kernel.time import SystemClock, shanghai_day
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.rules.states import Capital, LegalEntityKind

ID = click.IntRange(1, 2**53 - 1)


@click.group()
def instruments() -> None:
    """Work on the catalogue of instruments."""


@instruments.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--provider", "provider_id", type=ID, required=True, help="Organisation that owns them."
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
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def anchor(file: Path) -> None:
    """Append the seals that are new to FILE, which lies outside the database.

    Nothing is appended when a seal that FILE names is another one now: exit code 1.
    """
    from marketplace.cli.anchoring import append_seals

    async def work(database: Database) -> tuple[int, list[str]]:
        return await append_seals(database, file)

    appended, problems = run_with_database(work)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo(f"{appended} seals appended to {file}")


@ledger.command()
@click.option(
    "--anchor",
    "anchor_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare the seals with those that this file names; see `ledger anchor`.",
)
@json_option
def verify(as_json: bool, anchor_file: Path | None) -> None:
    """Recompute every balance, chain and seal; exit code 1 when something does not fit."""
    from marketplace.billing.ledger import queries
    from marketplace.billing.ledger.queries import Problem, VerifyReport
    from marketplace.cli.anchoring import anchored_in
    from marketplace.closing.queries.seals import anchor_problems

    anchored = anchored_in(anchor_file) if anchor_file else {}

    async def work(database: Database) -> VerifyReport:
        found = await queries.verify(database)
        for problem in await anchor_problems(database, anchored):
            found.add(Problem("anchor", str(problem)))
        return found

    report = run_with_database(work)
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
@click.option(
    "--through",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Count up to this day.  [default: today, or the year's last day]",
)
@click.option("--dry-run", is_flag=True, help="Compute and print; write nothing.")
@json_option
def run_rewards(year: int, through: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Draft the reward run of YEAR under both caps [J.30a, J.30b].

    A draft pays nothing: a second person approves it on the platform.
    """
    from marketplace.billing.rewards import queries, use_cases

    today = shanghai_day(SystemClock().now())
    last_day = through.date() if through else min(date(year, 12, 31), today)
    actor = system_actor("rewards run")

    async def preview(database: Database) -> dict[str, Any]:
        asked = queries.WhatIfAsked(year=year, through=last_day)
        found = await atomically(database, queries.what_if, asked, actor=actor)
        return {"year": year, "through": last_day, **asdict(found.present), "terms": found.terms}

    async def draft(database: Database) -> dict[str, Any]:
        wanted = use_cases.DraftRun(year=year, through=last_day)
        return asdict(await atomically(database, use_cases.draft_run, wanted, actor=actor))

    document = run_with_database(preview if dry_run else draft)
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if not isinstance(value, list | dict):
            shown = f"{yuan(value)} CNY" if name.endswith("_fen") and value is not None else value
            click.echo(f"{name.removesuffix('_fen'):>24}: {shown}")
    if dry_run:
        click.echo("Nothing was written.")


@click.group()
def organisation() -> None:
    """Work on organisations."""


@organisation.command("create")
@click.option("--uscc", required=True, help="Unified social credit code of its legal entity.")
@click.option("--name", required=True)
@click.option("--region", "region_code", required=True, help="Six digits, for instance 320100.")
@click.option(
    "--kind",
    type=click.Choice(sorted(ROLES_BY_ORGANISATION_KIND)),
    default="centre",
    show_default=True,
)
@click.option(
    "--legal-kind",
    type=click.Choice([str(kind) for kind in LegalEntityKind]),
    default="public_institution",
    show_default=True,
    help="What its legal entity is.",
)
@click.option(
    "--capital",
    type=click.Choice([str(each) for each in Capital]),
    default="fiscal",
    show_default=True,
)
@click.option("--legal-representative", required=True)
@json_option
def create_organisation(
    *,
    uscc: str,
    name: str,
    region_code: str,
    kind: str,
    legal_kind: str,
    capital: str,
    legal_representative: str,
    as_json: bool,
) -> None:
    """Register an organisation with its legal entity, for instance the centre that runs this.

    A new platform has none, so this and `user create` come before anybody can sign in.
    """
    from marketplace.parties import use_cases

    entity = use_cases.RegisterLegalEntity(
        uscc=uscc,
        name=name,
        region_code=region_code,
        kind=legal_kind,
        capital=capital,
        legal_representative=legal_representative,
    )

    async def both(tx: Tx, _: None) -> Any:
        made = await use_cases.register_legal_entity(tx, entity)
        wanted = use_cases.RegisterOrganisation(
            legal_entity_id=made.id, kind=kind, name=name, region_code=region_code
        )
        return await use_cases.register_organisation(tx, wanted)

    async def work(database: Database) -> Any:
        return await atomically(database, both, None, actor=system_actor("organisation create"))

    made = run_with_database(work)
    if as_json:
        print_json({"id": made.id, "name": name, "kind": kind})
    else:
        click.echo(f"Registered {name} as {kind}, organisation {made.id}.")


@click.group()
def user() -> None:
    """Work on people."""


@user.command("create")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--organisation", "organisation_id", type=ID, required=True)
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
