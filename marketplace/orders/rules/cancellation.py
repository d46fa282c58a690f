"""What calling off or missing a service costs, by the terms frozen in the quote.

Only the buyer's own money pays a fee. Vouchers are public money for services that were received
for research and development [J.22b]; no service was received, so the voucher part goes back whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.kernel.money import share


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """The dated terms of a quote that decide on fees."""

    late_cancel_minutes: int
    late_cancel_fee_basis_points: int
    no_show_fee_basis_points: int


def is_late(*, starts_at: datetime | None, at: datetime, terms: FeeTerms) -> bool:
    """Whether a cancellation `at` this moment is late; samples have no start to be late for.

    Policy: J.gap
    """
    if starts_at is None:
        return False
    return at > starts_at - timedelta(minutes=terms.late_cancel_minutes)


def cancellation_fee(
    own_fen: int, *, late: bool, by_provider: bool, confirmed: bool, terms: FeeTerms
) -> int:
    """What the provider keeps of the buyer's own money, rounded down.

    Nothing when the provider itself cancels, and nothing before it has confirmed: until then the
    buyer withdraws an offer that nobody has accepted.
    Policy: J.gap
    """
    if by_provider or not late or not confirmed:
        return 0
    return share(own_fen, terms.late_cancel_fee_basis_points, "down")


def no_show_fee(own_fen: int, *, terms: FeeTerms) -> int:
    """What the provider keeps of the buyer's own money when nobody came, rounded down.

    Policy: J.gap
    """
    return share(own_fen, terms.no_show_fee_basis_points, "down")
