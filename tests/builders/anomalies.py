"""Anomalies for tests, written as a run of the detectors writes them."""

from typing import Any

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.vouchers.queries import anomalies as queries
from marketplace.vouchers.queries.anomalies import AnomalySearch
from marketplace.vouchers.rules.anomalies import (
    AnomalyKind,
    AnomalyStatus,
    Finding,
    Subject,
    SubjectKind,
)
from marketplace.vouchers.use_cases.anomalies import DecideAnomaly, decide_anomaly
from marketplace.vouchers.use_cases.guards import write_findings
from tests.builders.orders import Market
from tests.builders.vouchers import TEST, an_officer


def a_finding(*subjects: Subject, proof: str = "x", key: str = "k", **changes: Any) -> Finding:
    """Two orders with one contract."""
    return Finding(
        kind=changes.get("kind", AnomalyKind.DUPLICATE_CONTRACT),
        key=(key,),
        summary="2 orders have the same contract: 7, 8.",
        proof=(proof,),
        subjects=frozenset(subjects),
        facts=({"document": "HT-2024-1"},),
    )


async def found(database: Database, *findings: Finding) -> list[queries.Anomaly]:
    """Write findings down; every anomaly there is now, the newest first."""

    async def write(tx: Tx, each: list[Finding]) -> None:
        await write_findings(tx, each)

    await atomically(database, write, list(findings), actor=TEST)
    listed = await atomically(database, queries.anomalies, AnomalySearch(), actor=TEST)
    return listed.rows


async def anomaly_things(market: Market) -> dict[str, int]:
    """A confirmed anomaly about the market's provider and its buyer."""
    parties = (market.manager.organisation_id, market.buyer.organisation_id)
    about = (Subject(SubjectKind.ORGANISATION, each) for each in parties)
    (made, *_) = await found(market.database, a_finding(*about, key="of the world"))
    command = DecideAnomaly(made.id, AnomalyStatus.CONFIRMED, "One contract served twice.")
    officer = await an_officer(market.database)
    await atomically(market.database, decide_anomaly, command, actor=officer)
    return {"anomaly_id": made.id}
