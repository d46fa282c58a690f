"""When a service may be asked free of charge, and who says so."""

from __future__ import annotations

from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import FreeUseDecided, FreeUseUnfit, OwnFreeUse

EVIDENCE_MAX = 10


class FreeUseStatus(StrEnum):
    """From the request to the decision."""

    ASKED = "asked"
    EXAMINED = "examined"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN = (FreeUseStatus.ASKED, FreeUseStatus.EXAMINED)


def require_askable(*, purpose: str | None, used: bool, amends: bool) -> None:
    """The quote is for a public purpose, and no order yet.

    Policy: N.25a, H.14

    Raises:
        FreeUseUnfit: with every reason.
    """
    reasons = Reasons()
    if purpose is None:
        reasons.add(
            "free-purpose",
            "The quote names no public purpose; ask for one that does.",
            source="N.25a",
        )
    if used or amends:
        reasons.add("free-quote", "The quote is an order's already; ask before ordering.")
    reasons.raise_as(FreeUseUnfit)


def require_status(status: str, *allowed: FreeUseStatus) -> None:
    """The request stands where this step begins.

    Raises:
        FreeUseDecided: when it was examined or decided before, or is to be examined first.
    """
    if status not in allowed:
        raise FreeUseDecided(
            f"The request is {status}; this step begins at {' or '.join(allowed)}.",
            limit=[str(each) for each in allowed],
            asked=status,
        )


def require_second_person(person_id: int, *, asked_by: int, examined_by: int | None) -> None:
    """Neither who asked nor who examined decides.

    Policy: N.25a

    Raises:
        OwnFreeUse: when they would.
    """
    if person_id in (asked_by, examined_by):
        raise OwnFreeUse("A second person of the provider decides.")


def require_decidable(*, approve: bool, reason: str, evidence: int) -> None:
    """An approval rests on evidence, and a refusal says why.

    Policy: N.25a

    Raises:
        FreeUseUnfit: with every reason.
    """
    reasons = Reasons()
    if approve and evidence == 0:
        reasons.add("free-evidence", "There is no evidence to approve it by.", limit=1, asked=0)
    if not reason:
        reasons.add("free-reason", "Say why.")
    reasons.raise_as(FreeUseUnfit)
