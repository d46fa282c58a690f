"""Closing the books: a checklist, a proposal, and another person's signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.use_cases import (
    ClosePeriod,
    LedgerName,
    ProposePeriod,
    close_period,
    propose_period,
)
from marketplace.billing.payouts import queries as payouts
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.use_cases import (
    ApproveSignOff,
    DraftSignOff,
    approve_sign_off,
    draft_sign_off,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.roles import CHECKER, FINANCE, MAKER, READERS
from marketplace.web.files import as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

BOOKS = ("voucher", "credit")
HEADS = (
    ("账簿", "Ledger"),
    ("从", "From"),
    ("到", "Until"),
    ("提出", "Proposed by"),
    ("关闭", "Closed by"),
    ("关闭时间", "Closed"),
)


@dataclass(frozen=True, slots=True)
class Close:
    """How the books stand until a day, and the periods that were closed or are proposed."""

    first_on: date
    last_on: date
    balancing: reconciliation.Balancing
    in_transit: int
    sign_offs: list[reconciliation.SignOff]
    periods: list[ledger.Period]
    names: Names


async def closing(tx: Tx, asked: tuple[date | None, date | None]) -> Close:
    """The days asked for, by default from the last sign-off through the end of last month."""
    signed = await reconciliation.sign_offs(tx)
    periods = await ledger.periods(tx)
    last_on = asked[1] or tx.today.replace(day=1) - timedelta(days=1)
    after = max((each.last_on for each in signed), default=None)
    first_on = asked[0] or (after + timedelta(days=1) if after else last_on.replace(day=1))
    question = reconciliation.BalancingAsked(min(first_on, last_on), last_on)
    _, in_transit = await payouts.payouts(tx, payouts.PayoutSearch(status="sent", page_size=1))
    people = [who for each in signed for who in (each.made_by, each.approved_by)]
    people += [who for each in periods for who in (each.made_by, each.approved_by)]
    return Close(
        first_on,
        last_on,
        await reconciliation.balancing(tx, question),
        in_transit,
        signed,
        periods,
        await names(tx, people=people),
    )


@get("/finance/periods", **members(*READERS))
async def show_periods(request: PageRequest) -> Response[Any]:
    """What stands against closing, and what was closed."""
    return await _periods(request, empty(visitor_of(request).speech))


@get("/finance/periods/file", **members(*READERS))
async def show_periods_file(request: PageRequest) -> Response[bytes]:
    """The periods as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, closing, (None, None))
    rows = []
    for each in found.periods:
        book = label("ledger", each.ledger)
        rows.append(
            [
                speech.either(book.chinese, book.english),
                each.first_on.isoformat(),
                each.last_on.isoformat(),
                found.names.people.get(each.made_by, ""),
                found.names.people.get(each.approved_by or 0, ""),
                speech.moment(each.closed_at) if each.closed_at else "",
            ]
        )
    return await as_file(form, "periods", HEADS, rows)


@post("/finance/periods/sign-off", **members(*MAKER))
async def send_sign_off(request: PageRequest) -> Response[Any]:
    """Prepare the sign-off of bank and books for days that have passed."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    first_on, last_on = form.day("first"), form.day("last")
    try:
        form.require()
        assert first_on is not None, "required"
        assert last_on is not None, "required"
        said = ("已提交签核，等待他人复核", "Prepared; somebody else signs it off.")
        command = DraftSignOff(first_on, last_on)
        return await act(request, form, draft_sign_off, command, to="/finance/periods", said=said)
    except DomainError as error:
        return await _periods(request, form, told(error, speech), error.status)


@post("/finance/periods/sign-offs/{sign_off_id:int}/approve", **members(*CHECKER))
async def send_signature(request: PageRequest, sign_off_id: FromPath[int]) -> Response[Any]:
    """Sign off, and close the cash ledger for these days for good."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.sign_off_by_id, sign_off_id)
    form = await typed(request, speech)
    try:
        said = ("已签核，资金账关闭", "Signed off; the cash ledger is closed.")
        command = ApproveSignOff(sign_off_id)
        return await act(request, form, approve_sign_off, command, to="/finance/periods", said=said)
    except DomainError as error:
        return await _periods(request, form, told(error, speech), error.status)


@post("/finance/periods/propose", **members(*MAKER))
async def send_proposal(request: PageRequest) -> Response[Any]:
    """Propose to close days of the voucher or the credit ledger."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    book = form.choice("ledger", BOOKS)
    first_on, last_on = form.day("first"), form.day("last")
    try:
        form.require()
        assert first_on is not None, "required"
        assert last_on is not None, "required"
        said = ("已提出关账，等待他人关闭", "Proposed; somebody else closes it.")
        command = ProposePeriod(LedgerName(book), first_on, last_on)
        return await act(request, form, propose_period, command, to="/finance/periods", said=said)
    except DomainError as error:
        return await _periods(request, form, told(error, speech), error.status)


@post("/finance/periods/{period_id:int}/close", **members(*CHECKER))
async def send_closing(request: PageRequest, period_id: FromPath[int]) -> Response[Any]:
    """Close a period for good, by another person than proposed it."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    try:
        said = ("期间已关闭", "The period is closed.")
        command = ClosePeriod(period_id)
        return await act(request, form, close_period, command, to="/finance/periods", said=said)
    except DomainError as error:
        return await _periods(request, form, told(error, speech), error.status)


async def _periods(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    shown = Typed(request.query_params, visitor.speech)
    days = (shown.day("first", needed=False), shown.day("last", needed=False))
    shown.require()
    return page(
        request,
        "finance/periods.html",
        status=status,
        form=form,
        found=await read(request, closing, days),
        refusal=refusal,
        books=BOOKS,
        may_make=visitor.has(*MAKER),
        may_check=visitor.has(*CHECKER),
        works=visitor.has(*FINANCE),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_periods,
    show_periods_file,
    send_sign_off,
    send_signature,
    send_proposal,
    send_closing,
]
