"""Every list of finance as a file, in one place; each list has its own filtered export besides."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.web.areas.finance.roles import READERS, READS_CLAIMS, READS_ENTRIES, READS_REWARDS
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, may, members, visitor_of

# What it is in both languages, where it is read, and where it is a file.
LISTS: Final = (
    (
        ("银行", "Bank"),
        (
            ("对账单", "Statements", "/finance/imports", READERS),
            ("银行流水", "Lines of the bank", "/finance/reconciliation?status=all", READERS),
            ("未明流水", "Open lines", "/finance/reconciliation/cases", READERS),
        ),
    ),
    (
        ("付款", "Payments"),
        (
            ("付款", "Payouts", "/finance/payouts", READERS),
            ("付款批次", "Batches", "/finance/batches", READERS),
            ("余额退还", "Refunds of wallets", "/finance/refunds", READERS),
        ),
    ),
    (
        ("创新券与奖励", "Vouchers and rewards"),
        (
            ("兑付申请", "Claims", "/finance/vouchers", READS_CLAIMS),
            ("券款追回", "Clawbacks", "/finance/clawbacks", READS_CLAIMS),
            ("奖励", "Reward runs", "/finance/rewards", READS_REWARDS),
        ),
    ),
    (
        ("账簿", "Books"),
        (
            ("分录（每行一条借贷）", "Entries, one row a line", "/finance/ledger", READS_ENTRIES),
            ("账户余额", "Accounts with balances", "/finance/accounts", READS_ENTRIES),
            ("试算平衡", "Trial balance", "/finance/trial-balance", READERS),
            ("关账期间", "Periods", "/finance/periods", READERS),
            ("审计包清单", "Audit packs", "/finance/packs", READS_ENTRIES),
        ),
    ),
)


def file_of(address: str) -> str:
    """Where a list is a file: the same filters, under its own address."""
    path, mark, query = address.partition("?")
    return f"{path}/file{mark}{query}"


@get("/finance/exports", **members(*READS_CLAIMS))
async def show_exports(request: PageRequest) -> Response[Any]:
    """The lists that one may read, each as CSV and Excel."""
    visitor = visitor_of(request)
    groups = [(title, [each for each in lists if may(visitor, each[3])]) for title, lists in LISTS]
    return page(
        request,
        "finance/exports.html",
        groups=[group for group in groups if group[1]],
        file_of=file_of,
    )


routes: list[ControllerRouterHandler] = [show_exports]
