"""Months over many providers: which are not confirmed, and what was confirmed beside what is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.booking.queries.figures import Dimension, Scope, summed
from marketplace.booking.queries.machine_hours import provider_seen
from marketplace.booking.rules.machine_hours import MEASURES, Grain, day_after
from marketplace.booking.rules.statements import (
    COUNTS,
    StatementStatus,
    due_on,
    during_of_month,
)
from marketplace.booking.rules.states import Purpose
from marketplace.booking.tables import hours_statement, hours_statement_line
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.parties.queries import UNITS
from marketplace.rulebook import rulebook

_INSTANT = DateTime(timezone=True)
# What a statement and the live figures both know; effective time depends on terms, quotas on lists.
COMPARED = tuple(name for name in MEASURES if name != "effective_minutes" and "quota" not in name)


@dataclass(frozen=True, slots=True)
class MonthsAsked:
    """Months from one to another, both included, of one provider or of all."""

    first: date
    last: date
    provider_id: int | None = None
    overdue_only: bool = False
    page: int = 1
    page_size: int = 50

    @property
    def months(self) -> list[date]:
        """Every month asked for."""
        found, month = [], self.first
        while month <= self.last:
            found.append(month)
            month = day_after(month, Grain.MONTH)
        return found


@dataclass(frozen=True, slots=True)
class MissingStatement:
    """A provider that had instruments on offer in a month and has not confirmed its hours."""

    provider_id: int
    provider_name: str
    month: date
    draft_id: int | None
    due_on: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class MonthCompared:
    """A provider's month as it was confirmed last, beside what the sessions say now."""

    provider_id: int
    provider_name: str
    month: date
    statement_id: int | None
    version: int | None
    confirmed: dict[str, int] | None
    live: dict[str, int]

    @property
    def differs(self) -> bool:
        """Whether something was repaired since."""
        return self.confirmed is not None and self.confirmed != self.live


@dataclass(frozen=True, slots=True)
class MonthsCompared:
    """A page of months, how many there are, and both sums over all of them."""

    rows: list[MonthCompared]
    total: int
    confirmed: dict[str, int]
    live: dict[str, int]


async def missing_statements(tx: Tx, asked: MonthsAsked) -> tuple[list[MissingStatement], int]:
    """Months that are over and that a provider should have confirmed, the oldest first.

    Policy: F.289-15 (records are reported by the quarter), J.gap (the days until one is due).
    """
    asked = replace(asked, provider_id=provider_seen(tx.actor, asked.provider_id))
    over = [month for month in asked.months if day_after(month, Grain.MONTH) <= tx.today]
    expected = _expected(over, asked.provider_id).cte("expected")
    unit, of = UNITS.subquery("unit"), expected.c
    stated = hours_statement.c
    same = and_(stated.provider_id == of.provider_id, stated.month == of.month)
    confirmed = select(stated.id).where(same, stated.status == StatementStatus.CONFIRMED)
    draft = select(stated.id).where(same, stated.status == StatementStatus.DRAFT)
    found = (
        select(
            of.provider_id,
            unit.c.name.label("provider_name"),
            of.month,
            draft.scalar_subquery().label("draft_id"),
            of.due_on,
            (of.due_on < tx.today).label("overdue"),
        )
        .join_from(expected, unit, unit.c.organisation_id == of.provider_id)
        .where(~confirmed.exists())
    )
    if asked.overdue_only:
        found = found.where(of.due_on < tx.today)
    total = await tx.scalar(select(func.count()).select_from(found.subquery()))
    rows = await tx.all(
        MissingStatement,
        found.order_by(of.month, of.provider_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return rows, total


async def never_drafted(tx: Tx, months: Sequence[date], limit: int) -> list[tuple[int, date]]:
    """Providers and months without any statement, not even a draft; the oldest month first."""
    expected = _expected(months, None).cte("expected")
    stated, of = hours_statement.c, expected.c
    same = and_(stated.provider_id == of.provider_id, stated.month == of.month)
    rows = await tx.execute(
        select(of.provider_id, of.month)
        .where(~select(stated.id).where(same).exists())
        .order_by(of.month, of.provider_id)
        .limit(limit)
    )
    return [(row.provider_id, row.month) for row in rows]


def _expected(months: Iterable[date], provider_id: int | None) -> Select[Any]:
    """Providers with an instrument on offer in a month: `provider_id`, `month`, `due_on`."""
    listed = list(months)
    periods = [during_of_month(month) for month in listed]
    due = rulebook().booking.statement_due_days
    columns: list[tuple[str, Any, list[Any]]] = [
        ("month", Date(), listed),
        ("starts_at", _INSTANT, [period.starts_at for period in periods]),
        ("ends_at", _INSTANT, [period.ends_at for period in periods]),
        ("due_on", Date(), [due_on(month, due_days=due.on(month)) for month in listed]),
    ]
    month = (
        func.unnest(
            *(bindparam(f"of_{name}", values, type_=ARRAY(kind)) for name, kind, values in columns)
        )
        .table_valued(*(column(name, kind) for name, kind, _ in columns))
        .render_derived(name="asked")
    )
    machine = MACHINES.subquery("machine")
    found = (
        select(machine.c.provider_id, month.c.month, month.c.due_on)
        .join_from(
            machine,
            month,
            and_(
                machine.c.listed_at < month.c.ends_at,
                or_(machine.c.withdrawn_at.is_(None), machine.c.withdrawn_at > month.c.starts_at),
            ),
        )
        .distinct()
    )
    return found if provider_id is None else found.where(machine.c.provider_id == provider_id)


async def compared_months(tx: Tx, asked: MonthsAsked) -> MonthsCompared:
    """Every provider's months as confirmed last and as they are now, and the sums of both.

    Policy: F.hours.
    """
    provider_id = provider_seen(tx.actor, asked.provider_id)
    live = (await _live(tx, asked, provider_id)).cte("live")
    confirmed = _confirmed(asked, provider_id).cte("confirmed")
    same = and_(live.c.provider_id == confirmed.c.provider_id, live.c.month == confirmed.c.month)
    unit = UNITS.subquery("unit")
    provider = func.coalesce(confirmed.c.provider_id, live.c.provider_id)
    both = (
        select(
            provider.label("provider_id"),
            func.coalesce(confirmed.c.month, live.c.month, type_=Date).label("month"),
            confirmed.c.statement_id,
            confirmed.c.version,
            *(_zero(confirmed.c[name]).label(f"confirmed_{name}") for name in COMPARED),
            *(_zero(live.c[name]).label(f"live_{name}") for name in COMPARED),
        )
        .select_from(live.join(confirmed, same, full=True))
        .cte("both")
    )
    page = (
        select(literal(0).label("of_all"), unit.c.name.label("provider_name"), *both.c)
        .join_from(both, unit, unit.c.organisation_id == both.c.provider_id)
        .order_by(both.c.month, both.c.provider_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size)
        .subquery("page")
    )
    whole = [
        _zero(func.sum(column)).label(column.name)
        if column.name.startswith(("confirmed_", "live_"))
        else cast(null(), column.type).label(column.name)
        for column in both.c
    ]
    every = union_all(
        select(page),
        select(func.count().label("of_all"), cast(null(), Text), *whole).select_from(both),
    ).subquery("every")
    # The last row sums them all: it is the only one without a month.
    rows = await tx.execute(
        select(every).order_by(every.c.month.asc().nulls_last(), every.c.provider_id)
    )
    *listed, all_of_them = rows.mappings().all()
    return MonthsCompared(
        rows=[_compared(row) for row in listed],
        total=all_of_them["of_all"],
        confirmed=_side(all_of_them, "confirmed"),
        live=_side(all_of_them, "live"),
    )


async def _live(tx: Tx, asked: MonthsAsked, provider_id: int | None) -> Select[Any]:
    period = During(during_of_month(asked.first).starts_at, during_of_month(asked.last).ends_at)
    scope = Scope(period, provider_id=provider_id)
    sums = await summed(tx, scope, (Dimension.PROVIDER,), Grain.MONTH, with_quota=False)
    found = sums.subquery("found")
    return select(
        found.c.key_provider.label("provider_id"),
        found.c.bucket.label("month"),
        *(found.c[name] for name in COMPARED),
    )


def _confirmed(asked: MonthsAsked, provider_id: int | None) -> Select[Any]:
    """The last confirmed version of each month, its lines summed."""
    of, line = hours_statement.c, hours_statement_line.c
    last = (
        select(of.id, of.provider_id, of.month, of.version)
        .ext(distinct_on(of.provider_id, of.month))
        .where(of.status == StatementStatus.CONFIRMED, of.month.between(asked.first, asked.last))
        .order_by(of.provider_id, of.month, of.version.desc())
    )
    if provider_id is not None:
        last = last.where(of.provider_id == provider_id)
    latest = last.subquery("latest")
    by_purpose = {
        f"{purpose}_minutes": func.sum(line.minutes).filter(line.purpose == purpose)
        for purpose in Purpose
    }
    kept = {name: func.sum(line[name]) for name in COUNTS if name != "minutes"}
    sums: dict[str, ColumnElement[Any]] = {**by_purpose, **kept}
    return (
        select(
            latest.c.id.label("statement_id"),
            latest.c.provider_id,
            latest.c.month,
            latest.c.version,
            *(_zero(sums[name]).label(name) for name in COMPARED),
        )
        .join_from(latest, hours_statement_line, line.statement_id == latest.c.id, isouter=True)
        .group_by(latest.c.id, latest.c.provider_id, latest.c.month, latest.c.version)
    )


def _zero(value: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(value, 0), BigInteger)


def _side(row: Any, side: str) -> dict[str, int]:
    return {name: row[f"{side}_{name}"] for name in COMPARED}


def _compared(row: Any) -> MonthCompared:
    return MonthCompared(
        provider_id=row["provider_id"],
        provider_name=row["provider_name"],
        month=row["month"],
        statement_id=row["statement_id"],
        version=row["version"],
        confirmed=None if row["statement_id"] is None else _side(row, "confirmed"),
        live=_side(row, "live"),
    )
