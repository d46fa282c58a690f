"""Signing a period off by two persons, which closes the cash ledger for its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import LedgerName
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import OwnSignOff, SignedOff, SignOffNotReady
from marketplace.billing.reconciliation.rules.sign_off import Standing, open_questions
from marketplace.billing.reconciliation.rules.states import PeriodStatus
from marketplace.billing.reconciliation.tables import reconciliation_period
from marketplace.billing.reconciliation.use_cases.turns import sign_the_books
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class DraftSignOff:
    """Days to be signed off, both ends included."""

    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class ApproveSignOff:
    """Sign off what another person prepared."""

    sign_off_id: int


async def draft_sign_off(tx: Tx, command: DraftSignOff) -> queries.SignOff:
    """Prepare a sign-off, with how the period balances.

    Raises:
        SignOffNotReady: with everything that stands against it.
        PeriodNotOver: when the last day has not passed, or comes before the first.
        PeriodOverlaps: when some of the days are in another period.
    """
    await sign_the_books(tx)
    balancing = await _require_agreed(tx, command.first_on, command.last_on)
    period_id = await ledger.propose_period(
        tx, ledger.ProposePeriod(LedgerName.CASH, command.first_on, command.last_on)
    )
    made: int = await tx.scalar(
        insert(reconciliation_period)
        .values(
            ledger_period_id=period_id,
            first_on=command.first_on,
            last_on=command.last_on,
            status=PeriodStatus.DRAFT,
            balancing=balancing,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(reconciliation_period.c.id)
    )
    tx.audit("draft", subject="reconciliation_period", subject_id=made)
    return await queries.sign_off_by_id(tx, made)


async def approve_sign_off(tx: Tx, command: ApproveSignOff) -> queries.SignOff:
    """Look again, sign off, and close the cash ledger's period for good.

    Raises:
        SignOffMissing: when there is none.
        OwnSignOff: for the person who prepared it.
        SignedOff: when it was signed off before.
        SignOffNotReady: when something has come up since.
    """
    await sign_the_books(tx)
    await tx.execute(
        select(reconciliation_period.c.id)
        .where(reconciliation_period.c.id == command.sign_off_id)
        .with_for_update()
    )
    drafted = await queries.sign_off_by_id(tx, command.sign_off_id)
    if drafted.status == PeriodStatus.SIGNED:
        raise SignedOff()
    if drafted.made_by == tx.actor.person_id:
        raise OwnSignOff()
    balancing = await _require_agreed(tx, drafted.first_on, drafted.last_on)
    await ledger.close_period(tx, ledger.ClosePeriod(drafted.ledger_period_id))
    await tx.execute(
        update(reconciliation_period)
        .where(reconciliation_period.c.id == drafted.id)
        .values(
            status=PeriodStatus.SIGNED,
            balancing=balancing,
            approved_by=tx.actor.person_id,
            approved_at=tx.now,
        )
    )
    tx.audit(
        "approve",
        subject="reconciliation_period",
        subject_id=drafted.id,
        closing_fen=balancing["closing_fen"],
    )
    return await queries.sign_off_by_id(tx, drafted.id)


async def _require_agreed(tx: Tx, first_on: date, last_on: date) -> dict[str, Any]:
    """How the period balances, when nothing stands against signing it off."""
    found = await queries.balancing(tx, queries.BalancingAsked(first_on, last_on))
    open_questions(
        Standing(
            statements=len(found.accounts),
            difference_fen=found.difference_fen,
            unexplained_lines=found.unexplained_lines,
        )
    ).raise_as(SignOffNotReady)
    frozen: dict[str, Any] = msgspec.to_builtins(found)
    return frozen
