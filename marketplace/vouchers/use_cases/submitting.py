"""A claim is submitted, complete and in time; or its claimant takes it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason, Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import (
    ClaimWindowClosed,
    CorrectionMissing,
    PapersOutOfTime,
)
from marketplace.vouchers.errors import ClaimMissing, EvidenceIncomplete, NothingToClaim
from marketplace.vouchers.events import ClaimSubmitted
from marketplace.vouchers.queries import (
    Claim,
    claim,
    claimed_by_programme,
    dated_papers,
    programme,
)
from marketplace.vouchers.queries.lines import refused_lines
from marketplace.vouchers.queries.returns import net_redemptions
from marketplace.vouchers.rules.claims import missing_evidence, outside_windows
from marketplace.vouchers.rules.paper_days import papers_outside
from marketplace.vouchers.rules.states import ClaimStatus
from marketplace.vouchers.use_cases.claims import own_draft, require_status, set_free
from marketplace.vouchers.use_cases.returns import recount


@dataclass(frozen=True, slots=True)
class SubmitClaim:
    """The claim is complete; hand it to the voucher officer.

    `corrections` says, of each redemption that was refused before, what was put right.
    """

    claim_id: int
    corrections: Mapping[int, str] = field(default_factory=dict)


async def submit_claim(tx: Tx, command: SubmitClaim) -> Claim:
    """Submit a draft, in a window of its programmes, with all the evidence that they ask for.

    Raises:
        ClaimWindowClosed: when a programme takes no claims today.
        EvidenceIncomplete: with every redemption that lacks some, and what it lacks.
        PapersOutOfTime: with every redemption whose invoice or payment is of another day than the
            programme pays for, or of a day that nobody said.
        CorrectionMissing: with every redemption that was refused before and is not corrected.
        NothingToClaim: when everything was left out of the draft.
        PartyBarred: when a sanction bars the claimant.

    Policy: J.22b
    """
    found = await own_draft(tx, command.claim_id)
    by_programme = await claimed_by_programme(tx, found.id)
    if not by_programme:
        raise NothingToClaim("Everything was left out of this claim.")
    papers = await dated_papers(tx, found.id)
    attached = [(paper.redemption_id, paper.kind) for paper in papers]
    closed: list[Reason] = []
    lacking: list[Reason] = []
    outside: list[Reason] = []
    for programme_id, redemption_ids in by_programme.items():
        of = await programme(tx, programme_id)
        terms = of.agreed
        closed += outside_windows(tx.today, terms.claim_windows, programme=of.name)
        lacking += missing_evidence(
            dict.fromkeys(redemption_ids, terms.required_evidence),
            attached,
            source=terms.source_of("required_evidence"),
        )
        outside += papers_outside(redemption_ids, papers, terms)
    if closed:
        reasons = closed + lacking + outside
        raise ClaimWindowClosed("No claim may be submitted today.", reasons=reasons)
    if lacking:
        reasons = lacking + outside
        raise EvidenceIncomplete(f"{len(lacking)} redemptions lack evidence.", reasons=reasons)
    if outside:
        raise PapersOutOfTime(f"{len(outside)} papers are out of time.", reasons=outside)
    ids = [each for some in by_programme.values() for each in some]
    refused = await refused_lines(tx, ids)
    _require_corrections(refused, command.corrections)
    await _write_lines(tx, found.id, refused, command.corrections)
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.SUBMITTED,
            submitted_by=tx.actor.person_id,
            submitted_at=tx.now,
        )
    )
    await recount(tx, found.id)
    tx.record(ClaimSubmitted(found.id, found.payee_id))
    tx.audit("submit", subject="claim", subject_id=found.id, amount_fen=found.amount_fen)
    return await claim(tx, found.id)


def _require_corrections(
    refused: Mapping[int, Sequence[int]], corrections: Mapping[int, str]
) -> None:
    reasons = Reasons()
    for redemption_id, claims in sorted(refused.items()):
        if not corrections.get(redemption_id, "").strip():
            reasons.add(
                "correction",
                f"Redemption {redemption_id} was refused in claim {claims[-1]}:"
                " say what was corrected.",
                asked={"redemption_id": redemption_id, "refused_in": list(claims)},
            )
    reasons.raise_as(CorrectionMissing)


async def _write_lines(
    tx: Tx,
    claim_id: int,
    refused: Mapping[int, Sequence[int]],
    corrections: Mapping[int, str],
) -> None:
    """What is claimed of each redemption: what is left of it now. Refused ones name their line."""
    rows = [
        {
            "claim_id": claim_id,
            "redemption_id": each.id,
            "claimed_fen": each.net_fen,
            "approved_fen": each.net_fen,
            "resubmits_claim_id": refused[each.id][-1] if each.id in refused else None,
            "correction": corrections[each.id].strip() if each.id in refused else "",
        }
        for each in await net_redemptions(tx, claim_id=claim_id, lock=True)
        if not each.excluded
    ]
    await tx.execute(insert(tables.claim_line), rows)


@dataclass(frozen=True, slots=True)
class WithdrawClaim:
    """Take the own claim back before it is approved, with the reason."""

    claim_id: int
    reason: str


async def withdraw_claim(tx: Tx, command: WithdrawClaim) -> Claim:
    """End the own claim; what was not excluded may be claimed again.

    Raises:
        ClaimMissing: when the claim is not the signed-in organisation's own.
        ClaimStateMoved: once it is approved or ended.
    """
    found = await claim(tx, command.claim_id, lock=True)
    if found.payee_id != tx.actor.organisation_id:
        raise ClaimMissing()
    require_status(
        found,
        ClaimStatus.DRAFT,
        ClaimStatus.SUBMITTED,
        ClaimStatus.AUDITED,
        ClaimStatus.IN_NOTICE,
    )
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.WITHDRAWN,
            withdrawn_by=tx.actor.person_id,
            withdrawn_at=tx.now,
            reason=command.reason,
        )
    )
    await set_free(tx, found.id)
    tx.audit("withdraw", subject="claim", subject_id=found.id, reason=command.reason)
    return await claim(tx, found.id)
