"""Sanctions: what may be proposed, and until when a party is heard and may appeal.

Policy: J.31
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import working_days_after
from marketplace.vouchers.rules.states import SanctionKind

STATEMENT_WORKING_DAYS = 5
APPEAL_DAYS = 60
"""As long as an administrative decision may be taken to review."""
YEARS_MAX = 5


@dataclass(frozen=True, slots=True)
class SanctionPlan:
    """A sanction as it is proposed."""

    kind: SanctionKind
    programme_id: int | None
    starts_on: date
    ends_on: date | None


def reasons_not_to_propose(plan: SanctionPlan, today: date) -> Reasons:
    """Every reason why a sanction cannot be proposed like this."""
    reasons = Reasons()
    if plan.starts_on < today:
        reasons.add(
            "starts",
            "A sanction does not work backwards.",
            limit=today.isoformat(),
            asked=plan.starts_on.isoformat(),
        )
    if plan.ends_on is not None and plan.ends_on < plan.starts_on:
        reasons.add("ends", "It ends after it starts.", asked=plan.ends_on.isoformat())
    if plan.kind is SanctionKind.SUSPENSION and plan.ends_on is None:
        reasons.add("period", "A suspension has a last day.")
    if plan.kind is SanctionKind.EXCLUSION and plan.programme_id is None:
        reasons.add("programme", "An exclusion names the programme.")
    longest = plan.starts_on + timedelta(days=366 * YEARS_MAX)
    if plan.ends_on is not None and plan.ends_on > longest:
        reasons.add(
            "longest",
            f"A sanction lasts {YEARS_MAX} years at most.",
            limit=longest.isoformat(),
            asked=plan.ends_on.isoformat(),
        )
    return reasons


def statement_due_on(proposed_on: date) -> date:
    """The last day on which the party is heard."""
    return working_days_after(proposed_on, STATEMENT_WORKING_DAYS)


def appeal_due_on(decided_on: date) -> date:
    """The last day on which the party may appeal."""
    return decided_on + timedelta(days=APPEAL_DAYS)


def may_decide_on(day: date, *, stated: bool, due_on: date) -> bool:
    """Whether the party has been heard, or has let its last day pass."""
    return stated or day > due_on
