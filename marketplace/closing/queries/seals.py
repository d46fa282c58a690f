"""Seals in bounded lists, for the anchor outside the database."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.ledger.queries.closing import seals_after
from marketplace.closing.rules.anchor import Fault, differences
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically

SEALS_AT_ONCE = 10_000
ANCHORING = system_actor("ledger anchor")


@dataclass(frozen=True, slots=True)
class SealsAfter:
    """The seals that follow a number, so many at most."""

    number: int
    limit: int = SEALS_AT_ONCE


async def some_seals(tx: Tx, asked: SealsAfter) -> list[tuple[int, str]]:
    """Number and digest of the seals that follow."""
    return await seals_after(tx, asked.number, asked.limit)


async def new_seals(database: Database, number: int) -> list[tuple[int, str]]:
    """Every seal after `number`."""
    found: list[tuple[int, str]] = []
    while some := await atomically(
        database, some_seals, SealsAfter(found[-1][0] if found else number), actor=ANCHORING
    ):
        found += some
    return found


async def anchor_problems(database: Database, anchored: dict[int, str]) -> list[Fault]:
    """Where the database is another one than the anchor says."""
    problems: list[Fault] = []
    numbers = sorted(anchored)
    for begin in range(0, len(numbers), SEALS_AT_ONCE):
        chunk = numbers[begin : begin + SEALS_AT_ONCE]
        asked = SealsAfter(chunk[0] - 1, limit=chunk[-1] - chunk[0] + 1)
        present = dict(await atomically(database, some_seals, asked, actor=ANCHORING))
        problems += differences({number: anchored[number] for number in chunk}, present)
    return problems
