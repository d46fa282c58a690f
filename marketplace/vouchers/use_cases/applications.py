"""An SME applies for a voucher or a top-up, amends its application, or takes it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ApplicationDecided,
    ApplicationMissing,
    NotEligible,
)
from marketplace.vouchers.grant_errors import (
    ApplicationIncomplete,
    GrantMissing,
)
from marketplace.vouchers.queries import (
    Application,
    Eligibility,
    EligibilityQuestion,
    Programme,
    application,
    budgets_available,
    document_kinds,
    eligibility_of,
    grant,
    programme,
    visible_programme,
)
from marketplace.vouchers.queries.applications import granted_in_batches, waiting_rank_of
from marketplace.vouchers.rules.batches import batch_of, left_in
from marketplace.vouchers.rules.eligibility import Check, failed
from marketplace.vouchers.rules.states import ApplicationStatus

IN_THE_SMES_HANDS = (ApplicationStatus.DRAFT, ApplicationStatus.RETURNED)


@dataclass(frozen=True, slots=True)
class ApplyForVoucher:
    """The signed-in SME asks for `asked_fen` of a programme, for the research it names."""

    programme_id: int
    asked_fen: int
    purpose: str


async def apply_for_voucher(tx: Tx, command: ApplyForVoucher) -> Application:
    """Check every eligibility rule and submit the application with what each check found.

    Where the programme asks for documents the application is a draft until they are there.

    Raises:
        ProgrammeMissing: when there is no such programme to see.
        NotEligible: with every rule that is not met.
        ApplicationOpen: when one of this SME is open already.

    Policy: J.22b
    """
    asked_of = await visible_programme(tx, command.programme_id)
    return await _apply(tx, asked_of.id, command.asked_fen, command.purpose, None)


@dataclass(frozen=True, slots=True)
class ApplyForTopUp:
    """The signed-in SME asks for more on a voucher that it holds."""

    grant_id: int
    asked_fen: int
    purpose: str


async def apply_for_top_up(tx: Tx, command: ApplyForTopUp) -> Application:
    """Apply for a top-up of a grant: the same checks, documents and approvals as for a grant.

    Raises:
        GrantMissing: when the voucher is not the caller's.
        NotEligible: with every rule that is not met.
        ApplicationOpen: when one of this SME is open already.

    Policy: J.22b
    """
    held = await grant(tx, command.grant_id)
    if held.organisation_id != tx.actor.organisation_id:
        raise GrantMissing()
    return await _apply(tx, held.programme_id, command.asked_fen, command.purpose, held.id)


async def _apply(
    tx: Tx, programme_id: int, asked_fen: int, purpose: str, grant_id: int | None
) -> Application:
    found = await _require_eligible(tx, programme_id, asked_fen, grant_id)
    of = await programme(tx, programme_id)
    status = (
        ApplicationStatus.DRAFT
        if of.agreed.application_documents
        else await _submitted_or_waiting(tx, programme_id, found)
    )
    table = tables.voucher_application
    application_id = await tx.scalar(
        insert(table)
        .values(
            programme_id=programme_id,
            organisation_id=tx.actor.organisation_id,
            asked_fen=asked_fen,
            purpose=purpose,
            status=status,
            checks=as_facts(found.checks),
            made_by=tx.actor.person_id,
            made_at=tx.now,
            grant_id=grant_id,
            **await _in_line(tx, of, status),
        )
        .returning(table.c.id)
    )
    verb = "draft" if status == ApplicationStatus.DRAFT else "submit"
    tx.audit(verb, subject="voucher_application", subject_id=application_id, asked_fen=asked_fen)
    return await application(tx, application_id)


async def _require_eligible(
    tx: Tx, programme_id: int, asked_fen: int, grant_id: int | None, again: int | None = None
) -> Eligibility:
    found = await eligibility_of(
        tx,
        EligibilityQuestion(
            programme_id, tx.actor.organisation_id, asked_fen, tx.today, grant_id, again
        ),
    )
    reasons = failed(found.checks)
    if reasons:
        raise NotEligible("; ".join(reason.message for reason in reasons), reasons=reasons)
    return found


async def _in_line(tx: Tx, of: Programme, status: ApplicationStatus) -> dict[str, Any]:
    """Since when the signed-in SME waits, and by which preference; nothing where it does not."""
    if status != ApplicationStatus.WAITING:
        return {}
    rank = await waiting_rank_of(tx, of, tx.actor.organisation_id)
    return {"waiting_since": tx.now, "waiting_rank": rank}


async def _submitted_or_waiting(tx: Tx, programme_id: int, found: Eligibility) -> ApplicationStatus:
    """Behind others that wait, or where a layer has nothing left, it waits in line."""
    table = tables.voucher_application.c
    line = await tx.scalar(
        select(
            exists().where(
                table.programme_id == programme_id, table.status == ApplicationStatus.WAITING
            )
        )
    )
    budgets = await budgets_available(tx, [part.layer.id for part in found.parts])
    used_up = any(left <= 0 for left in budgets.values()) or await _round_used_up(tx, programme_id)
    return ApplicationStatus.WAITING if line or used_up else ApplicationStatus.SUBMITTED


async def _round_used_up(tx: Tx, programme_id: int) -> bool:
    of = await programme(tx, programme_id)
    batch = batch_of(of.agreed.batches, tx.today, None)
    return left_in(batch, await granted_in_batches(tx, of.id)) == 0


def as_facts(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as they are kept with the application."""
    return [dataclasses.asdict(check) for check in checks]


@dataclass(frozen=True, slots=True)
class AmendApplication:
    """Other figures for an application that is a draft or was returned."""

    application_id: int
    asked_fen: int
    purpose: str


async def amend_application(tx: Tx, command: AmendApplication) -> Application:
    """Change what is asked for, and for what.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it is not in the SME's hands.
    """
    found = await own_application(tx, command.application_id)
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == found.id)
        .values(asked_fen=command.asked_fen, purpose=command.purpose)
    )
    tx.audit(
        "amend", subject="voucher_application", subject_id=found.id, asked_fen=command.asked_fen
    )
    return await application(tx, found.id)


@dataclass(frozen=True, slots=True)
class SubmitApplication:
    """The documents are there, or what was asked for is amended."""

    application_id: int


async def submit_application(tx: Tx, command: SubmitApplication) -> Application:
    """Submit a draft or a returned application once it is complete; every rule is checked anew.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it is not in the SME's hands.
        ApplicationIncomplete: with every document that is missing.
        NotEligible: with every rule that is not met.
    """
    asked = await own_application(tx, command.application_id)
    of = await programme(tx, asked.programme_id)
    there = await document_kinds(tx, asked.id)
    reasons = Reasons()
    for kind in of.agreed.application_documents:
        if kind not in there:
            reasons.add(
                "document",
                f"The document {kind} is missing.",
                limit=list(of.agreed.application_documents),
                asked=kind,
                source=of.agreed.sources.get("application_documents") or "J.22b",
            )
    reasons.raise_as(ApplicationIncomplete)
    found = await _require_eligible(tx, of.id, asked.asked_fen, asked.grant_id, asked.id)
    status = await _submitted_or_waiting(tx, of.id, found)
    waiting = await _in_line(tx, of, status)
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == asked.id)
        .values(status=status, checks=as_facts(found.checks), **waiting)
    )
    tx.audit("submit", subject="voucher_application", subject_id=asked.id)
    return await application(tx, asked.id)


async def own_application(tx: Tx, application_id: int) -> Application:
    """The signed-in SME's own application that is in its hands, locked.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it is not in the SME's hands.
    """
    found = await application(tx, application_id, lock=True)
    if found.organisation_id != tx.actor.organisation_id:
        raise ApplicationMissing()
    if found.status not in IN_THE_SMES_HANDS:
        raise ApplicationDecided(f"The application is {found.status}.")
    return found


@dataclass(frozen=True, slots=True)
class WithdrawApplication:
    """The SME takes its application back before it is decided."""

    application_id: int


OPEN = (*IN_THE_SMES_HANDS, ApplicationStatus.SUBMITTED, ApplicationStatus.WAITING)


async def withdraw_application(tx: Tx, command: WithdrawApplication) -> Application:
    """Withdraw an application that is not decided.

    Raises:
        ApplicationMissing: when it is not the caller's.
        ApplicationDecided: when it was decided before.
    """
    found = await application(tx, command.application_id, lock=True)
    if found.organisation_id != tx.actor.organisation_id:
        raise ApplicationMissing()
    if found.status not in OPEN:
        raise ApplicationDecided(f"The application is {found.status}.")
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == found.id)
        .values(status=ApplicationStatus.WITHDRAWN)
    )
    tx.audit("withdraw", subject="voucher_application", subject_id=found.id)
    return await application(tx, found.id)
