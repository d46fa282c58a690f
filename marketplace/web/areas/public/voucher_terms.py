"""How vouchers pay, in public; and help in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.vouchers import queries as vouchers
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A programme with the layers that pay."""

    programme: vouchers.Programme
    layers: list[vouchers.Layer]
    ended: bool
    """Whether its last day to use vouchers is over."""


async def programmes(tx: Tx, number: int) -> vouchers.Listed[Listed]:
    """Programmes that were opened, the newest first. Policy: J.22a"""
    asked = vouchers.ProgrammeSearch(page=vouchers.PageAsked(number, PAGE_SIZE))
    found = await vouchers.programmes(tx, asked)
    rows = [
        Listed(
            each,
            await vouchers.layers(tx, each.id, on=tx.today),
            each.valid_until < tx.today,
        )
        for each in found.rows
    ]
    return vouchers.Listed(rows, found.total)


@get("/vouchers/rules", **anybody())
async def show_rules(request: PageRequest) -> Response[Any]:
    """Each programme: who funds it, which part it pays, its caps, for whom, and the clause."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=500, needed=False) or 1
    form.require()
    return page(
        request,
        "public/rules.html",
        found=await read(request, programmes, number),
        page_number=number,
        page_size=PAGE_SIZE,
    )


@get("/help", **anybody())
async def show_help(request: PageRequest) -> Response[Any]:
    """How it goes, for companies and providers."""
    return page(request, "public/help.html")


routes: list[ControllerRouterHandler] = [show_rules, show_help]
