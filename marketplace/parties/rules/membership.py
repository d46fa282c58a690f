"""Which role fits which organisation, and who may grant it."""

from __future__ import annotations

from marketplace.parties.errors import RoleToOneself, RoleUnfit
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND


def require_role_fits(role: str, organisation_kind: str) -> None:
    """A buyer is a buyer of an SME, a finance maker one of the centre, and so on.

    Raises:
        RoleUnfit: naming the roles that this kind of organisation has.
    """
    fitting = ROLES_BY_ORGANISATION_KIND.get(organisation_kind, frozenset())
    if role not in fitting:
        raise RoleUnfit(
            f"A {organisation_kind} does not have the role {role}.",
            asked=role,
            limit=sorted(fitting),
        )


def require_another_person(granted_by: int, person_id: int) -> None:
    """Nobody grants a role to themselves, nor takes one away from themselves.

    Raises:
        RoleToOneself: when both are one person.
    """
    if granted_by == person_id:
        raise RoleToOneself("Ask another administrator.")
