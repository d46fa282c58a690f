"""Officers decide an application: approve it, one after the other, refuse it or send it back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ApplicationDecided,
    GrantRefused,
    ReasonMissing,
    SamePerson,
)
from marketplace.vouchers.events import VoucherApplicationRefused
from marketplace.vouchers.grant_errors import (
    ApprovedBefore,
)
from marketplace.vouchers.queries import (
    Application,
    Approval,
    Eligibility,
    EligibilityQuestion,
    Programme,
    application,
    approvals,
    budgets_available,
    eligibility_of,
    programme,
)
from marketplace.vouchers.queries.applications import granted_in_batches, waiting_rank_of
from marketplace.vouchers.rules.anomalies import Subject, SubjectKind
from marketplace.vouchers.rules.batches import left_in
from marketplace.vouchers.rules.eligibility import failed
from marketplace.vouchers.rules.states import ApplicationStatus
from marketplace.vouchers.use_cases.anomalies import require_unblocked
from marketplace.vouchers.use_cases.applications import as_facts
from marketplace.vouchers.use_cases.granting import make_grant, round_of, top_up


@dataclass(frozen=True, slots=True)
class DecideApplication:
    """Grant `amount_fen` of what was asked, or refuse when it is None; the reason is told."""

    application_id: int
    amount_fen: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """The application, and the grant when there is one: not before the last person approved."""

    application: Application
    grant_id: int | None
    approvals: tuple[Approval, ...] = ()


async def decide_application(tx: Tx, command: DecideApplication) -> Decided:
    """Approve or refuse a submitted application; the last approval that the terms ask for grants.

    Every approval re-checks every eligibility rule; the budget and the yearly cap are guarded by
    the database, so that whatever is decided at the same moment stays within them.

    Raises:
        ApplicationDecided: when it is not submitted.
        SamePerson: when the officer applied.
        ApprovedBefore: when the officer approved it in this round.
        ReasonMissing: when it is refused without one.
        GrantRefused: with every reason: rules not met, more than asked, more than the budget has,
            another amount than the first person approved.
        AnomaliesBlock: while a blocking anomaly about it or its SME is not decided.
        InsufficientFunds: when another grant took the budget at the same moment.
        RoundUsedUp: when another grant took what was left of the round at the same moment.
        VoucherYearCapReached: when another grant took the yearly room at the same moment.

    Policy: J.22a, J.22b
    """
    asked = await submitted(tx, command.application_id)
    if command.amount_fen is None:
        _require_reason(command.reason)
        await note(tx, asked, ApplicationStatus.REFUSED, "refuse", command.reason)
        tx.record(VoucherApplicationRefused(asked.id, asked.organisation_id))
        return Decided(await application(tx, asked.id), None)
    await require_unblocked(
        tx,
        Subject(SubjectKind.APPLICATION, asked.id),
        Subject(SubjectKind.ORGANISATION, asked.organisation_id),
    )
    of = await programme(tx, asked.programme_id)
    found = await eligibility_of(
        tx,
        EligibilityQuestion(
            of.id,
            asked.organisation_id,
            command.amount_fen,
            shanghai_day(asked.made_at),
            asked.grant_id,
            asked.id,
        ),
    )
    before = await approvals(tx, asked.id, round_=asked.round)
    if tx.actor.person_id in {each.person_id for each in before}:
        raise ApprovedBefore("Another person has to approve it.")
    await _require_grantable(tx, asked, of, command.amount_fen, found, before)
    await _approve(tx, asked, command.amount_fen)
    done = await approvals(tx, asked.id, round_=asked.round)
    if len(done) < of.agreed.approvers:
        return Decided(await application(tx, asked.id), None, tuple(done))
    await note(tx, asked, ApplicationStatus.GRANTED, "grant", command.reason, found)
    give = make_grant if asked.grant_id is None else top_up
    grant_id = await give(tx, asked, of, command.amount_fen, found)
    return Decided(await application(tx, asked.id), grant_id, tuple(done))


async def submitted(tx: Tx, application_id: int) -> Application:
    """A submitted application that somebody else made, locked.

    Raises:
        ApplicationDecided: when it is not submitted.
        SamePerson: when the officer applied.
    """
    asked = await application(tx, application_id, lock=True)
    if asked.status != ApplicationStatus.SUBMITTED:
        raise ApplicationDecided(f"The application is {asked.status}.")
    if asked.made_by == tx.actor.person_id:
        raise SamePerson("Nobody decides their own application.")
    return asked


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("Say why, so that the company can do better next time.")


async def _approve(tx: Tx, asked: Application, amount_fen: int) -> None:
    await tx.execute(
        insert(tables.application_approval).values(
            application_id=asked.id,
            round=asked.round,
            person_id=tx.actor.person_id,
            applied_by=asked.made_by,
            amount_fen=amount_fen,
            approved_at=tx.now,
        )
    )
    tx.audit("approve", subject="voucher_application", subject_id=asked.id, amount_fen=amount_fen)


async def _require_grantable(
    tx: Tx,
    asked: Application,
    of: Programme,
    amount_fen: int,
    found: Eligibility,
    before: list[Approval],
) -> None:
    reasons = Reasons(failed(found.checks))
    batch = round_of(tx, asked, of)
    left = left_in(batch, await granted_in_batches(tx, of.id))
    if batch is not None and left is not None and amount_fen > left:
        reasons.add(
            "round",
            f"Round {batch.number} has {yuan(left)} CNY left to grant;"
            " the application can wait in line.",
            limit=left,
            asked=amount_fen,
            source=batch.source or of.agreed.sources.get("batches") or "J.22a",
        )
    if amount_fen > asked.asked_fen:
        reasons.add(
            "asked",
            "A grant is at most what was asked.",
            limit=asked.asked_fen,
            asked=amount_fen,
            source="J.22b",
        )
    if before and before[0].amount_fen != amount_fen:
        reasons.add(
            "amount-approved",
            "All approve the same amount; send the application back to begin anew.",
            limit=before[0].amount_fen,
            asked=amount_fen,
            source="J.22b",
        )
    budgets = await budgets_available(tx, [part.layer.id for part in found.parts])
    for part in found.parts:
        available = budgets[part.layer.id]
        if part.amount_fen > available:
            reasons.add(
                "budget",
                f"The budget of the {part.layer.funder} does not hold this much any more;"
                " the application can wait in line.",
                limit=available,
                asked=part.amount_fen,
                source="J.22a",
            )
        if part.amount_fen == 0:
            reasons.add("amount", f"Nothing would come from the {part.layer.funder}.", asked=0)
    reasons.raise_as(GrantRefused)


async def note(
    tx: Tx,
    asked: Application,
    status: ApplicationStatus,
    verb: str,
    reason: str,
    found: Eligibility | None = None,
) -> None:
    """Write a decision down: who, when, why, and what the checks found on that day."""
    checks = {} if found is None else {"checks": as_facts(found.checks)}
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == asked.id)
        .values(
            status=status,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            reason=reason,
            **checks,
        )
    )
    tx.audit(verb, subject="voucher_application", subject_id=asked.id, reason=reason)


@dataclass(frozen=True, slots=True)
class ReturnApplication:
    """Something has to be amended before it can be decided."""

    application_id: int
    reason: str


async def return_application(tx: Tx, command: ReturnApplication) -> Application:
    """Send a submitted application back; approvals so far count no more.

    Raises:
        ApplicationDecided: when it is not submitted.
        SamePerson: when the officer applied.
        ReasonMissing: without saying what has to be amended.
    """
    asked = await submitted(tx, command.application_id)
    _require_reason(command.reason)
    await note(tx, asked, ApplicationStatus.RETURNED, "return", command.reason)
    await _next_round(tx, asked)
    return await application(tx, asked.id)


@dataclass(frozen=True, slots=True)
class QueueApplication:
    """The budget does not hold what is asked for; the application waits in line."""

    application_id: int


async def queue_application(tx: Tx, command: QueueApplication) -> Application:
    """Put a submitted application in line, behind those that wait already.

    Raises:
        ApplicationDecided: when it is not submitted.
        SamePerson: when the officer applied.
        GrantRefused: when the budgets hold what is asked for.
    """
    asked = await submitted(tx, command.application_id)
    question = EligibilityQuestion(
        asked.programme_id,
        asked.organisation_id,
        asked.asked_fen,
        shanghai_day(asked.made_at),
        asked.grant_id,
        asked.id,
    )
    found = await eligibility_of(tx, question)
    budgets = await budgets_available(tx, [part.layer.id for part in found.parts])
    of = await programme(tx, asked.programme_id)
    left = left_in(round_of(tx, asked, of), await granted_in_batches(tx, of.id))
    if all(part.amount_fen <= budgets[part.layer.id] for part in found.parts) and (
        left is None or asked.asked_fen <= left
    ):
        raise GrantRefused("The budgets hold what is asked for: decide the application.")
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == asked.id)
        .values(
            status=ApplicationStatus.WAITING,
            waiting_since=asked.waiting_since or tx.now,
            waiting_rank=await waiting_rank_of(tx, of, asked.organisation_id),
        )
    )
    await _next_round(tx, asked)
    tx.audit("queue", subject="voucher_application", subject_id=asked.id)
    return await application(tx, asked.id)


async def _next_round(tx: Tx, asked: Application) -> None:
    await tx.execute(
        update(tables.voucher_application)
        .where(tables.voucher_application.c.id == asked.id)
        .values(round=asked.round + 1)
    )
