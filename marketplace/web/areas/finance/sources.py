"""Where an entry came from: the page of what was done."""

from __future__ import annotations

from typing import Final

_PAGES: Final = {
    "service_order": "/orders/{id}",
    "claim": "/finance/vouchers/{id}",
    "reward": "/finance/rewards/{id}",
    "reward_run": "/finance/rewards/{id}",
    "payout": "/finance/payouts/{id}",
    "clawback": "/finance/clawbacks/{id}",
    "clearing": "/finance/clearings/{id}",
    "statement_line": "/finance/reconciliation/{id}",
}
SOURCE_KINDS: Final = (
    "service_order",
    "claim",
    "reward_run",
    "payout",
    "statement_line",
    "programme",
    "voucher_grant",
    "voucher_hold",
    "redemption",
    "clawback",
    "clearing",
    "correction",
    "credit_terms",
    "credit_receipt",
)


def source_page(kind: str, source_id: int) -> str | None:
    """The address of what an entry or a payout is for; None where it has no page here."""
    found = _PAGES.get(kind)
    return found.format(id=source_id) if found else None
