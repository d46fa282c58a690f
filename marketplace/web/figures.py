"""The few numbers that the home page shows to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Figures:
    """What the platform holds at this moment."""

    instruments: int
    value_fen: int
    providers: int
    companies: int


async def figures(tx: Tx, _: None) -> Figures:
    """Count what is listed."""
    return await tx.one(
        Figures,
        text(
            """
            select (select count(*) from instrument where status = 'listed') as instruments,
                   (select coalesce(sum(worth_fen), 0) from instrument
                     where status = 'listed')::bigint as value_fen,
                   (select count(*) from organisation where kind = 'provider') as providers,
                   (select count(*) from organisation where kind = 'sme') as companies
            """
        ),
    )


def printable(text: str) -> str:
    """What was typed, without what no instrument's name contains; at most 100 characters."""
    return "".join(character for character in text if character.isprintable()).strip()[:100]


async def find(tx: Tx, text_wanted: str) -> Any:
    """The first ten instruments that fit what was typed."""
    from marketplace.catalogue import queries

    return await queries.search(tx, queries.InstrumentSearch(text=text_wanted, page_size=10))
