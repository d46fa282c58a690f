"""What people do with anomalies: take them on, decide them, answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    AnomaliesBlock,
    AnomalyDecided,
    AnomalyElsewhere,
    AnomalyInvolved,
    AssigneeUnfit,
    ReasonMissing,
)
from marketplace.vouchers.events import AnomalyConfirmed
from marketplace.vouchers.queries.access import sees_all
from marketplace.vouchers.queries.anomalies import (
    Anomaly,
    AnomalyPage,
    ConfirmedFinding,
    anomaly,
    anomaly_page,
    finding,
    involved_persons,
)
from marketplace.vouchers.queries.blocking import (
    BlockingAnomaly,
    blocking_anomalies,
    in_the_way_of_settling,
)
from marketplace.vouchers.rules.anomalies import UNDECIDED, AnomalyStatus, Subject


@dataclass(frozen=True, slots=True)
class AssignAnomaly:
    """Who shall look at an anomaly."""

    anomaly_id: int
    person_id: int


async def assign_anomaly(tx: Tx, command: AssignAnomaly) -> AnomalyPage:
    """Give an anomaly to a voucher officer who is not involved in it.

    Raises:
        AnomalyMissing: when there is none.
        AnomalyDecided: when it is confirmed or dismissed.
        AssigneeUnfit: when the person is no voucher officer.
        AnomalyInvolved: when the person is involved in what it is about.
    """
    found = await anomaly(tx, command.anomaly_id, lock=True)
    _require_undecided(found)
    places = await parties.places(tx, command.person_id)
    if not any(Role.VOUCHER_OFFICER in place.roles for place in places):
        raise AssigneeUnfit(asked=command.person_id)
    await _require_uninvolved(tx, found.id, command.person_id)

    await tx.execute(
        update(tables.anomaly)
        .where(tables.anomaly.c.id == found.id)
        .values(
            status=AnomalyStatus.IN_REVIEW,
            assigned_to=command.person_id,
            assigned_at=tx.now,
            decided_by=None,
            decided_at=None,
            reason="",
        )
    )
    await _note(tx, found, "assigned", assigned_to=command.person_id)
    return await anomaly_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class DecideAnomaly:
    """What an officer found out: it is so, it is not so, or more has to be known."""

    anomaly_id: int
    outcome: AnomalyStatus
    reason: str


async def decide_anomaly(tx: Tx, command: DecideAnomaly) -> AnomalyPage:
    """Confirm an anomaly, dismiss it, or ask for information; with a reason, by a third party.

    Confirmed and dismissed are final: only new evidence opens a dismissed one again.

    Raises:
        AnomalyMissing: when there is none.
        AnomalyDecided: when it is confirmed or dismissed.
        AnomalyElsewhere: when it is assigned to another person.
        AnomalyInvolved: when the officer is involved in what it is about.
        ReasonMissing: without a reason.

    Policy: J.31
    """
    found = await anomaly(tx, command.anomaly_id, lock=True)
    _require_undecided(found)
    if found.assigned_to not in (None, tx.actor.person_id):
        raise AnomalyElsewhere(assigned_to=found.assigned_to)
    if not command.reason.strip():
        raise ReasonMissing()
    await _require_uninvolved(tx, found.id, tx.actor.person_id)

    await tx.execute(
        update(tables.anomaly)
        .where(tables.anomaly.c.id == found.id)
        .values(
            status=command.outcome,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            reason=command.reason.strip(),
        )
    )
    await _note(tx, found, str(command.outcome), reason=command.reason.strip())
    if command.outcome is AnomalyStatus.CONFIRMED:
        tx.record(AnomalyConfirmed(found.id, found.kind, found.severity))
    return await anomaly_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class AnswerFinding:
    """What an organisation says to a confirmed finding about it."""

    anomaly_id: int
    statement: str


async def answer_finding(tx: Tx, command: AnswerFinding) -> ConfirmedFinding:
    """Add the caller's organisation's statement to a finding; it stays as it was written.

    Raises:
        AnomalyMissing: when nothing is confirmed about the organisation by this number.
        ReasonMissing: when it says nothing.
    """
    found = await finding(tx, command.anomaly_id)
    if not command.statement.strip():
        raise ReasonMissing()
    await tx.execute(
        insert(tables.anomaly_statement).values(
            anomaly_id=found.id,
            organisation_id=tx.actor.organisation_id,
            statement=command.statement.strip(),
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
    )
    await _tell(tx, found.id, "answered", {"organisation_id": tx.actor.organisation_id})
    tx.audit("answer", subject="anomaly", subject_id=found.id)
    return await finding(tx, found.id)


async def require_unblocked(tx: Tx, *subjects: Subject) -> None:
    """Nothing blocking is open or confirmed about any of these.

    Raises:
        AnomaliesBlock: with every anomaly that stands in the way. Policy: J.22b, J.31.
    """
    _refuse(tx, await blocking_anomalies(tx, *subjects))


async def require_settleable(tx: Tx, order_ids: Sequence[int]) -> None:
    """Nothing blocking keeps the vouchers of these orders from paying; what is held stays held.

    Raises:
        AnomaliesBlock: with every anomaly that stands in the way. Policy: J.22b, J.31.
    """
    found = await in_the_way_of_settling(tx, order_ids)
    _refuse(tx, [each for of_order in found.values() for each in of_order])


def _refuse(tx: Tx, found: Sequence[BlockingAnomaly]) -> None:
    """Name every anomaly by its kind and whom to ask; what is suspected the centre alone reads."""
    reasons = Reasons()
    told = sees_all(tx.actor)
    for each in sorted(set(found), key=lambda one: one.id):
        reasons.add(
            each.kind,
            each.summary
            if told
            else (
                f"Anomaly {each.id} ({each.kind}) has to be decided first."
                " Ask a voucher officer of the innovation centre, and name its number."
            ),
            asked=each.id,
            source="J.31",
        )
    reasons.raise_as(AnomaliesBlock)


def _require_undecided(found: Anomaly) -> None:
    if found.status not in UNDECIDED:
        raise AnomalyDecided(f"It is {found.status}.", asked=found.status)


async def _require_uninvolved(tx: Tx, anomaly_id: int, person_id: int) -> None:
    if person_id in await involved_persons(tx, anomaly_id):
        raise AnomalyInvolved(asked=person_id)


async def _note(tx: Tx, found: Anomaly, kind: str, **told: Any) -> None:
    await _tell(tx, found.id, kind, told)
    tx.audit(kind, subject="anomaly", subject_id=found.id, before=found.status, **told)


async def _tell(tx: Tx, anomaly_id: int, kind: str, told: dict[str, Any]) -> None:
    await tx.execute(
        insert(tables.anomaly_event).values(
            anomaly_id=anomaly_id,
            kind=kind,
            at=tx.now,
            person_id=tx.actor.person_id,
            facts=told,
        )
    )
