"""The anchor of the ledger's seals: written outside the database, compared when it is verified."""

from __future__ import annotations

import os
from pathlib import Path

import click

from marketplace.closing.queries.seals import anchor_problems, new_seals
from marketplace.closing.rules.anchor import AnchorUnreadable, read_anchor, written
from marketplace.kernel.db import Database


def anchored_in(file: Path) -> dict[int, str]:
    """The seals that a file names; none where there is no file.

    Raises:
        ClickException: when it is no anchor.
    """
    if not file.exists():
        return {}
    try:
        with file.open(encoding="ascii") as lines:
            return dict(read_anchor(lines))
    except (AnchorUnreadable, UnicodeDecodeError) as wrong:
        raise click.ClickException(f"{file}: {wrong}") from wrong


async def append_seals(database: Database, file: Path) -> tuple[int, list[str]]:
    """Append the seals that are new to the file; how many, or what does not fit it."""
    anchored = anchored_in(file)
    problems = await anchor_problems(database, anchored)
    if problems:
        return 0, [str(problem) for problem in problems]
    seals = await new_seals(database, max(anchored, default=0))
    with file.open("a", encoding="ascii") as lines:
        lines.writelines(written(number, sha256) for number, sha256 in seals)
        lines.flush()
        os.fsync(lines.fileno())
    return len(seals), []
