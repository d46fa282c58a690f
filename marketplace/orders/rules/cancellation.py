"""What calling off or missing a service costs the buyer.

Whether it was late, and which share of the price stays due, booking decides by its dated terms:
it knows the start, the moment, and whether the instrument was closed anyway. Orders make money of
it, and only of the buyer's own: vouchers are public money for services that were received for
research and development (J.22b); none was received, so the voucher part goes back whole.
"""

from __future__ import annotations

from marketplace.kernel.money import share


def fee_due(
    own_fen: int, *, fee_basis_points: int, quoted_basis_points: int, confirmed: bool
) -> int:
    """What the provider keeps of the buyer's own money, rounded down.

    Nothing before the provider has confirmed: until then the buyer withdraws an offer that nobody
    has accepted. And never more than the terms that the quote told the buyer, should they have
    risen between quote and order.
    Policy: J.gap
    """
    if not confirmed:
        return 0
    return share(own_fen, min(fee_basis_points, quoted_basis_points), "down")
