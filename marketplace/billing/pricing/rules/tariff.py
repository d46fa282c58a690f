"""What a price list says: prices with their volume tiers, hours with a factor, urgency, extras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Unit
from marketplace.kernel.money import BASIS_POINTS, share
from marketplace.kernel.time import SHANGHAI

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1440


@dataclass(frozen=True, slots=True)
class Tier:
    """From the `from_quantity`-th unit on, each costs `amount_fen`; the ones before do not."""

    from_quantity: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PriceAsked:
    """One line of a price list: what a class of customers pays for a unit.

    `minutes_per_unit` is the planned time of one unit on the instrument; a price per hour has
    none. `minimum_fen` is the least that a service costs.
    """

    customer_class: CustomerClass
    unit: Unit
    amount_fen: int
    minimum_fen: int = 0
    minutes_per_unit: int | None = None
    tiers: tuple[Tier, ...] = ()

    @property
    def minutes(self) -> int:
        """Minutes of the instrument that one unit takes."""
        return MINUTES_PER_HOUR if self.unit is Unit.HOUR else (self.minutes_per_unit or 0)


@dataclass(frozen=True, slots=True)
class HoursFactor:
    """Hours of the week in which an hour's price is multiplied, for instance the night by 0.6."""

    name: str
    weekday: int
    opens_minute: int
    closes_minute: int
    factor_basis_points: int


@dataclass(frozen=True, slots=True)
class ExtraPrice:
    """What one unit of help or material costs the customer, beside what it costs the unit.

    `unit` is a word of the list; an extra per hour is counted in minutes.
    """

    code: str
    kind: ExtraKind
    name: str
    unit: str
    amount_fen: int
    cost_fen: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """What holds for every class of a price list."""

    hours: tuple[HoursFactor, ...] = ()
    urgent_basis_points: int | None = None
    extras: tuple[ExtraPrice, ...] = ()

    @property
    def highest_factor(self) -> int:
        """The dearest hour's factor, at least that of an ordinary one."""
        return max(BASIS_POINTS, *(one.factor_basis_points for one in self.hours), 0)

    def extra_of(self, code: str) -> ExtraPrice | None:
        """The extra of that code."""
        return next((one for one in self.extras if one.code == code), None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Minutes, or units, that cost the same: `amount_fen` is per hour or per unit."""

    amount_fen: int
    quantity: int
    name: str = ""


def hour_price(amount_fen: int, factor_basis_points: int) -> int:
    """An hour's price at a factor; part of a fen is left off, so that no factor passes the cost."""
    return share(amount_fen, factor_basis_points, "down")


def set_by_hand(price: PriceAsked, amount_fen: int) -> PriceAsked:
    """The price with another amount per unit: it covers the whole service, whatever its size.

    Tiers and the minimum charge go with the amount that they belong to.
    """
    return replace(price, amount_fen=amount_fen, minimum_fen=0, tiers=())


def pieces(
    price: PriceAsked, quantity: int, *, hours: Sequence[HoursFactor], starts_at: datetime | None
) -> list[Piece]:
    """`quantity` minutes or units cut by volume tier and, for an hour's price, by time of day.

    Pieces that cost the same and are called the same are one. Time is cut from the start on, so a
    longer service only adds to pieces: it never costs less. Without `starts_at` no factor holds.
    """
    found: dict[tuple[int, str], int] = {}
    for amount_fen, count, ahead in _by_tier(price, quantity):
        if price.unit is not Unit.HOUR or starts_at is None:
            _add(found, amount_fen, "", count)
            continue
        begins = starts_at + timedelta(minutes=ahead)
        for minutes, one in _by_hours(begins, count, hours):
            factor = BASIS_POINTS if one is None else one.factor_basis_points
            _add(found, hour_price(amount_fen, factor), "" if one is None else one.name, minutes)
    return [Piece(amount_fen, count, name) for (amount_fen, name), count in found.items()]


def _add(found: dict[tuple[int, str], int], amount_fen: int, name: str, count: int) -> None:
    found[amount_fen, name] = found.get((amount_fen, name), 0) + count


def _by_tier(price: PriceAsked, quantity: int) -> Iterator[tuple[int, int, int]]:
    """(price, how many at it, how many before them), from the first unit on."""
    per_unit = MINUTES_PER_HOUR if price.unit is Unit.HOUR else 1
    steps = [(0, price.amount_fen)]
    steps += [((tier.from_quantity - 1) * per_unit, tier.amount_fen) for tier in price.tiers]
    ends = [first for first, _ in steps[1:]] + [quantity]
    for (first, amount_fen), end in zip(steps, ends, strict=True):
        count = min(end, quantity) - first
        if count > 0:
            yield amount_fen, count, first


def _by_hours(
    begins: datetime, minutes: int, hours: Sequence[HoursFactor]
) -> Iterator[tuple[int, HoursFactor | None]]:
    """`minutes` from `begins` cut where a factor begins or ends, in Shanghai's week."""
    local = begins.astimezone(SHANGHAI)
    while minutes > 0:
        minute = local.hour * MINUTES_PER_HOUR + local.minute
        today = [one for one in hours if one.weekday == local.weekday()]
        holding = next(
            (one for one in today if one.opens_minute <= minute < one.closes_minute), None
        )
        bounds = [one.opens_minute for one in today if one.opens_minute > minute]
        until = holding.closes_minute if holding else min([*bounds, MINUTES_PER_DAY])
        count = min(minutes, until - minute)
        yield count, holding
        minutes -= count
        local += timedelta(minutes=count)
