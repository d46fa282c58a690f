"""Machine-hours of own instruments: by purpose and month, utilisation, the share for others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries import Dimension, Grain
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.web.areas.provider.own import own_list
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech

ROWS_MAX = 1_000
PURPOSES = ("external", "own_research", "teaching", "maintenance", "test_run")
HEADS = (
    ("仪器", "Instrument"),
    ("对外服务（小时）", "For others, h"),
    ("本单位科研（小时）", "Own research, h"),
    ("教学（小时）", "Teaching, h"),
    ("维护（小时）", "Upkeep, h"),
    ("试运行（小时）", "Test run, h"),
    ("有效机时（小时）", "Effective, h"),
    ("机时率（%）", "Utilisation, %"),
    ("共享率（%）", "Sharing rate, %"),
    ("爽约", "No-shows"),
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Machine-hours of a time: in all, by month, by instrument."""

    first: date
    last: date
    months: booking.HoursFound
    instruments: booking.HoursFound
    known: dict[int, catalogue.Instrument]

    def called(self, row: booking.HoursRow, speech: Speech) -> str:
        """An instrument's name in the reader's language."""
        kept = row.names[Dimension.INSTRUMENT]
        found = self.known.get(int(row.keys[Dimension.INSTRUMENT]))
        return speech.either(kept, found.ename if found else None)


async def hours(tx: Tx, period: tuple[date | None, date | None]) -> Hours:
    """This year's, unless days are named.

    Policy: J.16a, F.hours
    """
    first = period[0] or date(tx.today.year, 1, 1)
    last = period[1] or tx.today
    after = date.fromordinal(max(first, last).toordinal() + 1)
    during = During(shanghai_instant(first), shanghai_instant(after))
    scope = booking.Scope(during, provider_id=tx.actor.organisation_id)
    return Hours(
        first,
        max(first, last),
        await booking.machine_hours(
            tx, booking.HoursAsked(scope, grain=Grain.MONTH, page_size=ROWS_MAX)
        ),
        await booking.machine_hours(
            tx, booking.HoursAsked(scope, by=(Dimension.INSTRUMENT,), page_size=ROWS_MAX)
        ),
        {each.id: each for each in await own_list(tx)},
    )


@get("/provider/reports", **members(*STAFF))
async def show_reports(request: PageRequest) -> Response[Any]:
    """Figures, a chart drawn from the table, and each instrument."""
    form, period = _asked(request)
    return page(
        request,
        "provider/reports.html",
        form=form,
        found=await read(request, hours, period),
        purposes=PURPOSES,
        instrument=Dimension.INSTRUMENT,
    )


@get("/provider/reports/file", **members(*STAFF))
async def show_reports_file(request: PageRequest) -> Response[bytes]:
    """Each instrument as a file."""
    form, period = _asked(request)
    found = await read(request, hours, period)
    rows = []
    for row in found.instruments.rows:
        figures = row.figures
        rows.append(
            [
                found.called(row, form.speech),
                *(round(getattr(figures, f"{each}_minutes") / 60, 1) for each in PURPOSES),
                round(figures.effective_minutes / 60, 1),
                (figures.utilisation_basis_points or 0) / 100,
                (figures.sharing_basis_points or 0) / 100,
                figures.no_shows,
            ]
        )
    return await as_file(form, "machine-hours", HEADS, rows)


def _asked(request: PageRequest) -> tuple[Typed, tuple[date | None, date | None]]:
    form = Typed(request.query_params, visitor_of(request).speech)
    period = form.day("from", needed=False), form.day("until", needed=False)
    form.require()
    return form, period


routes: list[ControllerRouterHandler] = [show_reports, show_reports_file]
