"""Who may look at the pages as somebody else sees them, and for how long."""

from __future__ import annotations

from collections.abc import Set

from marketplace.parties.errors import ViewingRefused
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND

VIEWING_MINUTES = 30
"""After so long a view ends by itself; one who needs longer gives the reason anew."""

_OVER_OTHERS = frozenset().union(
    *(ROLES_BY_ORGANISATION_KIND[kind] for kind in ("centre", "regulator"))
)


def require_no_more_rights(viewer: Set[str], viewed: Set[str]) -> None:
    """Nobody gets to see through another's eyes what their own roles do not show them.

    What a company or a provider sees of itself, the centre's administrators may see; a role that
    sees others' only who holds it as well.

    Raises:
        ViewingRefused: naming the roles that the viewer does not hold.
    """
    more = sorted((viewed & _OVER_OTHERS) - viewer)
    if more:
        raise ViewingRefused(
            "This person sees more than you do; ask somebody who holds the same roles.", roles=more
        )
