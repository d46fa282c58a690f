"""Who may see an order: its two sides, the agent who asked for it, and those who check."""

from __future__ import annotations

from marketplace.kernel.actors import Actor
from marketplace.parties.roles import Role

# Officers audit claims and rule on disputes; finance staff follow the money of an order. The
# regulator reads figures and never a single order: what two parties agreed is theirs (N.24a).
READS_ORDERS = (Role.AUDITOR, Role.VOUCHER_OFFICER, Role.FINANCE_MAKER, Role.FINANCE_CHECKER)


def sees_everything(actor: Actor) -> bool:
    """Whether the actor reads every order: auditors, the centre, the platform."""
    return actor.has("system", *READS_ORDERS)


def is_provider(actor: Actor, *, provider_id: int) -> bool:
    """Whether the actor acts for the provider, or is the platform itself."""
    return actor.has("system") or actor.organisation_id == provider_id


def is_side(actor: Actor, *, buyer_id: int, provider_id: int) -> bool:
    """Whether the actor acts for the buyer or the provider, or is the platform itself."""
    return actor.has("system") or actor.organisation_id in (buyer_id, provider_id)
