"""Accounts with what moved on them, and the trial balance from which every figure is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.areas.finance.ledger import PAGES_MAX
from marketplace.web.areas.finance.names import Names, names, owner
from marketplace.web.areas.finance.roles import READERS, READS_ENTRIES
from marketplace.web.areas.finance.sources import source_page
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, label

PAGE_SIZE = 50
ACCOUNT_HEADS = (
    ("账户", "Account"),
    ("账簿", "Ledger"),
    ("类型", "Type"),
    ("户主编号", "Owner"),
    ("户主", "Owner's name"),
    ("余额", "Balance"),
    ("冻结", "Held"),
    ("可用", "Available"),
)
STATEMENT_HEADS = (
    ("分录", "Entry"),
    ("日期", "Day"),
    ("类型", "Kind"),
    ("来源", "Source"),
    ("来源编号", "Source number"),
    ("备注", "Remark"),
    ("金额", "Amount"),
    ("余额", "Balance"),
)
TRIAL_HEADS = (
    ("账簿", "Ledger"),
    ("类型", "Type"),
    ("账户数", "Accounts"),
    ("借方", "Debits"),
    ("贷方", "Credits"),
    ("余额（借为正）", "Balance, debit positive"),
)


@dataclass(frozen=True, slots=True)
class AccountList:
    """A page of accounts with the names of their owners."""

    rows: list[ledger.Account]
    total: int
    names: Names


async def account_list(tx: Tx, search: ledger.AccountSearch) -> AccountList:
    """Accounts in order of type and owner."""
    found, total = await ledger.accounts(tx, search)
    return AccountList(
        found, total, await names(tx, (owner(each.type, each.owner_id) for each in found))
    )


@dataclass(frozen=True, slots=True)
class Movements:
    """An account with a page of what moved on it, and what is held."""

    account: ledger.Account
    rows: list[ledger.StatementLine]
    total: int
    holds: list[ledger.OpenHold]
    on_day: ledger.DatedBalance | None
    names: Names


@dataclass(frozen=True, slots=True)
class Moves:
    """Which page of an account's movements, and, if asked for, its balance on a day."""

    statement: ledger.AccountStatement
    on_day: ledger.BalanceAsked | None = None


async def movements(tx: Tx, moves: Moves) -> Movements:
    """The latest movements first."""
    asked = moves.statement
    account = await ledger.account_by_id(tx, asked.account_id)
    rows, total = await ledger.statement(tx, asked)
    who = await names(tx, [owner(account.type, account.owner_id)])
    on_day = await ledger.balance_as_of(tx, moves.on_day) if moves.on_day else None
    return Movements(account, rows, total, await ledger.open_holds(tx, account.id), on_day, who)


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial balance at the end of a day."""

    day: date
    lines: list[ledger.TrialBalanceLine]


async def trial(tx: Tx, day: date | None) -> Trial:
    """As of a day, today unless given."""
    as_of = day or tx.today
    return Trial(as_of, await ledger.trial_balance(tx, as_of))


def _account_search(form: Typed, page_size: int) -> ledger.AccountSearch:
    book = form.choice("ledger", list(ledger.LedgerName), needed=False)
    kind = form.choice("type", list(ledger.AccountType), needed=False)
    search = ledger.AccountSearch(
        ledger=ledger.LedgerName(book) if book else None,
        type=ledger.AccountType(kind) if kind else None,
        owner_id=form.whole("owner", least=1, needed=False),
        page=_page_of(form),
        page_size=page_size,
    )
    form.require()
    return search


def _page_of(form: Typed) -> int:
    return form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1


def _name(speech: Speech, group: str, value: str) -> str:
    found = label(group, value)
    return speech.either(found.chinese, found.english)


@get("/finance/accounts", **members(*READS_ENTRIES))
async def show_accounts(request: PageRequest) -> Response[Any]:
    """Every account with its balance."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search = _account_search(form, PAGE_SIZE)
    return page(
        request,
        "finance/accounts.html",
        form=form,
        search=search,
        found=await read(request, account_list, search),
        types=list(ledger.AccountType),
        owner=owner,
    )


@get("/finance/accounts/file", **members(*READS_ENTRIES))
async def show_accounts_file(request: PageRequest) -> Response[bytes]:
    """The same accounts as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, account_list, _account_search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        owned = found.names.organisations.get(owner(each.type, each.owner_id) or 0)
        rows.append(
            [
                each.id,
                _name(speech, "ledger", each.ledger),
                _name(speech, "account", each.type),
                each.owner_id or "",
                speech.either(owned.name, owned.name_en) if owned else "",
                yuan(each.posted_fen),
                yuan(each.held_fen),
                yuan(each.available_fen),
            ]
        )
    return await as_file(form, "accounts", ACCOUNT_HEADS, rows)


@get("/finance/accounts/{account_id:int}", **members(*READS_ENTRIES))
async def show_account(request: PageRequest, account_id: FromPath[int]) -> Response[Any]:
    """What moved on an account, and the balance after each movement."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = ledger.AccountStatement(account_id=account_id, page=_page_of(form), page_size=PAGE_SIZE)
    day = form.day("day", needed=False)
    by = form.choice("by", list(ledger.DatedBy), needed=False) or ledger.DatedBy.EFFECTIVE
    form.require()
    on_day = ledger.BalanceAsked(account_id, day, ledger.DatedBy(by)) if day else None
    return page(
        request,
        "finance/account.html",
        found=await read(request, movements, Moves(asked, on_day)),
        form=form,
        asked=asked,
        source_page=source_page,
        owner=owner,
    )


@get("/finance/accounts/{account_id:int}/file", **members(*READS_ENTRIES))
async def show_account_file(request: PageRequest, account_id: FromPath[int]) -> Response[bytes]:
    """The movements of an account as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    asked = ledger.AccountStatement(account_id=account_id, page_size=ROWS_MAX + 1)
    found = await read(request, movements, Moves(asked))
    rows = [
        [
            each.entry_id,
            each.effective_on.isoformat(),
            _name(speech, "entry", each.kind),
            _name(speech, "source", each.source_kind),
            each.source_id,
            each.remark,
            yuan(each.amount_fen),
            "" if each.balance_after_fen is None else yuan(each.balance_after_fen),
        ]
        for each in found.rows
    ]
    return await as_file(form, f"account-{account_id}", STATEMENT_HEADS, rows)


@get("/finance/trial-balance", **members(*READERS))
async def show_trial_balance(request: PageRequest) -> Response[Any]:
    """Debits, credits and balance of each type of account at the end of a day."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    day = form.day("day", needed=False)
    form.require()
    return page(
        request,
        "finance/trial_balance.html",
        form=form,
        trial=await read(request, trial, day),
        reads_entries=visitor.has(*READS_ENTRIES),
    )


@get("/finance/trial-balance/file", **members(*READERS))
async def show_trial_balance_file(request: PageRequest) -> Response[bytes]:
    """The trial balance as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    day = form.day("day", needed=False)
    form.require()
    found = await read(request, trial, day)
    rows = [
        [
            _name(speech, "ledger", each.ledger),
            _name(speech, "account", each.type),
            each.accounts,
            yuan(each.debit_fen),
            yuan(each.credit_fen),
            yuan(each.balance_fen),
        ]
        for each in found.lines
    ]
    return await as_file(form, f"trial-balance-{found.day}", TRIAL_HEADS, rows)


routes: list[ControllerRouterHandler] = [
    show_accounts,
    show_accounts_file,
    show_account,
    show_account_file,
    show_trial_balance,
    show_trial_balance_file,
]
