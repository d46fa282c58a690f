"""Signing a month off by two persons, which closes its books in every ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.queries import Period, VerifyReport
from marketplace.billing.ledger.queries.closing import period_by_id, periods_within
from marketplace.billing.reconciliation.use_cases.turns import sign_the_books
from marketplace.closing.errors import MonthClosed, MonthNotReady, OwnDraft
from marketplace.closing.queries.months import SignOff, days_checklist, sign_off_of
from marketplace.closing.rules.checklist import open_questions
from marketplace.closing.rules.months import Days, Month
from marketplace.closing.tables import ledger_verification, month_close
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class SignMonth:
    """Sign what another person drafted."""

    close_id: int


async def draft_month(tx: Tx, month: Month) -> SignOff:
    """Find a month ready, and propose its days to be closed in every ledger.

    Raises:
        MonthNotReady: with a reason for each blocking item that is open.
        MonthDrafted: when it waits for its second signature already.
        MonthClosed: when it is closed.
        PeriodNotOver: when the month is not over.
        PeriodOverlaps: when a period has some of its days and not all.
    """
    await sign_the_books(tx)
    periods = await periods_within(tx, month.first_on, month.last_on)
    if len([one for one in periods if one.closed_at is not None]) == len(ledger.LedgerName):
        raise MonthClosed("To change its books, two persons open its periods again.")
    items = await _require_ready(tx, month)
    proposed = {one.ledger for one in periods}
    for name in ledger.LedgerName:
        if name not in proposed:
            await ledger.propose_period(
                tx, ledger.ProposePeriod(name, month.first_on, month.last_on)
            )
    made: int = await tx.scalar(
        insert(month_close)
        .values(
            first_on=month.first_on,
            last_on=month.last_on,
            status="draft",
            checklist=items,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(month_close.c.id)
    )
    tx.audit("draft", subject="month_close", subject_id=made, month=str(month.first_on)[:7])
    return await sign_off_of(tx, made)


async def sign_month(tx: Tx, command: SignMonth) -> SignOff:
    """Look again, sign, and close the month's books in every ledger.

    Raises:
        SignOffUnknown: when nobody drafted it.
        OwnDraft: for the person who drafted it.
        MonthClosed: when it was signed before.
        MonthNotReady: when something has come up since.
    """
    await sign_the_books(tx)
    await tx.execute(
        select(month_close.c.id).where(month_close.c.id == command.close_id).with_for_update()
    )
    drafted = await sign_off_of(tx, command.close_id)
    if drafted.status == "signed":
        raise MonthClosed("It was signed before.")
    if drafted.made_by == tx.actor.person_id:
        raise OwnDraft("Somebody else signs the month that you drafted.")
    month = Month(drafted.first_on.year, drafted.first_on.month)
    items = await _require_ready(tx, month)
    for one in await periods_within(tx, month.first_on, month.last_on):
        if one.closed_at is None:
            await ledger.close_period(tx, ledger.ClosePeriod(one.id))
    await tx.execute(
        update(month_close)
        .where(month_close.c.id == drafted.id)
        .values(
            status="signed",
            checklist=items,
            approved_by=tx.actor.person_id,
            approved_at=tx.now,
        )
    )
    tx.audit("sign", subject="month_close", subject_id=drafted.id, month=str(month.first_on)[:7])
    return await sign_off_of(tx, drafted.id)


async def close_checked_period(tx: Tx, command: ledger.ClosePeriod) -> Period:
    """Close one ledger's period that another person proposed, by the same checklist as a month.

    Raises:
        PeriodMissing: when there is no such period.
        MonthNotReady: with a reason for each blocking item that is open.
        SelfApproval: when the caller proposed it.
        PeriodClosed: when it is closed already.
    """
    await sign_the_books(tx)
    proposed = await period_by_id(tx, command.period_id)
    if proposed.closed_at is None and proposed.made_by != tx.actor.person_id:
        await _require_ready(tx, proposed)
    return await ledger.close_period(tx, command)


async def _require_ready(tx: Tx, days: Days) -> list[dict[str, Any]]:
    items = await days_checklist(tx, days)
    open_questions(items).raise_as(MonthNotReady)
    frozen: list[dict[str, Any]] = msgspec.to_builtins(list(items))
    return frozen


async def note_verification(tx: Tx, report: VerifyReport) -> int:
    """Keep what a verification of the whole ledger found."""
    kept: int = await tx.scalar(
        insert(ledger_verification)
        .values(
            verified_at=tx.now,
            entries=report.entries,
            accounts=report.accounts,
            seals=report.seals,
            head_number=report.head_number,
            head_sha256=report.head_sha256,
            problems=report.problems_total,
            first_problem=str(report.problems[0]) if report.problems else "",
        )
        .returning(ledger_verification.c.id)
    )
    return kept
