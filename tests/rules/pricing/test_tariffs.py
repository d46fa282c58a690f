"""What holds of every service under every price list."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.pricing.errors import PricesAboveCost
from marketplace.billing.pricing.rules.cost import Ceiling, require_no_profit
from marketplace.billing.pricing.rules.quoting import Counted, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import (
    HoursFactor,
    PriceAsked,
    Tariff,
    Tier,
    hour_price,
    pieces,
)
from marketplace.kernel.time import SHANGHAI

MONDAY = datetime(2025, 3, 3, tzinfo=SHANGHAI)
HALF = Fraction(1, 2)


@st.composite
def hours(draw) -> tuple[HoursFactor, ...]:
    """Disjoint hours with factors, over the week."""
    found = []
    for weekday in draw(st.sets(st.integers(0, 6), max_size=4)):
        bounds = sorted(draw(st.sets(st.integers(0, 1440), min_size=2, max_size=6)))
        for opens, closes in zip(bounds[::2], bounds[1::2], strict=False):
            factor = draw(st.integers(0, 20_000))
            found.append(HoursFactor(f"{weekday} {opens}", weekday, opens, closes, factor))
    return tuple(found)


@st.composite
def prices(draw, unit: Unit = Unit.HOUR) -> PriceAsked:
    """A price with up to three tiers, each a discount."""
    amount_fen = draw(st.integers(0, 10**7))
    tiers = []
    present = amount_fen
    for start in sorted(draw(st.sets(st.integers(2, 40), max_size=3))):
        present = draw(st.integers(0, present))
        tiers.append(Tier(start, present))
    return PriceAsked(
        CustomerClass.SME,
        unit,
        amount_fen,
        minimum_fen=draw(st.sampled_from([0, 0, 50_00])),
        minutes_per_unit=None if unit is Unit.HOUR else 30,
        tiers=tuple(tiers),
    )


def total(price: PriceAsked, counted: Counted, tariff: Tariff) -> tuple[int, int]:
    lines = price_lines(
        price, counted, tariff=tariff, price_list="list", purpose=None, free_purposes=()
    )
    return sum(line.amount_fen for line in lines), len(lines)


def exact(price: PriceAsked, counted: Counted, tariff: Tariff) -> Fraction:
    """The price minute by minute, with no rounding but that of an hour's price at a factor."""
    assert counted.starts_at is not None
    whole = Fraction(0)
    for minute in range(counted.quantity):
        amount_fen = price.amount_fen
        for tier in price.tiers:
            if minute >= (tier.from_quantity - 1) * 60:
                amount_fen = tier.amount_fen
        at = (counted.starts_at + timedelta(minutes=minute)).astimezone(SHANGHAI)
        of_day = at.hour * 60 + at.minute
        for one in tariff.hours:
            if one.weekday == at.weekday() and one.opens_minute <= of_day < one.closes_minute:
                amount_fen = hour_price(amount_fen, one.factor_basis_points)
        whole += Fraction(amount_fen, 60)
    if counted.urgent:
        whole *= 1 + Fraction(tariff.urgent_basis_points or 0, 10_000)
    return max(whole, Fraction(price.minimum_fen))


counted = st.builds(
    Counted,
    quantity=st.integers(0, 3000),
    starts_at=st.integers(0, 14 * 1440).map(lambda minute: MONDAY + timedelta(minutes=minute)),
    urgent=st.booleans(),
)


@given(price=prices(), service=counted, when=hours(), urgent=st.integers(1, 20_000))
def test_the_total_is_the_exact_price_but_for_half_a_fen_a_line(price, service, when, urgent):
    tariff = Tariff(hours=when, urgent_basis_points=urgent)

    found_fen, lines = total(price, service, tariff)

    # Urgency is a share of lines that are rounded already: their halves grow with it.
    allowed = HALF * lines * (1 + Fraction(urgent, 10_000))
    assert abs(found_fen - exact(price, service, tariff)) <= allowed


@given(
    price=prices(),
    service=counted,
    when=hours(),
    urgent=st.integers(1, 20_000),
    more=st.integers(1, 600),
)
def test_a_longer_service_never_costs_less(price, service, when, urgent, more):
    tariff = Tariff(hours=when, urgent_basis_points=urgent)
    longer = Counted(service.quantity + more, service.starts_at, service.urgent)

    assert total(price, service, tariff)[0] <= total(price, longer, tariff)[0]


@given(price=prices(Unit.SAMPLE), samples=st.integers(0, 60))
def test_more_samples_never_cost_less(price, samples):
    fewer, more = (total(price, Counted(count), Tariff())[0] for count in (samples, samples + 1))

    assert fewer <= more


@given(price=prices(), service=counted, when=hours(), cut=st.integers(0, 3000))
def test_cutting_a_service_in_two_bookings_of_untiered_time_moves_no_minute(
    price, service, when, cut
):
    flat = PriceAsked(price.customer_class, price.unit, price.amount_fen)
    cut = min(cut, service.quantity)
    assert service.starts_at is not None
    later = service.starts_at + timedelta(minutes=cut)

    whole = pieces(flat, service.quantity, hours=when, starts_at=service.starts_at)
    first = pieces(flat, cut, hours=when, starts_at=service.starts_at)
    second = pieces(flat, service.quantity - cut, hours=when, starts_at=later)

    def minutes(found):
        counted: dict[tuple[int, str], int] = {}
        for one in found:
            key = (one.amount_fen, one.name)
            counted[key] = counted.get(key, 0) + one.quantity
        return counted

    assert minutes(whole) == minutes([*first, *second])


@given(
    price=prices(),
    service=counted,
    when=hours(),
    urgent=st.none() | st.integers(1, 20_000),
    cost=st.integers(0, 10**7),
    order=st.randoms(),
)
def test_prices_that_pass_the_test_against_cost_never_ask_more_than_cost(
    price, service, when, urgent, cost, order
):
    shuffled = list(when)
    order.shuffle(shuffled)
    tariff = Tariff(hours=tuple(shuffled), urgent_basis_points=urgent)
    service = Counted(service.quantity, service.starts_at, service.urgent and urgent is not None)
    assert total(price, service, Tariff(when, urgent)) == total(price, service, tariff)
    try:
        require_no_profit([price], tariff=tariff, ceiling=Ceiling(cost, 60))
    except PricesAboveCost:
        return

    found_fen, lines = total(price, service, tariff)

    least = max(Fraction(service.quantity, 60), Fraction(1))
    assert found_fen <= cost * least + HALF * lines * (1 + Fraction(urgent or 0, 10_000))
