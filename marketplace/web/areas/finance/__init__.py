"""What the centre's finance staff do: reconcile, pay, reward, keep the books and close them."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.finance import (
    accounts,
    anchor,
    batches,
    cases,
    claim_steps,
    claims,
    clearings,
    dashboard,
    imports,
    ledger,
    months,
    packs,
    payouts,
    periods,
    reconciliation,
    refunds,
    reports,
    reward_clawbacks,
    reward_shares,
    reward_uses,
    rewards,
    years,
)
from marketplace.web.areas.finance.roles import (
    READERS,
    READS_CLAIMS,
    READS_ENTRIES,
    READS_REWARDS,
)
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "财务",
        "Finance",
        (
            link("/finance", "概览", "Overview", *READERS),
            link("/finance/reconciliation", "对账", "Reconciliation", *READERS),
            link("/finance/reconciliation/cases", "未明流水", "Open lines", *READERS),
            link("/finance/imports", "对账单", "Statements", *READERS),
            link("/finance/payouts", "付款", "Payouts", *READERS),
            link("/finance/refunds", "余额退还", "Refunds", *READERS),
            link("/finance/batches", "付款批次", "Batches", *READERS),
            link("/finance/vouchers", "创新券兑付", "Voucher claims", *READS_CLAIMS),
            link("/finance/rewards", "奖励", "Rewards", *READS_REWARDS),
            link("/finance/ledger", "账簿", "Ledger", *READS_ENTRIES),
            link("/finance/accounts", "账户", "Accounts", *READS_ENTRIES),
            link("/finance/trial-balance", "试算平衡", "Trial balance", *READERS),
            link("/finance/periods", "结账", "Close", *READERS),
            link("/finance/packs", "审计包", "Audit packs", *READS_ENTRIES),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *dashboard.routes,
    *imports.routes,
    *reconciliation.routes,
    *cases.routes,
    *clearings.routes,
    *refunds.routes,
    *payouts.routes,
    *batches.routes,
    *reports.routes,
    *claims.routes,
    *claim_steps.routes,
    *rewards.routes,
    *reward_shares.routes,
    *reward_uses.routes,
    *reward_clawbacks.routes,
    *ledger.routes,
    *accounts.routes,
    *periods.routes,
    *months.routes,
    *packs.routes,
    *anchor.routes,
    *years.routes,
]
