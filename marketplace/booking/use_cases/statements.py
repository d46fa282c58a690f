"""Draft, confirm and drop monthly statements of machine-hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_once

from marketplace.booking.errors import (
    NothingToCorrect,
    StatementChanged,
    StatementDraftedMeanwhile,
    StatementMissing,
    StatementNotDraft,
    StatementReasonNeeded,
)
from marketplace.booking.queries.statement_months import never_drafted
from marketplace.booking.queries.statements import (
    Statement,
    checks,
    live_lines,
    live_lines_of,
    made_statement,
    stated_lines,
)
from marketplace.booking.rules.statements import (
    Lines,
    StatementStatus,
    differences,
    digest,
    months_before,
    require_month_over,
    require_nothing_blocking,
    require_second_person,
)
from marketplace.booking.tables import hours_statement, hours_statement_line
from marketplace.kernel.db import Tx

# How many providers' months the nightly job drafts in one transaction, and how far it looks back:
# a platform that stood still for a year still asks for every month.
BATCH = 50
MONTHS_BACK = 12


@dataclass(frozen=True, slots=True)
class DraftStatement:
    """Draw up the caller's month from its sessions; a correction says why."""

    month: date
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmStatement:
    """Vouch for a statement as it was read, which `sha256` tells."""

    statement_id: int
    sha256: str


async def draft_statement(tx: Tx, command: DraftStatement) -> Statement:
    """Draw up a month: its first statement, the present draft anew, or a correction.

    A month that was confirmed is corrected by the next version, and only when its sessions say
    something else by now.

    Policy: F.289-15.

    Raises:
        StatementMonthNotOver: while it lasts.
        StatementReasonNeeded: for a correction without one.
        NothingToCorrect: when the sessions still say what was confirmed.
        StatementDraftedMeanwhile: when somebody else was first.
    """
    require_month_over(command.month, today=tx.today)
    provider_id = tx.actor.organisation_id
    present = await _latest(tx, provider_id, command.month)
    live = await live_lines(tx, provider_id, command.month)
    if present is None:
        drafted = _only(await _insert(tx, {provider_id: live}, command.month))
    elif present.status is StatementStatus.DRAFT:
        drafted = await _draft_anew(tx, present, live, command.reason)
    else:
        drafted = await _correct(tx, present, live, command.reason)
    tx.audit(
        "draft",
        subject="hours_statement",
        subject_id=drafted.id,
        month=command.month.isoformat(),
        version=drafted.version,
        sha256=drafted.sha256,
        reason=drafted.reason,
    )
    return drafted


async def confirm_statement(tx: Tx, command: ConfirmStatement) -> Statement:
    """Vouch for a month: from then on it stands.

    Policy: F.289-15.

    Raises:
        StatementMissing: when it is another provider's.
        StatementNotDraft: when it is confirmed already.
        StatementSecondPerson: for who drafted it.
        StatementChanged: when it is not the one that was read, or the sessions changed since.
        StatementBlocked: while sessions are open or in doubt, with every reason.
    """
    found = await _own_draft(tx, command.statement_id)
    require_second_person(drafted_by=found.drafted_by, confirming=tx.actor.person_id)
    if found.sha256 != command.sha256:
        raise StatementChanged("It was drafted anew; read it again.", sha256=found.sha256)
    checked = await checks(tx, found.provider_id, found.month)
    require_nothing_blocking({check.kind: check.count for check in checked})
    differing = differences(
        await stated_lines(tx, found.id), await live_lines(tx, found.provider_id, found.month)
    )
    if differing:
        raise StatementChanged(
            "Its sessions say something else by now; draft it anew.", lines=len(differing)
        )
    tx.audit(
        "confirm",
        subject="hours_statement",
        subject_id=found.id,
        month=found.month.isoformat(),
        version=found.version,
        sha256=found.sha256,
    )
    return await _update(
        tx,
        found,
        status=StatementStatus.CONFIRMED,
        confirmed_by=tx.actor.person_id,
        confirmed_at=tx.now,
    )


async def discard_statement(tx: Tx, statement_id: int) -> Statement:
    """Drop a draft, for instance a correction that came to nothing.

    Raises:
        StatementMissing: when it is another provider's.
        StatementNotDraft: when it is confirmed.
    """
    found = await _own_draft(tx, statement_id)
    await _delete_lines(tx, found.id)
    await tx.execute(delete(hours_statement).where(hours_statement.c.id == found.id))
    tx.audit(
        "discard",
        subject="hours_statement",
        subject_id=found.id,
        month=found.month.isoformat(),
        version=found.version,
    )
    return found


async def draft_missing_statements(tx: Tx, _: None = None) -> int:
    """Draft the months that are over and that nobody has drafted yet, a batch of them.

    Any person of the provider may confirm what the platform drafted: it is the second.
    """
    due = await never_drafted(tx, months_before(tx.today, MONTHS_BACK), BATCH)
    by_month: dict[date, list[int]] = {}
    for provider_id, month in due:
        by_month.setdefault(month, []).append(provider_id)
    drafted: list[Statement] = []
    for month, provider_ids in by_month.items():
        drafted += await _insert(tx, await live_lines_of(tx, provider_ids, month), month)
    for one in drafted:
        tx.audit(
            "draft",
            subject="hours_statement",
            subject_id=one.id,
            month=one.month.isoformat(),
            version=one.version,
            sha256=one.sha256,
        )
    return len(due)


async def _latest(tx: Tx, provider_id: int, month: date) -> Statement | None:
    of = hours_statement.c
    return await tx.first(
        made_statement,
        select(hours_statement)
        .where(of.provider_id == provider_id, of.month == month)
        .order_by(of.version.desc())
        .limit(1)
        .with_for_update(),
    )


async def _own_draft(tx: Tx, statement_id: int) -> Statement:
    of = hours_statement.c
    found = await tx.one(
        made_statement,
        select(hours_statement)
        .where(of.id == statement_id, of.provider_id == tx.actor.organisation_id)
        .with_for_update(),
        missing=StatementMissing,
    )
    if found.status is not StatementStatus.DRAFT:
        raise StatementNotDraft("Corrections are the next version of the month.")
    return found


async def _insert(
    tx: Tx, lines: Mapping[int, Lines], month: date, **version: Any
) -> list[Statement]:
    """New drafts of several providers' month; those that somebody else made meanwhile are left."""
    values = {"version": 1, "replaces_id": None, "reason": None} | version
    replaces_sha256 = values.pop("replaces_sha256", None)
    rows = [
        {
            "provider_id": provider_id,
            "month": month,
            "status": StatementStatus.DRAFT,
            "sha256": digest(
                provider_id=provider_id,
                month=month,
                version=values["version"],
                replaces_sha256=replaces_sha256,
                lines=of_provider,
            ),
            "drafted_by": tx.actor.person_id,
            "drafted_at": tx.now,
            **values,
        }
        for provider_id, of_provider in sorted(lines.items())
    ]
    made = await tx.all(
        made_statement,
        insert_once(hours_statement)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(*hours_statement.c),
    )
    await _insert_lines(tx, {one.id: lines[one.provider_id] for one in made})
    return made


def _only(made: list[Statement]) -> Statement:
    if not made:
        raise StatementDraftedMeanwhile("Read what they drafted.")
    return made[0]


async def _draft_anew(tx: Tx, present: Statement, live: Lines, reason: str | None) -> Statement:
    replaced = await _replaced(tx, present)
    if replaced is not None and not differences(await stated_lines(tx, replaced.id), live):
        raise NothingToCorrect("Discard the draft; the confirmed version holds again.")
    await _delete_lines(tx, present.id)
    await _insert_lines(tx, {present.id: live})
    return await _update(
        tx,
        present,
        sha256=digest(
            provider_id=present.provider_id,
            month=present.month,
            version=present.version,
            replaces_sha256=None if replaced is None else replaced.sha256,
            lines=live,
        ),
        drafted_by=tx.actor.person_id,
        drafted_at=tx.now,
        **({} if replaced is None else {"reason": reason or present.reason}),
    )


async def _correct(tx: Tx, confirmed: Statement, live: Lines, reason: str | None) -> Statement:
    if not differences(await stated_lines(tx, confirmed.id), live):
        raise NothingToCorrect("The sessions say what was confirmed.")
    if not reason:
        raise StatementReasonNeeded(
            "It was confirmed; say what was repaired and why.", version=confirmed.version
        )
    made = await _insert(
        tx,
        {confirmed.provider_id: live},
        confirmed.month,
        version=confirmed.version + 1,
        replaces_id=confirmed.id,
        replaces_sha256=confirmed.sha256,
        reason=reason,
    )
    return _only(made)


async def _replaced(tx: Tx, present: Statement) -> Statement | None:
    if present.replaces_id is None:
        return None
    return await tx.one(
        made_statement, select(hours_statement).where(hours_statement.c.id == present.replaces_id)
    )


async def _update(tx: Tx, found: Statement, **values: Any) -> Statement:
    return await tx.one(
        made_statement,
        update(hours_statement)
        .where(hours_statement.c.id == found.id)
        .values(**values)
        .returning(*hours_statement.c),
    )


async def _insert_lines(tx: Tx, by_statement: Mapping[int, Lines]) -> None:
    rows = [
        {"statement_id": statement_id, **asdict(key), **asdict(counts)}
        for statement_id, lines in by_statement.items()
        for key, counts in lines.items()
    ]
    if rows:
        await tx.execute(insert(hours_statement_line), rows)


async def _delete_lines(tx: Tx, statement_id: int) -> None:
    await tx.execute(
        delete(hours_statement_line).where(hours_statement_line.c.statement_id == statement_id)
    )
