"""The detector of one undertaking that was cut up so that each piece stays below a cap.

Every cap adds money up over something: an order, an application, a grant, an SME's year, a
controlling group's, an instrument's. Whoever wants more than a cap allows takes another of these:
a second order, a second application, a sister company, the next year, the instrument beside it.
Each of them is filled nearly to the cap, within days, for the same service; what an honest buyer
wants more of is cut to the cap exactly.

Policy: J.22b, J.31
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.kernel.money import BASIS_POINTS, yuan
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, Service, subjects_of
from marketplace.vouchers.rules.limits import CapScope

_PIECES = {
    CapScope.ORDER: "orders",
    CapScope.APPLICATION: "applications",
    CapScope.GRANT: "vouchers",
    CapScope.SME_YEAR: "years of the SMEs of one group",
    CapScope.GROUP_YEAR: "years of one group",
    CapScope.INSTRUMENT_YEAR: "years of instruments",
}
# What a cap is counted over besides the order may be shared by honest orders of one buyer: who has
# two vouchers, or needs two instruments, looks alike.
CERTAIN = frozenset({CapScope.ORDER})


@dataclass(frozen=True, slots=True)
class CappedPart:
    """What an order took of the money that one cap limits.

    `unit` is for whom and where it was (a buyer or its group, the provider, the instrument);
    `piece` is what the cap adds up over: the order, the application, the SME's year.
    """

    service: Service
    scope: CapScope
    funder: str
    """Whose money the cap limits; empty: that of all layers together."""
    unit: tuple[int, ...]
    piece: tuple[int, ...]
    placed_on: date
    amount_fen: int
    cap_fen: int


def split_orders(
    parts: Iterable[CappedPart], *, window_days: int, near_basis_points: int
) -> list[Finding]:
    """One undertaking in several pieces, each just below a cap, together above it."""
    by_unit: dict[tuple[CapScope, str, tuple[int, ...]], list[CappedPart]] = defaultdict(list)
    for each in parts:
        by_unit[each.scope, each.funder, each.unit].append(each)
    found = []
    for (scope, _funder, unit), of_unit in sorted(by_unit.items()):
        of_unit.sort(key=lambda each: (each.placed_on, each.service.order_id))
        for near in _split(of_unit, timedelta(days=window_days), near_basis_points):
            found.append(_finding(scope, unit, near))
    return found


def _near(run: Sequence[CappedPart], near_basis_points: int) -> list[CappedPart]:
    """Of a run, what lies in pieces that are filled nearly to the cap."""
    filled: dict[tuple[int, ...], int] = defaultdict(int)
    for each in run:
        filled[each.piece] += each.amount_fen
    return [
        each
        for each in run
        if each.cap_fen * near_basis_points
        <= filled[each.piece] * BASIS_POINTS
        < each.cap_fen * BASIS_POINTS
    ]


def _finding(scope: CapScope, unit: tuple[int, ...], run: Sequence[CappedPart]) -> Finding:
    pieces, total = _pieces(run), _total(run)
    ids = [each.service.order_id for each in run]
    return Finding(
        kind=AnomalyKind.SPLIT_ORDERS,
        key=(*(() if scope is CapScope.ORDER else (str(scope),)), *unit, ids[0]),
        summary=(
            f"{pieces} {_PIECES[scope]} from {run[0].placed_on} to {run[-1].placed_on}, each"
            f" just below the cap of {yuan(run[0].cap_fen)} and {yuan(total)} together."
        ),
        proof=tuple(ids),
        subjects=subjects_of(each.service for each in run),
        facts=tuple(
            {
                "order_id": each.service.order_id,
                "placed_on": each.placed_on.isoformat(),
                "amount_fen": each.amount_fen,
                "cap": str(scope),
                "cap_fen": each.cap_fen,
            }
            for each in run
        ),
        certain=scope in CERTAIN,
    )


def _split(
    parts: Sequence[CappedPart], window: timedelta, near_basis_points: int
) -> Iterable[list[CappedPart]]:
    """What lies in several pieces near the cap within the window of its first; each order once."""
    first = 0
    while first < len(parts):
        until = parts[first].placed_on + window
        beyond = bisect_right(parts, until, lo=first, key=lambda each: each.placed_on)
        run = parts[first:beyond]
        near = _near(run, near_basis_points)
        if _pieces(near) > 1 and _total(near) > max(each.cap_fen for each in near):
            yield near
            first += len(run)
        else:
            first += 1


def _pieces(parts: Sequence[CappedPart]) -> int:
    return len({each.piece for each in parts})


def _total(parts: Sequence[CappedPart]) -> int:
    return sum(each.amount_fen for each in parts)
