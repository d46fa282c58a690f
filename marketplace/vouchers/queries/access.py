"""Who sees what of vouchers: its owner, the centre's staff at work on it, and the auditors."""

from __future__ import annotations

from marketplace.kernel.actors import Actor
from marketplace.parties.roles import SEES_EVERYTHING, Role

# What their work needs: officers decide and audit, finance approves and pays.
VOUCHER_STAFF = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    Role.ADMINISTRATOR,
)


def sees_all(actor: Actor) -> bool:
    """Whether `actor` may read every SME's vouchers and every provider's claims."""
    return actor.has(*VOUCHER_STAFF, *SEES_EVERYTHING, "system")


def may_see(actor: Actor, organisation_id: int) -> bool:
    """Whether `actor` may read what belongs to the organisation."""
    return sees_all(actor) or actor.organisation_id == organisation_id
