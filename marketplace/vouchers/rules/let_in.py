"""Past orders that no voucher paid for, and which of them changed terms would let in.

Both sides are reckoned as in a dry run of what was paid. What was never asked for has to be taken
as something, and `ASSUMED` says as what; whose facts nobody has stated is let in on no side, and
counted apart by what is missing.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from marketplace.kernel.money import split
from marketplace.vouchers.rules.beneficiaries import (
    Facts,
    Profile,
    beneficiary_of,
    unknown_facts,
)
from marketplace.vouchers.rules.dry_run import (
    PastGrant,
    PastOrder,
    Places,
    Side,
    Spending,
    Sums,
    meets_limits,
    size_of,
)
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.terms import Terms

PREFIX = "let_in_"
"""Before the dimensions of the rows that tell of orders without a voucher."""
UNKNOWN_FACTS = f"{PREFIX}unknown"

ASSUMED = (
    "Each SME would have applied in time, and been granted the most that it may apply for.",
    "The budgets would have held it.",
    "Everybody would have ordered the same of the same provider.",
    "Groups and instruments have the whole of their caps beside what vouchers really paid.",
)
"""What nobody knows of orders that no voucher paid for, and as what it is taken."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An SME with orders that no voucher paid for, and what was known of it; None: not known.

    `grant` is the grant that it has with what is left of it, or the layers that would pay for it,
    each with its budget.
    """

    grant: PastGrant
    profile: Profile | None
    facts: Facts
    suspended: bool
    holds: bool
    """Whether it has a grant of the programme: then it is a beneficiary of it."""


@dataclass(slots=True)
class LetIn:
    """What the orders come to that are let in: nothing before, something after."""

    orders: int = 0
    amount_fen: int = 0


@dataclass(slots=True)
class _Present:
    newcomer: Newcomer
    before: Spending
    after: Spending
    layers: list[Sums]
    unknown: frozenset[str]
    own: Sums = field(default_factory=Sums)


class LettingIn:
    """The before and after table of orders without vouchers, as they come in.

    They come SME by SME, or day by day where a cap is shared, as in `DryRun`.
    """

    def __init__(
        self,
        before: Terms,
        after: Terms,
        places: Places,
        *,
        year: int,
        facts_on: date,
    ) -> None:
        days = (date(2000, 1, 1),)
        self.before, self.after = Side(before, days, places), Side(after, days, places)
        self.by_day = any(side.by_group or side.by_instrument for side in (self.before, self.after))
        self.by_group = self.before.by_group or self.after.by_group
        self.total = Sums()
        self.let_in = LetIn()
        self.seen = 0
        self.unknown: defaultdict[str, int] = defaultdict(int)
        self._year, self._facts_on = year, facts_on
        self._present: dict[int, _Present] = {}
        self._sums: defaultdict[tuple[str, str], Sums] = defaultdict(Sums)

    def add(self, orders: Iterable[PastOrder], newcomers: Mapping[int, Newcomer]) -> None:
        """Reckon more orders; their `grant_id` is the SME's, of which `newcomers` tells."""
        for order in orders:
            present = self._present.get(order.grant_id)
            if present is None:
                present = self._begin(order.grant_id, newcomers[order.grant_id])
            self.seen += 1
            for fact in present.unknown:
                self.unknown[fact] += 1
            grant = present.newcomer.grant
            if not grant.parts:
                continue
            before = self.before.pay(present.before, grant, order)
            after = self.after.pay(present.after, grant, order)
            self._count(present, order, before, after)

    def _count(
        self, present: _Present, order: PastOrder, before: list[int], after: list[int]
    ) -> None:
        value, before_fen, after_fen = order.service_value_fen, sum(before), sum(after)
        if not before_fen and not after_fen:
            return
        if not before_fen:
            self.let_in.orders += 1
            self.let_in.amount_fen += after_fen
        self.total.add(value, before_fen, after_fen)
        present.own.add(value, before_fen, after_fen)
        for dimension, key in (
            ("service_kind", order.service_kind),
            ("provider", str(order.provider_id)),
        ):
            self._sums[PREFIX + dimension, key].add(value, before_fen, after_fen)
        for row, one, other in zip(present.layers, before, after, strict=True):
            if one or other:
                row.add(value, one, other)

    def _begin(self, sme_id: int, newcomer: Newcomer) -> _Present:
        if not self.by_day:
            self._count_present()
        grant = newcomer.grant
        sides = [
            side.begin(
                grant,
                _rooms(newcomer, side.terms),
                admitted=self._admitted(newcomer, side.terms),
            )
            for side in (self.before, self.after)
        ]
        unknown: frozenset[str] = frozenset()
        if not newcomer.holds and not newcomer.suspended and grant.parts:
            unknown = unknown_facts(
                newcomer.profile, newcomer.facts, self.after.terms, self._year, self._facts_on
            )
        found = self._present[sme_id] = _Present(
            newcomer,
            sides[0],
            sides[1],
            [self._sums[f"{PREFIX}layer", str(part.layer_id)] for part in grant.parts],
            unknown,
        )
        return found

    def _admitted(self, newcomer: Newcomer, terms: Terms) -> bool:
        if newcomer.suspended:
            return False
        if newcomer.holds:
            return meets_limits(newcomer.grant, terms)
        kind = beneficiary_of(newcomer.profile, newcomer.facts, terms, self._year, self._facts_on)
        return kind is not None

    def _count_present(self) -> None:
        for present in self._present.values():
            grant = present.newcomer.grant
            if present.own.orders:
                self._sums[f"{PREFIX}size", size_of(grant.staff)].merge(present.own)
                self._sums[f"{PREFIX}region", f"{grant.region_code[:4]}00"].merge(present.own)
        self._present.clear()

    def rows(self) -> dict[tuple[str, str], Sums]:
        """The table once every order is in, with what is not known of how many orders."""
        self._count_present()
        found = {key: sums for key, sums in self._sums.items() if sums.orders}
        for fact, orders in self.unknown.items():
            found[UNKNOWN_FACTS, fact] = Sums(orders=orders)
        return found


def _rooms(newcomer: Newcomer, terms: Terms) -> list[int]:
    """What is left of the grant it has, or the most that it may apply for, layer by layer."""
    parts = newcomer.grant.parts
    rooms = [part.amount_fen for part in parts]
    if newcomer.holds:
        return rooms
    for scope in (CapScope.GRANT, CapScope.APPLICATION, CapScope.SME_YEAR):
        rooms = [
            min([room, *_caps(terms, scope, part.funder)])
            for room, part in zip(rooms, parts, strict=True)
        ]
        for cap in _caps(terms, scope, None):
            if sum(rooms) > cap:
                of_cap = split(cap, [part.ratio_basis_points for part in parts])
                rooms = [min(pair) for pair in zip(rooms, of_cap, strict=True)]
    return rooms


def _caps(terms: Terms, scope: CapScope, funder: str | None) -> Sequence[int]:
    cap = terms.cap_on(scope, funder)
    return () if cap is None else (cap,)
