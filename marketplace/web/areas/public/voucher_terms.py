"""How vouchers pay, in public; and help in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.use_cases import UNLIMITED_FEN
from marketplace.web.areas.centre.terms import in_order, term_name, told_value
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Speech, label

PAGE_SIZE = 20
# Programmes are few; their layers are looked up one by one.
FILE_MAX = 200
# Values that change nothing: no steps are one of the whole ratio.
NOTHING: tuple[Any, ...] = (None, [], {}, False, [{"ratio_basis_points": 10_000}])
# What the table of a programme tells in rows of its own.
TOLD = frozenset(
    {
        "layers",
        "cap_per_order_fen",
        "cap_per_sme_year_fen",
        "staff_max",
        "sales_max_fen",
        "assets_max_fen",
        "minimum_order_fen",
        "notice_working_days",
    }
)
HEADS = (
    ("计划", "Programme"),
    ("申请开始", "Apply from"),
    ("申请截止", "Apply until"),
    ("使用至", "Usable until"),
    ("出资方", "Funder"),
    ("抵扣比例（%）", "Pays (%)"),
    ("每单上限（元）", "At most for an order (CNY)"),
    ("每家企业每年上限（元）", "At most for an SME and year (CNY)"),
    ("职工上限（人）", "Staff, at most"),
    ("销售上限（元）", "Sales, at most (CNY)"),
    ("资产上限（元）", "Assets, at most (CNY)"),
    ("公示（工作日）", "Public notice (working days)"),
    ("依据", "Source"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A programme with the layers that pay."""

    programme: vouchers.Programme
    layers: list[vouchers.Layer]
    ended: bool
    """Whether its last day to use vouchers is over."""


async def programmes(tx: Tx, page: vouchers.PageAsked) -> vouchers.Listed[Listed]:
    """Programmes that were opened, the newest first. Policy: J.22a"""
    asked = vouchers.ProgrammeSearch(page=page)
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
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    number = form.whole("page", least=1, most=500, needed=False) or 1
    form.require()
    return page(
        request,
        "public/rules.html",
        found=await read(request, programmes, vouchers.PageAsked(number, PAGE_SIZE)),
        unlimited_fen=UNLIMITED_FEN,
        further=lambda of: _further(speech, of),
        page_number=number,
        page_size=PAGE_SIZE,
    )


def _further(speech: Speech, of: vouchers.Programme) -> list[tuple[str, str, str]]:
    """The terms that the table does not have in rows of its own, in words, with their sources."""
    return [
        (term_name(speech, name), told_value(speech, name, given["value"]), given["source"])
        for name in in_order(of.terms)
        if name not in TOLD and (given := of.terms[name])["value"] not in NOTHING
    ]


def _yuan(amount_fen: int) -> float | str:
    """An amount in a file; empty where nothing limits it."""
    return "" if amount_fen == UNLIMITED_FEN else amount_fen / 100


@get("/vouchers/rules/file", **anybody())
async def get_rules_file(request: PageRequest) -> Response[Any]:
    """The same programmes as CSV or XLSX, a line for each funder."""
    speech = visitor_of(request).speech
    found = await read(request, programmes, vouchers.PageAsked(1, FILE_MAX))
    rows = [
        (
            speech.either(each.programme.name, each.programme.name_en),
            each.programme.opens_on,
            each.programme.closes_on,
            each.programme.valid_until,
            speech.either((funder := label("funder", layer.funder)).chinese, funder.english),
            layer.ratio_basis_points / 100,
            _yuan(terms.cap_per_order_fen),
            _yuan(terms.cap_per_sme_year_fen),
            terms.staff_max,
            terms.sales_max_fen / 100,
            terms.assets_max_fen / 100,
            terms.notice_working_days,
            terms.sources.get("layers") or each.programme.source,
        )
        for each in found.rows
        for terms in (each.programme.agreed,)
        for layer in each.layers
    ]
    return await as_file(Typed(request.query_params, speech), "voucher-rules", HEADS, rows)


@get("/help", **anybody())
async def show_help(request: PageRequest) -> Response[Any]:
    """How it goes, for companies and providers."""
    return page(request, "public/help.html")


routes: list[ControllerRouterHandler] = [show_rules, get_rules_file, show_help]
