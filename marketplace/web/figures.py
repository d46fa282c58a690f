"""What the home page tells everybody: a few numbers, the rules of the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.rulebook import Rulebook, Schedule, Term


@dataclass(frozen=True, slots=True)
class Figures:
    """What the platform holds at this moment."""

    instruments: int
    value_fen: int
    providers: int
    companies: int


async def figures(tx: Tx, _: None) -> Figures:
    """Count what is listed and who takes part."""
    listed = await catalogue.totals(tx)
    kinds = await parties.count_by_kind(tx)
    return Figures(
        instruments=listed.instruments,
        value_fen=listed.worth_fen,
        providers=kinds.get("provider", 0),
        companies=kinds.get("sme", 0),
    )


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
