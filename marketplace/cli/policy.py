"""The rulebook from the command line: check a province's file, show what is in force."""

from __future__ import annotations

import sys
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from marketplace.cli.running import json_option, print_json, require_rulebook
from marketplace.kernel.time import SystemClock, shanghai_day
from marketplace.rulebook import Rulebook, load, rulebook_path
from marketplace.rulebook import rulebook as current_rulebook
from marketplace.rulebook.terms import Section


@click.group()
def rulebook() -> None:
    """Check and show the policy as data."""


@rulebook.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Validate a province's own rulebook FILE (or jiangsu, hunan, national)."""
    path = file if file.suffix else rulebook_path(str(file))
    problems: list[dict[str, str]] = []
    try:
        load(path)
    except FileNotFoundError:
        problems.append({"where": str(path), "what": "there is no such file"})
    except OSError as error:
        problems.append({"where": str(path), "what": error.strerror or str(error)})
    except UnicodeDecodeError as error:
        problems.append({"where": str(path), "what": f"not UTF-8: {error.reason}"})
    except tomllib.TOMLDecodeError as error:
        problems.append({"where": str(path), "what": f"not TOML: {error}"})
    except ValidationError as error:
        problems += [
            {"where": ".".join(map(str, entry["loc"])), "what": entry["msg"]}
            for entry in error.errors()
        ]
    except ValueError as error:
        problems.append({"where": str(path), "what": str(error)})
    if as_json:
        print_json({"file": str(path), "ok": not problems, "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{problem['where']}: {problem['what']}", err=True)
        click.echo(f"{path}: {'valid' if not problems else f'{len(problems)} problem(s)'}")
    sys.exit(1 if problems else 0)


@rulebook.command()
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="Terms of that day.  [default: today]"
)
@click.option("--all", "every", is_flag=True, help="Past and future terms too.")
@json_option
def show(on: datetime | None, every: bool, as_json: bool) -> None:
    """Print clause, number and term of the rulebook in use."""
    day = on.date() if on else shanghai_day(SystemClock().now())
    require_rulebook()
    book = current_rulebook()
    rows = list(_rows(book, None if every else day))
    if as_json:
        print_json({"province": book.province.model_dump(), "on": day, "terms": rows})
        return
    table = Table(title=f"{book.province.name} {book.province.name_en}, {day}")
    columns = ("source", "term", "value", "unit", "since", "until", "note")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[column] or "") for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _rows(book: Rulebook, day: date | None) -> list[dict[str, Any]]:
    rows = []
    for section_name in type(book).model_fields:
        section = getattr(book, section_name)
        if not isinstance(section, Section):
            continue
        for name in type(section).model_fields:
            for term in getattr(section, name).root:
                if day is None or term.holds_on(day):
                    plain = term.model_dump(mode="json")
                    rows.append({**plain, "term": f"{section_name}.{name}"})
    return rows
