"""Refunds of wallets: companies ask for unspent money, a second person at the centre decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.use_cases import DecideRefund, approve_refund, refuse_refund
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, READERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
STATUSES = ("asked", "approved", "refused", "withdrawn")
HEADS = (
    ("编号", "Number"),
    ("企业", "Company"),
    ("金额", "Amount"),
    ("理由", "Reason"),
    ("状态", "State"),
    ("申请人", "Asked by"),
    ("申请时间", "Asked"),
    ("决定人", "Decided by"),
    ("决定时间", "Decided"),
    ("决定理由", "Because"),
    ("付款", "Payout"),
)
Decide = Callable[[Tx, DecideRefund], Awaitable[payouts.WalletRefund]]


@dataclass(frozen=True, slots=True)
class RefundList:
    """A page of refunds with the names behind them."""

    rows: list[payouts.WalletRefund]
    total: int
    names: Names


async def refund_list(tx: Tx, search: payouts.RefundSearch) -> RefundList:
    """The newest first."""
    rows, total = await payouts.wallet_refunds(tx, search)
    people = [who for each in rows for who in (each.asked_by, each.decided_by)]
    who = await names(tx, [each.organisation_id for each in rows], people)
    return RefundList(rows, total, who)


def _search(form: Typed, page_size: int = PAGE_SIZE) -> payouts.RefundSearch:
    search = payouts.RefundSearch(
        organisation_id=form.whole("organisation", least=1, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/refunds", **members(*READERS))
async def show_refunds(request: PageRequest) -> Response[Any]:
    """What companies want back, and what became of it."""
    return await _refunds(request, empty(visitor_of(request).speech))


@get("/finance/refunds/file", **members(*READERS))
async def show_refunds_file(request: PageRequest) -> Response[bytes]:
    """The same refunds as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    found = await read(request, refund_list, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        company, state = (
            found.names.organisations[each.organisation_id],
            label("refund", each.status),
        )
        rows.append(
            [
                each.id,
                speech.either(company.name, company.name_en),
                yuan(each.amount_fen),
                each.reason,
                speech.either(state.chinese, state.english),
                found.names.people.get(each.asked_by, ""),
                speech.moment(each.asked_at),
                found.names.people.get(each.decided_by or 0, ""),
                speech.moment(each.decided_at) if each.decided_at else "",
                each.decided_because or "",
                each.payout_id or "",
            ]
        )
    return await as_file(form, "wallet-refunds", HEADS, rows)


@post("/finance/refunds/{refund_id:int}/approve", **members(*CHECKER))
async def send_refund_approval(request: PageRequest, refund_id: FromPath[int]) -> Response[Any]:
    """The money leaves the wallet and waits for the next batch."""
    said = ("已同意，等待入批次付款", "Agreed; it waits for the next batch.")
    return await _decide(request, refund_id, approve_refund, said)


@post("/finance/refunds/{refund_id:int}/refuse", **members(*CHECKER))
async def send_refund_refusal(request: PageRequest, refund_id: FromPath[int]) -> Response[Any]:
    """The money may be spent again."""
    said = ("已退回申请，余额解冻", "Refused; the money may be spent again.")
    return await _decide(request, refund_id, refuse_refund, said)


async def _decide(
    request: PageRequest, refund_id: int, use_case: Decide, said: tuple[str, str]
) -> Response[Any]:
    speech = visitor_of(request).speech
    await read(request, payouts.wallet_refund_by_id, refund_id)
    form = await typed(request, speech)
    because = form.text("because", length_max=400)
    try:
        form.require()
        command = DecideRefund(refund_id, because)
        return await act(request, form, use_case, command, to="/finance/refunds", said=said)
    except DomainError as error:
        return await _refunds(request, form, told(error, speech), error.status)


async def _refunds(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/refunds.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, refund_list, search),
        statuses=STATUSES,
        refusal=refusal,
        may_check=visitor.has(*CHECKER),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_refunds,
    show_refunds_file,
    send_refund_approval,
    send_refund_refusal,
]
