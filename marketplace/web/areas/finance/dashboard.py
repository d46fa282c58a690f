"""The finance desk: what lies where, what is due, what is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.payouts import queries as payouts
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.rewards import queries as rewards
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.vouchers import queries as vouchers
from marketplace.web.areas.centre.sanction_cases import to_decide
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.roles import READERS, READS_ENTRIES
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of

SHORT = 5


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies on all accounts of a type, debit positive."""

    type: str
    accounts: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the desk shows."""

    day: date
    balancing: reconciliation.Balancing
    balances: list[Lying]
    months: list[reconciliation.BankMonth]
    lines: list[reconciliation.StatementLine]
    waiting: tuple[list[payouts.Payout], int]
    returned: tuple[list[payouts.Payout], int]
    batches: dict[str, int]
    unverified: int
    claims: dict[str, int]
    ripe: list[vouchers.Claim]
    drafts: list[rewards.RewardRun]
    unsigned: list[reconciliation.SignOff]
    corrections: orders.CorrectionPage
    sanctions: dict[str, int]
    names: Names


async def board(tx: Tx, _: None = None) -> Board:
    """As it stands now."""
    lines, _total = await reconciliation.statement_lines(
        tx, reconciliation.LineSearch(status="unmatched", page_size=SHORT)
    )
    waiting = await _payouts(tx, "instructed")
    returned = await _payouts(tx, "returned")
    in_notice = await vouchers.claims(
        tx, vouchers.ClaimSearch(status="in_notice", page=vouchers.PageAsked(1, 200))
    )
    ripe = [each for each in in_notice.rows if (each.notice_ends_on or tx.today) < tx.today]
    drafts = await rewards.runs(tx, rewards.RunSearch(status="draft", page_size=SHORT))
    signed = await reconciliation.sign_offs(tx)
    about = [each.organisation_id for each in (*waiting[0], *returned[0])]
    return Board(
        day=tx.today,
        balancing=await reconciliation.balancing(tx, reconciliation.BalancingAsked()),
        balances=[
            Lying(each.type, each.accounts, each.balance_fen)
            for each in await ledger.trial_balance(tx, tx.today)
            if each.ledger == ledger.LedgerName.CASH
        ],
        months=await reconciliation.bank_months(tx, _a_year_before(tx.today)),
        lines=lines,
        waiting=waiting,
        returned=returned,
        batches={status: await _batches(tx, status) for status in ("draft", "approved")},
        unverified=len(await payouts.bank_accounts(tx, None)),
        claims={status: await _claims(tx, status) for status in ("submitted", "audited")},
        ripe=ripe[:SHORT],
        drafts=drafts.results,
        unsigned=[each for each in signed if each.approved_at is None],
        corrections=await orders.corrections(
            tx, orders.CorrectionList(status="proposed", page_size=SHORT)
        ),
        sanctions=await to_decide(tx),
        names=await names(tx, [*about, *(each.payee_id for each in ripe[:SHORT])]),
    )


def _a_year_before(today: date) -> date:
    """The first day of the twelve months that end with this one."""
    before = today.replace(day=1) - timedelta(days=334)
    return before.replace(day=1)


async def _payouts(tx: Tx, status: str) -> tuple[list[payouts.Payout], int]:
    return await payouts.payouts(tx, payouts.PayoutSearch(status=status, page_size=SHORT))


async def _batches(tx: Tx, status: str) -> int:
    _, total = await payouts.batches(tx, payouts.BatchSearch(status=status, page_size=1))
    return total


async def _claims(tx: Tx, status: str) -> int:
    search = vouchers.ClaimSearch(status=status, page=vouchers.PageAsked(1, 1))
    return (await vouchers.claims(tx, search)).total


@get("/finance", **members(*READERS))
async def show_board(request: PageRequest) -> Response[Any]:
    """Balances, what is due, exceptions, and whether bank and books agree."""
    return page(
        request,
        "finance/dashboard.html",
        board=await read(request, board, None),
        reads_entries=visitor_of(request).has(*READS_ENTRIES),
    )


routes: list[ControllerRouterHandler] = [show_board]
