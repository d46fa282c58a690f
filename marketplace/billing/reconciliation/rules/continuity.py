"""Whether a statement adds up: line by line, from its opening to its closing balance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from marketplace.billing.reconciliation.rules.layout import Stated
from marketplace.billing.reconciliation.rules.reading import BadLine, ReadLine


@dataclass(frozen=True, slots=True)
class Added:
    """The lines in the order of booking, each with its running balance."""

    lines: list[ReadLine]
    opening_fen: int
    closing_fen: int


def added_up(lines: Sequence[ReadLine], stated: Stated) -> Added | list[BadLine]:
    """The statement with its balances, or where it does not add up.

    Exports come oldest or newest first: the running balance says which, else the days do.
    """
    forwards, backwards = list(lines), list(reversed(lines))
    in_order = forwards
    breaks = _breaks(forwards, stated)
    newest_first = lines[0].booked_on > lines[-1].booked_on
    if breaks or newest_first:
        other = _breaks(backwards, stated)
        if len(other) < len(breaks) or (newest_first and len(other) == len(breaks)):
            in_order, breaks = backwards, other
    if breaks:
        return breaks
    opening = _opening(in_order, stated)
    if opening is None:
        return [
            BadLine(
                0, "余额", "neither running balances nor an opening balance (期初余额) are stated"
            )
        ]
    balances = list(accumulate((line.amount_fen for line in in_order), initial=opening))
    return Added(
        lines=[
            replace(line, balance_fen=balance)
            for line, balance in zip(in_order, balances[1:], strict=True)
        ],
        opening_fen=opening,
        closing_fen=balances[-1],
    )


def _opening(lines: Sequence[ReadLine], stated: Stated) -> int | None:
    """The balance before the first line, from whatever the file states."""
    if stated.opening_fen is not None:
        return stated.opening_fen
    moved = 0
    for line in lines:
        moved += line.amount_fen
        if line.balance_fen is not None:
            return line.balance_fen - moved
    return None if stated.closing_fen is None else stated.closing_fen - moved


def _breaks(lines: Sequence[ReadLine], stated: Stated) -> list[BadLine]:
    """Where a stated balance is not the one before it and the amounts since."""
    expected = _opening(lines, stated)
    found = []
    for line in lines:
        if expected is None:
            return []
        expected += line.amount_fen
        if line.balance_fen is not None and line.balance_fen != expected:
            found.append(
                BadLine(
                    line.number,
                    "余额",
                    f"does not follow from the line before: expected {_yuan(expected)}",
                    _yuan(line.balance_fen),
                )
            )
            expected = line.balance_fen
    if stated.closing_fen is not None and expected is not None and stated.closing_fen != expected:
        reason = f"the lines come to {_yuan(expected)}"
        found.append(BadLine(0, "期末余额", reason, _yuan(stated.closing_fen)))
    return found


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def identities(account_number: str, lines: Sequence[ReadLine]) -> list[bytes]:
    """What each line is known by, whichever file it comes in.

    The bank's own number where there is one. A transfer and its fee may share that, so day and
    amount belong to it; else what the line says and the balance it left. Of lines that are alike
    in all of it, the first of a file is the first of any file.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        parts: tuple[object, ...] = (line.booked_on, line.amount_fen)
        if line.reference:
            parts = ("reference", line.reference, *parts)
        else:
            said = (line.name, line.account, line.remark, line.balance_fen)
            parts = ("line", *parts, *said)
        alike = "\x1f".join(map(str, (account_number, *parts)))
        seen[alike] += 1
        found.append(hashlib.sha256(f"{alike}\x1f{seen[alike]}".encode()).digest())
    return found


def opening_identity(account_number: str) -> bytes:
    """What the balance before an account's first statement is known by."""
    return hashlib.sha256(f"{account_number}\x1fopening".encode()).digest()
