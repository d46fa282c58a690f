"""What became of voucher money, by any grouping, and whether tables and ledger agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    Text,
    column,
    func,
    select,
    table,
)

from marketplace.kernel.db import Tx
from marketplace.kernel.money import BASIS_POINTS, ratio
from marketplace.parties.queries import organisations
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import AccountsDiffer, ReportRefused
from marketplace.vouchers.queries.rows import Listed

MEASURES = (
    "issued",
    "held",
    "used",
    "claimed",
    "approved",
    "paid",
    "expired",
    "withdrawn",
    "returned",
    "clawed_back",
)

movement = table(
    "voucher_movement",
    column("measure", Text),
    column("on_day", Date),
    column("amount_fen", BigInteger),
    column("order_id", BigInteger),
    column("provider_id", BigInteger),
    column("grant_id", BigInteger),
    column("layer_id", BigInteger),
    column("programme_id", BigInteger),
    column("funder", Text),
    column("layer_region", Text),
    column("sme_id", BigInteger),
    column("sme_region", Text),
    column("service_kind", Text),
)


class Grouping(StrEnum):
    """By what a report may be grouped."""

    PROGRAMME = "programme"
    LAYER = "layer"
    FUNDER = "funder"
    REGION = "region"
    SME = "sme"
    PROVIDER = "provider"
    SERVICE_KIND = "service_kind"
    MONTH = "month"


GROUPED_BY: dict[Grouping, ColumnElement[Any]] = {
    Grouping.PROGRAMME: movement.c.programme_id,
    Grouping.LAYER: movement.c.layer_id,
    Grouping.FUNDER: movement.c.funder,
    Grouping.REGION: movement.c.sme_region,
    Grouping.SME: movement.c.sme_id,
    Grouping.PROVIDER: movement.c.provider_id,
    Grouping.SERVICE_KIND: movement.c.service_kind,
    Grouping.MONTH: func.to_char(movement.c.on_day, "YYYY-MM"),
}


@dataclass(frozen=True, slots=True)
class ReportAsked:
    """Which movements, grouped by what, which page."""

    by: tuple[Grouping, ...] = (Grouping.PROGRAMME,)
    from_on: date | None = None
    until_on: date | None = None
    programme_id: int | None = None
    layer_id: int | None = None
    sme_id: int | None = None
    provider_id: int | None = None
    region_code: str | None = None
    service_kind: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One group and what was issued, held, used … of it, in fen."""

    group: Mapping[str, str | int | None]
    names: Mapping[str, str]
    amounts: Mapping[str, int]

    @property
    def redemption_basis_points(self) -> int | None:
        """What part of the issued money was used and not taken back; None where none was issued."""
        issued = self.amounts["issued"]
        used = self.amounts["used"] - self.amounts["returned"] - self.amounts["clawed_back"]
        return ratio(max(used, 0), BASIS_POINTS, issued, "half-up") if issued > 0 else None


async def report(tx: Tx, asked: ReportAsked) -> Listed[ReportRow]:
    """What became of voucher money: one statement, whatever the grouping.

    Raises:
        ReportRefused: when it is grouped by the same thing twice, or the days are reversed.
    """
    grouped = _grouped(asked)
    total = await tx.scalar(select(func.count()).select_from(grouped.subquery()))
    names = [each.value for each in asked.by]
    rows = await tx.execute(
        grouped.order_by(*(column(name) for name in names))
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size)
    )
    found = [row._mapping for row in rows]
    told = await _names(tx, asked, found)
    return Listed(
        [
            ReportRow(
                {name: row[name] for name in names},
                {
                    name: told[name][row[name]]
                    for name in names
                    if name in told and row[name] in told[name]
                },
                {measure: int(row[measure] or 0) for measure in MEASURES},
            )
            for row in found
        ],
        total,
    )


def _grouped(asked: ReportAsked) -> Select[Any]:
    if len(set(asked.by)) != len(asked.by) or not asked.by:
        raise ReportRefused("Group by each thing once.", asked=[str(each) for each in asked.by])
    if asked.from_on and asked.until_on and asked.from_on > asked.until_on:
        raise ReportRefused("The days are the wrong way round.")
    of = movement.c
    sums = [
        func.sum(of.amount_fen).filter(of.measure == measure).label(measure) for measure in MEASURES
    ]
    groups = [GROUPED_BY[each].label(each.value) for each in asked.by]
    statement = select(*groups, *sums).group_by(*(GROUPED_BY[each] for each in asked.by))
    wanted = {
        of.programme_id: asked.programme_id,
        of.layer_id: asked.layer_id,
        of.sme_id: asked.sme_id,
        of.provider_id: asked.provider_id,
        of.sme_region: asked.region_code,
        of.service_kind: asked.service_kind,
    }
    for each, value in wanted.items():
        if value is not None:
            statement = statement.where(each == value)
    if asked.from_on is not None:
        statement = statement.where(of.on_day >= asked.from_on)
    if asked.until_on is not None:
        statement = statement.where(of.on_day <= asked.until_on)
    return statement


async def _names(tx: Tx, asked: ReportAsked, rows: list[Any]) -> dict[str, dict[Any, str]]:
    told: dict[str, dict[Any, str]] = {}
    if Grouping.PROGRAMME in asked.by:
        of = tables.programme.c
        ids = {row["programme"] for row in rows}
        found = await tx.execute(select(of.id, of.name).where(of.id.in_(ids)))
        told["programme"] = {row.id: row.name for row in found}
    for name in ("sme", "provider"):
        if Grouping(name) in asked.by:
            parties = {row[name] for row in rows if row[name] is not None}
            known = await organisations(tx, sorted(parties))
            told[name] = {each.id: each.name for each in known.values()}
    return told


@dataclass(frozen=True, slots=True)
class Compared:
    """A sum of the tables and what the ledger has for it."""

    programme_id: int | None
    programme_name: str | None
    layer_id: int | None
    funder: str | None
    region_code: str | None
    what: str
    tables_fen: int
    ledger_fen: int
    difference_fen: int


@dataclass(frozen=True, slots=True)
class ReconciliationAsked:
    """Of which programme, and whether only what differs."""

    programme_id: int | None = None
    differing: bool = False


reconciliation_view = table(
    "voucher_reconciliation",
    *(column(name) for name in Compared.__dataclass_fields__),
)


async def reconciliation(tx: Tx, asked: ReconciliationAsked) -> list[Compared]:
    """Every programme layer's budget, holds and use, in the tables and in the ledger.

    One statement, so both are of the same moment; the differences must be nought.
    """
    of = reconciliation_view.c
    statement = select(reconciliation_view).order_by(
        of.programme_id.nulls_first(), of.layer_id, of.what
    )
    if asked.programme_id is not None:
        statement = statement.where(of.programme_id == asked.programme_id)
    if asked.differing:
        statement = statement.where(of.difference_fen != 0)
    return await tx.all(Compared, statement)


def require_no_difference(compared: Sequence[Compared]) -> None:
    """Tables and ledger agree, sum by sum.

    Raises:
        AccountsDiffer: with every sum that does not.
    """
    differing = [each for each in compared if each.difference_fen]
    if differing:
        raise AccountsDiffer(
            "; ".join(
                f"{each.what} of layer {each.layer_id}: {each.difference_fen} fen"
                for each in differing
            ),
            differences=[asdict(each) for each in differing],
        )


# Fewer SMEs than this behind a figure, and it is not published.
CELL_MIN = 3


@dataclass(frozen=True, slots=True)
class OpenFigure:
    """A year's sums of a programme's region, published; None where too few SMEs stand behind."""

    year: int
    programme_id: int
    programme: str
    programme_en: str
    region_code: str
    smes: int | None
    issued_fen: int | None
    used_fen: int | None
    paid_fen: int | None
    expired_fen: int | None
    clawed_back_fen: int | None


async def open_figures(tx: Tx, year: int) -> list[OpenFigure]:
    """What anybody may know of a year: sums by programme and city, small cells suppressed."""
    of = movement.c
    city = func.rpad(func.left(of.sme_region, 4), 6, "0")
    sums = {
        measure: func.coalesce(func.sum(of.amount_fen).filter(of.measure == measure), 0)
        for measure in ("issued", "used", "paid", "expired", "clawed_back")
    }
    rows = await tx.execute(
        select(
            of.programme_id,
            tables.programme.c.name,
            tables.programme.c.name_en,
            city.label("region_code"),
            func.count(of.sme_id.distinct()).label("smes"),
            *(each.label(measure) for measure, each in sums.items()),
        )
        .join_from(movement, tables.programme, tables.programme.c.id == of.programme_id)
        .where(of.on_day >= date(year, 1, 1), of.on_day <= date(year, 12, 31))
        .group_by(of.programme_id, tables.programme.c.name, tables.programme.c.name_en, city)
        .order_by(of.programme_id, city)
    )
    return [
        OpenFigure(
            year,
            row.programme_id,
            row.name,
            row.name_en,
            row.region_code,
            *(
                (None,) * 6
                if row.smes < CELL_MIN
                else (
                    row.smes,
                    int(row.issued),
                    int(row.used),
                    int(row.paid),
                    int(row.expired),
                    int(row.clawed_back),
                )
            ),
        )
        for row in rows
    ]
