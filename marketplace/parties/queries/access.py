"""Who may see what is not public of an organisation."""

from __future__ import annotations

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role

CENTRE_ROLES: frozenset[str] = frozenset(ROLES_BY_ORGANISATION_KIND["centre"])
"""Roles of the centre: their work needs to see the parties of everybody."""


def require_own_or_staff(
    tx: Tx, organisation_id: int, *, missing: type[DomainError] = OrganisationMissing
) -> None:
    """What is not public of an organisation exists for itself, the centre and the regulator.

    Raises:
        OrganisationMissing: (or the `missing` given) for everybody else.
    """
    staff = {*CENTRE_ROLES, Role.REGULATOR, "system"}
    if tx.actor.organisation_id != organisation_id and not tx.actor.has(*staff):
        raise missing()
