"""A provider gathers redemptions in a claim, attaches the evidence and submits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason, Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ClaimMissing,
    ClaimStateMoved,
    EvidenceIncomplete,
    EvidenceRefused,
    NothingToClaim,
    RedemptionMissing,
)
from marketplace.vouchers.events import ClaimSubmitted
from marketplace.vouchers.queries import (
    Claim,
    claim,
    claimed_by_programme,
    evidence_kinds,
    programme,
    visible_programme,
)
from marketplace.vouchers.rules.claims import missing_evidence
from marketplace.vouchers.rules.states import ClaimStatus, EvidenceKind
from marketplace.vouchers.use_cases.returns import recount

INVOICE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """Gather what the signed-in provider has not claimed: of a programme, up to a day."""

    programme_id: int | None = None
    through: date | None = None


async def draft_claim(tx: Tx, command: DraftClaim) -> Claim:
    """Put every redemption that is not yet claimed into a new claim.

    Two drafts at the same moment share nothing: each redemption goes to the first.

    Raises:
        ProgrammeMissing: when the programme named is not there.
        NothingToClaim: when there is none.
    """
    if command.programme_id is not None:
        await visible_programme(tx, command.programme_id)
    claim_id = await tx.scalar(
        insert(tables.claim)
        .values(
            provider_id=tx.actor.organisation_id,
            programme_id=command.programme_id,
            status=ClaimStatus.DRAFT,
            amount_fen=0,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(tables.claim.c.id)
    )
    table = tables.redemption
    gathered = update(table).where(
        table.c.provider_id == tx.actor.organisation_id,
        table.c.claim_id.is_(None),
        table.c.excluded_at.is_(None),
    )
    if command.programme_id is not None:
        grant = tables.voucher_grant.c
        of_programme = select(grant.id).where(grant.programme_id == command.programme_id)
        gathered = gathered.where(table.c.grant_id.in_(of_programme))
    if command.through is not None:
        gathered = gathered.where(table.c.redeemed_on <= command.through)
    found = await tx.execute(gathered.values(claim_id=claim_id))
    if not found.rowcount:
        raise NothingToClaim("Every redemption of this kind is in a claim already.")
    await recount(tx, claim_id)
    tx.audit("draft", subject="claim", subject_id=claim_id, redemptions=found.rowcount)
    return await claim(tx, claim_id)


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Take redemptions out of a draft, to claim them another time."""

    claim_id: int
    redemption_ids: tuple[int, ...]


async def leave_out(tx: Tx, command: LeaveOut) -> Claim:
    """Make redemptions of a draft unclaimed again.

    Raises:
        RedemptionMissing: when one is not in the claim.
    """
    await own_draft(tx, command.claim_id)
    table = tables.redemption
    wanted = set(command.redemption_ids)
    left_out = await tx.execute(
        update(table)
        .where(table.c.claim_id == command.claim_id, table.c.id.in_(wanted))
        .values(claim_id=None)
    )
    if left_out.rowcount != len(wanted):
        raise RedemptionMissing("Only redemptions of this claim can be left out of it.")
    await recount(tx, command.claim_id)
    return await claim(tx, command.claim_id)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file that proves something of a redemption; an invoice has its number of 20 digits."""

    redemption_id: int
    kind: EvidenceKind
    sha256: str
    reference: str
    invoice_number: str | None = None


@dataclass(frozen=True, slots=True)
class AttachEvidence:
    """Evidence for redemptions of a draft."""

    claim_id: int
    pieces: tuple[Piece, ...]


async def attach_evidence(tx: Tx, command: AttachEvidence) -> Claim:
    """Attach evidence; a file or an invoice that proves another redemption is refused.

    Raises:
        EvidenceRefused: with every piece whose invoice number does not fit its kind.
        RedemptionMissing: when a redemption is not in the claim.
        FileClaimedBefore, InvoiceClaimedBefore, EvidenceAttached: what was attached before.
    """
    found = await own_draft(tx, command.claim_id)
    _require_readable(command.pieces)
    ids = {piece.redemption_id for piece in command.pieces}
    table = tables.redemption.c
    known = await tx.scalar(
        select(func.count()).where(table.claim_id == found.id, table.id.in_(ids))
    )
    if known != len(ids):
        raise RedemptionMissing("Evidence belongs to a redemption of this claim.")
    await tx.execute(
        insert(tables.claim_evidence),
        [
            {
                "redemption_id": piece.redemption_id,
                "kind": piece.kind,
                "sha256": piece.sha256,
                "reference": piece.reference,
                "invoice_number": piece.invoice_number,
                "attached_by": tx.actor.person_id,
                "attached_at": tx.now,
            }
            for piece in command.pieces
        ],
    )
    tx.audit("attach", subject="claim", subject_id=found.id, pieces=len(command.pieces))
    return found


def _require_readable(pieces: Sequence[Piece]) -> None:
    reasons = Reasons()
    for piece in pieces:
        number = piece.invoice_number
        if piece.kind is EvidenceKind.INVOICE:
            digits = number is not None and number.isascii() and number.isdigit()
            if number is None or not digits or len(number) != INVOICE_DIGITS:
                reasons.add(
                    "invoice-number",
                    f"The invoice of redemption {piece.redemption_id} needs its number"
                    f" of {INVOICE_DIGITS} digits.",
                    limit=INVOICE_DIGITS,
                    asked=number,
                )
        elif number is not None:
            reasons.add(
                "invoice-number",
                f"Only an invoice has an invoice number, not a {piece.kind}.",
                asked=number,
            )
    reasons.raise_as(EvidenceRefused)


@dataclass(frozen=True, slots=True)
class SubmitClaim:
    """The claim is complete; hand it to the voucher officer."""

    claim_id: int


async def submit_claim(tx: Tx, command: SubmitClaim) -> Claim:
    """Submit a draft whose every redemption has all the evidence that its programme asks for.

    Raises:
        EvidenceIncomplete: with every redemption that lacks some, and what it lacks.
        NothingToClaim: when everything was left out of the draft.
    """
    found = await own_draft(tx, command.claim_id)
    by_programme = await claimed_by_programme(tx, found.id)
    if not by_programme:
        raise NothingToClaim("Everything was left out of this claim.")
    attached = await evidence_kinds(tx, found.id)
    reasons: list[Reason] = []
    for programme_id, redemption_ids in by_programme.items():
        terms = (await programme(tx, programme_id)).agreed
        reasons += missing_evidence(
            dict.fromkeys(redemption_ids, terms.required_evidence),
            attached,
            source=terms.source_of("required_evidence"),
        )
    if reasons:
        raise EvidenceIncomplete(f"{len(reasons)} redemptions lack evidence.", reasons=reasons)
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.SUBMITTED,
            submitted_by=tx.actor.person_id,
            submitted_at=tx.now,
        )
    )
    await _write_lines(tx, found.id)
    tx.record(ClaimSubmitted(found.id, found.payee_id))
    tx.audit("submit", subject="claim", subject_id=found.id, amount_fen=found.amount_fen)
    return await claim(tx, found.id)


async def _write_lines(tx: Tx, claim_id: int) -> None:
    """What is claimed of each redemption: what is left of it now."""
    redemption, line = tables.redemption.c, tables.claim_line
    left = redemption.amount_fen - redemption.returned_fen
    await tx.execute(
        insert(line).from_select(
            ["claim_id", "redemption_id", "claimed_fen", "approved_fen"],
            select(redemption.claim_id, redemption.id, left, left).where(
                redemption.claim_id == claim_id, redemption.excluded_at.is_(None)
            ),
        )
    )


async def own_draft(tx: Tx, claim_id: int) -> Claim:
    """The signed-in provider's own draft, locked for what comes next.

    Raises:
        ClaimMissing: when the claim is not the provider's own.
        ClaimStateMoved: when it is no draft any more.
    """
    found = await claim(tx, claim_id, lock=True)
    if found.payee_id != tx.actor.organisation_id:
        raise ClaimMissing()
    require_status(found, ClaimStatus.DRAFT)
    return found


def require_status(found: Claim, *wanted: ClaimStatus) -> None:
    """The claim is in one of these states.

    Raises:
        ClaimStateMoved: when it is in another.
    """
    if found.status not in wanted:
        raise ClaimStateMoved(
            f"The claim is {found.status}.",
            limit=[str(each) for each in wanted],
            asked=found.status,
        )
