"""A provider's prices in bulk: what they rest on, and the newest version of each instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, any_, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.billing.pricing.errors import FileTooLong
from marketplace.billing.pricing.queries.filed import (
    LISTS,
    SHEETS,
    CostSheet,
    PriceList,
    with_components,
    with_prices,
)
from marketplace.billing.pricing.queries.sheets import require_own
from marketplace.billing.pricing.tables import cost_sheet, price, price_list, true_up
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx

FILE_PRICES_MAX = 20_000


async def plans_for(tx: Tx, instrument_ids: Sequence[int], year: int) -> dict[int, CostSheet]:
    """The newest plan of each that holds in `year`: of that year, else of the last one before."""
    table = cost_sheet.c
    sheets = await tx.all(
        CostSheet,
        SHEETS.ext(distinct_on(table.instrument_id))
        .where(
            table.instrument_id == any_(cast(list(instrument_ids), ARRAY(BigInteger))),
            table.year <= year,
            table.basis == "planned",
        )
        .order_by(table.instrument_id, table.year.desc(), table.version.desc()),
    )
    return {sheet.instrument_id: sheet for sheet in await with_components(tx, sheets)}


async def surpluses_of(tx: Tx, instrument_ids: Sequence[int], year: int) -> dict[int, int]:
    """What customers of `year` paid above the real cost, of those of which it is known."""
    rows = await tx.execute(
        select(true_up.c.instrument_id, true_up.c.surplus_fen).where(
            true_up.c.instrument_id == any_(cast(list(instrument_ids), ARRAY(BigInteger))),
            true_up.c.year == year,
        )
    )
    return {row.instrument_id: row.surplus_fen for row in rows}


async def newest_lists(tx: Tx, instrument_ids: Sequence[int]) -> dict[int, PriceList]:
    """The newest version of each that is not withdrawn."""
    table = price_list.c
    lists = await tx.all(
        PriceList,
        LISTS.ext(distinct_on(table.instrument_id))
        .where(
            table.instrument_id == any_(cast(list(instrument_ids), ARRAY(BigInteger))),
            table.withdrawn_at.is_(None),
        )
        .order_by(table.instrument_id, table.version.desc()),
    )
    return {filed.instrument_id: filed for filed in await with_prices(tx, lists)}


@dataclass(frozen=True, slots=True)
class ProviderPrices:
    """The newest prices of a provider's instruments."""

    provider_id: int


async def provider_prices(tx: Tx, question: ProviderPrices) -> list[tuple[str, PriceList]]:
    """The newest version of each instrument, with the instrument's own number.

    Raises:
        InstrumentMissing: for somebody else's instruments.
        FileTooLong: when there are more than one file holds.
    """
    require_own(tx, question.provider_id)
    machine = MACHINES.subquery("machine").c
    rows = await tx.execute(
        select(machine.instrument_id, machine.inner_id)
        .where(
            machine.provider_id == question.provider_id,
            machine.instrument_id.in_(select(price_list.c.instrument_id)),
        )
        .order_by(machine.instrument_id)
    )
    number_of = {row.instrument_id: row.inner_id for row in rows}
    lines = await tx.scalar(
        select(func.count())
        .select_from(price)
        .where(
            price.c.price_list_id.in_(
                select(price_list.c.id)
                .ext(distinct_on(price_list.c.instrument_id))
                .where(
                    price_list.c.instrument_id == any_(cast(list(number_of), ARRAY(BigInteger))),
                    price_list.c.withdrawn_at.is_(None),
                )
                .order_by(price_list.c.instrument_id, price_list.c.version.desc())
            )
        )
    )
    if lines > FILE_PRICES_MAX:
        raise FileTooLong("These are more than a file holds.", limit=FILE_PRICES_MAX, asked=lines)
    newest = await newest_lists(tx, list(number_of))
    return [(number_of[of], filed) for of, filed in sorted(newest.items())]
