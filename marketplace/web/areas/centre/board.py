"""The board: how the platform stands, what waits, which jobs ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.operations import JobState, Waiting, last_runs, waiting_events
from marketplace.vouchers.queries import PageAsked, anomalies
from marketplace.web.areas.centre.who import OVERSEERS
from marketplace.web.figures import Figures, figures
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows."""

    numbers: Figures
    jobs: list[JobState]
    waiting: Waiting
    anomalies: int
    now: datetime

    @property
    def failed(self) -> list[JobState]:
        """Jobs whose last run ended with an error."""
        return [job for job in self.jobs if job.error]


async def board(tx: Tx, _: None) -> Board:
    """Everything at one moment."""
    open_ones = anomalies.AnomalySearch(status="open", page=PageAsked(1, 1))
    return Board(
        numbers=await figures(tx, None),
        jobs=await last_runs(tx),
        waiting=await waiting_events(tx),
        anomalies=(await anomalies.anomalies(tx, open_ones)).total,
        now=tx.now,
    )


@get("/ops", **members(*OVERSEERS))
async def show_board(request: PageRequest) -> Response[Any]:
    """The overview of the centre."""
    return page(request, "centre/board.html", board=await read(request, board, None))


@get("/ops/jobs", **members(*OVERSEERS))
async def show_jobs(request: PageRequest) -> Response[Any]:
    """The last run of every job."""
    return page(request, "centre/jobs.html", board=await read(request, board, None))


routes: list[ControllerRouterHandler] = [show_board, show_jobs]
