"""An officer audits a claim: random spot checks, exclusions, refusal, public notice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
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
from marketplace.vouchers.queries.returns import net_redemptions
from marketplace.vouchers.rules.claims import notice_ends_on, spot_check
from marketplace.vouchers.rules.states import ClaimStatus, ReturnCause, SpotCheckResult
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.use_cases.claims import require_status
from marketplace.vouchers.use_cases.returns import GiveBack, give_back, recount

SEED_BITS = 62


@dataclass(frozen=True, slots=True)
class AuditClaim:
    """Begin the audit; without a seed one is drawn, so that nobody can know it before."""

    claim_id: int
    seed: int | None = None


async def audit_claim(tx: Tx, command: AuditClaim) -> ClaimPage:
    """Draw the spot check of a submitted claim and keep the seed it was drawn with.

    Raises:
        ClaimStateMoved: when the claim is not submitted.
        SamePerson: when the auditor submitted it.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.SUBMITTED)
    if found.submitted_by == tx.actor.person_id:
        raise SamePerson("Nobody audits the claim they submitted.")
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
    await recount(tx, found.id)
    tx.audit("exclude", subject="redemption", subject_id=redemption_id, reason=reason)


@dataclass(frozen=True, slots=True)
class RefuseClaim:
    """End a claim without money, with the reason."""

    claim_id: int
    reason: str


async def refuse_claim(tx: Tx, command: RefuseClaim) -> ClaimPage:
    """Refuse a claim; what was not excluded may be claimed again.

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
    table = tables.redemption
    await tx.execute(
        update(table)
        .where(table.c.claim_id == found.id, table.c.excluded_at.is_(None))
        .values(claim_id=None)
    )
    tx.record(ClaimRefused(found.id, found.payee_id))
    tx.audit("refuse", subject="claim", subject_id=found.id, reason=command.reason)
    return await claim_page(tx, found.id)


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
