"""Sets of intervals: what lies in one and not in the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marketplace.kernel.time import During, merged


def without(whole: Iterable[During], holes: Iterable[During]) -> list[During]:
    """The parts of `whole` that lie in none of `holes`: disjoint and in order.

    Both sides are swept once, so a week with many holes costs no more than their number.
    """
    rest: list[During] = []
    gaps = merged(list(holes))
    if not gaps:
        return merged(list(whole))
    first, count = 0, len(gaps)
    for interval in merged(list(whole)):
        starts_at = interval.starts_at
        while first < count and gaps[first].ends_at <= starts_at:
            first += 1
        # The last of them may reach into the next interval: it is looked at again there.
        following = first
        while following < count and gaps[following].starts_at < interval.ends_at:
            gap = gaps[following]
            if gap.starts_at > starts_at:
                rest.append(During(starts_at, gap.starts_at))
            starts_at = max(starts_at, gap.ends_at)
            following += 1
        if starts_at == interval.starts_at:
            rest.append(interval)
        elif starts_at < interval.ends_at:
            rest.append(During(starts_at, interval.ends_at))
    return rest


def common(first: Sequence[During], second: Sequence[During]) -> list[During]:
    """The time that lies in both: disjoint and in order. Each side is swept once."""
    ones, others = merged(list(first)), merged(list(second))
    pieces: list[During] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        piece = ones[one].clip(others[other])
        if piece is not None:
            pieces.append(piece)
        if ones[one].ends_at <= others[other].ends_at:
            one += 1
        else:
            other += 1
    return pieces


def minutes_of(intervals: Iterable[During]) -> int:
    """Whole minutes of the union of `intervals`."""
    return sum(interval.minutes for interval in merged(list(intervals)))


def widest(intervals: Iterable[During]) -> list[During]:
    """Those of `intervals` that lie in no other of them, in order; two may still overlap."""
    kept: list[During] = []
    for interval in sorted(intervals, key=lambda one: (one.starts_at, one.starts_at - one.ends_at)):
        if not kept or interval.ends_at > kept[-1].ends_at:
            kept.append(interval)
    return kept
