"""A company's money: the wallet and what moved, charges and invoices, credit that is owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries as credit
from marketplace.billing.credit.use_cases import PayCredit, pay_credit
from marketplace.billing.invoicing import queries as invoicing
from marketplace.billing.invoicing.statements import statement_of
from marketplace.billing.ledger import queries as ledger
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.sme.order_papers import download, language_of
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

HOLDERS = (Role.BUYER, Role.SME_ADMINISTRATOR)
PAGE_SIZE = 25
STATEMENT_LINES_MAX = 2_000
INVOICES_SHOWN = 20
HEADS = (
    ("日期", "Day"),
    ("内容", "What"),
    ("来源", "From"),
    ("金额（元）", "Amount (CNY)"),
    ("余额（元）", "Balance (CNY)"),
)
CHARGE_HEADS = (
    ("日期", "Day"),
    ("订单", "Order"),
    ("服务金额（元）", "Service (CNY)"),
    ("创新券（元）", "Vouchers (CNY)"),
    ("自付（元）", "Own part (CNY)"),
    ("发票", "Invoice"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of the wallet, and which days of charges."""

    first: date
    last: date
    page: int = 1
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Money:
    """Everything that the page of a company's money shows."""

    organisation: parties.Organisation
    balance: ledger.Balance
    lines: list[ledger.StatementLine]
    total: int
    account: invoicing.Account
    invoices: invoicing.InvoicePage
    lines_used: list[credit.LineInUse]
    owed: credit.ReceivablePage
    names: dict[int, parties.Organisation]
    today: date

    @property
    def reference(self) -> str:
        """What to write on a transfer so that it reaches this wallet."""
        return f"SC-W-{self.organisation.id}"


async def wallet_balance(tx: Tx, organisation_id: int) -> ledger.Balance:
    """What lies in a wallet; nothing where none was opened."""
    number = await _wallet(tx, organisation_id)
    return ledger.Balance(0, 0, 0) if number is None else await ledger.balance(tx, number)


async def _wallet(tx: Tx, organisation_id: int) -> int | None:
    name = ledger.AccountName(ledger.AccountType.WALLET, organisation_id)
    return await ledger.account_id(tx, name)


async def money(tx: Tx, asked: Asked) -> Money:
    """The wallet of the actor's organisation, its charges of some days, and what it owes."""
    mine = tx.actor.organisation_id
    wallet = await _wallet(tx, mine)
    lines: list[ledger.StatementLine] = []
    total = 0
    if wallet is not None:
        lines, total = await ledger.statement(
            tx,
            ledger.AccountStatement(account_id=wallet, page=asked.page, page_size=asked.page_size),
        )
    charges = invoicing.AccountAsked(asked.first, asked.last, page_size=STATEMENT_LINES_MAX)
    account = await invoicing.account_of(tx, charges)
    used = await credit.credit_lines(tx, credit.LineSearch(page_size=100))
    owed = await credit.receivables(tx, credit.ReceivableSearch(open=True, page_size=100))
    ids = {mine} | {each.line.provider_id for each in used.rows}
    ids |= {each.provider_id for each in account.lines}
    ids |= {each.provider_id for each in owed.rows}
    names = await parties.organisations(tx, ids)
    search = invoicing.InvoiceSearch(page_size=INVOICES_SHOWN)
    return Money(
        organisation=names[mine],
        balance=await wallet_balance(tx, mine),
        lines=lines,
        total=total,
        account=account,
        invoices=await invoicing.invoices(tx, search),
        lines_used=[each for each in used.rows if each.line.buyer_id == mine],
        owed=owed,
        names=names,
        today=tx.today,
    )


async def _today(tx: Tx, _: None) -> date:
    return tx.today


async def _asked(request: PageRequest) -> tuple[Typed, Asked]:
    form = Typed(request.query_params, visitor_of(request).speech)
    first, last = form.day("from", needed=False), form.day("until", needed=False)
    number = form.whole("page", least=1, most=100_000, needed=False) or 1
    form.require()
    today = await read(request, _today, None)
    last = last or today
    first = min(first or last.replace(month=1, day=1), last)
    return form, Asked(first, last, number)


@get("/account", **members(*HOLDERS))
async def show_account(request: PageRequest) -> Response[Any]:
    """The wallet, charges of a period with their invoices, and credit that is owed."""
    _, asked = await _asked(request)
    return await _page(request, asked, None, 200)


async def _page(
    request: PageRequest, asked: Asked, refusal: Told | None, status: int
) -> Response[Any]:
    speech = visitor_of(request).speech
    days = {"from": asked.first.isoformat(), "until": asked.last.isoformat()}
    return page(
        request,
        "sme/account.html",
        status=status,
        money=await read(request, money, asked),
        asked=asked,
        form=empty(speech, **days),
        refusal=refusal,
        key=new_key(),
        month=timedelta(days=30),
    )


@get("/account/file", **members(*HOLDERS))
async def get_wallet_file(request: PageRequest) -> Response[Any]:
    """Every movement of the wallet as CSV or XLSX."""
    form, asked = await _asked(request)
    found = await read(request, money, Asked(asked.first, asked.last, 1, ROWS_MAX + 1))
    rows = [
        (
            each.effective_on.isoformat(),
            each.kind,
            f"{each.source_kind} {each.source_id}",
            each.amount_fen / 100,
            None if each.balance_after_fen is None else each.balance_after_fen / 100,
        )
        for each in found.lines
    ]
    return await as_file(form, "wallet", HEADS, rows)


@get("/account/charges/file", **members(*HOLDERS))
async def get_charges_file(request: PageRequest) -> Response[Any]:
    """The charges of the period as CSV or XLSX."""
    form, asked = await _asked(request)
    found = await read(request, money, asked)
    rows = [
        (
            each.settled_on.isoformat(),
            each.order_id,
            each.service_value_fen / 100,
            each.voucher_fen / 100,
            each.own_fen / 100,
            each.invoice_number or "",
        )
        for each in found.account.lines
    ]
    return await as_file(form, "charges", CHARGE_HEADS, rows)


@get("/account/statement.pdf", **members(*HOLDERS))
async def get_statement(request: PageRequest) -> Response[bytes]:
    """The statement of account of the period, to print and to file."""
    _, asked = await _asked(request)
    question = invoicing.AccountAsked(asked.first, asked.last, page_size=STATEMENT_LINES_MAX)
    content = await read(request, statement_of, (question, language_of(request)))
    return download(content, f"statement-{asked.first}-{asked.last}.pdf", "application/pdf")


@post("/account/credit/{line_id:int}/pay", **members(*HOLDERS))
async def send_payment(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """Pay what is owed on account out of the wallet; without an amount, all of it."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, credit.credit_line_by_id, line_id)
    command = PayCredit(line_id, form.amount("amount", needed=False))
    said = ("已从钱包还款", "Paid out of your wallet.")
    try:
        form.require()
        return await act(request, form, pay_credit, command, to="/account#credit", said=said)
    except DomainError as error:
        today = await read(request, _today, None)
        asked = Asked(today.replace(month=1, day=1), today)
        return await _page(request, asked, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [
    show_account,
    get_wallet_file,
    get_charges_file,
    get_statement,
    send_payment,
]
