"""What one service costs one customer, by the prices in force or by those an order froze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.billing.pricing.errors import NoPriceInForce
from marketplace.billing.pricing.rules.cost import PriceAsked
from marketplace.billing.pricing.rules.quoting import PriceLine, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, Mode, Unit
from marketplace.billing.pricing.tables import price, price_list
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import SHANGHAI
from marketplace.rulebook import rulebook
from marketplace.rulebook.terms import NoTermInForce


@dataclass(frozen=True, slots=True)
class ServiceAsked:
    """A service whose price is asked: `minutes` for machine time, `samples` for samples."""

    instrument_id: int
    customer_class: str
    mode: str
    on: date
    minutes: int = 0
    samples: int = 0
    purpose: str | None = None

    @property
    def quantity(self) -> int:
        """What is counted in this mode."""
        return self.minutes if self.mode == Mode.MACHINE_TIME else self.samples


@dataclass(frozen=True, slots=True)
class PricedService:
    """What a service costs, line by line, by which price list and cost sheet."""

    price_list_id: int
    cost_sheet_id: int
    lines: tuple[PriceLine, ...]
    total_fen: int


@dataclass(frozen=True, slots=True)
class PriceInForce:
    """One price that is in force, for lists and search results."""

    instrument_id: int
    price_list_id: int
    cost_sheet_id: int
    version: int
    customer_class: str
    unit: str
    amount_fen: int
    minimum_fen: int
    minutes_per_sample: int | None


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """What would this customer pay? `on` is today when it is not said."""

    instrument_id: int
    customer_class: str
    mode: str
    minutes: int = 0
    samples: int = 0
    on: date | None = None
    purpose: str | None = None


_PRICES_OF_LISTS = select(
    price_list.c.instrument_id,
    price_list.c.id.label("price_list_id"),
    price_list.c.cost_sheet_id,
    price_list.c.version,
    price.c.customer_class,
    price.c.unit,
    price.c.amount_fen,
    price.c.minimum_fen,
    price.c.minutes_per_sample,
).join(price, price.c.price_list_id == price_list.c.id)


async def prices_in_force(tx: Tx, ids: Sequence[int], on: date) -> list[PriceInForce]:
    """The prices in force on a day for any number of instruments, in one query."""
    table = price_list.c
    withdrawn_on = cast(func.timezone(SHANGHAI.key, table.withdrawn_at), Date)
    # Of the lists that have come into force and were not withdrawn, the one that did so last.
    newest = (
        select(table.id)
        .ext(distinct_on(table.instrument_id))
        .where(
            table.instrument_id.in_(ids),
            table.in_force_from <= on,
            or_(table.withdrawn_at.is_(None), withdrawn_on > on),
        )
        .order_by(table.instrument_id, table.in_force_from.desc(), table.version.desc())
    )
    return await tx.all(
        PriceInForce,
        _PRICES_OF_LISTS.where(table.id.in_(newest)).order_by(
            table.instrument_id, price.c.customer_class, price.c.unit
        ),
    )


async def price_service(tx: Tx, asked: ServiceAsked) -> PricedService:
    """What the service costs by the price list in force on the day asked.

    Raises:
        NoPriceInForce: when none is, or it has no price for this class and mode.
    """
    in_force = await prices_in_force(tx, [asked.instrument_id], asked.on)
    return _priced(in_force, asked)


async def price_service_by_list(tx: Tx, price_list_id: int, asked: ServiceAsked) -> PricedService:
    """What the service costs by the price list that an order froze, in force or not.

    Raises:
        NoPriceInForce: when the list has no price for this class and mode.
    """
    frozen = await tx.all(
        PriceInForce,
        _PRICES_OF_LISTS.where(
            price_list.c.id == price_list_id,
            price_list.c.instrument_id == asked.instrument_id,
        ),
    )
    return _priced(frozen, asked)


async def price_for_customer(tx: Tx, question: PriceQuestion) -> PricedService:
    """The public answer to "what would this customer pay?".

    Raises:
        Missing: when there is no such instrument.
        NoPriceInForce: when nothing says so.
    """
    await catalogue.instrument(tx, question.instrument_id)
    return await price_service(
        tx,
        ServiceAsked(
            instrument_id=question.instrument_id,
            customer_class=question.customer_class,
            mode=question.mode,
            on=question.on or tx.today,
            minutes=question.minutes,
            samples=question.samples,
            purpose=question.purpose,
        ),
    )


def _priced(prices: Sequence[PriceInForce], asked: ServiceAsked) -> PricedService:
    unit = Mode(asked.mode).unit
    for found in prices:
        if (found.customer_class, found.unit) == (asked.customer_class, unit):
            break
    else:
        raise _no_price(prices, asked, unit)
    lines = price_lines(
        _asked(found),
        quantity=asked.quantity,
        price_list=f"price list {found.price_list_id}, version {found.version}",
        purpose=asked.purpose,
        free_purposes=_free_purposes(asked.on) if asked.purpose else (),
    )
    return PricedService(
        price_list_id=found.price_list_id,
        cost_sheet_id=found.cost_sheet_id,
        lines=lines,
        total_fen=sum(line.amount_fen for line in lines),
    )


def _free_purposes(on: date) -> tuple[str, ...]:
    try:
        return rulebook().pricing.free_purposes.on(on)
    except NoTermInForce:
        # A day on which the policy is not in force: nothing is free by it.
        return ()


def _no_price(prices: Sequence[PriceInForce], asked: ServiceAsked, unit: Unit) -> NoPriceInForce:
    if not prices:
        return NoPriceInForce(f"The instrument has no price list in force on {asked.on}.")
    return NoPriceInForce(
        f"The price list has no price per {unit} for this class of customer.",
        reasons=[
            Reason(
                "class-and-unit-priced",
                "Ask for one of the classes and units that have a price.",
                asked=f"{asked.customer_class} per {unit}",
                source="J.15",
            )
        ],
        alternatives=[
            {"customer_class": other.customer_class, "unit": other.unit} for other in prices
        ],
    )


def _asked(found: PriceInForce) -> PriceAsked:
    return PriceAsked(
        customer_class=CustomerClass(found.customer_class),
        unit=Unit(found.unit),
        amount_fen=found.amount_fen,
        minimum_fen=found.minimum_fen,
        minutes_per_sample=found.minutes_per_sample,
    )
