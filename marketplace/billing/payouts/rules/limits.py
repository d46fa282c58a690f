"""Up to which amount somebody drafts or approves what goes to the bank in one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def limit_of(roles: Iterable[str], limits: Mapping[str, int]) -> int:
    """The highest limit of the roles somebody has; nothing for whoever has none of them."""
    return max((limits[role] for role in roles if role in limits), default=0)


def within(amounts: Sequence[int], limit_fen: int) -> list[int]:
    """The places of the amounts, in order, that fit under the limit together."""
    left, places = limit_fen, []
    for place, amount in enumerate(amounts):
        if amount <= left:
            left -= amount
            places.append(place)
    return places


def who_may(total_fen: int, limits: Mapping[str, int], roles: Sequence[str]) -> list[str]:
    """Those of the roles that may approve such a file."""
    return [role for role in roles if limits.get(role, 0) >= total_fen]
