"""Rounds of applications: in which one an application counts, and what the round may still grant.

Policy: J.22a
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from marketplace.vouchers.rules.limits import Batch


def batch_of(batches: Sequence[Batch], made_on: date, waited_until: date | None) -> Batch | None:
    """The round of an application; who waits moves on to the next round once that begins."""
    day = made_on if waited_until is None else max(made_on, waited_until)
    begun = [each for each in batches if each.opens_on <= day]
    return max(begun, key=lambda each: each.opens_on, default=None)


def left_in(batch: Batch | None, granted_fen: Mapping[int, int]) -> int | None:
    """What a round may still grant; None where nothing limits it."""
    if batch is None or batch.amount_fen is None:
        return None
    return max(batch.amount_fen - granted_fen.get(batch.number, 0), 0)
