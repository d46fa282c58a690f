"""What jobs ask of reports on the use of rewards: for what is one owed, and who is reminded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Integer, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, array

from marketplace.billing.payouts.queries import confirmed_payments
from marketplace.billing.rewards.queries.inputs import OWED_REPORTS
from marketplace.billing.rewards.tables import (
    reward_share,
    reward_use_evidence,
    reward_use_reminder,
    reward_use_report,
)
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class PaidReward:
    """A reward that the bank has paid and for which no report is open yet."""

    payout_id: int
    run_id: int
    provider_id: int
    legal_entity_id: int
    amount_fen: int
    paid_on: date


@dataclass(frozen=True, slots=True)
class OwedReport:
    """A report of which somebody may be reminded."""

    id: int
    provider_id: int
    due_on: date
    sent: Sequence[int]


async def paid_rewards(tx: Tx, *, after_id: int, limit: int) -> list[PaidReward]:
    """Rewards that the bank has paid and that have no report yet, after one payout."""
    paid = confirmed_payments("reward").subquery("paid")
    share = reward_share.c
    # A provider that changed its legal entity within a year answers for the one it has earned
    # most for.
    mostly = (
        select(share.legal_entity_id)
        .where(share.run_id == paid.c.source_id, share.provider_id == paid.c.organisation_id)
        .order_by(share.amount_fen.desc(), share.legal_entity_id)
        .limit(1)
        .correlate(paid)
        .scalar_subquery()
    )
    known = select(literal(1)).where(
        reward_use_report.c.run_id == paid.c.source_id,
        reward_use_report.c.provider_id == paid.c.organisation_id,
    )
    return await tx.all(
        PaidReward,
        select(
            paid.c.payout_id,
            paid.c.source_id.label("run_id"),
            paid.c.organisation_id.label("provider_id"),
            mostly.label("legal_entity_id"),
            paid.c.amount_fen,
            paid.c.confirmed_on.label("paid_on"),
        )
        .where(paid.c.payout_id > after_id, ~known.exists())
        .order_by(paid.c.payout_id)
        .limit(limit),
    )


async def reports_to_remind(
    tx: Tx, due_until: date, *, after_id: int, limit: int
) -> list[OwedReport]:
    """Reports that are owed and due until a day, with the reminders that went out."""
    report, reminder = reward_use_report.c, reward_use_reminder.c
    sent = (
        select(func.coalesce(func.array_agg(reminder.step_days), cast(array([]), ARRAY(Integer))))
        .where(reminder.report_id == report.id)
        .correlate(reward_use_report)
        .scalar_subquery()
    )
    return await tx.all(
        OwedReport,
        select(report.id, report.provider_id, report.due_on, sent.label("sent"))
        .where(report.status.in_(OWED_REPORTS), report.due_on <= due_until, report.id > after_id)
        .order_by(report.id)
        .limit(limit),
    )


async def kept_evidence(tx: Tx, keys: Sequence[str]) -> Sequence[str]:
    """Those of the storage keys that a paper names."""
    column = reward_use_evidence.c.storage_key
    named: Sequence[str] = await tx.scalars(select(column).where(column.in_(keys)))
    return named
