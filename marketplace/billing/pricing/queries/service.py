"""What one service costs one customer, by the prices in force or by those an order froze."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Select, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.billing.pricing.errors import NoPriceInForce
from marketplace.billing.pricing.rules.quoting import Counted, PriceLine, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Mode, Unit
from marketplace.billing.pricing.rules.tariff import (
    MINUTES_PER_DAY,
    ExtraPrice,
    HoursFactor,
    PriceAsked,
    Tariff,
    Tier,
    set_by_hand,
)
from marketplace.billing.pricing.tables import (
    cost_item,
    price,
    price_extra,
    price_hours,
    price_list,
    price_objection,
    price_tier,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import SHANGHAI
from marketplace.rulebook import rulebook
from marketplace.rulebook.terms import NoTermInForce


@dataclass(frozen=True, slots=True)
class ServiceAsked:
    """A service whose price is asked: `minutes` for machine time, `samples` for samples.

    `starts_at` weighs the hours of the day. Without a `unit` the cheapest that the mode and the
    list have is taken. `elements` are per sample; `extras` are (code, quantity). `manual_fen` is a
    price per `unit` that was set by hand and takes the place of the list's.
    """

    instrument_id: int
    customer_class: str
    mode: str
    on: date
    minutes: int = 0
    samples: int = 0
    purpose: str | None = None
    unit: str | None = None
    elements: int = 0
    runs: int = 0
    starts_at: datetime | None = None
    urgent: bool = False
    extras: tuple[tuple[str, int], ...] = ()
    manual_fen: int | None = None

    def quantity(self, unit: Unit) -> int | None:
        """How many of `unit` are asked for; None where the question does not say."""
        match unit:
            case Unit.HOUR:
                return self.minutes
            case Unit.DAY:
                return -(-self.minutes // MINUTES_PER_DAY)
            case Unit.SESSION:
                return 1 if self.minutes else 0
            case Unit.SAMPLE:
                return self.samples
            case Unit.ELEMENT:
                return self.samples * self.elements or None
            case Unit.RUN:
                return self.runs or None


@dataclass(frozen=True, slots=True)
class PricedService:
    """What a service costs, line by line, by which price list, cost sheet and unit."""

    price_list_id: int
    cost_sheet_id: int
    unit: str
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
    minutes_per_unit: int | None


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
    unit: str | None = None
    elements: int = 0
    runs: int = 0
    starts_at: datetime | None = None
    urgent: bool = False
    extras: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _List:
    """A whole price list in one row."""

    price_list_id: int
    instrument_id: int
    cost_sheet_id: int
    version: int
    urgent_basis_points: int | None
    prices: list[list[Any]]
    tiers: list[list[Any]]
    hours: list[list[Any]]
    extras: list[list[Any]]

    def price(self, customer_class: str, unit: Unit) -> PriceAsked | None:
        """The price for that class and unit, with its tiers."""
        for who, of, amount_fen, minimum_fen, minutes in self.prices:
            if (who, of) == (customer_class, unit):
                tiers = [Tier(*tier[2:]) for tier in self.tiers if tier[:2] == [who, of]]
                return PriceAsked(
                    CustomerClass(who), unit, amount_fen, minimum_fen, minutes, tuple(tiers)
                )
        return None

    @property
    def tariff(self) -> Tariff:
        """What holds for every class."""
        return Tariff(
            hours=tuple(HoursFactor(*one) for one in self.hours),
            urgent_basis_points=self.urgent_basis_points,
            extras=tuple(
                ExtraPrice(code, ExtraKind(kind), name, unit, amount_fen, cost_fen)
                for code, kind, name, unit, amount_fen, cost_fen in self.extras
            ),
        )


def _listed(rows: Select[Any]) -> Any:
    return func.coalesce(rows.scalar_subquery(), func.json_build_array())


def _whole_list() -> Select[Any]:
    of = price_list.c.id
    build, gather = func.json_build_array, func.json_agg
    p, t, h, e, i = price.c, price_tier.c, price_hours.c, price_extra.c, cost_item.c
    prices = build(p.customer_class, p.unit, p.amount_fen, p.minimum_fen, p.minutes_per_unit)
    # `aggregate_order_by` keeps tiers in the order in which they apply.
    tiers = select(build(t.customer_class, t.unit, t.from_quantity, t.amount_fen).label("tier"))
    tiers = tiers.where(t.price_list_id == of).order_by(t.from_quantity).correlate(price_list)
    ordered = tiers.subquery()
    hours = build(h.name, h.weekday, h.opens_minute, h.closes_minute, h.factor_basis_points)
    extras = build(e.code, i.kind, i.name, i.unit, e.amount_fen, i.cost_fen)
    return select(
        of.label("price_list_id"),
        price_list.c.instrument_id,
        price_list.c.cost_sheet_id,
        price_list.c.version,
        price_list.c.urgent_basis_points,
        _listed(select(gather(prices)).where(p.price_list_id == of)).label("prices"),
        _listed(select(gather(ordered.c.tier)).select_from(ordered)).label("tiers"),
        _listed(select(gather(hours)).where(h.price_list_id == of)).label("hours"),
        _listed(
            select(gather(extras))
            .join_from(price_extra, cost_item, i.code == e.code)
            .where(e.price_list_id == of, i.cost_sheet_id == price_list.c.cost_sheet_id)
        ).label("extras"),
    )


def _in_force(ids: Sequence[int], on: date) -> Select[tuple[int]]:
    """Of each instrument's lists that have come into force and were not withdrawn, the last.

    A list whose notice ended with an objection that nobody has answered waits for the answer.
    """
    table = price_list.c
    withdrawn_on = cast(func.timezone(SHANGHAI.key, table.withdrawn_at), Date)
    objected = exists().where(
        price_objection.c.price_list_id == table.id, price_objection.c.outcome.is_(None)
    )
    return (
        select(table.id)
        .ext(distinct_on(table.instrument_id))
        .where(
            table.instrument_id.in_(ids),
            table.in_force_from <= on,
            or_(table.withdrawn_at.is_(None), withdrawn_on > on),
            ~objected,
        )
        .order_by(table.instrument_id, table.in_force_from.desc(), table.version.desc())
    )


async def prices_in_force(tx: Tx, ids: Sequence[int], on: date) -> list[PriceInForce]:
    """The prices in force on a day for any number of instruments, in one query."""
    return await tx.all(
        PriceInForce,
        select(
            price_list.c.instrument_id,
            price_list.c.id.label("price_list_id"),
            price_list.c.cost_sheet_id,
            price_list.c.version,
            price.c.customer_class,
            price.c.unit,
            price.c.amount_fen,
            price.c.minimum_fen,
            price.c.minutes_per_unit,
        )
        .join(price, price.c.price_list_id == price_list.c.id)
        .where(price_list.c.id.in_(_in_force(ids, on)))
        .order_by(price_list.c.instrument_id, price.c.customer_class, price.c.unit),
    )


async def price_service(tx: Tx, asked: ServiceAsked) -> PricedService:
    """What the service costs by the price list in force on the day asked.

    Raises:
        NoPriceInForce: when none is, or it has no price for this class and mode.
        UrgencyNotOffered: when it is to be urgent and the list has no price for that.
        ExtraNotPriced: with every extra that the list does not have.
    """
    return (await price_services(tx, [asked]))[0]


async def price_services(tx: Tx, asked: Sequence[ServiceAsked]) -> list[PricedService]:
    """What several services come to by the price lists in force on one day, in one question.

    Raises:
        NoPriceInForce, UrgencyNotOffered, ExtraNotPriced: as for one, for the first that has it.
    """
    in_force = _in_force([one.instrument_id for one in asked], asked[0].on)
    found = await tx.all(_List, _whole_list().where(price_list.c.id.in_(in_force)))
    by_instrument = {one.instrument_id: one for one in found}
    return [_priced(by_instrument.get(one.instrument_id), one) for one in asked]


async def price_service_by_list(tx: Tx, price_list_id: int, asked: ServiceAsked) -> PricedService:
    """What the service costs by the price list that an order froze, in force or not.

    Raises:
        NoPriceInForce: when the list has no price for this class and mode.
    """
    return (await price_services_by_list(tx, [(price_list_id, asked)]))[0]


async def price_services_by_list(
    tx: Tx, asked: Sequence[tuple[int, ServiceAsked]]
) -> list[PricedService]:
    """What several services come to, each by a price list that was frozen, in one question.

    Raises:
        NoPriceInForce: when a list has no price for its class, unit and mode.
    """
    ids = {price_list_id for price_list_id, _ in asked}
    found = await tx.all(_List, _whole_list().where(price_list.c.id.in_(ids)))
    known = {(one.price_list_id, one.instrument_id): one for one in found}
    return [_priced(known.get((list_id, one.instrument_id)), one) for list_id, one in asked]


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
            unit=question.unit,
            elements=question.elements,
            runs=question.runs,
            starts_at=question.starts_at,
            urgent=question.urgent,
            extras=question.extras,
        ),
    )


def _priced(found: _List | None, asked: ServiceAsked) -> PricedService:
    if found is None:
        raise NoPriceInForce(f"The instrument has no price list in force on {asked.on}.")
    priced = list(_ways(found, asked))
    if not priced:
        raise _no_price(found, asked)
    # The first of equals: the order of `Mode.units`.
    return min(priced, key=lambda one: one.total_fen)


def _ways(found: _List, asked: ServiceAsked) -> Iterator[PricedService]:
    """The service priced in every unit that is possible."""
    tariff = found.tariff
    free = _free_purposes(asked.on) if asked.purpose else ()
    for unit in Mode(asked.mode).units:
        line = found.price(asked.customer_class, unit)
        quantity = asked.quantity(unit)
        if line is None or quantity is None or asked.unit not in (None, unit):
            continue
        source = f"price list {found.price_list_id}, version {found.version}"
        counted = Counted(quantity, asked.starts_at, asked.urgent, asked.extras)
        if asked.manual_fen is not None:
            source = f"price set by hand instead of {source}"
            line, counted = set_by_hand(line, asked.manual_fen), replace(counted, urgent=False)
            tariff = replace(tariff, hours=())
        lines = price_lines(
            line,
            counted,
            tariff=tariff,
            price_list=source,
            purpose=asked.purpose,
            free_purposes=free,
        )
        yield PricedService(
            price_list_id=found.price_list_id,
            cost_sheet_id=found.cost_sheet_id,
            unit=unit.value,
            lines=lines,
            total_fen=sum(one.amount_fen for one in lines),
        )


def _free_purposes(on: date) -> tuple[str, ...]:
    try:
        return rulebook().pricing.free_purposes.on(on)
    except NoTermInForce:
        # A day on which the policy is not in force: nothing is free by it.
        return ()


def _no_price(found: _List, asked: ServiceAsked) -> NoPriceInForce:
    units = [asked.unit] if asked.unit else [unit.value for unit in Mode(asked.mode).units]
    return NoPriceInForce(
        f"The price list has no price per {' or '.join(units)} for this class of customer,"
        " or it is not said how many.",
        reasons=[
            Reason(
                "class-and-unit-priced",
                "Ask for one of the classes and units that have a price, and say how many.",
                asked=f"{asked.customer_class} per {' or '.join(units)}",
                source="J.15",
            )
        ],
        alternatives=[{"customer_class": who, "unit": unit} for who, unit, *_ in found.prices],
    )
