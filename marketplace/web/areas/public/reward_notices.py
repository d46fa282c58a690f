"""Rewards in public notice: who is to be paid how much, and a form to object (公示)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.use_cases import FileObjection, file_objection
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.limits import SIGN_IN
from marketplace.web.acting import act
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 50
PAGES_MAX = 1_000
LINE_HEADS = (
    ("法人单位", "Legal entity"),
    ("服务总额（元）", "Services (CNY)"),
    ("奖励（元）", "Reward (CNY)"),
)


@get("/reward-notices", **anybody())
async def show_notices(request: PageRequest) -> Response[Any]:
    """Every run that is in public notice."""
    found = await read(request, rewards.notices, None, actor=NOBODY)
    return page(request, "public/reward_notices.html", found=found)


@get("/reward-notices/{run_id:int}", **anybody())
async def show_notice(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """The legal entities that a run pays, and a form to object."""
    return await _notice(request, run_id, empty(visitor_of(request).speech))


@get("/reward-notices/{run_id:int}/file", **anybody())
async def get_notice_file(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """What each legal entity is to be paid, as CSV or XLSX."""
    speech = visitor_of(request).speech
    asked = rewards.NoticeAsked(run_id, 1, ROWS_MAX + 1)
    found = await read(request, rewards.notice_page, asked, actor=NOBODY)
    rows = [
        (
            speech.either(line.name, line.name_en),
            line.service_total_fen / 100,
            line.amount_fen / 100,
        )
        for line in found.lines
    ]
    form = Typed(request.query_params, speech)
    return await as_file(form, f"reward-notice-{run_id}", LINE_HEADS, rows)


@post("/reward-notices/{run_id:int}/objections", rate_limit=SIGN_IN, **anybody())
async def send_objection(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """Anybody objects, with a name and where to be reached."""
    speech = visitor_of(request).speech
    await read(request, rewards.notice_page, rewards.NoticeAsked(run_id), actor=NOBODY)
    form = await typed(request, speech)
    name = form.text("name", length_max=100)
    contact = form.text("contact", length_max=100)
    statement = form.text("statement", length_max=2_000)
    try:
        form.require()
        return await act(
            request,
            form,
            file_objection,
            FileObjection(run_id, name, contact, statement),
            to=f"/reward-notices/{run_id}",
            said=("异议已受理", "Your objection is taken."),
        )
    except DomainError as error:
        return await _notice(request, run_id, form, told(error, speech), error.status)


async def _notice(
    request: PageRequest, run_id: int, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    filters = Typed(request.query_params, visitor_of(request).speech)
    number = filters.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    filters.require()
    asked = rewards.NoticeAsked(run_id, number, PAGE_SIZE)
    return page(
        request,
        "public/reward_notice.html",
        status=status,
        form=form,
        asked=asked,
        found=await read(request, rewards.notice_page, asked, actor=NOBODY),
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_notices, show_notice, get_notice_file, send_objection]
