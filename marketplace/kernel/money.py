"""Money is a whole number of fen (1 CNY = 100 fen); nothing here ever sees a float.

A share is taken in basis points (1/100 of a percent) and says how it rounds; a split loses no fen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

BASIS_POINTS = 10_000
# A bound that a real amount never reaches and a bigint always holds: ten billion CNY.
AMOUNT_FEN_MAX = 10**12

_YUAN = re.compile(r"([+-]?)(\d{1,13})(?:\.(\d{1,2}))?")

Rounding = Literal["down", "half-up"]


def share(amount_fen: int, basis_points: int, rounding: Rounding) -> int:
    """`amount_fen` × `basis_points` / 10,000 in whole fen.

    Raises:
        ValueError: for a negative amount or share: a refund is the share of what it reverses.
    """
    return ratio(amount_fen, basis_points, BASIS_POINTS, rounding)


def ratio(amount_fen: int, numerator: int, denominator: int, rounding: Rounding) -> int:
    """`amount_fen` × `numerator` / `denominator` in whole fen, for instance a price per hour."""
    if amount_fen < 0 or numerator < 0 or denominator <= 0:
        raise ValueError("a ratio is taken of amounts that are not negative")
    product = amount_fen * numerator
    if rounding == "half-up":
        return (2 * product + denominator) // (2 * denominator)
    return product // denominator


def split(amount_fen: int, weights: Sequence[int]) -> list[int]:
    """`amount_fen` in parts proportional to `weights`, by largest remainder.

    The parts sum to `amount_fen` to the fen. Of equal remainders the earlier weight is served
    first, so callers sort what they pass by something stable.

    Raises:
        ValueError: when there is something to split and no weight to take it.
    """
    if amount_fen < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amount and weights must not be negative")
    total = sum(weights)
    if total == 0:
        if amount_fen:
            raise ValueError("nothing to split by: every weight is zero")
        return [0] * len(weights)
    parts = [amount_fen * weight // total for weight in weights]
    remainders = [amount_fen * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for index in by_remainder[: amount_fen - sum(parts)]:
        parts[index] += 1
    return parts


def yuan(amount_fen: int) -> str:
    """`1234567` → `12,345.67`."""
    sign = "-" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{whole:,}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """`'12,345.6'` → `1234560` fen.

    Raises:
        ValueError: for anything that is not an amount with at most two decimals.
    """
    match = _YUAN.fullmatch(text.strip().replace(",", "").replace("，", ""))
    if match is None:
        raise ValueError(f"not an amount in yuan: {text!r}")
    sign, whole, fen = match.groups()
    amount = int(whole) * 100 + int((fen or "").ljust(2, "0"))
    return -amount if sign == "-" else amount
