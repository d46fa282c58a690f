"""A year of rewards computed again in plain integers, by none of the rules and queries it checks.

Slow on purpose: what every legal entity gets in the year, and for a sample of them what every unit
gets in every run, from the charge lines themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg

SAMPLED_ENTITIES = 40
CAP_FEN = 500_000_00
RATES = {"excellent": 500, "good": 300, "qualified": 100, "unqualified": 0}


def most(fen: int, rate: int) -> int:
    """What a unit may have of a year: what it has earned, rounded up, within its 5 %."""
    return min((fen * rate + 9_999) // 10_000, fen * 500 // 10_000)


async def by_entity(plain: asyncpg.Connection, question: str) -> dict[int, Any]:
    """The two columns of a question as a dictionary."""
    return {row[0]: row[1] for row in await plain.fetch(question)}


async def equals_plain_integers(plain: asyncpg.Connection) -> tuple[int, int, int]:
    """Entities, those at the cap, and total; every one recomputed in integers of Python."""
    rows = await plain.fetch(
        "select c.legal_entity_id, c.provider_id, g.grade, sum(c.service_value_fen)::bigint as fen"
        " from charge_line c join provider_grade g using (provider_id) group by 1, 2, 3"
    )
    earned: dict[int, int] = defaultdict(int)
    bounds: dict[int, int] = defaultdict(int)
    for row in rows:
        earned[row["legal_entity_id"]] += row["fen"] * RATES[row["grade"]]
        bounds[row["legal_entity_id"]] += most(row["fen"], RATES[row["grade"]])
    expected = {
        entity: min(total // 10_000, bounds[entity], CAP_FEN) for entity, total in earned.items()
    }
    paid = await by_entity(plain, "select legal_entity_id, paid_fen from reward_year")
    by_units = await by_entity(
        plain, "select legal_entity_id, sum(amount_fen)::bigint from reward_share group by 1"
    )
    for entity, fen in expected.items():
        if not fen == paid.get(entity, 0) == by_units[entity]:
            raise AssertionError(f"entity {entity}: {fen} expected, {paid.get(entity)} paid")
    over = await plain.fetchval(
        "select count(*) from (select provider_id, sum(amount_fen) as paid from reward_share"
        " group by 1) s join (select provider_id, sum(service_value_fen) as fen from charge_line"
        " group by 1) c using (provider_id) where s.paid > div(c.fen * 500, 10000)"
    )
    if over:
        raise AssertionError(f"{over} providers above their 5 %")
    at_cap = sum(fen == CAP_FEN for fen in expected.values())
    return len(expected), at_cap, sum(expected.values())


def slow_shares(
    totals: Mapping[int, int], rates: Mapping[int, int], paid: Mapping[int, int]
) -> dict[int, int]:
    """What each unit of one entity gets of a run, in plain integers, fen by fen at the end."""
    limit = {unit: most(fen, rates[unit]) for unit, fen in totals.items()}
    room = {unit: max(0, limit[unit] - paid[unit]) for unit in totals}
    earned = {unit: fen * rates[unit] for unit, fen in totals.items()}
    weight = {unit: max(0, earned[unit] - paid[unit] * 10_000) for unit in totals}
    entitled = min(sum(earned.values()) // 10_000, sum(limit.values()), CAP_FEN)
    amount, heavy = max(0, entitled - sum(paid.values())), sum(weight.values())
    given = dict.fromkeys(totals, 0)
    rest = dict.fromkeys(totals, 0)
    if heavy:
        for unit in totals:
            given[unit] = min(amount * weight[unit] // heavy, room[unit])
            rest[unit] = amount * weight[unit] % heavy
    for some in ([u for u in totals if weight[u]], [u for u in totals if not weight[u]]):
        turns = sorted(some, key=lambda unit: (-rest[unit], unit))
        while sum(given.values()) < amount and any(given[u] < room[u] for u in turns):
            for unit in turns:
                if given[unit] < room[unit] and sum(given.values()) < amount:
                    given[unit] += 1
    return given


async def equals_line_by_line(plain: asyncpg.Connection, runs: Sequence[date]) -> tuple[int, int]:
    """Entities sampled and shares compared: those of each run, from the lines themselves."""
    entities = await plain.fetch(
        "select legal_entity_id as id from reward_year order by hashint8(legal_entity_id) limit $1",
        SAMPLED_ENTITIES,
    )
    grades = await by_entity(plain, "select provider_id, grade from provider_grade")
    compared = 0
    for entity in entities:
        lines = await plain.fetch(
            "select provider_id, settled_on, service_value_fen as fen from charge_line"
            " where provider_id in (select id from organisation where legal_entity_id = $1)",
            entity["id"],
        )
        paid = dict.fromkeys(sorted({line["provider_id"] for line in lines}), 0)
        rates = {unit: RATES[grades[unit]] for unit in paid}
        for through in runs:
            totals = dict.fromkeys(paid, 0)
            for line in lines:
                if line["settled_on"] <= through:
                    totals[line["provider_id"]] += line["fen"]
            expected = slow_shares(totals, rates, paid)
            found = await plain.fetch(
                "select s.provider_id, s.amount_fen from reward_share s join reward_run r"
                " on r.id = s.run_id where r.through = $1 and s.legal_entity_id = $2",
                through,
                entity["id"],
            )
            if expected != dict(map(tuple, found)):
                raise AssertionError(f"entity {entity['id']} through {through}: {found}")
            paid = {unit: paid[unit] + fen for unit, fen in expected.items()}
            compared += len(expected)
    return len(entities), compared
