"""Running the detectors: over what is new, over a claim, or over everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook
from marketplace.vouchers import tables
from marketplace.vouchers.queries import claim
from marketplace.vouchers.queries import guard_facts as facts
from marketplace.vouchers.queries import guard_records as records
from marketplace.vouchers.queries import guard_trade as trade
from marketplace.vouchers.queries.anomalies import AnomalyRun, last_run_through
from marketplace.vouchers.queries.guard_papers import invoices_alike, papers
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules import guards, guards_records
from marketplace.vouchers.rules.anomalies import (
    DETECTOR_VERSION,
    AnomalyStatus,
    Finding,
    reopened,
    severity_of,
)
from marketplace.vouchers.rules.invoices_alike import similar_invoices
from marketplace.vouchers.rules.rings import Roundness, circular_trade
from marketplace.vouchers.rules.splitting import split_orders

# One run writes at a time: two would find the same things.
_LOCK = "anomaly_run"


@dataclass(frozen=True, slots=True)
class RunDetectors:
    """Over a claim, over everything, or over what is new since the last run."""

    claim_id: int | None = None
    everything: bool = False


async def run_detectors(tx: Tx, command: RunDetectors) -> AnomalyRun:
    """Look for anomalies and write down what is found; what is known already is only seen again.

    Raises:
        ClaimMissing: when there is no such claim that the caller may see.

    Policy: J.22b, J.31
    """
    if command.claim_id is not None:
        await claim(tx, command.claim_id)
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(_LOCK))))
    since = await _since(tx, command)
    redemptions = await facts.focus_on(tx, facts.Focus(command.claim_id, since))
    found = await detected(tx, through=tx.today)
    written = await write_findings(tx, found)

    run = tables.anomaly_run
    made = await tx.one(
        AnomalyRun,
        insert(run)
        .values(
            since=since,
            through=tx.today,
            claim_id=command.claim_id,
            redemptions=redemptions,
            found=written.found,
            changed=written.changed,
            detector_version=DETECTOR_VERSION,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(*columns(AnomalyRun, run)),
    )
    tx.audit(
        "run_detectors",
        subject="anomaly_run",
        subject_id=made.id,
        redemptions=redemptions,
        found=written.found,
        changed=written.changed,
    )
    return made


async def _since(tx: Tx, command: RunDetectors) -> date | None:
    if command.claim_id is not None or command.everything:
        return None
    through = await last_run_through(tx)
    return None if through is None else facts.window_start(through, rulebook().guards)


async def detected(tx: Tx, *, through: date) -> list[Finding]:
    """Everything that the detectors find about the services in focus; one thing once."""
    terms = rulebook().guards
    split, rings = terms.split_orders.on(through), terms.rings.on(through)
    invoices = terms.similar_invoices.on(through)
    burst, missed = terms.burst.on(through), terms.no_shows.on(through)
    found: list[Finding] = [
        *guards.affiliated_parties(await facts.ties(tx)),
        *guards.duplicates(await papers(tx)),
        *similar_invoices(
            await invoices_alike(tx, invoices.window_days), neighbours=invoices.neighbours
        ),
        *split_orders(
            await trade.capped_parts(tx, through, split),
            window_days=split.window_days,
            near_basis_points=split.near_basis_points,
        ),
        *circular_trade(
            await trade.trades(tx, through, rings),
            longest=rings.longest,
            closing_days=rings.closing_days,
            suspect=Roundness(**rings.suspect.model_dump()),
            certain=Roundness(**rings.certain.model_dump()),
        ),
        *guards.bursts(
            await facts.last_days(tx, burst),
            share_basis_points=burst.share_basis_points,
            orders=burst.orders,
        ),
        *guards.settled_no_shows(
            await facts.absences(tx, through, missed.window_days),
            window_days=missed.window_days,
            orders=missed.orders,
        ),
        *guards.shared_identities(
            await facts.shared_marks(tx, terms.shared_identity.on(through).smes),
            smes=terms.shared_identity.on(through).smes,
        ),
        *await _of_records(tx, through),
    ]
    return _once(found)


async def _of_records(tx: Tx, through: date) -> list[Finding]:
    terms = rulebook().guards
    prices, hours = terms.prices.on(through), terms.impossible_hours.on(through)
    tolerance = hours.tolerance_minutes
    return [
        *guards_records.prices_above_list(
            await records.listed_prices(tx, prices.above_list_percent),
            above_percent=prices.above_list_percent,
        ),
        *guards_records.price_outliers(
            await records.unit_prices(tx, through, prices),
            deviations_percent=prices.deviations_percent,
            orders_min=prices.orders_min,
        ),
        *guards_records.impossible_sessions(
            await records.impossible_spans(tx, tolerance), tolerance_minutes=tolerance
        ),
        *guards_records.operator_overlaps(
            await records.crowded_spans(tx, hours.operator_sessions_max),
            sessions_max=hours.operator_sessions_max,
        ),
        *guards_records.hours_above_opening(
            await records.machine_days(tx, tolerance), tolerance_minutes=tolerance
        ),
        *guards_records.results_before_samples(
            await records.sample_times(tx, tolerance), tolerance_minutes=tolerance
        ),
    ]


def _once(found: Iterable[Finding]) -> list[Finding]:
    by_fingerprint: dict[str, Finding] = {}
    for each in found:
        known = by_fingerprint.get(each.fingerprint)
        if known is not None:
            each = replace(
                each, subjects=known.subjects | each.subjects, facts=known.facts + each.facts
            )
        by_fingerprint[each.fingerprint] = each
    return list(by_fingerprint.values())


@dataclass(frozen=True, slots=True)
class Written:
    """How many anomalies are new, and of how many the proof has changed."""

    found: int
    changed: int


async def write_findings(tx: Tx, found: Sequence[Finding]) -> Written:
    """New anomalies, and those whose proof changed; subjects are only ever added."""
    table = tables.anomaly
    rows = await tx.execute(
        select(table.c.id, table.c.fingerprint, table.c.status, table.c.evidence_sha256)
        .where(table.c.fingerprint.in_([each.fingerprint for each in found]))
        .with_for_update()
    )
    known = {row.fingerprint: row for row in rows}
    fresh = [each for each in found if each.fingerprint not in known]
    moved = [
        each
        for each in found
        if each.fingerprint in known
        and known[each.fingerprint].evidence_sha256 != each.proof_sha256
    ]
    ids = {each: row.id for each, row in known.items()}
    if fresh:
        values = [_values(tx, each) for each in fresh]
        made = await tx.execute(insert(table).returning(table.c.id, table.c.fingerprint), values)
        ids |= {row.fingerprint: row.id for row in made}
    await _renew(tx, moved, ids)
    await tx.execute(
        update(table)
        .where(table.c.id.in_([row.id for row in known.values()]), table.c.seen_at < tx.now)
        .values(seen_at=tx.now)
    )
    again = [ids[each.fingerprint] for each in moved if reopened(known[each.fingerprint].status)]
    await tx.execute(
        update(table)
        .where(table.c.id.in_(again))
        .values(status=AnomalyStatus.OPEN, decided_by=None, decided_at=None, reason="")
    )
    await _add_subjects(tx, found, ids)
    await _tell(tx, "found", [ids[each.fingerprint] for each in fresh])
    await _tell(tx, "evidence_changed", [ids[each.fingerprint] for each in moved])
    await _tell(tx, "reopened", again)
    return Written(len(fresh), len(moved))


def _values(tx: Tx, each: Finding) -> dict[str, Any]:
    terms = rulebook().guards.severities.on(tx.today)
    return {
        "kind": each.kind,
        "severity": severity_of(each, dict(terms)),
        "fingerprint": each.fingerprint,
        "summary": each.summary,
        "evidence": list(each.facts),
        "evidence_sha256": each.proof_sha256,
        "detector_version": DETECTOR_VERSION,
        "found_at": tx.now,
        "seen_at": tx.now,
        "status": AnomalyStatus.OPEN,
        "reason": "",
    }


_RENEW = text(
    """
    update anomaly a set severity = n.severity, summary = n.summary, evidence = n.evidence,
      evidence_sha256 = n.evidence_sha256, detector_version = n.detector_version
    from jsonb_to_recordset(cast(:renewed as jsonb)) as n (id bigint, severity text, summary text,
      evidence jsonb, evidence_sha256 text, detector_version integer)
    where a.id = n.id
    """
)


async def _renew(tx: Tx, moved: Sequence[Finding], ids: dict[str, int]) -> None:
    if not moved:
        return
    kept = ("severity", "summary", "evidence", "evidence_sha256", "detector_version")
    renewed = []
    for each in moved:
        values = _values(tx, each)
        renewed.append({"id": ids[each.fingerprint]} | {name: values[name] for name in kept})
    await tx.execute(_RENEW, {"renewed": msgspec.json.encode(renewed).decode()})


async def _add_subjects(tx: Tx, found: Sequence[Finding], ids: dict[str, int]) -> None:
    rows = [
        {"anomaly_id": ids[each.fingerprint], "kind": subject.kind, "subject_id": subject.id}
        for each in found
        for subject in sorted(each.subjects)
    ]
    if rows:
        await tx.execute(insert_or_keep(tables.anomaly_subject).on_conflict_do_nothing(), rows)


async def _tell(tx: Tx, kind: str, ids: Sequence[int]) -> None:
    if ids:
        person = tx.actor.person_id
        await tx.execute(
            insert(tables.anomaly_event),
            [
                {"anomaly_id": each, "kind": kind, "at": tx.now, "person_id": person, "facts": {}}
                for each in ids
            ],
        )
