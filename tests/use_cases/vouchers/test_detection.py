"""What the detectors find among honest services with known fraud among them."""

import json
from datetime import datetime

import asyncpg
import pytest

from benchmarks.anomaly_world import build, measured
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.rulebook import rulebook
from marketplace.vouchers.queries.guard_facts import Focus, focus_on
from marketplace.vouchers.rules.anomalies import (
    AnomalyKind,
    AnomalySeverity,
    Finding,
    Subject,
    SubjectKind,
    severity_of,
)
from marketplace.vouchers.use_cases.guards import RunDetectors, detected, run_detectors
from tests.builders.vouchers import TEST

SERVICES, CASES = 6_000, 3
YEAR_OVER = datetime(2025, 1, 2, 9, tzinfo=SHANGHAI)
# Below these a detector is not worth anybody's time; what holds up payment errs once in a hundred.
RECALL_MIN, PRECISION_MIN, BLOCKING_MIN = 1.0, 0.9, 0.99
# An honest price may lie far out, and honest houses in one park may exchange much.
PRECISION_OF = {AnomalyKind.PRICE_OUTLIER: 0.5, AnomalyKind.CIRCULAR_TRADE: 0.5}
# A wrong digit at a number's end makes it its neighbour, which honest invoices are, too.
RECALL_OF = {AnomalyKind.DUPLICATE_INVOICE: 0.8}
# Invoiced twice with a slip of the hand, and for nothing.
CASES_OF = {AnomalyKind.DUPLICATE_INVOICE: 2 * CASES}


async def test_every_kind_of_fraud_is_found_and_honest_services_are_left_alone(
    database: Database, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.set(YEAR_OVER)
    plain = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    truth = await build(plain, services=SERVICES, cases=CASES)

    async def look(tx: Tx, _: None) -> list[Finding]:
        await focus_on(tx, Focus())
        return await detected(tx, through=tx.today)

    severities = dict(rulebook().guards.severities.on(YEAR_OVER.date()))
    found = await atomically(database, look, None, actor=TEST)

    quality = measured(found, truth)
    with capsys.disabled():
        print()
        for kind, each in quality.items():
            print(
                f"  {kind:<24} recall {each.recall:4.0%} of {each.cases},"
                f" precision {each.precision:4.0%} of {each.findings}"
            )
    for kind, each in quality.items():
        assert each.cases == CASES_OF.get(kind, CASES), kind
        assert each.recall >= RECALL_OF.get(kind, RECALL_MIN), kind
        assert each.precision >= PRECISION_OF.get(kind, PRECISION_MIN), kind

    blocking = [each for each in found if severity_of(each, severities) is AnomalySeverity.BLOCKING]
    for kind, each in measured(blocking, truth).items():
        assert each.precision >= BLOCKING_MIN, kind
        if kind in (AnomalyKind.CIRCULAR_TRADE, AnomalyKind.SPLIT_ORDERS):
            assert each.recall == 1, kind

    first = await atomically(database, run_detectors, RunDetectors(), actor=TEST)
    again = await atomically(database, run_detectors, RunDetectors(), actor=TEST)
    assert (first.found, first.since) == (len(found), None)
    assert (again.found, again.changed) == (0, 0)
    assert again.since is not None
    assert again.redemptions < first.redemptions
    await plain.close()


# The orders of one SME at one provider on two of its instruments, in its last month.
_TWO_INSTRUMENTS = """
update redemption r set amount_fen = 900000, service_value_fen = 3600000 from (
  select min(s.order_id) as one, max(s.order_id) as other, s.buyer_id, s.provider_id
  from redeemed_service s where s.mode = 'machine_time'
  group by 3, 4 having count(distinct s.instrument_id) = 2 and count(*) = 2 limit 1
) p where r.order_id in (p.one, p.other) returning r.order_id
"""
_CAPS = (
    {"scope": "application", "amount_fen": 1_000_000},
    {"scope": "sme-year", "amount_fen": 1_000_000},
    {"scope": "group-year", "amount_fen": 1_000_000},
    {"scope": "instrument-year", "amount_fen": 1_000_000, "funder": "province"},
)


async def test_an_undertaking_is_split_under_any_cap_that_its_terms_name(
    database: Database, clock: SetClock
) -> None:
    clock.set(YEAR_OVER)
    plain = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    await build(plain, services=5_000, cases=1)
    await plain.execute("set session_replication_role = replica")
    await plain.execute(
        "update programme set terms = terms || jsonb_build_object('caps',"
        " jsonb_build_object('value', $1::jsonb), 'cap_per_order_fen',"
        " '{\"value\": 900001}'::jsonb)",
        json.dumps(_CAPS),
    )
    first, second = sorted(row["order_id"] for row in await plain.fetch(_TWO_INSTRUMENTS))
    await plain.execute(
        "update redemption_part set amount_fen = 900000 where redemption_id = any ($1)",
        [first, second],
    )
    sister = await plain.fetchval("select max(id) from organisation where kind = 'sme'")

    async def look(tx: Tx, _: None) -> set[str]:
        await focus_on(tx, Focus())
        found = await detected(tx, through=tx.today)
        both = {Subject(SubjectKind.ORDER, first), Subject(SubjectKind.ORDER, second)}
        return {
            fact["cap"]
            for each in found
            if each.kind is AnomalyKind.SPLIT_ORDERS and each.subjects >= both
            for fact in each.facts
        }

    async def place(days_later: int, **other: object) -> set[str]:
        """The second order so many days after the first, changed in other ways, too."""
        await plain.execute(
            "update service_order o set placed_at = timestamptz '2024-12-10 09:00+08' +"
            " case when o.id = $2 then $3::integer else 0 end * interval '1 day'"
            " where o.id in ($1, $2)",
            first,
            second,
            days_later,
        )
        for column, value in other.items():
            await plain.execute(
                f"update service_order set {column} = $2 where id = $1", second, value
            )
        return await atomically(database, look, None, actor=TEST)

    # Two instruments, each filled below its cap of the year.
    assert await place(5) == {"instrument-year"}
    # One instrument in two orders, of which each is below its cap.
    instrument_id = await plain.fetchval(
        "select instrument_id from service_order where id = $1", first
    )
    assert await place(5, instrument_id=instrument_id) == {"order"}
    # One instrument before and after the turn of the year.
    assert await place(28) == {"order", "sme-year", "group-year", "instrument-year"}
    assert await place(40) == set()
    # A sister company of one house, each below the cap of an SME's year.
    buyer = await plain.fetchval(
        "select buyer_legal_entity_id from service_order where id = $1", first
    )
    await plain.execute(
        "insert into shareholding (legal_entity_id, holder, holder_id, basis_points, valid_from)"
        " select $1, uscc, id, 10000, '2024-01-01' from legal_entity where id = $2",
        sister,
        buyer,
    )
    assert await place(5, buyer_id=sister, buyer_legal_entity_id=sister) == {"sme-year"}
    await plain.close()
