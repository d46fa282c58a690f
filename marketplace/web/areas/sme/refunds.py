"""Unspent money of the wallet, taken back to the company's verified account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.errors import RefundMissing
from marketplace.billing.payouts.use_cases import (
    AskRefund,
    DecideRefund,
    ask_refund,
    withdraw_refund,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 25
HERE = "/account/refunds"
ASKS = (Role.SME_ADMINISTRATOR,)


@dataclass(frozen=True, slots=True)
class OwnRefunds:
    """What can be taken back, where it would go, and what was asked for."""

    available_fen: int
    bank_account: payouts.BankAccount | None
    rows: list[payouts.WalletRefund]
    total: int


async def own_refunds(tx: Tx, page: int) -> OwnRefunds:
    """The refunds of one's own company, the newest first."""
    mine = tx.actor.organisation_id
    name = ledger.AccountName(ledger.AccountType.WALLET, mine)
    wallet = await ledger.account_id(tx, name)
    accounts = await payouts.bank_accounts(tx, mine)
    rows, total = await payouts.wallet_refunds(
        tx, payouts.RefundSearch(organisation_id=mine, page=page, page_size=PAGE_SIZE)
    )
    return OwnRefunds(
        (await ledger.balance(tx, wallet)).available_fen if wallet else 0,
        next((one for one in accounts if one.verified_at and not one.closed_at), None),
        rows,
        total,
    )


async def own_refund(tx: Tx, refund_id: int) -> payouts.WalletRefund:
    """A refund of one's own company.

    Raises:
        RefundMissing: for any other.
    """
    found = await payouts.wallet_refund_by_id(tx, refund_id)
    if found.organisation_id != tx.actor.organisation_id:
        raise RefundMissing()
    return found


@get(HERE, **members(*ASKS))
async def show_own_refunds(request: PageRequest) -> Response[Any]:
    """What was asked for and what became of it."""
    return await _refunds(request, empty(visitor_of(request).speech))


@post(HERE, **members(*ASKS))
async def send_refund(request: PageRequest) -> Response[Any]:
    """Ask for unspent money back; it is held until somebody at the centre decides."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    amount = form.amount("amount")
    reason = form.text("reason", length_max=400)
    if amount == 0:
        form.wrong("amount", "请填写大于零的金额", "More than zero, please")
    try:
        form.require()
        assert amount is not None, "required"
        said = ("已申请，等待中心审核", "Asked for; the centre decides.")
        return await act(request, form, ask_refund, AskRefund(amount, reason), to=HERE, said=said)
    except DomainError as error:
        return await _refunds(request, form, told(error, speech), error.status)


@post("/account/refunds/{refund_id:int}/withdraw", **members(*ASKS))
async def send_refund_withdrawal(request: PageRequest, refund_id: FromPath[int]) -> Response[Any]:
    """Give a refund up while nobody has decided."""
    speech = visitor_of(request).speech
    await read(request, own_refund, refund_id)
    form = await typed(request, speech)
    try:
        command = DecideRefund(refund_id, speech.t("企业撤回", "Given up by the company"))
        said = ("已撤回，余额解冻", "Given up; the money may be spent again.")
        return await act(request, form, withdraw_refund, command, to=HERE, said=said)
    except DomainError as error:
        return await _refunds(request, form, told(error, speech), error.status)


async def _refunds(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    shown = Typed(request.query_params, visitor_of(request).speech)
    number = shown.whole("page", least=1, most=1_000_000, needed=False) or 1
    shown.require()
    return page(
        request,
        "sme/refunds.html",
        status=status,
        form=form,
        found=await read(request, own_refunds, number),
        number=number,
        page_size=PAGE_SIZE,
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_own_refunds, send_refund, send_refund_withdrawal]
