"""What the detectors find among honest services with known fraud among them."""

from datetime import datetime

import asyncpg
import pytest

from benchmarks.anomaly_world import build, measured
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.vouchers.queries.guard_facts import Focus, focus_on
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding
from marketplace.vouchers.use_cases.guards import RunDetectors, detected, run_detectors
from tests.builders.vouchers import TEST

SERVICES, CASES = 6_000, 3
YEAR_OVER = datetime(2025, 1, 2, 9, tzinfo=SHANGHAI)
# Below these a detector is not worth anybody's time.
RECALL_MIN, PRECISION_MIN = 1.0, 0.9
# An honest price may lie far out, and an honest pair may be invoiced the same sum twice a day.
PRECISION_OF = {AnomalyKind.PRICE_OUTLIER: 0.5, AnomalyKind.DUPLICATE_INVOICE: 0.5}


async def test_every_kind_of_fraud_is_found_and_honest_services_are_left_alone(
    database: Database, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.set(YEAR_OVER)
    plain = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    truth = await build(plain, services=SERVICES, cases=CASES)

    async def look(tx: Tx, _: None) -> list[Finding]:
        await focus_on(tx, Focus())
        return await detected(tx, through=tx.today)

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
        assert each.cases == CASES, kind
        assert each.recall >= RECALL_MIN, kind
        assert each.precision >= PRECISION_OF.get(kind, PRECISION_MIN), kind

    first = await atomically(database, run_detectors, RunDetectors(), actor=TEST)
    again = await atomically(database, run_detectors, RunDetectors(), actor=TEST)
    assert (first.found, first.since) == (len(found), None)
    assert (again.found, again.changed) == (0, 0)
    assert again.since is not None
    assert again.redemptions < first.redemptions
    await plain.close()
