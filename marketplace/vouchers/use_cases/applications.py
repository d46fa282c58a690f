"""An SME applies for a voucher, or takes its application back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ApplicationDecided, ApplicationMissing, NotEligible
from marketplace.vouchers.queries import (
    Application,
    EligibilityQuestion,
    application,
    eligibility_of,
    visible_programme,
)
from marketplace.vouchers.rules.eligibility import Check, failed
from marketplace.vouchers.rules.states import ApplicationStatus


@dataclass(frozen=True, slots=True)
class ApplyForVoucher:
    """The signed-in SME asks for `asked_fen` of a programme, for the research it names."""

    programme_id: int
    asked_fen: int
    purpose: str


async def apply_for_voucher(tx: Tx, command: ApplyForVoucher) -> Application:
    """Check every eligibility rule and submit the application with what each check found.

    Raises:
        ProgrammeMissing: when there is no such programme to see.
        NotEligible: with every rule that is not met.
        ApplicationOpen: when one of this SME is waiting already.

    Policy: J.22b
    """
    asked_of = await visible_programme(tx, command.programme_id)
    found = await eligibility_of(
        tx,
        EligibilityQuestion(asked_of.id, tx.actor.organisation_id, command.asked_fen, tx.today),
    )
    reasons = failed(found.checks)
    if reasons:
        raise NotEligible("; ".join(reason.message for reason in reasons), reasons=reasons)
    table = tables.voucher_application
    application_id = await tx.scalar(
        insert(table)
        .values(
            programme_id=asked_of.id,
            organisation_id=tx.actor.organisation_id,
            asked_fen=command.asked_fen,
            purpose=command.purpose,
            status=ApplicationStatus.SUBMITTED,
            checks=as_facts(found.checks),
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(table.c.id)
    )
    tx.audit(
        "submit",
        subject="voucher_application",
        subject_id=application_id,
        asked_fen=command.asked_fen,
    )
    return await application(tx, application_id)


def as_facts(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as they are kept with the application."""
    return [dataclasses.asdict(check) for check in checks]


@dataclass(frozen=True, slots=True)
class WithdrawApplication:
    """The SME takes its application back before it is decided."""

    application_id: int


async def withdraw_application(tx: Tx, command: WithdrawApplication) -> Application:
    """Withdraw a submitted application.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it was decided before.
    """
    found = await application(tx, command.application_id, lock=True)
    if found.organisation_id != tx.actor.organisation_id:
        raise ApplicationMissing()
    if found.status != ApplicationStatus.SUBMITTED:
        raise ApplicationDecided(f"The application is {found.status}.")
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == found.id)
        .values(status=ApplicationStatus.WITHDRAWN)
    )
    tx.audit("withdraw", subject="voucher_application", subject_id=found.id)
    return await application(tx, found.id)
