"""Who may see and do what with payouts."""

from __future__ import annotations

from marketplace.kernel.http import ApiRequest, actor_of
from marketplace.parties.roles import SEES_EVERYTHING, Role

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
PAYEES = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)


def visible(request: ApiRequest, organisation_id: int | None) -> int | None:
    """Whose payouts the caller may see: None stands for everybody's."""
    actor = actor_of(request)
    if actor.has(*FINANCE, *SEES_EVERYTHING):
        return organisation_id
    return actor.organisation_id
