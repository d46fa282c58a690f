"""The national five-step scale, what it comes to, and by which name a buyer is shown.

Policy: J.25
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum

from marketplace.kernel.money import ratio


class Step(IntEnum):
    """How satisfied a buyer is; each step counts as its number."""

    VERY_SATISFIED = 5
    """非常满意"""
    SATISFIED = 4
    """基本满意"""
    AVERAGE = 3
    """一般"""
    DISSATISFIED = 2
    """不满意"""
    VERY_POOR = 1
    """极差"""


LABELS: Mapping[Step, tuple[str, str]] = {
    Step.VERY_SATISFIED: ("非常满意", "Very satisfied"),
    Step.SATISFIED: ("基本满意", "Mostly satisfied"),
    Step.AVERAGE: ("一般", "Average"),
    Step.DISSATISFIED: ("不满意", "Dissatisfied"),
    Step.VERY_POOR: ("极差", "Very poor"),
}

_BRACKETS = re.compile(r"\s*[（(][^（）()]*[）)]$")

# A provider's response time is that of the answers it gave in so many days.
RESPONSE_DAYS = 90


def mean_of(counts: Mapping[Step, int]) -> Decimal | None:
    """The mean of all steps to one decimal, halves up; None where nobody has rated."""
    reviews = sum(counts.values())
    if not reviews:
        return None
    stars = sum(step * count for step, count in counts.items())
    return Decimal(ratio(stars, 10, reviews, "half-up")).scaleb(-1)


def masked(name: str) -> str:
    """A buyer's name as everybody may read it: its first and last character.

    What stands in brackets at the end of a name is left out, not shown as its last character.

    Policy: J.20 (a user's identity is protected).
    """
    shown = _BRACKETS.sub("", name.strip()) or name.strip()
    last = shown[-1:] if len(shown) > 3 else ""
    return f"{shown[:1]}***{last}"
