"""Figures for everybody: hours by month, voucher money by programme, rewards by year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.booking import queries as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.vouchers.queries.reports import OpenFigure, open_figures
from marketplace.web.figures import Figures, figures
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of

FIRST_YEAR = 2018
HEADS = (
    ("月份", "Month"),
    ("运行机时（小时）", "Machine-hours"),
    ("对外机时（小时）", "Machine-hours for others"),
)


@dataclass(frozen=True, slots=True)
class Money:
    """Voucher money of a programme in a year; None where too few SMEs stand behind a region."""

    name: str
    name_en: str
    issued_fen: int
    used_fen: int
    smes: int
    left_out: int
    """Regions that are not told."""


@dataclass(frozen=True, slots=True)
class YearOfFigures:
    """What anybody may know of a year."""

    year: int
    present_year: int
    numbers: Figures
    months: booking.HoursFound
    money: list[Money]
    rewards: list[tuple[int, int]]
    """Year and what was approved, the earliest first."""


def _whole(year: int) -> During:
    return During(shanghai_instant(date(year, 1, 1)), shanghai_instant(date(year + 1, 1, 1)))


async def year_of_figures(tx: Tx, asked: int | None) -> YearOfFigures:
    """The sums of a year; without one the present year, or while it is empty the one before."""
    year = asked or tx.today.year
    months = await booking.months_of_everybody(tx, _whole(year))
    if asked is None and not any(row.figures.effective_minutes for row in months.rows):
        year -= 1
        months = await booking.months_of_everybody(tx, _whole(year))
    return YearOfFigures(
        year,
        tx.today.year,
        await figures(tx, None),
        months,
        _by_programme(await open_figures(tx, year)),
        await rewards.rewards_by_year(tx, year),
    )


def _by_programme(cells: list[OpenFigure]) -> list[Money]:
    found: dict[int, list[OpenFigure]] = {}
    for cell in cells:
        found.setdefault(cell.programme_id, []).append(cell)
    return [
        Money(
            of[0].programme,
            of[0].programme_en,
            sum(cell.issued_fen or 0 for cell in of),
            sum(cell.used_fen or 0 for cell in of),
            sum(cell.smes or 0 for cell in of),
            sum(cell.smes is None for cell in of),
        )
        for of in found.values()
    ]


@get("/figures", **anybody())
async def show_figures(request: PageRequest) -> Response[Any]:
    """Plots drawn from the tables below them; who would rather read, reads the tables."""
    form = Typed(request.query_params, visitor_of(request).speech)
    year = form.whole("year", least=FIRST_YEAR, most=2100, needed=False)
    form.require()
    return page(
        request, "centre/figures.html", form=form, found=await read(request, year_of_figures, year)
    )


@get("/figures/file", **anybody())
async def get_figures_file(request: PageRequest) -> Response[bytes]:
    """The hours by month, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    year = form.whole("year", least=FIRST_YEAR, most=2100, needed=False)
    form.require()
    found = await read(request, year_of_figures, year)
    rows = [
        [
            row.bucket.strftime("%Y-%m") if row.bucket else "",
            round(row.figures.effective_minutes / 60, 1),
            round(row.figures.external_minutes / 60, 1),
        ]
        for row in found.months.rows
    ]
    return await as_file(form, f"figures-{found.year}", HEADS, rows)


routes: list[ControllerRouterHandler] = [show_figures, get_figures_file]
