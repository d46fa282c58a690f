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
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import every
from marketplace.web.words.labels import LABELS

READERS = (Role.VOUCHER_OFFICER, *SEES_EVERYTHING)
PAGE_SIZE = 30
HEADS = (
    ("编号", "No."),
    ("类型", "Kind"),
    ("程度", "Severity"),
    ("说明", "What"),
    ("发现时间", "Found"),
    ("状态", "State"),
    ("理由", "Reason"),
)
OUTCOMES = ("confirmed", "dismissed", "needs_information")


def _search(form: Typed, *, number: int, size: int) -> queries.AnomalySearch:
    search = queries.AnomalySearch(
        kind=form.choice("kind", list(LABELS["anomaly_kind"]), needed=False) or None,
        severity=form.choice("severity", list(LABELS["anomaly_severity"]), needed=False) or None,
        status=form.choice("status", list(AnomalyStatus), needed=False) or None,
        found_from=form.day("from", needed=False),
        found_until=form.day("until", needed=False),
        page=PageAsked(number, size),
    )
    form.require()
    return search


@get("/ops/anomalies", **members(*READERS))
async def show_anomalies(request: PageRequest) -> Response[Any]:
    """What the detectors found, the newest first."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "centre/anomalies.html",
        form=form,
        found=await read(request, queries.anomalies, search),
        page_number=number,
        page_size=PAGE_SIZE,
        states=every(form.speech, "anomaly"),
        kinds=every(form.speech, "anomaly_kind"),
        severities=every(form.speech, "anomaly_severity"),
    )


@get("/ops/anomalies/file", **members(*READERS))
async def get_anomalies_file(request: PageRequest) -> Response[bytes]:
    """The anomalies that the filters leave, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, queries.anomalies, _search(form, number=1, size=ROWS_MAX + 1))

    def name(group: str, value: str) -> str:
        it = label(group, value)
        return speech.either(it.chinese, it.english)

    rows = [
        [
            each.id,
            name("anomaly_kind", each.kind),
            name("anomaly_severity", each.severity),
            speech.said(each.summary),
            speech.moment(each.found_at),
            name("anomaly", each.status),
            each.reason,
        ]
        for each in found.rows
    ]
    return await as_file(form, "anomalies", HEADS, rows)


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


routes: list[ControllerRouterHandler] = [
    show_anomalies,
    get_anomalies_file,
    show_anomaly,
    send_decision,
]
