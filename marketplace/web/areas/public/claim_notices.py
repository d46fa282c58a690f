"""Voucher claims in public notice: who is to be paid how much, and a form to object (公示)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.limits import SIGN_IN
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.objections import notice_page
from marketplace.vouchers.use_cases import FileObjection, file_objection
from marketplace.web.acting import act
from marketplace.web.files import as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Told, told

HERE = "/claim-notices"
PAGE_SIZE = 50
PAGES_MAX = 1_000
LINE_HEADS = (
    ("用券", "Redemption"),
    ("用券日", "Used on"),
    ("申请（元）", "Claimed (CNY)"),
    ("核准（元）", "Approved (CNY)"),
    ("抽中", "Drawn for the spot check"),
)


def _page_of(request: PageRequest) -> int:
    filters = Typed(request.query_params, visitor_of(request).speech)
    number = filters.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    filters.require()
    return number


@get(HERE, **anybody())
async def show_claim_notices(request: PageRequest) -> Response[Any]:
    """Every claim that is in public notice."""
    asked = vouchers.PageAsked(_page_of(request), PAGE_SIZE)
    found = await read(request, vouchers.claim_notices, asked, actor=NOBODY)
    return page(request, "public/claim_notices.html", found=found, asked=asked)


@get(f"{HERE}/{{claim_id:int}}", **anybody())
async def show_claim_notice(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """The lines of a claim, the seed of its spot check, and a form to object."""
    return await _notice(request, claim_id, empty(visitor_of(request).speech))


@get(f"{HERE}/{{claim_id:int}}/file", **anybody())
async def get_claim_notice_file(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """The lines of a claim as CSV or XLSX: enough to repeat the draw."""
    speech = visitor_of(request).speech
    found = await read(request, notice_page, claim_id, actor=NOBODY)
    rows = [
        (
            line.redemption_id,
            line.redeemed_on,
            line.claimed_fen / 100,
            line.approved_fen / 100,
            speech.t("是", "yes") if line.drawn else "",
        )
        for line in found.lines
    ]
    form = Typed(request.query_params, speech)
    return await as_file(form, f"claim-notice-{claim_id}", LINE_HEADS, rows)


@post(f"{HERE}/{{claim_id:int}}/objections", rate_limit=SIGN_IN, **anybody())
async def send_claim_objection(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Anybody objects, with a name and where to be reached."""
    speech = visitor_of(request).speech
    await read(request, notice_page, claim_id, actor=NOBODY)
    form = await typed(request, speech)
    command = FileObjection(
        claim_id,
        form.whole("redemption", least=1, most=2**62, needed=False),
        form.text("name", length_max=100),
        form.text("contact", length_max=100),
        form.text("statement", length_max=2_000),
    )
    try:
        form.require()
        said = ("异议已受理", "Your objection is taken.")
        to = f"{HERE}/{claim_id}"
        return await act(request, form, file_objection, command, to=to, said=said)
    except DomainError as error:
        return await _notice(request, claim_id, form, told(error, speech), error.status)


async def _notice(
    request: PageRequest, claim_id: int, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    number = _page_of(request)
    found = await read(request, notice_page, claim_id, actor=NOBODY)
    first = (number - 1) * PAGE_SIZE
    return page(
        request,
        "public/claim_notice.html",
        status=status,
        found=found,
        lines=found.lines[first : first + PAGE_SIZE],
        form=form,
        refusal=refusal,
        page_number=number,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_claim_notices,
    show_claim_notice,
    get_claim_notice_file,
    send_claim_objection,
]
