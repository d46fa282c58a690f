"""Which months are closed, and which periods of which ledger two persons closed or are asked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries.closing import period_by_id
from marketplace.billing.ledger.use_cases import ClosePeriod, LedgerName
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.use_cases import ApproveSignOff, approve_sign_off
from marketplace.closing.queries import months as closing
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.months import close_checked_period
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.roles import CHECKER, READERS, READS_ENTRIES
from marketplace.web.files import as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

HEADS = (
    ("账簿", "Ledger"),
    ("从", "From"),
    ("到", "Until"),
    ("提出", "Proposed by"),
    ("关闭", "Closed by"),
    ("关闭时间", "Closed"),
)


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month that is over: `open`, `draft`, `signed`, or `reopened` since it was signed."""

    month: Month
    state: str
    signed: closing.SignOff | None


@dataclass(frozen=True, slots=True)
class Close:
    """A year's months, and every period that was closed or is proposed."""

    year: int
    years: Sequence[int]
    months: list[MonthRow]
    balancing: reconciliation.Balancing
    sign_offs: list[reconciliation.SignOff]
    periods: list[ledger.Period]
    names: Names


async def close(tx: Tx, asked: int | None) -> Close:
    """The months of the year asked for, by default the year of the last month that is over."""
    this = tx.today.year if tx.today.month > 1 else tx.today.year - 1
    year = asked or this
    periods = await ledger.periods(tx)
    signed, _ = await closing.sign_offs(tx, closing.SignOffSearch(year=year, page_size=200))
    cash = await reconciliation.sign_offs(tx)
    months = [Month(year, number) for number in range(12, 0, -1)]
    people = [who for each in signed for who in (each.made_by, each.approved_by)]
    people += [who for each in periods for who in (each.made_by, each.approved_by)]
    first = min((each.first_on.year for each in periods), default=this)
    return Close(
        year,
        range(this, min(first, this - 2) - 1, -1),
        [_row(each, signed, periods) for each in months if each.last_on < tx.today],
        await reconciliation.balancing(tx, reconciliation.BalancingAsked()),
        cash,
        periods,
        await names(tx, people=people),
    )


def _row(
    month: Month, signed: Sequence[closing.SignOff], periods: Sequence[ledger.Period]
) -> MonthRow:
    """How a month stands; its latest sign-off comes first."""
    last = next((each for each in signed if each.first_on == month.first_on), None)
    closed = {
        each.ledger
        for each in periods
        if each.closed_at and (each.first_on, each.last_on) == (month.first_on, month.last_on)
    }
    if len(closed) == len(LedgerName):
        return MonthRow(month, "signed", last)
    if last is None:
        return MonthRow(month, "open", None)
    return MonthRow(month, "draft" if last.status == "draft" else "reopened", last)


@get("/finance/periods", **members(*READERS))
async def show_periods(request: PageRequest) -> Response[Any]:
    """The months with how far each is, and the periods of each ledger."""
    return await _periods(request)


@get("/finance/periods/file", **members(*READERS))
async def show_periods_file(request: PageRequest) -> Response[bytes]:
    """The periods as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, close, None)
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
        return await _periods(request, told(error, speech), error.status)


@post("/finance/periods/{period_id:int}/close", **members(*CHECKER))
async def send_closing(request: PageRequest, period_id: FromPath[int]) -> Response[Any]:
    """Close a period by the checklist of a month, by another person than proposed it."""
    speech = visitor_of(request).speech
    await read(request, period_by_id, period_id)
    form = await typed(request, speech)
    try:
        said = ("期间已关闭", "The period is closed.")
        command = ClosePeriod(period_id)
        return await act(
            request, form, close_checked_period, command, to="/finance/periods", said=said
        )
    except DomainError as error:
        return await _periods(request, told(error, speech), error.status)


async def _periods(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    shown = Typed(request.query_params, visitor.speech)
    year = shown.whole("year", least=2000, most=2100, needed=False)
    shown.require()
    return page(
        request,
        "finance/periods.html",
        status=status,
        found=await read(request, close, year),
        refusal=refusal,
        may_check=visitor.has(*CHECKER),
        reads_entries=visitor.has(*READS_ENTRIES),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_periods,
    show_periods_file,
    send_signature,
    send_closing,
]
