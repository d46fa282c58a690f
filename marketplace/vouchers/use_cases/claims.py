"""Who paid for services gathers redemptions in a claim and proves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ClaimMissing,
    ClaimStateMoved,
    EvidenceRefused,
    NothingToClaim,
    RedemptionMissing,
)
from marketplace.vouchers.queries import (
    Claim,
    claim,
    programme,
    visible_programme,
)
from marketplace.vouchers.rules.claims import (
    claimable_through,
)
from marketplace.vouchers.rules.states import ClaimStatus, EvidenceKind
from marketplace.vouchers.use_cases.returns import recount

INVOICE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """Gather what the signed-in organisation has not claimed: of a programme, up to a day.

    A provider gathers what it served for vouchers; an SME, where the programme's terms say that it
    pays first and claims, what its own vouchers redeemed.
    """

    programme_id: int | None = None
    through: date | None = None


async def draft_claim(tx: Tx, command: DraftClaim) -> Claim:
    """Put every redemption that is not yet claimed, and may be by now, into a new claim.

    Two drafts at the same moment share nothing: each redemption goes to the first.

    Raises:
        ProgrammeMissing: when the programme named is not there.
        NothingToClaim: when there is none.

    Policy: J.22b
    """
    if command.programme_id is not None:
        await visible_programme(tx, command.programme_id)
    claimant = "sme" if tx.actor.has(Role.SME_ADMINISTRATOR) else "provider"
    claim_id = await tx.scalar(
        insert(tables.claim)
        .values(
            provider_id=tx.actor.organisation_id if claimant == "provider" else None,
            sme_id=tx.actor.organisation_id if claimant == "sme" else None,
            programme_id=command.programme_id,
            status=ClaimStatus.DRAFT,
            amount_fen=0,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(tables.claim.c.id)
    )
    gathered = 0
    for through, programme_ids in (await _claimable(tx, command, claimant)).items():
        gathered += await _gather(tx, claim_id, claimant, programme_ids, through)
    if not gathered:
        raise NothingToClaim("Every redemption of this kind that may be claimed is in a claim.")
    await recount(tx, claim_id)
    tx.audit("draft", subject="claim", subject_id=claim_id, redemptions=gathered)
    return await claim(tx, claim_id)


def _unclaimed(tx: Tx, claimant: str) -> tuple[ColumnElement[bool], ...]:
    table, grant = tables.redemption.c, tables.voucher_grant.c
    whose = table.provider_id if claimant == "provider" else grant.organisation_id
    return (
        whose == tx.actor.organisation_id,
        table.claim_id.is_(None),
        table.excluded_at.is_(None),
        table.returned_fen < table.amount_fen,
    )


async def _claimable(tx: Tx, command: DraftClaim, claimant: str) -> dict[date | None, list[int]]:
    """The programmes of what is not claimed, by the day through which they may be claimed."""
    redemption, grant = tables.redemption, tables.voucher_grant
    statement = (
        select(grant.c.programme_id)
        .distinct()
        .join_from(redemption, grant, grant.c.id == redemption.c.grant_id)
        .where(*_unclaimed(tx, claimant))
    )
    if command.programme_id is not None:
        statement = statement.where(grant.c.programme_id == command.programme_id)
    found: dict[date | None, list[int]] = {}
    for programme_id in sorted(await tx.scalars(statement)):
        terms = (await programme(tx, programme_id)).agreed
        if terms.redeemed_by == claimant:
            days = (command.through, claimable_through(tx.today, terms.claim_every))
            through = min((day for day in days if day is not None), default=None)
            found.setdefault(through, []).append(programme_id)
    return found


async def _gather(
    tx: Tx, claim_id: int, claimant: str, programme_ids: Sequence[int], through: date | None
) -> int:
    redemption, grant = tables.redemption, tables.voucher_grant
    gathered = (
        update(redemption)
        .where(
            grant.c.id == redemption.c.grant_id,
            grant.c.programme_id.in_(programme_ids),
            *_unclaimed(tx, claimant),
        )
        .values(claim_id=claim_id)
    )
    if through is not None:
        gathered = gathered.where(redemption.c.redeemed_on <= through)
    return (await tx.execute(gathered)).rowcount


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


async def own_draft(tx: Tx, claim_id: int) -> Claim:
    """The signed-in organisation's own draft, locked for what comes next.

    Raises:
        ClaimMissing: when the claim is not its own.
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


async def set_free(tx: Tx, claim_id: int) -> None:
    """What was not excluded of a claim may be claimed again."""
    table = tables.redemption
    await tx.execute(
        update(table)
        .where(table.c.claim_id == claim_id, table.c.excluded_at.is_(None))
        .values(claim_id=None)
    )
