"""Holding a year's income of an instrument against what the year really cost."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import YearNotOver
from marketplace.billing.pricing import use_cases as pricing
from marketplace.billing.pricing.queries import TrueUp
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class TrueUpYear:
    """An instrument and a year that is over."""

    instrument_id: int
    year: int


async def true_up_year(tx: Tx, command: TrueUpYear) -> TrueUp:
    """Settle a year: a surplus over the real cost lowers the ceiling of the next one.

    Raises:
        InstrumentMissing: when it belongs to others.
        YearNotOver: before the year has ended.
        ActualCostMissing: until the real cost of the year is filed.
        TruedUpAlready: when it was done before.

    Policy: J.21a, N.25c
    """
    instrument = await catalogue.own_instrument(tx, command.instrument_id)
    if command.year >= tx.today.year:
        raise YearNotOver(f"{command.year} has not ended; its income is not known.")
    income_fen = await queries.income_of(tx, instrument.id, command.year)
    return await pricing.record_true_up(
        tx, pricing.RecordTrueUp(instrument.id, command.year, max(0, income_fen))
    )
