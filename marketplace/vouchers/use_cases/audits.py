"""An officer audits a claim: random spot checks, exclusions, refusal, public notice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import LineRefused, LocalAuditsOpen
from marketplace.vouchers.errors import (
    NothingToClaim,
    RedemptionMissing,
    SamePerson,
    SpotChecksOpen,
)
from marketplace.vouchers.events import ClaimNoticeGiven, ClaimRefused
from marketplace.vouchers.queries import (
    Claim,
    ClaimPage,
    claim,
    claim_page,
    claimed_by_programme,
    programme,
    spot_checks,
)
from marketplace.vouchers.queries.lines import local_audits, refused_lines
from marketplace.vouchers.queries.returns import net_redemptions
from marketplace.vouchers.rules.claims import line_reasons, notice_ends_on, spot_check
from marketplace.vouchers.rules.states import AuditStage, ClaimStatus, ReturnCause, SpotCheckResult
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.use_cases.claims import require_status, set_free
from marketplace.vouchers.use_cases.returns import GiveBack, give_back, recount

SEED_BITS = 62


@dataclass(frozen=True, slots=True)
class AuditClaim:
    """Begin the audit; without a seed one is drawn, so that nobody can know it before."""

    claim_id: int
    seed: int | None = None
    finding: str = ""


async def audit_claim(tx: Tx, command: AuditClaim) -> ClaimPage:
    """Re-check a claim and draw its spot check; the seed is kept so that all can repeat the draw.

    Raises:
        ClaimStateMoved: when the claim is not submitted.
        SamePerson: when the auditor submitted it.
        LocalAuditsOpen: with every layer whose city or zone has not audited it yet.
        AuditedTwice: when the auditor made a local audit of it.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.SUBMITTED)
    if found.submitted_by == tx.actor.person_id:
        raise SamePerson("Nobody audits the claim they submitted.")
    waiting = [each for each in await local_audits(tx, found.id) if each.passed is None]
    if waiting:
        raise LocalAuditsOpen(
            f"{len(waiting)} layers are not audited by their city or zone.",
            waiting=[
                {"layer_id": each.layer_id, "region_code": each.region_code} for each in waiting
            ],
        )
    await tx.execute(
        insert(tables.claim_audit).values(
            claim_id=found.id,
            stage=AuditStage.CENTRE,
            passed=True,
            finding=command.finding,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
    )
    seed = secrets.randbits(SEED_BITS) if command.seed is None else command.seed
    by_programme = await claimed_by_programme(tx, found.id)
    # Of several programmes in one claim the strictest share counts.
    share = max(terms.spot_check_basis_points for terms in await _terms_of(tx, found.id))
    ids = sorted(each for ids in by_programme.values() for each in ids)
    drawn = spot_check(ids, share, seed)
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.AUDITED,
            audited_by=tx.actor.person_id,
            audited_at=tx.now,
            seed=seed,
        )
    )
    await tx.execute(
        insert(tables.spot_check),
        [
            {
                "claim_id": found.id,
                "redemption_id": redemption_id,
                "result": SpotCheckResult.OPEN,
            }
            for redemption_id in drawn
        ],
    )
    tx.audit("audit", subject="claim", subject_id=found.id, seed=seed, drawn=len(drawn))
    return await claim_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class RecordSpotCheck:
    """What the spot check of one redemption found; failing, the redemption is excluded."""

    claim_id: int
    redemption_id: int
    passed: bool
    finding: str


async def record_spot_check(tx: Tx, command: RecordSpotCheck) -> ClaimPage:
    """Note the result of a spot check; a redemption that fails is excluded from the claim.

    Raises:
        RedemptionMissing: when the redemption was not drawn, or has a result already.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.AUDITED)
    table = tables.spot_check
    result = SpotCheckResult.PASSED if command.passed else SpotCheckResult.FAILED
    noted = await tx.execute(
        update(table)
        .where(
            table.c.claim_id == found.id,
            table.c.redemption_id == command.redemption_id,
            table.c.result == SpotCheckResult.OPEN,
        )
        .values(
            result=result,
            finding=command.finding,
            checked_by=tx.actor.person_id,
            checked_at=tx.now,
        )
    )
    if not noted.rowcount:
        raise RedemptionMissing("No open spot check of this redemption.")
    if not command.passed:
        await _exclude(tx, found, command.redemption_id, command.finding)
    tx.audit(
        "spot-check",
        subject="claim",
        subject_id=found.id,
        redemption_id=command.redemption_id,
        result=result,
    )
    return await claim_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class ExcludeRedemption:
    """A redemption that must not be paid, with the reason; also after an objection."""

    claim_id: int
    redemption_id: int
    reason: str


async def exclude_redemption(tx: Tx, command: ExcludeRedemption) -> ClaimPage:
    """Exclude a redemption from a claim under audit or in notice, for good.

    Raises:
        RedemptionMissing: when it does not count in this claim.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.AUDITED, ClaimStatus.IN_NOTICE)
    await _exclude(tx, found, command.redemption_id, command.reason)
    return await claim_page(tx, found.id)


async def _exclude(tx: Tx, found: Claim, redemption_id: int, reason: str) -> None:
    table = tables.redemption
    excluded = await tx.execute(
        update(table)
        .where(
            table.c.id == redemption_id,
            table.c.claim_id == found.id,
            table.c.excluded_at.is_(None),
        )
        .values(excluded_at=tx.now, excluded_reason=reason)
    )
    if not excluded.rowcount:
        raise RedemptionMissing()
    (net,) = await net_redemptions(tx, ids=[redemption_id])
    if left_fen := net.amount_fen - net.returned_fen:
        await give_back(tx, GiveBack(redemption_id, left_fen, ReturnCause.EXCLUDED, reason))
    line = tables.claim_line
    await tx.execute(
        update(line)
        .where(line.c.claim_id == found.id, line.c.redemption_id == redemption_id)
        .values(
            approved_fen=0,
            reason=reason or "Excluded.",
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
        )
    )
    await recount(tx, found.id)
    tx.audit("exclude", subject="redemption", subject_id=redemption_id, reason=reason)


@dataclass(frozen=True, slots=True)
class DecideLine:
    """What is approved of a line: all that is claimed, less with the reason, or nothing."""

    claim_id: int
    redemption_id: int
    approved_fen: int
    reason: str = ""


async def decide_line(tx: Tx, command: DecideLine) -> ClaimPage:
    """Approve a line of a claim under audit in full, in part, or not at all.

    Nothing moves before the claim is approved: the public sees what is meant to be paid.

    Raises:
        RedemptionMissing: when the redemption does not count in this claim.
        LineRefused: when more is approved than is claimed, or less without a reason.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.AUDITED)
    known = {each.id: each for each in await net_redemptions(tx, claim_id=found.id, lock=True)}
    of = known.get(command.redemption_id)
    if of is None or of.excluded:
        raise RedemptionMissing()
    line_reasons(command.approved_fen, of.net_fen, command.reason).raise_as(LineRefused)
    table = tables.claim_line
    await tx.execute(
        update(table)
        .where(table.c.claim_id == found.id, table.c.redemption_id == of.id)
        .values(
            approved_fen=command.approved_fen,
            reason=command.reason.strip(),
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
        )
    )
    await recount(tx, found.id)
    tx.audit(
        "decide-line",
        subject="claim",
        subject_id=found.id,
        redemption_id=of.id,
        approved_fen=command.approved_fen,
        reason=command.reason,
    )
    return await claim_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class RefuseClaim:
    """End a claim without money, with the reason."""

    claim_id: int
    reason: str


async def refuse_claim(tx: Tx, command: RefuseClaim) -> ClaimPage:
    """Refuse a claim; what was not excluded may be claimed again, as often as the terms say.

    Raises:
        ClaimStateMoved: before it is submitted and after it is approved.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.SUBMITTED, ClaimStatus.AUDITED, ClaimStatus.IN_NOTICE)
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.REFUSED,
            refused_by=tx.actor.person_id,
            refused_at=tx.now,
            reason=command.reason,
        )
    )
    await _exclude_lost(tx, found, command.reason)
    await set_free(tx, found.id)
    tx.record(ClaimRefused(found.id, found.payee_id))
    tx.audit("refuse", subject="claim", subject_id=found.id, reason=command.reason)
    return await claim_page(tx, found.id)


async def _exclude_lost(tx: Tx, found: Claim, reason: str) -> None:
    """A redemption that was refused more often than it may be resubmitted is never paid."""
    of = await net_redemptions(tx, claim_id=found.id, lock=True)
    refused = await refused_lines(tx, [each.id for each in of])
    for programme_id in {each.programme_id for each in of}:
        allowed = (await programme(tx, programme_id)).agreed.resubmissions
        for each in of:
            again = len(refused.get(each.id, ())) > allowed
            if each.programme_id == programme_id and not each.excluded and again:
                await _exclude(tx, found, each.id, reason)


@dataclass(frozen=True, slots=True)
class GiveNotice:
    """Put an audited claim before the public."""

    claim_id: int


async def give_notice(tx: Tx, command: GiveNotice) -> ClaimPage:
    """Start the public notice of a claim whose spot checks are all done.

    Raises:
        SpotChecksOpen: while some wait for their result.
        NothingToClaim: when everything was excluded; refuse the claim instead.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.AUDITED)
    waiting = [
        each.redemption_id
        for each in await spot_checks(tx, found.id)
        if each.result == SpotCheckResult.OPEN
    ]
    if waiting:
        raise SpotChecksOpen(f"{len(waiting)} spot checks have no result yet.", waiting=waiting)
    if not found.amount_fen:
        raise NothingToClaim("Nothing is left of this claim; refuse it.")
    days = max(terms.notice_working_days for terms in await _terms_of(tx, found.id))
    ends_on = notice_ends_on(tx.today, days)
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(status=ClaimStatus.IN_NOTICE, notice_starts_on=tx.today, notice_ends_on=ends_on)
    )
    tx.record(ClaimNoticeGiven(found.id, found.payee_id, ends_on))
    tx.audit("give-notice", subject="claim", subject_id=found.id, ends_on=ends_on.isoformat())
    return await claim_page(tx, found.id)


async def _terms_of(tx: Tx, claim_id: int) -> list[Terms]:
    return [
        (await programme(tx, programme_id)).agreed
        for programme_id in await claimed_by_programme(tx, claim_id)
    ]
