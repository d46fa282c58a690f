"""The auditor's path: from a payment back to the budget, and from an order on to the bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import SEES_EVERYTHING
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.audit_paths import (
    AuditPath,
    Trail,
    TrailSearch,
    audit_path,
    trails,
)
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.sme.roles import READERS as READS_ORDERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech

READERS = SEES_EVERYTHING
HERE = "/ops/audit-paths"
PAGE_SIZE = 50
HEADS = (
    ("用券", "Redemption"),
    ("用券日", "Used on"),
    ("企业", "SME"),
    ("服务机构", "Provider"),
    ("订单", "Order"),
    ("券号", "Voucher"),
    ("计划", "Programme"),
    ("金额", "Amount"),
    ("兑付申请", "Claim"),
    ("付款", "Payout"),
    ("银行流水", "Bank line"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The redemptions behind what is known of the money."""

    rows: list[Trail]
    total: int
    names: Names


async def found_trails(tx: Tx, search: TrailSearch) -> Found:
    """The newest first."""
    found = await trails(tx, search)
    smes = [each.sme_id for each in found.rows]
    providers = [each.provider_id for each in found.rows]
    return Found(found.rows, found.total, await names(tx, [*smes, *providers]))


@dataclass(frozen=True, slots=True)
class Way:
    """The whole way of a redemption, and who stands on it."""

    path: AuditPath
    names: Names


async def way(tx: Tx, redemption_id: int) -> Way:
    """Everything between the budget and the bank line, in one statement.

    Raises:
        AuditPathMissing: when there is no such redemption.
    """
    found = await audit_path(tx, redemption_id)
    who = await names(tx, [found.trail.sme_id, found.trail.provider_id], _people(found))
    return Way(found, who)


def _people(found: AuditPath) -> list[int | None]:
    """Who decided what on the way: each step is somebody's."""
    claim = (found.claim or {}).get("claim") or {}
    return [
        found.programme["made_by"],
        found.programme["approved_by"],
        found.application["made_by"],
        found.application["decided_by"],
        *(claim.get(step) for step in ("submitted_by", "audited_by", "approved_by")),
    ]


def _search(form: Typed, page_size: int = PAGE_SIZE) -> TrailSearch:
    def number(name: str) -> int | None:
        return form.whole(name, least=1, most=2**62, needed=False)

    search = TrailSearch(
        statement_line_id=number("line"),
        payout_id=number("payout"),
        claim_id=number("claim"),
        order_id=number("order"),
        grant_id=number("voucher"),
        page=vouchers.PageAsked(
            form.whole("page", least=1, most=10_000, needed=False) or 1, page_size
        ),
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_trails(request: PageRequest) -> Response[Any]:
    """Behind a bank line, a payout, a claim, an order or a voucher: what the money paid for."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search = _search(form)
    return page(
        request,
        "centre/audit_paths.html",
        form=form,
        search=search,
        found=await read(request, found_trails, search),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_trails_file(request: PageRequest) -> Response[bytes]:
    """The same redemptions as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, found_trails, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        sme = found.names.organisations[each.sme_id]
        provider = found.names.organisations[each.provider_id]
        rows.append(
            [
                each.redemption_id,
                each.redeemed_on.isoformat(),
                speech.either(sme.name, sme.name_en),
                speech.either(provider.name, provider.name_en),
                each.order_id,
                each.grant_id,
                each.programme_id,
                yuan(each.amount_fen),
                each.claim_id or "",
                each.payout_id or "",
                each.statement_line_id or "",
            ]
        )
    return await as_file(form, "audit-paths", HEADS, rows)


@get(f"{HERE}/{{redemption_id:int}}", **members(*READERS))
async def show_way(request: PageRequest, redemption_id: FromPath[int]) -> Response[Any]:
    """Budget, application, eligibility, order, usage, contract, invoice, claim, bank line."""
    visitor = visitor_of(request)
    return page(
        request,
        "centre/audit_path.html",
        found=await read(request, way, redemption_id),
        at=lambda text: _moment(visitor.speech, text),
        reads_orders=visitor.has(*READS_ORDERS),
    )


def _moment(speech: Speech, text: str | None) -> str:
    """A moment as the statement tells it, on the reader's clocks."""
    return speech.moment(datetime.fromisoformat(text)) if text else ""


routes: list[ControllerRouterHandler] = [show_trails, get_trails_file, show_way]
