"""Why an item was settled at another amount than quoted: line by line, to the fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Line = Mapping[str, Any]
AS_QUOTED = "As quoted."


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a settlement: what was quoted, what was used, what it comes to, and why."""

    kind: str
    text: str
    unit: str
    quoted_quantity: int
    used_quantity: int
    quoted_fen: int
    settled_fen: int
    why: str


@dataclass(frozen=True, slots=True)
class Used:
    """What an item came to, step by step.

    `repriced_fen` is the price of what was used, `value_fen` at most what was agreed, `ruled_fen`
    the part that a ruling on a dispute leaves, `paid_fen` what was held for that part at most.
    `fee_fen` is due for a time that was missed or given back late.
    """

    repriced_fen: int
    value_fen: int
    ruled_fen: int
    paid_fen: int
    fee_fen: int = 0

    @property
    def settled_fen(self) -> int:
        """What the item is settled at."""
        return self.paid_fen + self.fee_fen


def differences(
    quoted: Sequence[Line], used: Sequence[Line], amounts: Used, *, why: str
) -> list[dict[str, Any]]:
    """Every line of the quote beside what was used of it, and one for each adjustment.

    What was quoted sums to the quoted total, what was settled to the settled one.
    """
    told = _by_key(quoted)
    came = _by_key(used)
    lines = [
        _compared(told.get(key), came.get(key), why=why)
        for key in [*told, *(key for key in came if key not in told)]
    ]
    steps = (
        ("cap", "At most what was agreed", amounts.value_fen - amounts.repriced_fen),
        ("ruling", "By the end of the dispute", amounts.ruled_fen - amounts.value_fen),
        ("held", "At most what was held", amounts.paid_fen - amounts.ruled_fen),
        ("fee", "Fee for a time missed or given back late", amounts.fee_fen),
    )
    lines += [
        Difference(kind, text, "charge", 0, 1, 0, amount_fen, text + ".")
        for kind, text, amount_fen in steps
        if amount_fen
    ]
    return [asdict(line) for line in lines]


def _by_key(lines: Sequence[Line]) -> dict[tuple[Any, ...], Line]:
    """The lines by what they count; two of a kind are told apart by their number."""
    found: dict[tuple[Any, ...], Line] = {}
    for line in lines:
        price = line["unit_price_fen"] if line["kind"] == "service" else 0
        key: tuple[Any, ...] = (line["kind"], line["text"], line["unit"], price)
        while key in found:
            key = (*key, "again")
        found[key] = line
    return found


def _compared(told: Line | None, came: Line | None, *, why: str) -> Difference:
    known = told or came
    assert known is not None
    quoted_fen = told["amount_fen"] if told else 0
    settled_fen = came["amount_fen"] if came else 0
    return Difference(
        kind=known["kind"],
        text=known["text"],
        unit=known["unit"],
        quoted_quantity=told["quantity"] if told else 0,
        used_quantity=came["quantity"] if came else 0,
        quoted_fen=quoted_fen,
        settled_fen=settled_fen,
        why=AS_QUOTED if quoted_fen == settled_fen and told and came else why,
    )
