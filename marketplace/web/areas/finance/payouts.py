"""Payouts: what is instructed, in which batch it goes to the bank, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.use_cases import (
    InstructAgain,
    InstructSettlements,
    RejectPayout,
    SettlementsInstructed,
    VerifyBankAccount,
    instruct_again,
    instruct_settlements,
    reject_payout,
    verify_bank_account,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.breakdown import breakdown
from marketplace.web.areas.finance.names import Names, names, owner
from marketplace.web.areas.finance.roles import CHECKER, MAKER, READERS, READS_ENTRIES
from marketplace.web.areas.finance.sources import source_page
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
PAGES_MAX = 1_000_000
STATUSES = ("instructed", "batched", "sent", "confirmed", "returned", "withdrawn")
KINDS = ("claim", "reward", "settlement", "refund")
HEADS = (
    ("编号", "Number"),
    ("收款单位", "Payee"),
    ("事由", "For"),
    ("事由编号", "Its number"),
    ("金额", "Amount"),
    ("状态", "State"),
    ("付款参考号", "Reference"),
    ("批次", "Batch"),
    ("指令时间", "Instructed"),
    ("到账日", "Paid on"),
)


@dataclass(frozen=True, slots=True)
class PayoutList:
    """A page of payouts with the payees' names, and the accounts that wait to be verified."""

    rows: list[payouts.Payout]
    total: int
    unverified: list[payouts.BankAccount]
    names: Names


async def payout_list(tx: Tx, search: payouts.PayoutSearch) -> PayoutList:
    """The newest first."""
    rows, total = await payouts.payouts(tx, search)
    waiting = await payouts.bank_accounts(tx, None)
    about = [*(each.organisation_id for each in rows), *(each.organisation_id for each in waiting)]
    return PayoutList(rows, total, waiting, await names(tx, about))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> payouts.PayoutSearch:
    search = payouts.PayoutSearch(
        organisation_id=form.whole("organisation", least=1, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        source_kind=form.choice("kind", KINDS, needed=False) or None,
        batch_id=form.whole("batch", least=1, needed=False),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/payouts", **members(*READERS))
async def show_payouts(request: PageRequest) -> Response[Any]:
    """What is to be paid, is on its way, was paid or came back."""
    return await _payouts(request, empty(visitor_of(request).speech))


@get("/finance/payouts/file", **members(*READERS))
async def show_payouts_file(request: PageRequest) -> Response[bytes]:
    """The same payouts as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, payout_list, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        payee = found.names.organisations[each.organisation_id]
        kind, status = label("source", each.source_kind), label("payout", each.status)
        rows.append(
            [
                each.id,
                speech.either(payee.name, payee.name_en),
                speech.either(kind.chinese, kind.english),
                each.source_id,
                yuan(each.amount_fen),
                speech.either(status.chinese, status.english),
                each.end_to_end_id,
                each.batch_id or "",
                speech.moment(each.instructed_at),
                each.confirmed_on.isoformat() if each.confirmed_on else "",
            ]
        )
    return await as_file(form, "payouts", HEADS, rows)


@post("/finance/payouts/settle", **members(*MAKER))
async def send_settlements(request: PageRequest) -> Response[Any]:
    """One payout for each provider with a balance."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    least = form.amount("minimum", needed=False)
    try:
        form.require()
        command = InstructSettlements(minimum_fen=max(least or 1, 1))

        def onwards(made: SettlementsInstructed) -> str:
            return "/finance/payouts?status=instructed&kind=settlement"

        said = ("已生成结算付款", "Settlements are instructed.")
        return await act(request, form, instruct_settlements, command, to=onwards, said=said)
    except DomainError as error:
        return await _payouts(request, form, told(error, speech), error.status)


@post("/finance/bank-accounts/{account_id:int}/verify", **members(*CHECKER))
async def send_verification(request: PageRequest, account_id: FromPath[int]) -> Response[Any]:
    """Money may go to this account from now on."""
    speech = visitor_of(request).speech
    await read(request, payouts.bank_account_by_id, account_id)
    form = await typed(request, speech)
    try:
        said = ("收款账户已核实", "The account is verified.")
        command = VerifyBankAccount(account_id)
        return await act(
            request, form, verify_bank_account, command, to="/finance/payouts", said=said
        )
    except DomainError as error:
        return await _payouts(request, form, told(error, speech), error.status)


async def _payouts(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/payouts.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, payout_list, search),
        refusal=refusal,
        statuses=STATUSES,
        kinds=KINDS,
        source_page=source_page,
        may_make=visitor.has(*MAKER),
        may_check=visitor.has(*CHECKER),
        key=new_key(),
    )


@get("/finance/payouts/{payout_id:int}", **members(*READERS))
async def show_payout(request: PageRequest, payout_id: FromPath[int]) -> Response[Any]:
    """What a payout is made of, down to orders, rules and entries."""
    return await _payout(request, payout_id, empty(visitor_of(request).speech))


@post("/finance/payouts/{payout_id:int}/again", **members(*MAKER))
async def send_again(request: PageRequest, payout_id: FromPath[int]) -> Response[Any]:
    """Pay once more what the bank returned."""
    speech = visitor_of(request).speech
    await read(request, payouts.payout_by_id, payout_id)
    form = await typed(request, speech)
    try:
        said = ("已重新指令，等待入批次", "Instructed again; it waits for a batch.")
        here = f"/finance/payouts/{payout_id}"
        return await act(
            request, form, instruct_again, InstructAgain(payout_id), to=here, said=said
        )
    except DomainError as error:
        return await _payout(request, payout_id, form, told(error, speech), error.status)


@post("/finance/payouts/{payout_id:int}/reject", **members(*CHECKER))
async def send_rejection(request: PageRequest, payout_id: FromPath[int]) -> Response[Any]:
    """The bank refused a payment: nothing left the account, and it is owed again."""
    speech = visitor_of(request).speech
    await read(request, payouts.payout_by_id, payout_id)
    form = await typed(request, speech)
    reason = form.text("reason", length_max=200)
    try:
        form.require()
        command = RejectPayout(payout_id=payout_id, reason=reason)
        said = ("已记录银行拒付", "The refusal is recorded.")
        here = f"/finance/payouts/{payout_id}"
        return await act(request, form, reject_payout, command, to=here, said=said)
    except DomainError as error:
        return await _payout(request, payout_id, form, told(error, speech), error.status)


async def _payout(
    request: PageRequest,
    payout_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    reads_entries = visitor.has(*READS_ENTRIES)
    return page(
        request,
        "finance/payout.html",
        status=status,
        found=await read(request, breakdown, payout_id),
        form=form,
        refusal=refusal,
        source_page=source_page,
        owner=owner,
        reads_entries=reads_entries,
        may_make=visitor.has(*MAKER),
        may_check=visitor.has(*CHECKER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_payouts,
    show_payouts_file,
    send_settlements,
    send_verification,
    show_payout,
    send_again,
    send_rejection,
]
