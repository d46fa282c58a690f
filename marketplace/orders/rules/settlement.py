"""What an order costs in the end: what was really used, and never more than was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.kernel.money import share, split


@dataclass(frozen=True, slots=True)
class Parts:
    """A service value in its two parts: what the voucher pays and what the buyer pays."""

    voucher_fen: int
    own_fen: int

    @property
    def total_fen(self) -> int:
        """Both parts together."""
        return self.voucher_fen + self.own_fen


NOTHING = Parts(voucher_fen=0, own_fen=0)


def used_value(*, repriced_fen: int, held: Parts) -> int:
    """The value of what was used, by the frozen price list, at most what was held.

    The buyer agreed to the quoted total and no more: use beyond it is the provider's risk, which
    it can avoid by offering a longer reservation.
    Policy: J.gap
    """
    return min(repriced_fen, held.total_fen)


def ruled_value(used_fen: int, *, pay_basis_points: int) -> int:
    """The part of `used_fen` that a ruling on a dispute lets the provider have, rounded down.

    Policy: J.18a
    """
    return share(used_fen, pay_basis_points, "down")


def settled_parts(used_fen: int, *, voucher_fen: int, held: Parts) -> Parts:
    """How `used_fen` is paid: the voucher's recomputed part first, the buyer the rest.

    Where a cap or a rounding lets the voucher pay a smaller part than it did of the quoted total,
    the buyer still pays no more than was held: it never agreed to more.
    Policy: J.22b

    Raises:
        ValueError: when the voucher would pay more than it held, or more than was used.
    """
    if not 0 <= voucher_fen <= min(held.voucher_fen, used_fen):
        raise ValueError("a voucher settles at most what it held, and at most what was used")
    return Parts(voucher_fen=voucher_fen, own_fen=min(used_fen - voucher_fen, held.own_fen))


def shares_of(parts: Parts, values: Sequence[int]) -> list[Parts]:
    """`parts` told apart by item, each in proportion to what was used of it, to the fen.

    No item gets more than its value, and none a voucher's part above its share.
    Policy: J.22b

    Raises:
        ValueError: when more was paid than was used.
    """
    if parts.total_fen > sum(values):
        raise ValueError("items are paid at most what was used of them")
    totals = split(parts.total_fen, values)
    vouchers = split(parts.voucher_fen, totals)
    return [
        Parts(voucher_fen=voucher, own_fen=total - voucher)
        for total, voucher in zip(totals, vouchers, strict=True)
    ]
