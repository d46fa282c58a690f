"""The board: how the platform stands, what waits, which jobs ran, which messages failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.rules.strikes import AppealStatus
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.jobs import Job
from marketplace.kernel.operations import (
    JobRuns,
    JobRunsAsked,
    Messages,
    MessagesAsked,
    Waiting,
    job_runs,
    messages,
    waiting_events,
)
from marketplace.operations import queries as operations
from marketplace.operations.use_cases import retry_message
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers.queries import PageAsked, anomalies
from marketplace.web.acting import act
from marketplace.web.areas.centre.sanction_cases import to_decide
from marketplace.web.areas.centre.who import OVERSEERS
from marketplace.web.figures import Figures, figures
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

SERVICE = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows."""

    numbers: Figures
    jobs: list[operations.JobFound]
    waiting: Waiting
    anomalies: int
    sync: list[booking.SyncLag]
    providers: dict[int, parties.Organisation]
    notices: list[operations.Notice]
    unverified: int
    appeals: int
    sanctions: dict[str, int]
    now: datetime

    @property
    def failed(self) -> list[operations.JobFound]:
        """Jobs whose last run ended with an error."""
        return [job for job in self.jobs if job.state == "failed"]


async def board(tx: Tx, jobs: list[Job]) -> Board:
    """Everything at one moment."""
    open_ones = anomalies.AnomalySearch(status="open", page=PageAsked(1, 1))
    unverified = parties.Search(page_size=1, verified=False)
    waiting_appeals = booking.StrikeSearch(appeal=AppealStatus.OPEN, page_size=1)
    sync = await booking.sync_lag(tx)
    return Board(
        numbers=await figures(tx, None),
        jobs=await operations.jobs(tx, jobs),
        waiting=await waiting_events(tx),
        anomalies=(await anomalies.anomalies(tx, open_ones)).total,
        sync=sync,
        providers=await parties.organisations(tx, [each.provider_id for each in sync]),
        notices=await operations.notices_shown(tx),
        sanctions=await to_decide(tx),
        appeals=(await booking.strikes(tx, waiting_appeals)).total,
        unverified=(await parties.search_legal_entities(tx, unverified)).total,
        now=tx.now,
    )


@get("/ops", **members(*OVERSEERS))
async def show_board(request: PageRequest) -> Response[Any]:
    """The overview of the centre."""
    found = await read(request, board, request.app.state.jobs)
    return page(request, "centre/board.html", board=found)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs, and a page of their runs."""

    jobs: list[operations.JobFound]
    runs: JobRuns


@get("/ops/jobs", **members(*OVERSEERS))
async def show_jobs(request: PageRequest) -> Response[Any]:
    """What each job does, its last and its next run, and the runs behind."""
    form = Typed(request.query_params, visitor_of(request).speech)
    known: list[Job] = request.app.state.jobs
    number = form.whole("page", least=1, most=300, needed=False) or 1
    job = form.choice("job", [each.name for each in known], needed=False)
    form.require()
    asked = JobRunsAsked(job, form.ticked("failed"), number, PAGE_SIZE)

    async def jobs(tx: Tx, _: None) -> Jobs:
        return Jobs(await operations.jobs(tx, known), await job_runs(tx, asked))

    return page(
        request,
        "centre/jobs.html",
        form=form,
        found=await read(request, jobs, None),
        page_number=number,
        page_size=PAGE_SIZE,
    )


@get("/ops/messages", **members(*SERVICE))
async def show_messages(request: PageRequest) -> Response[Any]:
    """Messages that failed, or all that wait, the oldest first."""
    return await _messages(request)


async def _messages(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=300, needed=False) or 1
    name = form.text("name", length_max=100, needed=False)
    form.require()
    asked = MessagesAsked(name, not form.ticked("all"), number, PAGE_SIZE)
    found: Messages = await read(request, messages, asked)
    return page(
        request,
        "centre/messages.html",
        status=status,
        form=form,
        found=found,
        refusal=refusal,
        may_retry=visitor.has(Role.ADMINISTRATOR),
        page_number=number,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


@post("/ops/messages/{message_id:int}/retry", **members(Role.ADMINISTRATOR))
async def send_retry(request: PageRequest, message_id: FromPath[int]) -> Response[Any]:
    """Deliver a message again."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    said = ("已重新排队投递", "It is delivered again at once.")
    try:
        return await act(request, form, retry_message, message_id, to="/ops/messages", said=said)
    except DomainError as error:
        return await _messages(request, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [show_board, show_jobs, show_messages, send_retry]
