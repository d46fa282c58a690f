"""A sanction: proposed, the party heard, decided by a second person, appealed to a third."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.parties.queries import organisation
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import (
    HearingOpen,
    SanctionMissing,
    SanctionRefused,
    SanctionStateMoved,
    TooLate,
)
from marketplace.vouchers.errors import SamePerson
from marketplace.vouchers.events import SanctionImposed, SanctionProposed
from marketplace.vouchers.queries import visible_programme
from marketplace.vouchers.queries.sanctions import Sanction, sanction
from marketplace.vouchers.rules.sanctions import (
    SanctionPlan,
    appeal_due_on,
    may_decide_on,
    reasons_not_to_propose,
    statement_due_on,
)
from marketplace.vouchers.rules.states import SanctionKind, SanctionStatus


@dataclass(frozen=True, slots=True)
class ProposeSanction:
    """What an SME or a provider is to be sanctioned with, and why."""

    organisation_id: int
    kind: SanctionKind
    reason: str
    starts_on: date
    ends_on: date | None = None
    programme_id: int | None = None


async def propose_sanction(tx: Tx, command: ProposeSanction) -> Sanction:
    """Propose a sanction and hear the party; it binds nobody yet.

    Raises:
        SanctionRefused: with every reason why it cannot be proposed like this.
        OrganisationMissing, ProgrammeMissing.

    Policy: J.31
    """
    await organisation(tx, command.organisation_id)
    if command.programme_id is not None:
        await visible_programme(tx, command.programme_id)
    plan = SanctionPlan(command.kind, command.programme_id, command.starts_on, command.ends_on)
    reasons_not_to_propose(plan, tx.today).raise_as(SanctionRefused)
    due_on = statement_due_on(tx.today)
    sanction_id: int = await tx.scalar(
        insert(tables.sanction)
        .values(
            organisation_id=command.organisation_id,
            programme_id=command.programme_id,
            kind=command.kind,
            reason=command.reason,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            status=SanctionStatus.PROPOSED,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
            statement_due_on=due_on,
        )
        .returning(tables.sanction.c.id)
    )
    tx.record(SanctionProposed(sanction_id, command.organisation_id, due_on))
    tx.audit(
        "propose",
        subject="sanction",
        subject_id=sanction_id,
        organisation_id=command.organisation_id,
        kind=command.kind,
        reason=command.reason,
    )
    return await sanction(tx, sanction_id)


@dataclass(frozen=True, slots=True)
class StateCase:
    """What the party has to say."""

    sanction_id: int
    statement: str


async def state_case(tx: Tx, command: StateCase) -> Sanction:
    """Take the party's statement, until the last day for it; a later one replaces it.

    Raises:
        SanctionMissing: for everybody but the party.
        SanctionStateMoved: once it is decided.
        TooLate: after the last day.
    """
    found = await _own(tx, command.sanction_id)
    _require(found, SanctionStatus.PROPOSED)
    _require_in_time(tx, found.statement_due_on, "statement")
    return await _set(
        tx,
        found,
        "state",
        command.statement,
        statement=command.statement,
        stated_by=tx.actor.person_id,
        stated_at=tx.now,
    )


@dataclass(frozen=True, slots=True)
class DecideSanction:
    """A second person imposes the sanction or drops it, with the reason."""

    sanction_id: int
    imposed: bool
    reason: str


async def decide_sanction(tx: Tx, command: DecideSanction) -> Sanction:
    """Decide a sanction after the party was heard; imposed, it binds at once.

    Raises:
        SanctionStateMoved: when it was decided before.
        SamePerson: when the one who proposed it decides.
        HearingOpen: while the party has said nothing and still may.
    """
    found = await sanction(tx, command.sanction_id, lock=True)
    _require(found, SanctionStatus.PROPOSED)
    if found.proposed_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who proposed it decides a sanction.")
    if command.imposed and not may_decide_on(
        tx.today, stated=found.statement is not None, due_on=found.statement_due_on
    ):
        raise HearingOpen(
            f"The party may make its statement until {found.statement_due_on}.",
            limit=found.statement_due_on.isoformat(),
            asked=tx.today.isoformat(),
        )
    status = SanctionStatus.IMPOSED if command.imposed else SanctionStatus.DROPPED
    if command.imposed:
        tx.record(SanctionImposed(found.id, found.organisation_id))
    return await _set(
        tx,
        found,
        "decide",
        command.reason,
        status=status,
        decided_by=tx.actor.person_id,
        decided_at=tx.now,
        decision=command.reason,
        appeal_due_on=appeal_due_on(tx.today) if command.imposed else None,
    )


@dataclass(frozen=True, slots=True)
class AppealSanction:
    """Why the party thinks that the sanction is wrong."""

    sanction_id: int
    appeal: str


async def appeal_sanction(tx: Tx, command: AppealSanction) -> Sanction:
    """Take the party's appeal; the sanction stays in force until it is decided.

    Raises:
        SanctionMissing: for everybody but the party.
        SanctionStateMoved: when it is not imposed, or an appeal was decided before.
        TooLate: after the last day.
    """
    found = await _own(tx, command.sanction_id)
    _require(found, SanctionStatus.IMPOSED)
    if found.appeal is not None:
        raise SanctionStateMoved("One appeal is decided, and that is final.")
    assert found.appeal_due_on is not None, "an imposed sanction says until when"
    _require_in_time(tx, found.appeal_due_on, "appeal")
    return await _set(
        tx,
        found,
        "appeal",
        command.appeal,
        status=SanctionStatus.APPEALED,
        appeal=command.appeal,
        appealed_by=tx.actor.person_id,
        appealed_at=tx.now,
    )


@dataclass(frozen=True, slots=True)
class DecideAppeal:
    """A third person lifts the sanction or keeps it, with the reason."""

    sanction_id: int
    upheld: bool
    answer: str


async def decide_appeal(tx: Tx, command: DecideAppeal) -> Sanction:
    """Decide an appeal; upheld, the sanction binds nobody any more.

    Raises:
        SanctionStateMoved: when no appeal waits.
        SamePerson: when the one who proposed or imposed it decides.
    """
    found = await sanction(tx, command.sanction_id, lock=True)
    _require(found, SanctionStatus.APPEALED)
    if tx.actor.person_id in (found.proposed_by, found.decided_by):
        raise SamePerson("Somebody who neither proposed nor imposed it decides the appeal.")
    return await _set(
        tx,
        found,
        "decide-appeal",
        command.answer,
        status=SanctionStatus.LIFTED if command.upheld else SanctionStatus.IMPOSED,
        appeal_decided_by=tx.actor.person_id,
        appeal_decided_at=tx.now,
        appeal_answer=command.answer,
    )


async def _own(tx: Tx, sanction_id: int) -> Sanction:
    found = await sanction(tx, sanction_id, lock=True)
    if found.organisation_id != tx.actor.organisation_id:
        raise SanctionMissing()
    return found


def _require(found: Sanction, wanted: SanctionStatus) -> None:
    if found.status != wanted:
        raise SanctionStateMoved(
            f"The sanction is {found.status}.", limit=[str(wanted)], asked=found.status
        )


def _require_in_time(tx: Tx, due_on: date, what: str) -> None:
    if tx.today > due_on:
        raise TooLate(
            f"The last day for the {what} was {due_on}.",
            limit=due_on.isoformat(),
            asked=tx.today.isoformat(),
        )


async def _set(tx: Tx, found: Sanction, action: str, why: str, **values: Any) -> Sanction:
    table = tables.sanction
    await tx.execute(update(table).where(table.c.id == found.id).values(**values))
    tx.audit(
        action,
        subject="sanction",
        subject_id=found.id,
        organisation_id=found.organisation_id,
        reason=why,
    )
    return await sanction(tx, found.id)
