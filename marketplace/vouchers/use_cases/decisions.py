"""An officer decides an application: a grant moves money from the budgets to the voucher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    Line,
    OpenAccount,
    open_account,
    post_entry,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import shanghai_day
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ApplicationDecided,
    GrantRefused,
    ReasonMissing,
    SamePerson,
)
from marketplace.vouchers.events import VoucherApplicationRefused, VoucherGranted
from marketplace.vouchers.queries import (
    Application,
    Eligibility,
    EligibilityQuestion,
    LayerAsked,
    Programme,
    application,
    budgets_available,
    eligibility_of,
    programme,
)
from marketplace.vouchers.rules.eligibility import failed
from marketplace.vouchers.rules.states import ApplicationStatus, GrantStatus
from marketplace.vouchers.rules.validity import grant_valid_until
from marketplace.vouchers.use_cases.applications import as_facts


@dataclass(frozen=True, slots=True)
class DecideApplication:
    """Grant `amount_fen` of what was asked, or refuse when it is None; the reason is told."""

    application_id: int
    amount_fen: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """The decided application, and the grant when there is one."""

    application: Application
    grant_id: int | None


async def decide_application(tx: Tx, command: DecideApplication) -> Decided:
    """Grant or refuse a submitted application.

    A grant re-checks every eligibility rule; the budget and the yearly cap are guarded by the
    database, so that whatever is decided at the same moment stays within them.

    Raises:
        ApplicationDecided: when it was decided or withdrawn before.
        SamePerson: when the officer applied.
        ReasonMissing: when it is refused without one.
        GrantRefused: with every reason: rules not met, more than asked, more than the budget has.
        InsufficientFunds: when another grant took the budget at the same moment.
        VoucherYearCapReached: when another grant took the yearly room at the same moment.

    Policy: J.22a, J.22b
    """
    asked = await application(tx, command.application_id, lock=True)
    if asked.status != ApplicationStatus.SUBMITTED:
        raise ApplicationDecided(f"The application is {asked.status}.")
    if asked.made_by == tx.actor.person_id:
        raise SamePerson("Nobody decides their own application.")
    if command.amount_fen is None:
        if not command.reason.strip():
            raise ReasonMissing("Say why, so that the company can do better next time.")
        await _decide(tx, asked, ApplicationStatus.REFUSED, command.reason)
        tx.record(VoucherApplicationRefused(asked.id, asked.organisation_id))
        return Decided(await application(tx, asked.id), None)
    of = await programme(tx, asked.programme_id)
    found = await eligibility_of(
        tx,
        EligibilityQuestion(
            of.id, asked.organisation_id, command.amount_fen, shanghai_day(asked.made_at)
        ),
    )
    await _require_grantable(tx, asked, command.amount_fen, found)
    await _decide(tx, asked, ApplicationStatus.GRANTED, command.reason, found)
    grant_id = await _grant(tx, asked, of, command.amount_fen, found.parts)
    return Decided(await application(tx, asked.id), grant_id)


async def _require_grantable(
    tx: Tx, asked: Application, amount_fen: int, found: Eligibility
) -> None:
    reasons = Reasons(failed(found.checks))
    if amount_fen > asked.asked_fen:
        reasons.add(
            "asked",
            "A grant is at most what was asked.",
            limit=asked.asked_fen,
            asked=amount_fen,
            source="J.22b",
        )
    budgets = await budgets_available(tx, [part.layer.id for part in found.parts])
    for part in found.parts:
        available = budgets[part.layer.id]
        if part.amount_fen > available:
            reasons.add(
                "budget",
                f"The budget of the {part.layer.funder} does not hold this much any more.",
                limit=available,
                asked=part.amount_fen,
                source="J.22a",
            )
        if part.amount_fen == 0:
            reasons.add("amount", f"Nothing would come from the {part.layer.funder}.", asked=0)
    reasons.raise_as(GrantRefused)


async def _decide(
    tx: Tx,
    asked: Application,
    status: ApplicationStatus,
    reason: str,
    found: Eligibility | None = None,
) -> None:
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
    verb = "refuse" if found is None else "grant"
    tx.audit(verb, subject="voucher_application", subject_id=asked.id, reason=reason)


async def _grant(
    tx: Tx, asked: Application, of: Programme, amount_fen: int, parts: Sequence[LayerAsked]
) -> int:
    valid_until = min(
        of.valid_until,
        grant_valid_until(
            of.agreed.validity, granted_on=tx.today, year=of.year, ends_on=of.agreed.ends_on
        ),
    )
    grant_id: int = await tx.scalar(
        insert(tables.voucher_grant)
        .values(
            programme_id=of.id,
            organisation_id=asked.organisation_id,
            application_id=asked.id,
            amount_fen=amount_fen,
            valid_until=valid_until,
            status=GrantStatus.ACTIVE,
            granted_by=tx.actor.person_id,
            granted_at=tx.now,
        )
        .returning(tables.voucher_grant.c.id)
    )
    await _count_towards_year(tx, asked.organisation_id, of, parts)
    lines: list[Line] = []
    for part in parts:
        budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, part.layer.id))
        voucher = await _open_part(tx, grant_id, part)
        lines += [
            Line(account_id=budget, amount_fen=part.amount_fen),
            Line(account_id=voucher, amount_fen=-part.amount_fen),
        ]
    await post_entry(
        tx,
        Entry(
            kind=EntryKind.VOUCHER_GRANTED,
            effective_on=tx.today,
            lines=tuple(lines),
            key=f"voucher-grant:{grant_id}",
            source_kind="voucher_grant",
            source_id=grant_id,
            made_by=asked.made_by,
            approved_by=tx.actor.person_id,
        ),
    )
    tx.record(VoucherGranted(grant_id, of.id, asked.organisation_id, amount_fen, valid_until))
    return grant_id


async def _open_part(tx: Tx, grant_id: int, part: LayerAsked) -> int:
    part_id = await tx.scalar(
        insert(tables.grant_part)
        .values(grant_id=grant_id, layer_id=part.layer.id, amount_fen=part.amount_fen)
        .returning(tables.grant_part.c.id)
    )
    return await open_account(tx, OpenAccount(AccountType.VOUCHER, part_id))


async def _count_towards_year(
    tx: Tx, organisation_id: int, of: Programme, parts: Sequence[LayerAsked]
) -> None:
    by_funder: dict[str, int] = {}
    for part in parts:
        by_funder[part.layer.funder] = by_funder.get(part.layer.funder, 0) + part.amount_fen
    table = tables.voucher_year
    # In order of funder, so that two grants to one SME never wait for each other.
    for funder, amount_fen in sorted(by_funder.items()):
        added = upsert(table).values(
            organisation_id=organisation_id,
            year=of.year,
            funder=funder,
            granted_fen=amount_fen,
            cap_fen=of.agreed.cap_per_sme_year_fen,
        )
        await tx.execute(
            added.on_conflict_do_update(
                index_elements=[table.c.organisation_id, table.c.year, table.c.funder],
                set_={
                    "granted_fen": table.c.granted_fen + added.excluded.granted_fen,
                    "cap_fen": added.excluded.cap_fen,
                },
            )
        )
