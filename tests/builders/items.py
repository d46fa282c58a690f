"""A provider's second instrument with a whole tariff, and orders of both instruments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from marketplace.billing.pricing.rules.cost import CostItemAsked
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.billing.pricing.use_cases import (
    FileCostSheet,
    FilePriceList,
    file_cost_sheet,
    file_price_list,
)
from marketplace.kernel.db import atomically
from marketplace.kernel.time import During, SetClock
from marketplace.orders.queries import Order, Quote
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import ItemAsked
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.orders import TEST, Market, a_quote, an_order

ELEMENT_FEN = 2_000
RUN_FEN = 5_000
HELP_FEN = 6_000
STUB_FEN = 1_500
URGENT_POINTS = 5_000
SECOND_HOUR_FEN = 30_000
# The main item is on Wednesday morning; the second on the afternoon.
WEDNESDAY_AFTERNOON = at_hours(2, 13, 15)


async def a_second_instrument(market: Market, **terms: Any) -> int:
    """300 CNY an hour; samples by the element or the run; urgency, help by the hour and stubs."""
    database = market.database
    instrument_id = await a_bookable_instrument(
        database, provider_id=market.manager.organisation_id, **terms
    )
    clock = database.clock
    assert isinstance(clock, SetClock)
    now = clock.now()
    clock.set(now - timedelta(days=21))
    sheet = FileCostSheet(
        instrument_id,
        clock.now().year,
        60_000,
        ((CostKind.LABOUR, 60_000 * 1_000),),
        items=(
            CostItemAsked("help", ExtraKind.STAFF_HELP, "操作协助", "hour", HELP_FEN),
            CostItemAsked("stub", ExtraKind.CONSUMABLE, "样品台", "piece", STUB_FEN),
        ),
    )
    await atomically(database, file_cost_sheet, sheet, actor=TEST)
    prices = tuple(
        price
        for who in CustomerClass
        for price in (
            PriceAsked(who, Unit.HOUR, SECOND_HOUR_FEN),
            PriceAsked(who, Unit.ELEMENT, ELEMENT_FEN, minutes_per_unit=30),
            PriceAsked(who, Unit.RUN, RUN_FEN, minutes_per_unit=60),
        )
    )
    asked = FilePriceList(
        instrument_id,
        prices,
        urgent_basis_points=URGENT_POINTS,
        extras=(("help", HELP_FEN), ("stub", STUB_FEN)),
    )
    await atomically(database, file_price_list, asked, actor=TEST)
    clock.set(now)
    return instrument_id


def time_on(instrument_id: int, during: During = WEDNESDAY_AFTERNOON, **changes: Any) -> ItemAsked:
    """Two hours on the afternoon of the same day."""
    asked = ItemAsked(instrument_id, Mode.MACHINE_TIME, during.starts_at, during.ends_at)
    return replace(asked, **changes)


def samples_on(instrument_id: int, *, samples: int = 4, **changes: Any) -> ItemAsked:
    """Samples of three elements each."""
    asked = ItemAsked(
        instrument_id, Mode.SAMPLES, samples=samples, unit=Unit.ELEMENT.value, elements=3
    )
    return replace(asked, **changes)


async def a_quote_of(market: Market, *further: ItemAsked, **changes: Any) -> Quote:
    """Two hours on Wednesday morning, and more instruments beside."""
    return await a_quote(market, further=further, **changes)


async def an_order_for(market: Market, *further: ItemAsked, **changes: Any) -> Order:
    """A placed order of several instruments."""
    quote = await a_quote_of(market, *further, **changes)
    return await an_order(market, quote=quote)
