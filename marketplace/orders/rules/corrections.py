"""What may be given back of an order's charge, by whom it is decided, and what comes before."""

from __future__ import annotations

from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan
from marketplace.orders.errors import CorrectionTooLarge
from marketplace.orders.rules.settlement import Parts


class CorrectionSide(StrEnum):
    """Who gives money back."""

    PROVIDER = "provider"
    """The provider, of its own accord."""
    CENTRE = "centre"
    """The centre, for instance after an audit."""


class CorrectionStatus(StrEnum):
    """Where a correction stands."""

    PROPOSED = "proposed"
    """One person asks for it; nothing has moved."""
    APPROVED = "approved"
    """Another agreed: the money is back."""
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


def require_covered(asked: Parts, *, standing: Parts) -> None:
    """Refuse a correction of nothing, or of more than stands charged in either part.

    Policy: J.30a

    Raises:
        CorrectionTooLarge: with each part that is too large.
    """
    reasons = Reasons()
    for part, left_fen, asked_fen in (
        ("voucher", standing.voucher_fen, asked.voucher_fen),
        ("own", standing.own_fen, asked.own_fen),
    ):
        if not 0 <= asked_fen <= left_fen:
            reasons.add(
                f"correction-{part}-part",
                f"{yuan(left_fen)} CNY of the {part} part stand charged.",
                limit=left_fen,
                asked=asked_fen,
                source="J.30a",
            )
    if asked.total_fen == 0:
        reasons.add("correction-something", "A correction of nothing corrects nothing.", asked=0)
    reasons.raise_as(CorrectionTooLarge)


def red_letter_fen(*, invoiced_fen: int, standing_fen: int, credit_fen: int) -> int:
    """What has to be taken back in red before `credit_fen` can be given back.

    An invoice never stands over more than is charged.
    Policy: J.21b, F.invoice
    """
    return max(0, invoiced_fen - (standing_fen - credit_fen))
