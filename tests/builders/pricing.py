"""Cost sheets and price lists for tests: at cost, filed through the domain's own use cases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from marketplace.billing.pricing.queries import CostSheet, PriceList
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.billing.pricing.use_cases import (
    FileCostSheet,
    FilePriceList,
    file_cost_sheet,
    file_price_list,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock, shanghai_day, shanghai_instant

TEST = system_actor("test")

# 1,400 hours a year at 230 CNY.
PLANNED_MINUTES = 1400 * 60
TOTAL_FEN = 1400 * 230_00


def a_price(**changes: Any) -> PriceAsked:
    """230 CNY an hour for SMEs."""
    asked: dict[str, Any] = {
        "customer_class": CustomerClass.SME,
        "unit": Unit.HOUR,
        "amount_fen": 230_00,
    }
    return PriceAsked(**(asked | changes))


def a_sample_price(**changes: Any) -> PriceAsked:
    """80 CNY a sample for SMEs, of half an hour each."""
    asked: dict[str, Any] = {
        "unit": Unit.SAMPLE,
        "amount_fen": 80_00,
        "minutes_per_unit": 30,
    }
    return a_price(**(asked | changes))


async def a_cost_sheet(database: Database, *, instrument_id: int, **changes: Any) -> CostSheet:
    """A cost sheet of 2025 with a unit cost of 230 CNY an hour."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "year": 2025,
        "planned_minutes": PLANNED_MINUTES,
        "components": (
            (CostKind.LABOUR, TOTAL_FEN // 2),
            (CostKind.CONSUMABLES, TOTAL_FEN - TOTAL_FEN // 2),
        ),
    }
    command = FileCostSheet(**(asked | changes))
    return await atomically(database, file_cost_sheet, command, actor=TEST)


async def a_price_list(
    database: Database,
    *,
    instrument_id: int,
    prices: Sequence[PriceAsked] | None = None,
    **changes: Any,
) -> PriceList:
    """Prices for SMEs per hour and per sample, in notice from now on."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "prices": tuple(prices if prices is not None else (a_price(), a_sample_price())),
    }
    command = FilePriceList(**(asked | changes))
    return await atomically(database, file_price_list, command, actor=TEST)


async def prices_in_force(
    database: Database,
    *,
    instrument_id: int,
    prices: Sequence[PriceAsked] | None = None,
) -> PriceList:
    """A cost sheet and prices that are in force today: the clock is set back to file them."""
    clock = database.clock
    assert isinstance(clock, SetClock)
    now = clock.now()
    clock.set(shanghai_instant(shanghai_day(now) - timedelta(days=30), 9 * 60))
    try:
        await a_cost_sheet(database, instrument_id=instrument_id, year=clock.now().year)
        return await a_price_list(database, instrument_id=instrument_id, prices=prices)
    finally:
        clock.set(now)
