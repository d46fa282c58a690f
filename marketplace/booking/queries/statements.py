"""Monthly statements: what they say, what the sessions say now, what stands in their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true, union_all

from marketplace.booking.errors import StatementMissing
from marketplace.booking.queries.figures import Dimension, Scope, figures_of, summed
from marketplace.booking.queries.machine_hours import READS_ALL
from marketplace.booking.rules.machine_hours import Grain
from marketplace.booking.rules.metering import LOOKBACK_DAYS
from marketplace.booking.rules.statements import (
    BLOCKING,
    COUNTS,
    CheckKind,
    Counts,
    LineDifference,
    LineKey,
    Lines,
    StatementStatus,
    differences,
    during_of_month,
)
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import (
    hours_statement,
    hours_statement_line,
    reservation,
    usage_session,
)
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx

_BY_LINE = (Dimension.PROVIDER, Dimension.INSTRUMENT, Dimension.PURPOSE, Dimension.USER_CLASS)


@dataclass(frozen=True, slots=True)
class Statement:
    """A provider's hours of a month in one version."""

    id: int
    provider_id: int
    month: date
    version: int
    replaces_id: int | None
    status: StatementStatus
    reason: str | None
    sha256: str
    drafted_by: int
    drafted_at: datetime
    confirmed_by: int | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatementSearch:
    """Which statements to list; None stands for any."""

    provider_id: int | None = None
    month: date | None = None
    status: StatementStatus | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class StatementPart:
    """A page of what belongs to one statement."""

    statement_id: int
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class Check:
    """How many sessions (or reservations) of the month are of a kind, and the first of them."""

    kind: CheckKind
    count: int
    reservation_ids: tuple[int, ...]

    @property
    def blocks(self) -> bool:
        """Whether the month cannot be confirmed because of it."""
        return self.kind in BLOCKING


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A statement with its sums, what the sessions say now, and what stands in its way."""

    statement: Statement
    stated: Counts
    live: Counts
    differing_lines: int
    checks: tuple[Check, ...]


async def statement(tx: Tx, statement_id: int) -> Statement:
    """A statement that the caller may see.

    Raises:
        StatementMissing: when there is none, or it is another provider's.
    """
    return await tx.one(
        made_statement,
        _visible(tx).where(hours_statement.c.id == statement_id),
        missing=StatementMissing,
    )


async def statements(tx: Tx, search: StatementSearch) -> tuple[list[Statement], int]:
    """A page of statements, the latest month first, and how many there are."""
    asked = _visible(tx)
    for name in ("provider_id", "month", "status"):
        wanted = getattr(search, name)
        if wanted is not None:
            asked = asked.where(hours_statement.c[name] == wanted)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    of = hours_statement.c
    rows = await tx.all(
        made_statement,
        asked.order_by(of.month.desc(), of.provider_id, of.version.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return rows, total


async def statement_page(tx: Tx, statement_id: int) -> StatementPage:
    """A statement beside the sessions as they are now.

    For a confirmed one the difference is what was repaired since; a correction takes it up.

    Raises:
        StatementMissing: when there is none, or it is another provider's.
    """
    found = await statement(tx, statement_id)
    stated = await stated_lines(tx, found.id)
    live = await live_lines(tx, found.provider_id, found.month)
    return StatementPage(
        statement=found,
        stated=_sum(stated),
        live=_sum(live),
        differing_lines=len(differences(stated, live)),
        checks=tuple(await checks(tx, found.provider_id, found.month)),
    )


async def statement_lines(tx: Tx, asked: StatementPart) -> tuple[list[tuple[LineKey, Counts]], int]:
    """A page of the lines of a statement, and how many there are.

    Raises:
        StatementMissing: when there is none, or it is another provider's.
    """
    found = await statement(tx, asked.statement_id)
    lines = await stated_lines(tx, found.id)
    return _page(list(lines.items()), asked), len(lines)


async def statement_differences(tx: Tx, asked: StatementPart) -> tuple[list[LineDifference], int]:
    """A page of the lines on which a statement and the sessions disagree now, and how many.

    Raises:
        StatementMissing: when there is none, or it is another provider's.
    """
    found = await statement(tx, asked.statement_id)
    differing = differences(
        await stated_lines(tx, found.id), await live_lines(tx, found.provider_id, found.month)
    )
    return _page(differing, asked), len(differing)


def made_statement(**row: Any) -> Statement:
    """A row of the table as a statement."""
    return Statement(**{**row, "status": StatementStatus(row["status"])})


async def stated_lines(tx: Tx, statement_id: int) -> Lines:
    """Every line of a statement, in order."""
    table = hours_statement_line.c
    rows = await tx.execute(
        select(hours_statement_line)
        .where(table.statement_id == statement_id)
        .order_by(table.instrument_id, table.purpose, table.user_class)
    )
    return {
        LineKey(row["instrument_id"], row["purpose"], row["user_class"]): Counts(
            **{name: row[name] for name in COUNTS}
        )
        for row in rows.mappings()
    }


async def live_lines(tx: Tx, provider_id: int, month: date) -> Lines:
    """What the sessions and reservations of a provider's month say now, by line."""
    return (await live_lines_of(tx, (provider_id,), month))[provider_id]


async def live_lines_of(
    tx: Tx, provider_ids: Sequence[int], month: date
) -> dict[int, dict[LineKey, Counts]]:
    """The same for several providers, in one question; lines without any figure are left out.

    Policy: F.hours.
    """
    scope = Scope(during_of_month(month), provider_ids=tuple(provider_ids))
    sums = await summed(tx, scope, _BY_LINE, Grain.TOTAL, with_quota=False)
    found = sums.subquery("found")
    rows = await tx.execute(
        select(found).order_by(found.c.key_instrument, found.c.key_purpose, found.c.key_user_class)
    )
    lines: dict[int, dict[LineKey, Counts]] = {each: {} for each in provider_ids}
    for row in rows.mappings():
        figures = figures_of(row)
        counts = Counts(
            minutes=figures.machine_minutes,
            **{name: getattr(figures, name) for name in COUNTS if name != "minutes"},
        )
        if not counts.is_nothing:
            key = LineKey(row["key_instrument"], row["key_purpose"], row["key_user_class"])
            lines[row["key_provider"]][key] = counts
    return lines


CHECKED_MAX = 20


async def checks(tx: Tx, provider_id: int, month: date) -> list[Check]:
    """What has to be seen to before a provider's month is confirmed, or should be known.

    Policy: F.289-15.
    """
    kinds = _checked(provider_id, month).cte("checked")
    numbered = select(
        kinds,
        func.row_number()
        .over(partition_by=kinds.c.kind, order_by=kinds.c.reservation_id)
        .label("place"),
    ).subquery("numbered")
    rows = await tx.execute(
        select(
            numbered.c.kind,
            func.count().label("number"),
            func.array_agg(numbered.c.reservation_id)
            .filter(numbered.c.place <= CHECKED_MAX)
            .label("reservation_ids"),
        ).group_by(numbered.c.kind)
    )
    found = {row.kind: (row.number, row.reservation_ids) for row in rows}
    return [
        Check(kind, found[kind][0], tuple(sorted(found[kind][1])))
        for kind in CheckKind
        if kind in found
    ]


def _checked(provider_id: int, month: date) -> Any:
    """Reservations of the month by what is to be said of them: columns `kind`, `reservation_id`."""
    period, session, place = during_of_month(month), usage_session.c, reservation.c
    machine = MACHINES.subquery("machine").c
    own = select(machine.instrument_id).where(machine.provider_id == provider_id)
    lookback = func.make_interval(0, 0, 0, LOOKBACK_DAYS)
    used = (
        select(place.id.label("reservation_id"))
        .join_from(usage_session, reservation, place.id == session.reservation_id)
        .where(
            place.provider_id == provider_id,
            session.instrument_id.in_(own),
            session.opened_at < period.ends_at,
        )
    )
    closed = and_(
        session.opened_at >= literal(period.starts_at) - lookback,
        session.closed_at > period.starts_at,
    )
    effective = session.preparation_minutes + session.test_minutes + session.post_minutes
    whole = and_(closed, session.problem.is_(None))
    edge = or_(session.opened_at < period.starts_at, session.closed_at > period.ends_at)
    kinds: dict[CheckKind, ColumnElement[bool]] = {
        CheckKind.OPEN: session.closed_at.is_(None),
        CheckKind.IN_DOUBT: and_(closed, session.problem.is_not(None)),
        CheckKind.OVER_THE_EDGE: and_(whole, edge),
        CheckKind.NOTHING_RAN: and_(whole, session.opened_at >= period.starts_at, effective == 0),
    }
    undecided = select(literal(CheckKind.UNDECIDED.value), place.id).where(
        place.provider_id == provider_id,
        place.instrument_id.in_(own),
        place.status == Status.CONFIRMED,
        func.lower(place.during) < period.ends_at,
        func.upper(place.during) > period.starts_at,
    )
    return union_all(
        *(
            select(literal(kind.value).label("kind"), used.where(condition).subquery().c[0])
            for kind, condition in kinds.items()
        ),
        undecided,
    )


def _visible(tx: Tx) -> Select[Any]:
    seen = (
        true()
        if tx.actor.has("system", *READS_ALL)
        else hours_statement.c.provider_id == tx.actor.organisation_id
    )
    return select(hours_statement).where(seen)


def _sum(lines: Lines) -> Counts:
    every = list(lines.values())
    return Counts(**{name: sum(getattr(one, name) for one in every) for name in COUNTS})


def _page(found: list[Any], asked: StatementPart) -> list[Any]:
    first = (asked.page - 1) * asked.page_size
    return found[first : first + asked.page_size]
