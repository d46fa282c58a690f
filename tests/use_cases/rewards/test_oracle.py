"""Every share of a lively year equals, to the fen, what a slow and independent computation says.

The oracle below is written from the policy, with exact fractions and one unit at a time; it shares
no line with the rules or with the statement that computes a province.
"""

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import text

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.rules.states import Grade
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from tests.builders.owner import become_owner
from tests.builders.parties import a_legal_entity
from tests.builders.rewards import (
    a_checker,
    a_grade,
    a_graded_provider,
    a_maker,
    a_reward_fund,
    an_approved_run,
)

RATES = {
    "excellent": Fraction(5, 100),
    "good": Fraction(3, 100),
    "qualified": Fraction(1, 100),
    "unqualified": Fraction(0),
    None: Fraction(0),
}
FIVE_PERCENT = Fraction(5, 100)
CAP_FEN = 500_000_00
SYSTEM = system_actor("test")


@dataclass
class Unit:
    """A provider of the oracle's year."""

    id: int
    entity: int
    grade: str | None
    served: list[tuple[date, int]] = field(default_factory=list)
    paid_fen: int = 0

    def total(self, through: date) -> int:
        return sum(fen for day, fen in self.served if day <= through)


def whole(amount: Fraction) -> int:
    return amount.numerator // amount.denominator


def most(unit: Unit, through: date) -> int:
    """What a unit may have of the year: no more than it has earned, and than its 5 %."""
    total = unit.total(through)
    return min(math.ceil(total * RATES[unit.grade]), whole(total * FIVE_PERCENT))


def oracle_run(units: list[Unit], through: date, budget_fen: int | None) -> dict[int, int]:
    """What each unit is paid by a run, and is noted as paid."""
    by_entity = defaultdict(list)
    for unit in sorted(units, key=lambda each: each.id):
        by_entity[unit.entity].append(unit)
    claims = {}
    for entity, members in sorted(by_entity.items()):
        earned = sum((unit.total(through) * RATES[unit.grade] for unit in members), Fraction(0))
        bounds = sum(most(unit, through) for unit in members)
        year_fen = min(whole(earned), bounds, CAP_FEN)
        claims[entity] = max(0, year_fen - sum(unit.paid_fen for unit in members))
    amounts = claims
    if budget_fen is not None and sum(claims.values()) > budget_fen:
        amounts = largest_remainder(budget_fen, claims)
    shares = {}
    for entity, members in by_entity.items():
        shares.update(oracle_split(members, amounts[entity], through))
    for unit in units:
        unit.paid_fen += shares[unit.id]
    return shares


def largest_remainder(amount_fen: int, claims: dict[int, int]) -> dict[int, int]:
    exact = {
        key: Fraction(amount_fen * claim, sum(claims.values())) for key, claim in claims.items()
    }
    parts = {key: whole(part) for key, part in exact.items()}
    by_rest = sorted(exact, key=lambda key: (parts[key] - exact[key], key))
    for key in by_rest[: amount_fen - sum(parts.values())]:
        parts[key] += 1
    return parts


def oracle_split(members: list[Unit], amount_fen: int, through: date) -> dict[int, int]:
    owed = {
        unit.id: max(Fraction(0), unit.total(through) * RATES[unit.grade] - unit.paid_fen)
        for unit in members
    }
    room = {unit.id: max(0, most(unit, through) - unit.paid_fen) for unit in members}
    all_owed = sum(owed.values())
    exact = {
        key: amount_fen * part / all_owed if all_owed else Fraction(0) for key, part in owed.items()
    }
    shares = {key: whole(part) for key, part in exact.items()}
    # One fen at a time: who has weight, then who has had fewest extra fen, then the remainder.
    extra = dict.fromkeys(shares, 0)
    while sum(shares.values()) < amount_fen:
        with_room = [key for key in shares if shares[key] < room[key]]
        lucky = min(
            with_room,
            key=lambda key: (owed[key] == 0, extra[key], whole(exact[key]) - exact[key], key),
        )
        shares[lucky] += 1
        extra[lucky] += 1
    return shares


async def a_province(database: Database, chance: random.Random) -> list[Unit]:
    units = []
    for _ in range(chance.randint(6, 10)):
        entity = await a_legal_entity(database)
        for _ in range(chance.choice([1, 1, 2, 3, 6])):
            grade = chance.choice([None, *(grade.value for grade in Grade), "excellent"])
            provider_id = await a_graded_provider(database, grade=grade, legal_entity_id=entity)
            units.append(Unit(provider_id, entity, grade))
    return units


async def serve(
    database: Database, chance: random.Random, units: list[Unit], since: date, through: date
) -> None:
    """Some services between two days, small and huge, and some corrections of earlier ones."""
    lines = []
    for unit in units:
        for _ in range(chance.randint(0, 4)):
            day = since + timedelta(days=chance.randint(0, (through - since).days))
            value = chance.choice([chance.randint(1, 50), chance.randint(1, 10**6), 10**8])
            lines.append((unit, day, value))
        if unit.served and chance.random() < 0.3:
            day, value = chance.choice([line for line in unit.served if line[1] > 0])
            lines.append((unit, day, -chance.randint(1, max(1, min(value, unit.total(day) // 4)))))
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        for unit, day, value in lines:
            unit.served.append((day, value))
            await connection.execute(
                text(
                    "insert into charge_line (order_id, kind, provider_id, legal_entity_id,"
                    " instrument_id, buyer_id, buyer_legal_entity_id, service_value_fen,"
                    " voucher_fen, own_fen, settled_on, voucher_order, affiliated,"
                    " counts_for_reward, reverses, recorded_by, recorded_at)"
                    " values ((select count(*) from charge_line), 'service', :provider, :entity,"
                    " 1, 1, 1, :value, 0, :value, :day, true, false, true, :reverses, 1, now())"
                ),
                {
                    "provider": unit.id,
                    "entity": unit.entity,
                    "value": value,
                    "day": day,
                    "reverses": 1 if value < 0 else None,
                },
            )


async def shares_of(database: Database, run_id: int) -> dict[int, int]:
    question = queries.ShareSearch(run_id, page_size=200)
    page = await atomically(database, queries.shares, question, actor=SYSTEM)
    return {share.provider_id: share.amount_fen for share in page.results}


@pytest.mark.parametrize("seed", range(6))
async def test_a_year_of_runs_equals_the_oracle_to_the_fen(database, clock, seed):
    chance = random.Random(seed)
    await a_reward_fund(database)
    maker, checker = await a_maker(database), await a_checker(database)
    units = await a_province(database, chance)
    clock.set(clock.now().replace(year=2026))
    since = date(2025, 1, 1)
    for through in (date(2025, 3, 31), date(2025, 7, 15), date(2025, 7, 15), date(2025, 12, 31)):
        await serve(database, chance, units, since, through)
        budget_fen = chance.choice([None, None, chance.randint(0, 10**8)])
        regraded = chance.choice(units)
        regraded.grade = chance.choice(list(Grade)).value
        await a_grade(database, provider_id=regraded.id, grade=Grade(regraded.grade))

        run = await an_approved_run(
            database, maker=maker, checker=checker, through=through, budget_fen=budget_fen
        )

        shares = await shares_of(database, run.id)
        expected = oracle_run(units, through, budget_fen)
        assert {key: fen for key, fen in expected.items() if key in shares} == shares
        assert sum(expected.values()) == run.total_fen
        since = through
