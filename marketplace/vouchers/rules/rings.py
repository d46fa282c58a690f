"""The detector of money that goes round: groups that buy from each other in a ring.

Who both buys and sells meets others who do, so honest trade has rings by chance, the more the
denser it is. What no chance makes is a ring that is most of what everybody in it trades, for sums
of one size, within weeks. The terms say how much of each suspects, and how much blocks.

Policy: J.22b, J.31
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from marketplace.kernel.money import BASIS_POINTS, yuan
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, Service, subjects_of

# So many services are named with each sale of a ring.
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Dealing:
    """One service that a group bought from another."""

    on: date
    amount_fen: int
    service: Service


@dataclass(frozen=True, slots=True)
class Trade:
    """What one group bought from another in the days that are looked at, the oldest first.

    `whole_fen` is the larger of two sums: everything that the buyer's group bought in those days,
    and everything that the provider's group sold.
    """

    buyer_group: int
    provider_group: int
    whole_fen: int
    dealings: tuple[Dealing, ...]


@dataclass(frozen=True, slots=True)
class Roundness:
    """How alike the sums of a ring are, and how much of everybody's trade each of them is."""

    similar_basis_points: int
    """The smallest sum, of the largest."""
    share_basis_points: int
    """Each sum, at least, of all that its buyer bought and of all that its provider sold."""

    def reaches(self, other: Roundness) -> bool:
        """Whether it is as round as the other in both ways."""
        return (
            self.similar_basis_points >= other.similar_basis_points
            and self.share_basis_points >= other.share_basis_points
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A ring within days: its sums, and how round it is."""

    first: date
    last: date
    amounts: tuple[int, ...]
    round: Roundness


def circular_trade(
    trades: Iterable[Trade],
    *,
    longest: int,
    closing_days: int,
    suspect: Roundness,
    certain: Roundness,
) -> list[Finding]:
    """Groups that buy from each other in a ring whose sums go round within `closing_days`.

    What reaches `suspect` is found; only what reaches `certain` may block. As every sale is a given
    part of its buyer's trade, a group has few of them, and rings need no other bound.
    """
    sold: dict[int, dict[int, Trade]] = defaultdict(dict)
    for trade in trades:
        whole = sum(each.amount_fen for each in trade.dealings)
        enough = whole * BASIS_POINTS >= trade.whole_fen * suspect.share_basis_points
        if trade.buyer_group != trade.provider_group and enough:
            sold[trade.buyer_group][trade.provider_group] = trade
    found = []
    for ring in _rings(sold, longest):
        turn = _roundest(ring, timedelta(days=closing_days), certain)
        if turn is not None and turn.round.reaches(suspect):
            found.append(_finding(ring, turn, certain=turn.round.reaches(certain)))
    return found


def _finding(ring: Sequence[Trade], turn: _Turn, *, certain: bool) -> Finding:
    within = [
        [each for each in trade.dealings if turn.first <= each.on <= turn.last] for trade in ring
    ]
    services = [each.service for dealings in within for each in dealings[-SHOWN_MAX:]]
    return Finding(
        kind=AnomalyKind.CIRCULAR_TRADE,
        key=tuple(trade.buyer_group for trade in ring),
        summary=(
            f"{len(ring)} groups bought from each other in a ring from {turn.first} to"
            f" {turn.last}, between {yuan(min(turn.amounts))} and {yuan(max(turn.amounts))} each:"
            f" at least {turn.round.share_basis_points // 100} % of what each of them traded."
        ),
        proof=tuple(sorted({service.order_id for service in services})),
        subjects=subjects_of(services),
        facts=tuple(
            {
                "buyer_group": trade.buyer_group,
                "provider_group": trade.provider_group,
                "amount_fen": amount,
                "of_all_trade_fen": trade.whole_fen,
                "order_ids": sorted(each.service.order_id for each in dealings[-SHOWN_MAX:]),
            }
            for trade, amount, dealings in zip(ring, turn.amounts, within, strict=True)
        ),
        certain=certain,
    )


def _roundest(ring: Sequence[Trade], within: timedelta, certain: Roundness) -> _Turn | None:
    """The days in which the ring is roundest; None when its sales are never that near.

    A turn that blocks comes first, then the one that is most of everybody's trade.
    """
    days = [[each.on for each in trade.dealings] for trade in ring]
    sums = [
        list(accumulate((each.amount_fen for each in trade.dealings), initial=0)) for trade in ring
    ]
    turns = []
    for first in sorted({day for each in days for day in each}):
        amounts = tuple(
            running[bisect_right(each, first + within)] - running[bisect_left(each, first)]
            for each, running in zip(days, sums, strict=True)
        )
        if min(amounts) > 0:
            last = max(each[bisect_right(each, first + within) - 1] for each in days)
            turns.append(_Turn(first, last, amounts, _round(ring, amounts)))
    return max(
        turns,
        key=lambda turn: (turn.round.reaches(certain), turn.round.share_basis_points),
        default=None,
    )


def _round(ring: Sequence[Trade], amounts: Sequence[int]) -> Roundness:
    return Roundness(
        min(amounts) * BASIS_POINTS // max(amounts),
        min(
            amount * BASIS_POINTS // trade.whole_fen
            for trade, amount in zip(ring, amounts, strict=True)
        ),
    )


def _rings(sold: Mapping[int, Mapping[int, Trade]], longest: int) -> Iterable[tuple[Trade, ...]]:
    """Every ring once: it starts at its smallest group."""

    def follow(start: int, path: tuple[Trade, ...]) -> Iterable[tuple[Trade, ...]]:
        for nxt, trade in sorted(sold.get(path[-1].provider_group, {}).items()):
            if nxt == start:
                yield (*path, trade)
            elif nxt > start and len(path) + 1 < longest and nxt not in _passed(path):
                yield from follow(start, (*path, trade))

    for start in sorted(sold):
        for nxt, trade in sorted(sold[start].items()):
            if nxt > start:
                yield from follow(start, (trade,))


def _passed(path: Sequence[Trade]) -> set[int]:
    return {trade.buyer_group for trade in path} | {path[-1].provider_group}
