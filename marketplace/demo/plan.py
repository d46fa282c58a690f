"""The plan of a demo province: who exists and what they own, drawn from a seed, before any of it
is built. Pure values: the same seed and scale give the same plan on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from stdnum.cn import uscc

from marketplace.demo.facts import KINDS, OWNERS, REGIONS, SCALES, TRADES, Kind, Scale

# Registration department and kind of organisation as the first two characters of a code.
_PREFIX = {
    "university": "12",
    "institute": "12",
    "public_institution": "12",
    "company": "91",
}


@dataclass(frozen=True, slots=True)
class PlannedEntity:
    """A legal entity of the demo."""

    uscc: str
    name: str
    name_en: str
    region_code: str
    city: str
    kind: str
    capital: str


@dataclass(frozen=True, slots=True)
class PlannedInstrument:
    """An instrument as it will stand in its provider's file."""

    inner_id: str
    kind: Kind
    maker: str
    nation: str
    model: str
    worth_wan: int
    began_year: int
    funds: str


@dataclass(frozen=True, slots=True)
class PlannedProvider:
    """A service unit and what it owns; `entity` is shared by the units of one legal entity."""

    name: str
    name_en: str
    entity: PlannedEntity
    instruments: tuple[PlannedInstrument, ...]


@dataclass(frozen=True, slots=True)
class PlannedCompany:
    """A technology SME with the figures of its year."""

    entity: PlannedEntity
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str
    deposit_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that exists before the year begins."""

    scale: Scale
    seed: int
    providers: tuple[PlannedProvider, ...]
    companies: tuple[PlannedCompany, ...]


def plan_province(*, scale: str, seed: int) -> Plan:
    """Draw the province."""
    chosen = SCALES[scale]
    dice = random.Random(seed)
    numbers = _code_numbers()
    providers = tuple(_providers(dice, chosen, numbers))
    companies = tuple(_company(dice, index, numbers) for index in range(1, chosen.companies + 1))
    return Plan(scale=chosen, seed=seed, providers=providers, companies=companies)


def _code_numbers() -> Iterator[int]:
    """Numbers for credit codes: each is used once."""
    number = 0
    while True:
        number += 1
        yield number


def demo_uscc(prefix: str, region_code: str, number: int) -> str:
    """A code with a right check digit whose organisation part says that it is made up."""
    body = f"{prefix}{region_code}DEM{number:06d}"
    return body + uscc.calc_check_digit(body)


def _providers(
    dice: random.Random, scale: Scale, numbers: Iterator[int]
) -> Iterator[PlannedProvider]:
    made = 0
    entity_number = 0
    while made < scale.units:
        kind, name, name_en, capital, units = OWNERS[entity_number % len(OWNERS)]
        region_code, city = REGIONS[entity_number % len(REGIONS)]
        entity_number += 1
        entity = PlannedEntity(
            uscc=demo_uscc(_PREFIX[kind], region_code, next(numbers)),
            name=f"{city[:-1]}{name}（{entity_number}）",
            name_en=f"{name_en} {entity_number}",
            region_code=region_code,
            city=city,
            kind=kind,
            capital=capital,
        )
        for unit in range(1, min(units, scale.units - made) + 1):
            # The remainder of the division goes to the first units, so the total is exact.
            share = scale.instruments // scale.units + (made < scale.instruments % scale.units)
            made += 1
            yield PlannedProvider(
                name=f"{entity.name}第{unit}测试中心",
                name_en=f"{entity.name_en} testing centre {unit}",
                entity=entity,
                instruments=tuple(
                    _instrument(dice, f"{made:04d}-{n:04d}", capital) for n in range(1, share + 1)
                ),
            )


def _instrument(dice: random.Random, inner_id: str, capital: str) -> PlannedInstrument:
    kind = dice.choice(KINDS)
    maker, nation, model = dice.choice(kind.models)
    return PlannedInstrument(
        inner_id=inner_id,
        kind=kind,
        maker=maker,
        nation=nation,
        model=model,
        worth_wan=dice.randint(*kind.worth_wan),
        began_year=dice.randint(2012, 2023),
        funds="地方财政资金" if capital == "fiscal" else "单位自有资金",
    )


def _company(dice: random.Random, index: int, numbers: Iterator[int]) -> PlannedCompany:
    region_code, city = dice.choice(REGIONS)
    trade = dice.choice(TRADES)
    entity = PlannedEntity(
        uscc=demo_uscc("91", region_code, next(numbers)),
        name=f"{city[:-1]}演示{trade}科技有限公司（{index}）",
        name_en=f"Demo {index} Technology Co., Ltd.",
        region_code=region_code,
        city=city,
        kind="company",
        capital="social",
    )
    return PlannedCompany(
        entity=entity,
        staff=dice.randint(8, 380),
        sales_fen=dice.randint(2_000_000, 160_000_000) * 100,
        assets_fen=dice.randint(1_000_000, 150_000_000) * 100,
        registration_number=f"2025{region_code}0A{index:06d}",
        deposit_fen=dice.randint(150, 600) * 100_000,
    )
