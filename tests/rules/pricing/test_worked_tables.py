"""Every worked row of docs/pricing.md is what the platform says."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from marketplace.billing.pricing.errors import PricesAboveCost
from marketplace.billing.pricing.rules.cost import Ceiling, dearest, require_no_profit, unit_cost
from marketplace.billing.pricing.rules.quoting import Counted, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import (
    ExtraPrice,
    HoursFactor,
    PriceAsked,
    Tariff,
    Tier,
)
from marketplace.kernel.money import parse_yuan
from marketplace.kernel.time import SHANGHAI

PAGE = Path(__file__).parents[3] / "docs" / "pricing.md"


def rows(title: str) -> list[dict[str, str]]:
    """The rows of the table that the page calls `title`, by the names of their columns."""
    _, _, after = PAGE.read_text(encoding="utf-8").partition(f"<!-- table: {title} -->\n")
    lines = [line for line in after.split("\n\n")[0].splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert body, title
    return [dict(zip(head, cells, strict=True)) for cells in body]


def fen(cell: str) -> int:
    return parse_yuan(cell) if cell else 0


def count(cell: str) -> int:
    return int(cell.replace(",", ""))


def points(cell: str) -> int | None:
    return int(re.sub(r" ?%", "", cell)) * 100 if cell else None


def lines_of(price: PriceAsked, counted: Counted, tariff: Tariff) -> list[int]:
    found = price_lines(
        price, counted, tariff=tariff, price_list="list", purpose=None, free_purposes=()
    )
    return [line.amount_fen for line in found]


@pytest.mark.parametrize("row", rows("unit cost"))
def test_a_unit_costs_what_the_page_says(row):
    cost_fen = unit_cost(
        total_fen=fen(row["total of the year"]),
        planned_minutes=count(row["planned hours"]) * 60,
        minutes=count(row["minutes of one unit"]),
    )

    assert fen(row["cost of one unit"]) == cost_fen


@pytest.mark.parametrize("row", rows("ceiling"))
def test_no_more_may_be_asked_than_the_page_says(row):
    price = PriceAsked(CustomerClass.SME, Unit.HOUR, fen(row["price of an hour"]))
    factor = points(row["dearest factor"])
    assert factor is not None
    tariff = Tariff(
        hours=(HoursFactor("dearest", 0, 0, 1440, factor),),
        urgent_basis_points=points(row["urgent"]),
    )
    ceiling = Ceiling(total_fen=fen(row["cost of one hour"]), planned_minutes=60)

    assert fen(row["dearest way of buying"]) == dearest(price, tariff)
    if row["allowed"] == "yes":
        require_no_profit([price], tariff=tariff, ceiling=ceiling)
    else:
        with pytest.raises(PricesAboveCost):
            require_no_profit([price], tariff=tariff, ceiling=ceiling)


@pytest.mark.parametrize("row", rows("true-up"))
def test_a_surplus_lowers_the_next_ceiling(row):
    surplus_fen = max(0, fen(row["income of the year"]) - fen(row["real cost"]))
    ceiling = Ceiling(
        fen(row["next year's planned total"]), count(row["planned hours"]) * 60, surplus_fen
    )

    assert fen(row["surplus"]) == surplus_fen
    assert fen(row["next year's highest hour"]) == ceiling.for_minutes(60)


@pytest.mark.parametrize("row", rows("machine time"))
def test_machine_time_costs_what_the_page_says(row):
    tier = row["from 5 hours on"]
    price = PriceAsked(
        CustomerClass.SME,
        Unit.HOUR,
        fen(row["price of an hour"]),
        minimum_fen=fen(row["minimum"]),
        tiers=(Tier(5, fen(tier)),) if tier else (),
    )
    urgent = points(row["urgent"])

    amounts = lines_of(
        price,
        Counted(count(row["minutes"]), urgent=urgent is not None),
        Tariff(urgent_basis_points=urgent),
    )

    assert [fen(part) for part in row["lines"].split(" + ")] == amounts
    assert fen(row["total"]) == sum(amounts)


@pytest.mark.parametrize("row", rows("hours of the day"))
def test_hours_of_the_day_weigh_as_the_page_says(row):
    factor = points(row["factor from 20:00 to 24:00"])
    assert factor is not None
    hour, minute = map(int, row["starts at"].split(":"))

    amounts = lines_of(
        PriceAsked(CustomerClass.SME, Unit.HOUR, fen(row["price of an hour"])),
        Counted(count(row["minutes"]), datetime(2025, 3, 3, hour, minute, tzinfo=SHANGHAI)),
        Tariff(hours=(HoursFactor("evening", 0, 20 * 60, 1440, factor),)),
    )

    assert sorted(fen(part) for part in row["lines"].split(" + ")) == sorted(amounts)
    assert fen(row["total"]) == sum(amounts)


@pytest.mark.parametrize("row", rows("samples"))
def test_samples_cost_what_the_page_says(row):
    price = PriceAsked(
        CustomerClass.SME,
        Unit.SAMPLE,
        fen(row["price of a sample"]),
        minutes_per_unit=30,
        tiers=(Tier(4, fen(row["from 4 samples on"])),),
    )

    assert fen(row["total"]) == sum(lines_of(price, Counted(count(row["samples"])), Tariff()))


@pytest.mark.parametrize("row", rows("extras"))
def test_help_and_material_cost_what_the_page_says(row):
    price_fen = fen(row["price"])
    extra = ExtraPrice(
        "one", ExtraKind.OTHER, row["extra"], row["unit"], price_fen, cost_fen=price_fen
    )

    *_, amount_fen = lines_of(
        PriceAsked(CustomerClass.SME, Unit.HOUR, 0),
        Counted(0, extras=(("one", count(row["quantity"])),)),
        Tariff(extras=(extra,)),
    )

    assert fen(row["amount"]) == amount_fen
