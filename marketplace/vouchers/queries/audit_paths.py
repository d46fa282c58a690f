"""From one paid yuan back to its budget, and from an order forward to the bank: one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnClause, column, select, table

from marketplace.kernel.db import Tx
from marketplace.vouchers.claim_errors import AuditPathMissing
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import Listed


@dataclass(frozen=True, slots=True)
class Trail:
    """A redemption and the numbers of what lies around it."""

    redemption_id: int
    order_id: int
    grant_id: int
    programme_id: int
    provider_id: int
    sme_id: int
    amount_fen: int
    redeemed_on: date
    claim_id: int | None
    payout_id: int | None
    statement_line_id: int | None


@dataclass(frozen=True, slots=True)
class TrailSearch:
    """The redemptions behind a bank line, a payout, a claim, an order or a grant."""

    statement_line_id: int | None = None
    payout_id: int | None = None
    claim_id: int | None = None
    order_id: int | None = None
    grant_id: int | None = None
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class AuditPath:
    """The whole way of a redemption; each part is its row in the books, as JSON."""

    trail: Trail
    budget: list[dict[str, Any]]
    programme: dict[str, Any]
    application: dict[str, Any]
    eligibility: list[dict[str, Any]]
    voucher_grant: dict[str, Any]
    service_order: dict[str, Any] | None
    usage_log: list[dict[str, Any]] | None
    contracts: list[dict[str, Any]] | None
    results: list[dict[str, Any]] | None
    invoices: list[dict[str, Any]] | None
    evidence: list[dict[str, Any]] | None
    claim: dict[str, Any] | None
    payout: dict[str, Any] | None
    bank_line: dict[str, Any] | None
    returns: list[dict[str, Any]] | None
    entries: list[dict[str, Any]] | None


TRAIL = tuple(Trail.__dataclass_fields__)
PARTS = tuple(name for name in AuditPath.__dataclass_fields__ if name != "trail")


def _columns(*names: str) -> list[ColumnClause[Any]]:
    return [column(name) for name in names]


trail_view = table("voucher_trail", *_columns(*TRAIL))
path_view = table("voucher_audit_path", *_columns(*TRAIL, *PARTS))


async def audit_path(tx: Tx, redemption_id: int) -> AuditPath:
    """The whole way of a redemption, in one statement.

    Raises:
        AuditPathMissing: when there is no such redemption.
    """
    rows = await tx.execute(
        select(path_view).where(path_view.c.redemption_id == redemption_id).limit(1)
    )
    row = rows.first()
    if row is None:
        raise AuditPathMissing()
    found = row._mapping
    return AuditPath(
        Trail(**{name: found[name] for name in TRAIL}), **{name: found[name] for name in PARTS}
    )


async def trails(tx: Tx, search: TrailSearch) -> Listed[Trail]:
    """The redemptions behind what is known of the money, the newest first."""
    statement = select(trail_view)
    for name in ("statement_line_id", "payout_id", "claim_id", "order_id", "grant_id"):
        wanted = getattr(search, name)
        if wanted is not None:
            statement = statement.where(trail_view.c[name] == wanted)
    return await listed(tx, Trail, statement, trail_view.c.redemption_id, search.page)
