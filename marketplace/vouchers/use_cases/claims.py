"""Who paid for services gathers redemptions in a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ClaimMissing,
    ClaimStateMoved,
    NothingToClaim,
    RedemptionMissing,
)
from marketplace.vouchers.queries import (
    Claim,
    claim,
    programme,
    visible_programme,
)
from marketplace.vouchers.rules.claims import claimable_through
from marketplace.vouchers.rules.states import ClaimStatus
from marketplace.vouchers.use_cases.returns import recount


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
