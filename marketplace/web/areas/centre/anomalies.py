"""Anomalies: the queue, one anomaly with its evidence, and a person's decision."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers.queries import PageAsked
from marketplace.vouchers.queries import anomalies as queries
from marketplace.vouchers.use_cases import AnomalyStatus
from marketplace.vouchers.use_cases.anomalies import DecideAnomaly, decide_anomaly
from marketplace.web.acting import act
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

READERS = (Role.VOUCHER_OFFICER, *SEES_EVERYTHING)
PAGE_SIZE = 30
OUTCOMES = ("confirmed", "dismissed", "needs_information")


@get("/ops/anomalies", **members(*READERS))
async def show_anomalies(request: PageRequest) -> Response[Any]:
    """What the detectors found, the newest first."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = queries.AnomalySearch(
        status=form.choice("status", list(AnomalyStatus), needed=False) or None,
        found_from=form.day("from", needed=False),
        found_until=form.day("until", needed=False),
        page=PageAsked(number, PAGE_SIZE),
    )
    form.require()
    return page(
        request,
        "centre/anomalies.html",
        form=form,
        found=await read(request, queries.anomalies, search),
        page_number=number,
        page_size=PAGE_SIZE,
        states=list(AnomalyStatus),
    )


@get("/ops/anomalies/{anomaly_id:int}", **members(*READERS))
async def show_anomaly(request: PageRequest, anomaly_id: FromPath[int]) -> Response[Any]:
    """One anomaly with everything that speaks for and against it."""
    return await _shown(
        request, anomaly_id, Typed(request.query_params, visitor_of(request).speech)
    )


@post("/ops/anomalies/{anomaly_id:int}/decide", **members(Role.VOUCHER_OFFICER))
async def send_decision(request: PageRequest, anomaly_id: FromPath[int]) -> Response[Any]:
    """Confirm it, dismiss it, or ask for more, with the reason."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, queries.anomaly_page, anomaly_id)
    outcome = form.choice("outcome", OUTCOMES)
    reason = form.text("reason", length_max=2_000)
    try:
        form.require()
        command = DecideAnomaly(anomaly_id, AnomalyStatus(outcome), reason)
        said = ("决定已记录", "Your decision is recorded.")
        address = f"/ops/anomalies/{anomaly_id}"
        return await act(request, form, decide_anomaly, command, to=address, said=said)
    except DomainError as error:
        return await _shown(request, anomaly_id, form, told(error, speech), error.status)


async def _shown(
    request: PageRequest,
    anomaly_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "centre/anomaly.html",
        status=status,
        found=await read(request, queries.anomaly_page, anomaly_id),
        form=form,
        refusal=refusal,
        may_decide=visitor_of(request).has(Role.VOUCHER_OFFICER),
        outcomes=OUTCOMES,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_anomalies, show_anomaly, send_decision]
