"""Charge lines, and the service totals that rewards are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, or_, select

from marketplace.billing.invoicing.rules.charges import Charged
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.tables import charge_line as charge_table
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """What a settled order was charged; corrections are in `charged`."""

    id: int
    order_id: int
    kind: str
    provider_id: int
    legal_entity_id: int
    instrument_id: int
    buyer_id: int
    buyer_legal_entity_id: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    settled_on: date
    voucher_order: bool
    affiliated: bool
    counts_for_reward: bool
    reverses: int | None
    recorded_at: datetime
    order_position: int


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """Which services count into a total: to whom, and by instruments of which worth."""

    companies_only: bool = False
    instrument_worth_fen: int = 0


ANY_SERVICE = ServiceLimits()


@dataclass(frozen=True, slots=True)
class LinesBehindTotal:
    """The lines that a provider's service total sums up, and which page of them."""

    provider_id: int
    year: int
    through: date
    base_counts: str
    recorded_until: datetime
    limits: ServiceLimits = ANY_SERVICE
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ChargeLinePage:
    """One page of charge lines in the order of their days, and what all of them sum up to."""

    results: list[ChargeLine]
    total: int
    service_value_fen: int


_CHARGE_LINES = select(
    charge_table.c.id,
    charge_table.c.order_id,
    charge_table.c.kind,
    charge_table.c.provider_id,
    charge_table.c.legal_entity_id,
    charge_table.c.instrument_id,
    charge_table.c.buyer_id,
    charge_table.c.buyer_legal_entity_id,
    charge_table.c.service_value_fen,
    charge_table.c.voucher_fen,
    charge_table.c.own_fen,
    charge_table.c.settled_on,
    charge_table.c.voucher_order,
    charge_table.c.affiliated,
    charge_table.c.counts_for_reward,
    charge_table.c.reverses,
    charge_table.c.recorded_at,
    charge_table.c.order_position,
)


_CHARGED = select(
    func.coalesce(func.sum(charge_table.c.voucher_fen), 0).cast(BigInteger).label("voucher_fen"),
    func.coalesce(func.sum(charge_table.c.own_fen), 0).cast(BigInteger).label("own_fen"),
)


async def charge_line(tx: Tx, order_id: int) -> ChargeLine | None:
    """What the order was charged when it ended, or None before that.

    An order that moved late and then cost nothing more was charged the fee for moving only.
    """
    table = charge_table.c
    return await tx.first(
        ChargeLine,
        _CHARGE_LINES.where(table.order_id == order_id, table.reverses.is_(None))
        .order_by((table.kind == ChargeKind.MOVE_FEE).asc(), table.order_position)
        .limit(1),
    )


async def charged_by(tx: Tx, charge_id: int) -> Charged:
    """What stands of one charge line after its corrections."""
    table = charge_table.c
    return await tx.one(
        Charged, _CHARGED.where(or_(table.id == charge_id, table.reverses == charge_id))
    )


async def charged(tx: Tx, order_id: int) -> Charged:
    """What stands charged for the order after its corrections; nothing before settlement."""
    return await tx.one(Charged, _CHARGED.where(charge_table.c.order_id == order_id))


def service_totals(
    year: int,
    through: date,
    *,
    base_counts: str = "voucher-orders",
    limits: ServiceLimits = ANY_SERVICE,
    by_instrument: bool = False,
) -> Select[Any]:
    """Actual service total by legal entity and provider, from 1 January through a day.

    A `Select` of (legal_entity_id, provider_id, service_value_fen), with `instrument_id` where it
    is asked for, to compute on in one statement: services to unaffiliated buyers, net of
    corrections. With `voucher-orders` only orders that were paid partly by voucher count, then
    with their whole value; with `all-orders` every one.

    Policy: J.30a
    """
    table = charge_table.c
    by = [table.legal_entity_id, table.provider_id]
    if by_instrument:
        by.append(table.instrument_id)
    return (
        select(*by, func.sum(table.service_value_fen).cast(BigInteger).label("service_value_fen"))
        .where(_counts(year, through, base_counts, limits))
        .group_by(*by)
    )


async def lines_behind_total(tx: Tx, asked: LinesBehindTotal) -> ChargeLinePage:
    """The lines that one provider's service total sums up; the caller checks who may see them."""
    table = charge_table.c
    wanted = (
        _counts(asked.year, asked.through, asked.base_counts, asked.limits),
        table.provider_id == asked.provider_id,
        table.recorded_at <= asked.recorded_until,
    )
    value_fen = func.coalesce(func.sum(table.service_value_fen), 0).cast(BigInteger)
    whole = (
        await tx.execute(
            select(func.count().label("total"), value_fen.label("value_fen")).where(*wanted)
        )
    ).one()
    results = await tx.all(
        ChargeLine,
        _CHARGE_LINES.where(*wanted)
        .order_by(table.settled_on, table.id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return ChargeLinePage(results=results, total=whole.total, service_value_fen=whole.value_fen)


def _counts(
    year: int, through: date, base_counts: str, limits: ServiceLimits
) -> ColumnElement[bool]:
    table = charge_table.c
    wanted = [table.settled_on.between(date(year, 1, 1), through), table.counts_for_reward]
    if base_counts != "all-orders":
        wanted.append(table.voucher_order)
    if limits.companies_only:
        body = parties.BODIES.subquery("buyer_body")
        companies = select(body.c.legal_entity_id).where(body.c.kind == "company")
        wanted.append(table.buyer_legal_entity_id.in_(companies))
    if limits.instrument_worth_fen:
        wanted.append(
            table.instrument_id.in_(catalogue.worth_at_least(limits.instrument_worth_fen))
        )
    return and_(*wanted)


async def income_of(tx: Tx, instrument_id: int, year: int) -> int:
    """What an instrument took in during a year, corrections taken off, in fen."""
    table = charge_table.c
    income: int = await tx.scalar(
        select(func.coalesce(func.sum(table.service_value_fen), 0).cast(BigInteger)).where(
            table.instrument_id == instrument_id,
            table.settled_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
    )
    return income
