"""What is kept of rewards: runs and shares, notices, use-of-funds reports, clawbacks."""

from marketplace.billing.rewards.tables.clawbacks import (
    reward_clawback,
    reward_clawback_line,
    reward_clawback_recovery,
)
from marketplace.billing.rewards.tables.reports import (
    reward_use_evidence,
    reward_use_filing,
    reward_use_line,
    reward_use_reminder,
    reward_use_report,
)
from marketplace.billing.rewards.tables.runs import (
    provider_grade,
    reward_entity_share,
    reward_instrument_share,
    reward_objection,
    reward_run,
    reward_share,
    reward_year,
)

__all__ = [
    "provider_grade",
    "reward_clawback",
    "reward_clawback_line",
    "reward_clawback_recovery",
    "reward_entity_share",
    "reward_instrument_share",
    "reward_objection",
    "reward_run",
    "reward_share",
    "reward_use_evidence",
    "reward_use_filing",
    "reward_use_line",
    "reward_use_reminder",
    "reward_use_report",
    "reward_year",
]
