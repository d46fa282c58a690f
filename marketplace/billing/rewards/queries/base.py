"""Which services a run counts, as the terms say it and as the charge lines are asked."""

from __future__ import annotations

from marketplace.billing.invoicing.queries import ServiceLimits
from marketplace.billing.rewards.rules.terms import RewardTerms


def service_limits(terms: RewardTerms) -> ServiceLimits:
    """To whom and by which instruments services count."""
    return ServiceLimits(terms.companies_only, terms.instrument_worth_fen)
