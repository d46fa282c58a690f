"""Facts of beneficiaries: stated by the SME or the centre, verified by another person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.parties.queries import require_organisation
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    SamePerson,
)
from marketplace.vouchers.grant_errors import (
    BeneficiaryFactDecided,
    BeneficiaryFactMissing,
    BeneficiaryFactUnclear,
)
from marketplace.vouchers.queries import BeneficiaryFact, beneficiary_fact, may_see
from marketplace.vouchers.rules.states import FactKind, FactStatus

NUMBERED = (FactKind.CAPITAL, FactKind.TEAM)


@dataclass(frozen=True, slots=True)
class StateFact:
    """A certificate by its name, a number, or a first day, with where it can be looked up."""

    organisation_id: int
    kind: FactKind
    starts_on: date
    source: str
    name: str = ""
    number: int | None = None
    ends_on: date | None = None


async def state_fact(tx: Tx, command: StateFact) -> BeneficiaryFact:
    """Write a fact down; it counts for eligibility once another person has verified it.

    Raises:
        BeneficiaryFactMissing: for another SME.
        BeneficiaryFactUnclear: with all that the kind of fact lacks.

    Policy: J.22b
    """
    if not may_see(tx.actor, command.organisation_id):
        raise BeneficiaryFactMissing()
    await require_organisation(tx, command.organisation_id, "sme")
    reasons = Reasons()
    if (command.kind is FactKind.CERTIFICATE) != bool(command.name):
        reasons.add("name", "A certificate, and only one, has a name.", asked=command.name)
    if (command.kind in NUMBERED) != (command.number is not None):
        reasons.add("number", "Capital and teams, and only they, have a number.")
    if command.ends_on is not None and command.ends_on < command.starts_on:
        reasons.add("days", "It ends on or after the day on which it starts.")
    if not command.source.strip():
        reasons.add("source", "Say where it can be looked up.")
    reasons.raise_as(BeneficiaryFactUnclear)
    fact_id = await tx.scalar(
        insert(tables.beneficiary_fact)
        .values(
            organisation_id=command.organisation_id,
            kind=command.kind,
            name=command.name,
            number=command.number,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            source=command.source,
            stated_by=tx.actor.person_id,
            stated_at=tx.now,
            status=FactStatus.STATED,
        )
        .returning(tables.beneficiary_fact.c.id)
    )
    tx.audit("state", subject="beneficiary_fact", subject_id=fact_id, kind=command.kind)
    return await beneficiary_fact(tx, fact_id)


@dataclass(frozen=True, slots=True)
class DecideFact:
    """An officer looked it up."""

    fact_id: int
    verified: bool


async def decide_fact(tx: Tx, command: DecideFact) -> BeneficiaryFact:
    """Verify a stated fact, reject it, or end one that was verified.

    Raises:
        BeneficiaryFactMissing: when there is none.
        BeneficiaryFactDecided: when that was decided before.
        SamePerson: when the one who decides stated it.
    """
    found = await beneficiary_fact(tx, command.fact_id, lock=True)
    if found.status == FactStatus.STATED:
        status = FactStatus.VERIFIED if command.verified else FactStatus.REJECTED
    elif found.status == FactStatus.VERIFIED and not command.verified:
        status = FactStatus.ENDED
    else:
        raise BeneficiaryFactDecided(f"The fact is {found.status}.")
    if found.stated_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who stated it verifies a fact.")
    await tx.execute(
        update(tables.beneficiary_fact)
        .where(tables.beneficiary_fact.c.id == found.id)
        .values(status=status, decided_by=tx.actor.person_id, decided_at=tx.now)
    )
    tx.audit(status, subject="beneficiary_fact", subject_id=found.id)
    return await beneficiary_fact(tx, found.id)
