"""Hunan's caps of an instrument and of a unit, computed for a province and redone by a slow oracle.

The worked example is the one that docs/rewards.md prints.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import RunDisagrees
from marketplace.billing.rewards.queries.what_if import WhatIfAsked, what_if
from marketplace.billing.rewards.use_cases import ApproveRun, approve_run
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.time import SHANGHAI
from marketplace.rulebook import load, rulebook_path, use_rulebook
from tests.builders.catalogue import an_instrument
from tests.builders.invoicing import a_charge
from tests.builders.owner import become_owner
from tests.builders.parties import a_legal_entity, an_sme
from tests.builders.rewards import (
    a_checker,
    a_draft,
    a_graded_provider,
    a_reward_fund,
    an_approved_run,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rewards.md"
YEAR_END = date(2025, 12, 31)
TEST = system_actor("test")


@pytest.fixture(autouse=True)
def hunan(clock):
    clock.set(datetime(2025, 12, 31, 9, 0, tzinfo=SHANGHAI))
    with use_rulebook(load(rulebook_path("hunan"))):
        yield


def table(heading):
    """The rows of a table of the page, by the words at its head."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading}"))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, (c.strip() for c in line.strip("|").split("|")), strict=True)))
    return rows


def fen(yuan):
    return int(yuan) * 100


async def shares_of(database, run_id):
    question = queries.ShareSearch(run_id, page_size=200)
    page = await atomically(database, queries.shares, question, actor=TEST)
    return {share.provider_id: share for share in page.results}


async def test_the_worked_example_of_the_page_is_true(database):
    served = table("Unit | Owner")
    bodies = {
        "university": await a_legal_entity(database, kind="university", capital="fiscal"),
        "company": await a_legal_entity(database),
    }
    buyer_id = await an_sme(database, profile_year=None)
    a_university = await an_sme(
        database,
        profile_year=None,
        legal_entity_id=await a_legal_entity(database, kind="university", capital="fiscal"),
    )
    units = {}
    for row in served:
        if row["Unit"] not in units:
            units[row["Unit"]] = await a_graded_provider(
                database, grade=row["Grade"], legal_entity_id=bodies[row["Owner"]]
            )
        provider_id = units[row["Unit"]]
        instrument_id = await an_instrument(
            database, provider_id=provider_id, worth_fen=fen(row["Worth, CNY"])
        )
        for buyer in (buyer_id, a_university):
            # What a university bought counts for nobody.
            await a_charge(
                database,
                provider_id=provider_id,
                instrument_id=instrument_id,
                buyer_id=buyer,
                voucher_fen=0,
                own_fen=fen(row["Services, CNY"]),
            )

    drafted = await a_draft(database, through=YEAR_END, budget_fen=70_000_00)
    shares = await shares_of(database, drafted.id)

    for row in table("Unit | Earned"):
        share = shares[units[row["Unit"]]]
        assert fen(row["Earned, CNY"]) * 10_000 == share.arithmetic["unit"]["earned"]
        assert re.split(", ", row["Lowered by"]) == share.arithmetic["bound_by"]
        assert fen(row["With the budget, CNY"]) == share.amount_fen
    async with database.engine.connect() as connection:
        kept = await connection.execute(text("select counted from reward_instrument_share"))
        counted = sorted(int(row.counted) // 10_000 for row in kept)
    assert sorted(fen(row["Counts, CNY"]) for row in served if row["Counts, CNY"] != "0") == counted


RATES = {"excellent": 10, "good": 8, "qualified": 6, "unqualified": 0, None: 0}


@dataclass
class Unit:
    """A provider of the oracle's province: what each of its instruments served."""

    id: int
    entity: int
    percent: int
    instruments: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def earned(self) -> Fraction:
        """With the caps of each instrument and of the unit."""
        parts = [
            min(Fraction(total * self.percent, 100), Fraction(50_000_00))
            for total in self.instruments.values()
        ]
        return min(sum(parts, Fraction(0)), Fraction(2_000_000_00))


async def a_province(database, chance):
    units = []
    buyer_id = await an_sme(database, profile_year=None)
    for _ in range(4):
        capital = chance.choice(["fiscal", "social"])
        entity = await a_legal_entity(database, capital=capital)
        for _ in range(chance.choice([1, 2, 3])):
            grade = chance.choice(list(RATES))
            provider_id = await a_graded_provider(database, grade=grade, legal_entity_id=entity)
            percent = 2 if capital == "social" else RATES[grade]
            units.append(Unit(provider_id, entity, percent))
            for _ in range(chance.randint(0, 4)):
                worth = chance.choice([499_999_99, 500_000_00, 5_000_000_00])
                instrument_id = await an_instrument(
                    database, provider_id=provider_id, worth_fen=worth
                )
                for _ in range(chance.randint(1, 2)):
                    value = chance.choice([7, chance.randint(1, 10**6), 400_000_00, 9_000_000_00])
                    await a_charge(
                        database,
                        provider_id=provider_id,
                        instrument_id=instrument_id,
                        buyer_id=buyer_id,
                        voucher_fen=0,
                        own_fen=value,
                    )
                    if worth >= 500_000_00:
                        units[-1].instruments[instrument_id] += value
    return units


@pytest.mark.parametrize("seed", range(3))
async def test_a_province_under_every_cap_equals_the_oracle(database, seed):
    chance = random.Random(seed)
    await a_reward_fund(database)
    units = await a_province(database, chance)

    run = await an_approved_run(database, through=YEAR_END)

    shares = await shares_of(database, run.id)
    by_entity = defaultdict(list)
    for unit in units:
        by_entity[unit.entity].append(unit)
    for members in by_entity.values():
        earned = sum((unit.earned for unit in members), Fraction(0))
        paid = sum(shares[unit.id].amount_fen for unit in members if unit.id in shares)
        assert min(earned.numerator // earned.denominator, 2_000_000_00) == paid
        for unit in members:
            if unit.id in shares:
                assert abs(shares[unit.id].amount_fen - unit.earned) < 1 or earned > 2_000_000_00
                assert unit.earned * 10_000 == shares[unit.id].arithmetic["unit"]["earned"]


async def one_instrument_far_above_its_cap(database):
    await a_reward_fund(database)
    entity = await a_legal_entity(database, kind="university", capital="fiscal")
    provider_id = await a_graded_provider(database, legal_entity_id=entity)
    instrument_id = await an_instrument(database, provider_id=provider_id, worth_fen=10**8)
    await a_charge(
        database, provider_id=provider_id, instrument_id=instrument_id, own_fen=9_000_000_00
    )


async def test_an_instrument_that_was_tampered_with_is_found_at_approval(database):
    await one_instrument_far_above_its_cap(database)
    drafted = await a_draft(database, through=YEAR_END)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "update reward_instrument_share set service_total_fen = 1,"
                " counted = rate_basis_points"
            )
        )

    with pytest.raises(RunDisagrees):
        await atomically(
            database, approve_run, ApproveRun(drafted.id), actor=await a_checker(database)
        )


async def test_the_database_refuses_an_instrument_above_its_cap(database):
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    await connection.execute("set session_replication_role = replica")
    try:
        for counted, constraint in (
            (50_001, "reward_instrument_share_cap"),
            (49_999, "reward_instrument_share_counted"),
        ):
            with pytest.raises(asyncpg.CheckViolationError) as refusal:
                await connection.execute(
                    "insert into reward_instrument_share values (1, 1, 1, 1, 100, 1000, 5, $1)",
                    counted,
                )
            assert constraint == refusal.value.constraint_name
    finally:
        await connection.close()


async def test_a_what_if_tries_another_cap_of_an_instrument(database):
    await one_instrument_far_above_its_cap(database)
    asked = WhatIfAsked(2025, YEAR_END, extra_caps={"per_instrument_fen": 60_000_00})

    tried = await atomically(database, what_if, asked, actor=TEST)

    assert (50_000_00, 60_000_00) == (tried.present.amount_fen, tried.asked.amount_fen)
