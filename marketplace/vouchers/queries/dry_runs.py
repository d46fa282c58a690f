"""Dry runs: past orders under other terms, and the tables that came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Select, and_, func, literal, select

from marketplace.kernel.db import Tx
from marketplace.parties.queries import (
    organisations,
)
from marketplace.vouchers import tables
from marketplace.vouchers.errors import DryRunMissing
from marketplace.vouchers.queries.answers import instruments_asked
from marketplace.vouchers.queries.layers import layers
from marketplace.vouchers.queries.let_in import newcomers, orders_without_voucher
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.past_grants import past_grants
from marketplace.vouchers.queries.programmes import programme
from marketplace.vouchers.queries.rows import Layer, Listed, Programme, columns
from marketplace.vouchers.rules.dry_run import (
    DryRun,
    PastGrant,
    PastOrder,
    Places,
    Served,
    Sums,
)
from marketplace.vouchers.rules.let_in import ASSUMED, PREFIX, LettingIn, Newcomer
from marketplace.vouchers.rules.limits import ALONE
from marketplace.vouchers.rules.terms import Terms

CHUNK = 5_000
"""Orders read at a time: what is in memory does not grow with the number of past orders."""

Progress = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PastOrders:
    """The orders that a programme's vouchers paid for, redeemed between two days."""

    programme_id: int
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class DryRunRow:
    """One row of the before and after table."""

    dimension: str
    key: str
    label: str
    orders: int
    service_value_fen: int
    orders_before: int
    orders_after: int
    before_fen: int
    after_fen: int


@dataclass(frozen=True, slots=True)
class LayerEffect:
    """What a layer would have paid, and what that is of its budget."""

    layer_id: int
    funder: str
    region_code: str
    budget_fen: int
    before_fen: int
    after_fen: int


@dataclass(frozen=True, slots=True)
class LetInFound:
    """What comes of orders that no voucher paid for: `let_in` are paid after and not before."""

    seen: int
    """All orders of SMEs that no voucher paid for in these days."""
    orders_before: int
    orders_after: int
    before_fen: int
    after_fen: int
    let_in: int
    let_in_fen: int
    unknown: dict[str, int]
    """Of how many orders nobody can say, by the fact that is not known."""
    assumed: tuple[str, ...] = ASSUMED


@dataclass(frozen=True, slots=True)
class DryRunFound:
    """The whole table of a dry run, and what it comes to."""

    total: DryRunRow
    recorded_fen: int
    """What was really paid for these orders, under whatever terms they were held."""
    layers: tuple[LayerEffect, ...]
    rows: tuple[DryRunRow, ...]
    let_in: LetInFound


@dataclass(frozen=True, slots=True)
class StoredDryRun:
    """A dry run that was asked for, with what became of it."""

    id: int
    programme_id: int
    changes: dict[str, Any]
    from_on: date
    until_on: date
    status: str
    orders: int
    done: int
    summary: dict[str, Any] | None
    reason: str
    asked_by: int
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _orders(asked: PastOrders) -> Select[Any]:
    paid, grant = tables.redemption, tables.voucher_grant
    return (
        select(paid.c.id)
        .join_from(paid, grant, grant.c.id == paid.c.grant_id)
        .where(
            grant.c.programme_id == asked.programme_id,
            paid.c.redeemed_on.between(asked.from_on, asked.until_on),
        )
    )


async def count_past_orders(tx: Tx, asked: PastOrders) -> int:
    """How many orders a dry run would go through."""
    found: int = await tx.scalar(select(func.count()).select_from(_orders(asked).subquery()))
    return found


def past_orders(asked: PastOrders, *, by_day: bool, with_others: bool) -> Select[Any]:
    """The orders with the fields of `PastOrder`, grant by grant or day by day."""
    paid, held = tables.redemption, tables.voucher_hold
    other = paid.alias("other")
    others = (
        select(func.coalesce(func.sum(other.c.amount_fen), 0).cast(BigInteger))
        .where(other.c.order_id == paid.c.order_id, other.c.grant_id != paid.c.grant_id)
        .scalar_subquery()
    )
    day = (paid.c.redeemed_on, paid.c.id)
    return (
        _orders(asked)
        .with_only_columns(
            paid.c.grant_id,
            paid.c.redeemed_on,
            paid.c.service_value_fen,
            held.c.service_kind,
            paid.c.provider_id,
            held.c.instrument_id,
            others if with_others else literal(0),
            paid.c.amount_fen,
            func.coalesce(held.c.persons, 0),
        )
        .join(
            held,
            and_(
                held.c.order_id == paid.c.order_id,
                held.c.grant_id == paid.c.grant_id,
                held.c.status == "settled",
            ),
        )
        .order_by(*(day if by_day else (paid.c.grant_id, *day)))
    )


async def _chunks(tx: Tx, statement: Select[Any]) -> AsyncIterator[list[PastOrder]]:
    result = await tx.connection.stream(statement.execution_options(yield_per=CHUNK))
    async for partition in result.partitions():
        yield [PastOrder._make(row) for row in partition]


async def dry_run(
    tx: Tx, asked: PastOrders, before: Terms, after: Terms, progress: Progress | None = None
) -> DryRunFound:
    """What the past orders were paid under `before` and would have been under `after`.

    So are the orders of SMEs that no voucher paid for: whom the changed terms would let in.

    Streams: what is in memory grows with providers and regions, and with the SMEs where a cap is
    shared between them, but not with the orders.

    Policy: J.22a, J.22b
    """
    of = await programme(tx, asked.programme_id)
    providers = _Providers(before, after)
    run = DryRun(before, after, providers.places)
    with_others = before.stacking != ALONE or after.stacking != ALONE
    statement = past_orders(asked, by_day=run.by_day, with_others=with_others)
    of_programme = await layers(tx, of.id)
    sharing = of_programme if before.cost_split or after.cost_split else []
    grants: dict[int, PastGrant] = {}
    done = 0
    async for chunk in _chunks(tx, statement):
        await providers.learn(tx, chunk)
        needed = {order.grant_id for order in chunk}
        if not run.by_day:
            grants = {grant_id: grants[grant_id] for grant_id in needed & grants.keys()}
        if new := needed - grants.keys():
            grants |= await past_grants(tx, new, of.year, sharing, by_group=run.by_group)
        run.add(chunk, grants)
        done += len(chunk)
        if progress is not None:
            await progress(done)
    more = LettingIn(before, after, providers.places, year=of.year, facts_on=asked.until_on)
    await _let_in(tx, asked, of, more, providers)
    return _found(run, more, providers.names, of_programme)


class _Providers:
    """Where the providers of the orders so far are, their names, and what they served on."""

    def __init__(self, before: Terms, after: Terms) -> None:
        self.places = Places()
        self.names: dict[int, str] = {}
        self._terms = (before, after)

    async def learn(self, tx: Tx, orders: Sequence[PastOrder]) -> None:
        regions, served = self.places.regions, self.places.instruments
        unknown = {order.provider_id for order in orders} - regions.keys()
        for found in (await organisations(tx, unknown)).values() if unknown else ():
            regions[found.id], self.names[found.id] = found.region_code, found.name
        on = {order.instrument_id for order in orders} - served.keys()
        for each in (await instruments_asked(tx, self._terms, on)).values() if on else ():
            served[each.id] = Served(each.category_code, each.worth_fen)


async def _let_in(
    tx: Tx, asked: PastOrders, of: Programme, run: LettingIn, providers: _Providers
) -> None:
    """Reckon the orders of the same days that no voucher paid for."""
    statement = orders_without_voucher(asked.from_on, asked.until_on, by_day=run.by_day)
    paying = await layers(tx, of.id, on=tx.today)
    known: dict[int, Newcomer] = {}
    async for chunk in _chunks(tx, statement):
        await providers.learn(tx, chunk)
        needed = {order.grant_id for order in chunk}
        if not run.by_day:
            known = {sme_id: known[sme_id] for sme_id in needed & known.keys()}
        if new := needed - known.keys():
            known |= await newcomers(tx, new, of, paying, asked.until_on, by_group=run.by_group)
        run.add(chunk, known)


def _found(run: DryRun, more: LettingIn, names: dict[int, str], of: Sequence[Layer]) -> DryRunFound:
    by_id = {str(layer.id): layer for layer in of}

    def label(dimension: str, key: str) -> str:
        dimension = dimension.removeprefix(PREFIX)
        if dimension == "provider":
            return names.get(int(key), key)
        if dimension == "layer" and key in by_id:
            return by_id[key].name or f"{by_id[key].funder} {by_id[key].region_code}"
        return key

    table = run.rows() | more.rows()
    rows = tuple(
        _row(dimension, key, label(dimension, key), table[dimension, key])
        for dimension, key in sorted(table)
    )
    nothing = Sums()
    effects = tuple(
        LayerEffect(
            layer.id,
            layer.funder,
            layer.region_code,
            layer.budget_fen,
            table.get(("layer", str(layer.id)), nothing).before_fen,
            table.get(("layer", str(layer.id)), nothing).after_fen,
        )
        for layer in of
    )
    let_in = LetInFound(
        more.seen,
        more.total.orders_before,
        more.total.orders_after,
        more.total.before_fen,
        more.total.after_fen,
        more.let_in.orders,
        more.let_in.amount_fen,
        dict(more.unknown),
    )
    return DryRunFound(_row("", "", "", run.total()), run.recorded_fen, effects, rows, let_in)


def _row(dimension: str, key: str, label: str, sums: Sums) -> DryRunRow:
    return DryRunRow(
        dimension,
        key,
        label,
        sums.orders,
        sums.service_value_fen,
        sums.orders_before,
        sums.orders_after,
        sums.before_fen,
        sums.after_fen,
    )


@dataclass(frozen=True, slots=True)
class DryRunSearch:
    """Which dry runs of a programme."""

    programme_id: int
    status: str | None = None
    page: PageAsked = FIRST_PAGE


async def dry_runs(tx: Tx, search: DryRunSearch) -> Listed[StoredDryRun]:
    """The dry runs of a programme, the newest first."""
    await programme(tx, search.programme_id)
    table = tables.programme_dry_run
    statement = select(*columns(StoredDryRun, table)).where(
        table.c.programme_id == search.programme_id
    )
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, StoredDryRun, statement, table.c.id, search.page)


async def stored_dry_run(tx: Tx, run_id: int) -> StoredDryRun:
    """A dry run with how far it is.

    Raises:
        DryRunMissing: when there is none.
    """
    table = tables.programme_dry_run
    return await tx.one(
        StoredDryRun,
        select(*columns(StoredDryRun, table)).where(table.c.id == run_id),
        missing=DryRunMissing,
    )


@dataclass(frozen=True, slots=True)
class DryRunRowsAsked:
    """Which rows of a dry run's table."""

    run_id: int
    dimension: str | None = None
    page: PageAsked = FIRST_PAGE


async def dry_run_rows(tx: Tx, asked: DryRunRowsAsked) -> Listed[DryRunRow]:
    """The rows of a dry run, those whose money changes most first.

    Raises:
        DryRunMissing: when there is no such dry run.
    """
    await stored_dry_run(tx, asked.run_id)
    table = tables.programme_dry_run_line
    statement = select(*columns(DryRunRow, table)).where(table.c.run_id == asked.run_id)
    if asked.dimension is not None:
        statement = statement.where(table.c.dimension == asked.dimension)
    total = await tx.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await tx.all(
        DryRunRow,
        statement.order_by(
            func.abs(table.c.after_fen - table.c.before_fen).desc(), table.c.dimension, table.c.key
        )
        .limit(asked.page.page_size)
        .offset((asked.page.page - 1) * asked.page.page_size),
    )
    return Listed(rows, total)
