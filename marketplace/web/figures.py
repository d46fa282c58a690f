"""What the home page tells everybody: a few numbers, what was found, the rules of the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.queries import SearchHits
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.rulebook import Rulebook, Schedule, Term

HITS_SHOWN = 10
TEXT_LENGTH_MAX = 100
# Large sums are told in 万元, as in the field's own lists, and in millions in English.
LARGE_UNIT_FEN = {"zh": 10_000 * 100, "en": 1_000_000 * 100}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the platform holds at this moment, and what was found of what was looked for."""

    instruments: int
    value_fen: int
    providers: int
    companies: int
    found: SearchHits | None


async def figures(tx: Tx, text_wanted: str) -> Figures:
    """Count what is listed and who takes part, and find what was typed, when something was."""
    listed = await catalogue.totals(tx)
    kinds = await parties.count_by_kind(tx)
    asked = catalogue.InstrumentSearch(text=text_wanted, page_size=HITS_SHOWN)
    return Figures(
        instruments=listed.instruments,
        value_fen=listed.worth_fen,
        providers=kinds.get("provider", 0),
        companies=kinds.get("sme", 0),
        found=await catalogue.search(tx, asked) if text_wanted else None,
    )


def printable(text: str) -> str:
    """What was typed, without what no instrument's name contains; at most 100 characters."""
    typed = "".join(character for character in text if character.isprintable())
    return typed.strip()[:TEXT_LENGTH_MAX]


def money_rules(book: Rulebook, day: date) -> dict[str, Term[Any]]:
    """The terms that decide how much, by name; what is not in force on `day` is left out."""
    schedules: dict[str, Schedule[Any]] = {
        "share_cap": book.reward.share_cap_basis_points,
        "entity_cap": book.reward.cap_per_legal_entity_fen,
        "layers": book.voucher.layers,
        "sme_cap": book.voucher.cap_per_sme_year_fen,
        "notice": book.pricing.notice_working_days,
    }
    return {
        name: term
        for name, schedule in schedules.items()
        if (term := schedule.find(day)) is not None
    }
