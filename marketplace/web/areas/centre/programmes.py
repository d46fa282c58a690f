"""Voucher programmes: what they pay, what is left of their budgets."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import read
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers import queries as vouchers
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of

READERS = (Role.VOUCHER_OFFICER, Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
STATES = ("draft", "open", "closed")


@get("/ops/programmes", **members(*READERS))
async def show_programmes(request: PageRequest) -> Response[Any]:
    """Every programme, the newest first."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = vouchers.ProgrammeSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        status=form.choice("status", STATES, needed=False) or None,
        page=vouchers.PageAsked(number, PAGE_SIZE),
    )
    form.require()
    return page(
        request,
        "centre/programmes.html",
        form=form,
        found=await read(request, vouchers.programmes, search),
        page_number=number,
        page_size=PAGE_SIZE,
        states=STATES,
    )


@get("/ops/programmes/{programme_id:int}", **members(*READERS))
async def show_programme(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """One programme: layers with their budgets, terms with their sources."""
    found = await read(request, vouchers.programme_page, programme_id)
    return page(request, "centre/programme.html", found=found)


routes: list[ControllerRouterHandler] = [show_programmes, show_programme]
