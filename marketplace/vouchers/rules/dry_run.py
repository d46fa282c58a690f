"""What past orders of a programme would have been paid under other terms.

Both sides are reckoned by the very rules that quote and settle vouchers, over the same orders, one
after the other: a difference comes from the terms and from nothing else. An SME keeps the grant it
was given; one that was given all that the old cap allowed is given all that the new one allows.

Policy: J.22a, J.22b
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from marketplace.vouchers.rules.limits import TECHNOLOGY_SME, CapScope
from marketplace.vouchers.rules.shares import LayerRoom, Purchase, Sharing
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.rules.usability import (
    GrantOnDay,
    Use,
    asks_for_instruments,
    reasons_not_to_pay,
)

SIZES = (20, 100, 300, 500)
"""Staff at most, for the classes of SMEs in the table."""
UNKNOWN = "unknown"


_OF_SME = (CapScope.SME_YEAR, None)
_ASKED_HERE = frozenset(
    {
        "excluded-service",
        "service-kind",
        "buyer-region",
        "provider-region",
        "instrument-category",
        "instrument-worth",
    }
)
"""The rules that look at the order alone, and not at the days and sanctions of then."""


class PastOrder(NamedTuple):
    """One redeemed order; the fields in the order in which they are read from the database."""

    grant_id: int
    on: date
    service_value_fen: int
    service_kind: str
    provider_id: int
    instrument_id: int
    others_fen: int
    recorded_fen: int
    persons: int


@dataclass(frozen=True, slots=True)
class PastPart:
    """A layer of a grant: what it was given, and what the layer pays by itself."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    amount_fen: int
    region_code: str


@dataclass(frozen=True, slots=True)
class PastGrant:
    """A grant, who held it, and what was known of them; None: not known."""

    grant_id: int
    region_code: str
    group_id: int
    staff: int | None
    sales_fen: int | None
    assets_fen: int | None
    parts: tuple[PastPart, ...]


def size_of(staff: int | None) -> str:
    """The class of an SME by its staff, as the table names it: `up-to-20`, …, `over-500`."""
    if staff is None:
        return UNKNOWN
    at = bisect.bisect_left(SIZES, staff)
    return f"up-to-{SIZES[at]}" if at < len(SIZES) else f"over-{SIZES[-1]}"


@dataclass(slots=True)
class Sums:
    """One row of the before and after table."""

    orders: int = 0
    service_value_fen: int = 0
    orders_before: int = 0
    orders_after: int = 0
    before_fen: int = 0
    after_fen: int = 0

    def add(self, value_fen: int, before_fen: int, after_fen: int) -> None:
        """Count one order."""
        self.orders += 1
        self.service_value_fen += value_fen
        self.before_fen += before_fen
        self.after_fen += after_fen
        if before_fen:
            self.orders_before += 1
        if after_fen:
            self.orders_after += 1

    def merge(self, other: Sums) -> None:
        """Count what another row counted."""
        self.orders += other.orders
        self.service_value_fen += other.service_value_fen
        self.orders_before += other.orders_before
        self.orders_after += other.orders_after
        self.before_fen += other.before_fen
        self.after_fen += other.after_fen


@dataclass(slots=True)
class Spending:
    """What one grant has spent so far on one side."""

    rooms: list[int]
    admitted: bool
    orders: int = 0
    year: int = 0
    value_fen: int = 0
    spent: dict[tuple[CapScope, str | None], int] = field(default_factory=dict)


class Served(NamedTuple):
    """What terms may ask of the instrument that serves."""

    category: str
    worth_fen: int


NOT_LISTED = Served("", 0)
"""What counts for an instrument that nobody knows."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the providers of past orders are, and on what was served; filled as orders come in."""

    regions: dict[int, str] = field(default_factory=dict)
    instruments: dict[int, Served] = field(default_factory=dict)


class Side:
    """The orders under one set of terms."""

    def __init__(self, terms: Terms, programme_days: tuple[date, ...], places: Places) -> None:
        self.terms = terms
        self.places = places
        self.by_served = asks_for_instruments(terms)
        self.sharing = Sharing(terms)
        self._paying: dict[tuple[str, str, str, Served | None], bool] = {}
        self._shared: dict[tuple[CapScope, int, int], int] = {}
        caps = [cap.scope for cap in terms.caps]
        self.by_group = CapScope.GROUP_YEAR in caps
        self.by_instrument = CapScope.INSTRUMENT_YEAR in caps
        self._days = programme_days

    def begin(
        self, grant: PastGrant, rooms: Sequence[int], *, admitted: bool | None = None
    ) -> Spending:
        """A grant that has spent nothing; whether it pays at all, where that is known."""
        if admitted is None:
            admitted = meets_limits(grant, self.terms)
        return Spending(list(rooms), admitted)

    def pay(
        self,
        spending: Spending,
        grant: PastGrant,
        order: PastOrder,
    ) -> list[int]:
        """What each of the grant's layers pays of the order."""
        on, value = order.on, order.service_value_fen
        provider_region = self.places.regions.get(order.provider_id, "")
        terms = self.terms
        within = terms.services_within
        if (
            not spending.admitted
            or value < terms.minimum_order_fen
            or (within is not None and not within.holds_on(on))
            or not self._pays(order, grant.region_code, provider_region)
        ):
            return [0] * len(grant.parts)
        if spending.year != on.year:
            spending.year, spending.value_fen, spending.spent = on.year, 0, {}
        if self.by_group or self.by_instrument:
            self._take_shared(spending, grant, order)
        purchase = Purchase(
            order.service_kind,
            grant.region_code,
            provider_region,
            TECHNOLOGY_SME,
            spending.orders == 0,
            order.others_fen,
            spending.value_fen,
            spending.spent,
            order.persons,
        )
        rooms = [
            LayerRoom(part.layer_id, part.funder, part.ratio_basis_points, room, part.region_code)
            for part, room in zip(grant.parts, spending.rooms, strict=True)
        ]
        _, amounts = self.sharing.amounts(value, rooms, purchase)
        self._note(spending, grant, order, amounts)
        return amounts

    def _pays(self, order: PastOrder, sme_region: str, provider_region: str) -> bool:
        served = None
        if self.by_served:
            served = self.places.instruments.get(order.instrument_id, NOT_LISTED)
        key = (order.service_kind, sme_region, provider_region, served)
        found = self._paying.get(key)
        if found is None:
            use = Use(
                on=self._days[0],
                service_kind=order.service_kind,
                sme_suspended=False,
                provider_suspended=False,
                affiliated_by=None,
                sme_region=sme_region,
                provider_region=provider_region,
                instrument_category=None if served is None else served.category,
                instrument_worth_fen=None if served is None else served.worth_fen,
            )
            grant = GrantOnDay("active", self._days[-1], 1)
            reasons = reasons_not_to_pay(use, grant, self.terms)
            found = not any(reason.rule in _ASKED_HERE for reason in reasons)
            self._paying[key] = found
        return found

    def _take_shared(self, spending: Spending, grant: PastGrant, order: PastOrder) -> None:
        """What others of the group, and others on the instrument, count towards caps already."""
        year = order.on.year
        for scope, subject in (
            (CapScope.GROUP_YEAR, grant.group_id),
            (CapScope.INSTRUMENT_YEAR, order.instrument_id),
        ):
            spending.spent[scope, None] = self._shared.get((scope, subject, year), 0)

    def _note(
        self, spending: Spending, grant: PastGrant, order: PastOrder, amounts: Sequence[int]
    ) -> None:
        together = 0
        for index, (part, amount) in enumerate(zip(grant.parts, amounts, strict=True)):
            if amount:
                together += amount
                spending.rooms[index] -= amount
                key = (CapScope.SME_YEAR, part.funder)
                spending.spent[key] = spending.spent.get(key, 0) + amount
        if not together:
            return
        spending.orders += 1
        spending.value_fen += order.service_value_fen
        spending.spent[_OF_SME] = spending.spent.get(_OF_SME, 0) + together
        if self.by_group:
            self._share(CapScope.GROUP_YEAR, grant.group_id, order.on.year, together)
        if self.by_instrument:
            self._share(CapScope.INSTRUMENT_YEAR, order.instrument_id, order.on.year, together)

    def _share(self, scope: CapScope, subject: int, year: int, amount_fen: int) -> None:
        key = (scope, subject, year)
        self._shared[key] = self._shared.get(key, 0) + amount_fen


@dataclass(slots=True)
class _Present:
    """A grant whose orders are being reckoned."""

    grant: PastGrant
    before: Spending
    after: Spending
    layers: list[Sums]
    own: Sums = field(default_factory=Sums)


class DryRun:
    """The before and after table, as orders come in: grant by grant, or day by day.

    Where a cap is shared by a group or by the users of an instrument the orders come day by day,
    because whoever comes first takes it; else grant by grant, and only the present one is kept.
    """

    def __init__(self, before: Terms, after: Terms, places: Places) -> None:
        days = (date(2000, 1, 1),)
        self.before, self.after = Side(before, days, places), Side(after, days, places)
        self.by_day = any(side.by_group or side.by_instrument for side in (self.before, self.after))
        self.by_group = self.before.by_group or self.after.by_group
        self.recorded_fen = 0
        self._present: dict[int, _Present] = {}
        self._kinds: defaultdict[str, Sums] = defaultdict(Sums)
        self._providers: defaultdict[int, Sums] = defaultdict(Sums)
        self._layers: defaultdict[int, Sums] = defaultdict(Sums)
        self._sizes: defaultdict[str, Sums] = defaultdict(Sums)
        self._regions: defaultdict[str, Sums] = defaultdict(Sums)

    def add(self, orders: Iterable[PastOrder], grants: Mapping[int, PastGrant]) -> None:
        """Reckon more orders; `grants` holds at least the ones that these belong to."""
        for order in orders:
            present = self._present.get(order.grant_id)
            if present is None:
                present = self._begin(grants[order.grant_id])
            grant = present.grant
            paid = self.before.pay(present.before, grant, order)
            would = self.after.pay(present.after, grant, order)
            value, paid_fen, would_fen = order.service_value_fen, sum(paid), sum(would)
            self.recorded_fen += order.recorded_fen
            present.own.add(value, paid_fen, would_fen)
            self._kinds[order.service_kind].add(value, paid_fen, would_fen)
            self._providers[order.provider_id].add(value, paid_fen, would_fen)
            for row, one, other in zip(present.layers, paid, would, strict=True):
                row.add(value, one, other)

    def _begin(self, grant: PastGrant) -> _Present:
        if not self.by_day:
            self._count_present()
        found = self._present[grant.grant_id] = _Present(
            grant,
            self.before.begin(grant, [part.amount_fen for part in grant.parts]),
            self.after.begin(grant, self._rooms_after(grant)),
            [self._layers[part.layer_id] for part in grant.parts],
        )
        return found

    def _count_present(self) -> None:
        for present in self._present.values():
            self._sizes[size_of(present.grant.staff)].merge(present.own)
            self._regions[f"{present.grant.region_code[:4]}00"].merge(present.own)
        self._present.clear()

    def rows(self) -> dict[tuple[str, str], Sums]:
        """The table, by dimension and key, once every order is in."""
        self._count_present()
        of: dict[str, Mapping[Any, Sums]] = {
            "size": self._sizes,
            "region": self._regions,
            "service_kind": self._kinds,
            "provider": self._providers,
            "layer": self._layers,
        }
        return {
            (dimension, str(key)): sums
            for dimension, by_key in of.items()
            for key, sums in by_key.items()
        }

    def total(self) -> Sums:
        """What all orders come to, once every order is in."""
        self._count_present()
        together = Sums()
        for sums in self._kinds.values():
            together.merge(sums)
        return together

    def _rooms_after(self, grant: PastGrant) -> list[int]:
        """What a grant would be: the new cap for whom the old one held back, else what it was."""
        rooms = []
        for part in grant.parts:
            room = part.amount_fen
            for scope in (CapScope.GRANT, CapScope.APPLICATION, CapScope.SME_YEAR):
                for funder in (None, part.funder):
                    old = self.before.terms.cap_on(scope, funder)
                    new = self.after.terms.cap_on(scope, funder)
                    if old is not None and part.amount_fen >= old and new is not None:
                        room = max(room, new)
                    if new is not None:
                        room = min(room, new)
            rooms.append(room)
        return rooms


def meets_limits(grant: PastGrant, terms: Terms) -> bool:
    """Whether the SME's figures meet one kind of beneficiary; what nobody knows is held to."""

    def within(found: int | None, limit: int | None) -> bool:
        return found is None or limit is None or found <= limit

    return any(
        within(grant.staff, each.staff_max)
        and within(grant.sales_fen, each.sales_max_fen)
        and within(grant.assets_fen, each.assets_max_fen)
        for each in terms.eligible
    )
