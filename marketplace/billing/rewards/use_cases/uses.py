"""Reports on the use of rewards: opened when the bank has paid, filed, accepted or returned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    FilerDecides,
    UseEvidenceRefused,
    UseReportMissing,
    UseReportMoved,
)
from marketplace.billing.rewards.events import (
    RewardUseReportDecided,
    RewardUseReportDue,
    RewardUseReportReminded,
)
from marketplace.billing.rewards.queries.due_reports import paid_rewards, reports_to_remind
from marketplace.billing.rewards.queries.inputs import OWED_REPORTS
from marketplace.billing.rewards.queries.reports import EVIDENCE_COLUMNS
from marketplace.billing.rewards.rules.states import ReportStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.rules.uses import Use, outside_fen, require_uses
from marketplace.billing.rewards.tables import (
    reward_use_evidence,
    reward_use_filing,
    reward_use_line,
    reward_use_reminder,
    reward_use_report,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.reminders import reminder_step
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import DOCUMENTS, received_file
from marketplace.rulebook import rulebook

EVIDENCE_AREA = "reward_use"
EVIDENCE_BYTES_MAX = 10 * 1024 * 1024
EVIDENCE_MAX = 20
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class After:
    """Where the last transaction of a job ended."""

    id: int


@dataclass(frozen=True, slots=True)
class Done:
    """How much was done, and where to go on; None at the end."""

    count: int
    next_id: int | None


async def open_use_reports(tx: Tx, command: After) -> Done:
    """Ask for a report on each reward that the bank has paid, due as the terms of that day say.

    Policy: J.27d
    """
    found = await paid_rewards(tx, after_id=command.id, limit=AT_ONCE)
    terms = rulebook().reward.use_report_days
    due = {each.payout_id: terms.find(each.paid_on) for each in found}
    rows = [
        {
            "run_id": each.run_id,
            "provider_id": each.provider_id,
            "legal_entity_id": each.legal_entity_id,
            "amount_fen": each.amount_fen,
            "paid_on": each.paid_on,
            "due_on": each.paid_on + timedelta(days=term.value),
            "status": ReportStatus.DUE,
            "opened_at": tx.now,
        }
        for each in found
        if (term := due[each.payout_id]) is not None
    ]
    opened = 0
    if rows:
        table = reward_use_report.c
        made = await tx.execute(
            upsert(reward_use_report)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(table.id, table.run_id, table.provider_id, table.amount_fen, table.due_on)
        )
        for row in made:
            opened += 1
            tx.record(
                RewardUseReportDue(
                    row.id, row.run_id, row.provider_id, row.amount_fen, row.due_on.isoformat()
                )
            )
    return Done(opened, found[-1].payout_id if len(found) == AT_ONCE else None)


async def remind_of_use_reports(tx: Tx, command: After) -> Done:
    """Send the reminders of today for the next reports; a step that went out is not repeated.

    Policy: J.27d
    """
    steps = rulebook().reward.use_report_reminder_days.on(tx.today)
    due_until = tx.today - timedelta(days=min(steps))
    found = await reports_to_remind(tx, due_until, after_id=command.id, limit=AT_ONCE)
    due = {
        each.id: (each, step)
        for each in found
        if (step := reminder_step(each.due_on, today=tx.today, steps=steps, sent=each.sent))
        is not None
    }
    sent: list[int] = []
    if due:
        sent = list(
            await tx.scalars(
                upsert(reward_use_reminder)
                .values(
                    [
                        {"report_id": each.id, "step_days": step, "sent_on": tx.today}
                        for each, step in due.values()
                    ]
                )
                .on_conflict_do_nothing()
                .returning(reward_use_reminder.c.report_id)
            )
        )
    for report_id in sent:
        each, step = due[report_id]
        tx.record(RewardUseReportReminded(each.id, each.provider_id, step, each.due_on.isoformat()))
    return Done(len(sent), found[-1].id if len(found) == AT_ONCE else None)


@dataclass(frozen=True, slots=True)
class AttachEvidence:
    """A paper that shows how a reward was used."""

    report_id: int
    name: str
    content: bytes


async def attach_evidence(tx: Tx, command: AttachEvidence) -> queries.UseEvidence:
    """Keep a paper with a report that is owed.

    Raises:
        UseReportMissing: when there is none of the actor's organisation.
        UseReportMoved: when it was handed in or accepted.
        UseEvidenceRefused: when it has as many papers as it may have, or this very one.
        FileUnfit: when it is no document, too large, or infected.
    """
    await _own_report(tx, command.report_id)
    # The scanner may take seconds: nothing is locked meanwhile.
    checked = await received_file(
        command.name, command.content, allowed=DOCUMENTS, bytes_max=EVIDENCE_BYTES_MAX
    )
    await _locked(tx, command.report_id, *OWED_REPORTS)
    kept = await queries.evidence_of(tx, command.report_id)
    if len(kept) >= EVIDENCE_MAX or checked.sha256 in {each.sha256 for each in kept}:
        raise UseEvidenceRefused(f"A report has at most {EVIDENCE_MAX} papers, each of them once.")
    key = await keep_file(tx, EVIDENCE_AREA, command.content)
    stored = await tx.one(
        queries.UseEvidence,
        insert(reward_use_evidence)
        .values(
            report_id=command.report_id,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=checked.size,
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*EVIDENCE_COLUMNS),
    )
    tx.audit(
        "attach", subject="reward_use_report", subject_id=command.report_id, sha256=checked.sha256
    )
    return stored


@dataclass(frozen=True, slots=True)
class DownloadEvidence:
    """A paper of a report."""

    report_id: int
    evidence_id: int


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A paper with its bytes."""

    name: str
    media_type: str
    sha256: str
    content: bytes


async def download_evidence(tx: Tx, command: DownloadEvidence) -> EvidenceFile:
    """The bytes of a paper; who took them is written down.

    Raises:
        UseReportMissing: when there is no such paper that the actor may see.
        FileDamaged: when it is gone, or not as it was kept.
    """
    of = await queries.use_report(tx, command.report_id)
    found = next((each for each in of.evidence if each.id == command.evidence_id), None)
    if found is None:
        raise UseReportMissing
    content = await kept_file(found.storage_key)
    tx.audit("download", subject="reward_use_report", subject_id=of.report.id, sha256=found.sha256)
    return EvidenceFile(found.name, found.media_type, found.sha256, content)


@dataclass(frozen=True, slots=True)
class FileUseReport:
    """How a reward was used: each purpose with its part, and what else is to be said."""

    report_id: int
    uses: tuple[Use, ...]
    note: str = ""


async def file_use_report(tx: Tx, command: FileUseReport) -> queries.OneReport:
    """Hand a report in, or hand it in again after it was returned.

    Raises:
        UseReportMissing: when there is none of the actor's organisation.
        UseReportMoved: when it was handed in or accepted.
        UsesRefused: with every reason: not the whole reward, an unknown purpose, no paper.

    Policy: J.27d
    """
    found = await _own_report(tx, command.report_id)
    await _locked(tx, command.report_id, *OWED_REPORTS)
    of = await queries.run(tx, found.run_id)
    permitted = RewardTerms.of(of.terms).permitted_uses
    papers = await queries.evidence_of(tx, found.id)
    require_uses(command.uses, amount_fen=found.amount_fen, permitted=permitted, papers=len(papers))
    filed_before = await tx.scalar(
        select(func.count()).where(reward_use_filing.c.report_id == found.id)
    )
    filing_id = await tx.scalar(
        insert(reward_use_filing)
        .values(
            report_id=found.id,
            number=filed_before + 1,
            outside_fen=outside_fen(command.uses),
            note=command.note,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(reward_use_filing.c.id)
    )
    await tx.execute(
        insert(reward_use_line),
        [
            {
                "filing_id": filing_id,
                "purpose": use.purpose,
                "amount_fen": use.amount_fen,
                "note": use.note,
            }
            for use in command.uses
        ],
    )
    await _set_status(tx, found.id, ReportStatus.FILED)
    tx.audit(
        "file",
        subject="reward_use_report",
        subject_id=found.id,
        outside_fen=outside_fen(command.uses),
    )
    return await queries.use_report(tx, found.id)


@dataclass(frozen=True, slots=True)
class DecideUseReport:
    """Whether a report is accepted; one that is returned says why."""

    report_id: int
    accepted: bool
    reason: str = ""


async def decide_use_report(tx: Tx, command: DecideUseReport) -> queries.OneReport:
    """Accept a report, or return it to be corrected: then it is owed again.

    Raises:
        UseReportMissing: when there is none.
        UseReportMoved: when nothing was handed in that is not decided.
        FilerDecides: when the actor handed it in.
    """
    await _locked(tx, command.report_id, ReportStatus.FILED)
    found = await queries.use_report(tx, command.report_id)
    newest = found.filings[0]
    if newest.filed_by == tx.actor.person_id:
        raise FilerDecides("You handed this report in; a colleague looks at it.")
    decision = ReportStatus.ACCEPTED if command.accepted else ReportStatus.RETURNED
    await tx.execute(
        update(reward_use_filing)
        .where(reward_use_filing.c.id == newest.id)
        .values(
            decision=decision,
            reason=command.reason,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
        )
    )
    await _set_status(tx, command.report_id, decision)
    tx.audit(
        "decide",
        subject="reward_use_report",
        subject_id=command.report_id,
        accepted=command.accepted,
        reason=command.reason,
    )
    tx.record(RewardUseReportDecided(command.report_id, found.report.provider_id, command.accepted))
    return await queries.use_report(tx, command.report_id)


async def _own_report(tx: Tx, report_id: int) -> queries.UseReport:
    found = (await queries.use_report(tx, report_id)).report
    if found.provider_id != tx.actor.organisation_id:
        raise UseReportMissing
    return found


async def _locked(tx: Tx, report_id: int, *statuses: ReportStatus) -> None:
    table = reward_use_report.c
    status = await tx.scalar(select(table.status).where(table.id == report_id).with_for_update())
    if status is None:
        raise UseReportMissing
    if status not in statuses:
        raise UseReportMoved(f"The report is {status}.", asked=status)


async def _set_status(tx: Tx, report_id: int, status: ReportStatus) -> None:
    await tx.execute(
        update(reward_use_report).where(reward_use_report.c.id == report_id).values(status=status)
    )
