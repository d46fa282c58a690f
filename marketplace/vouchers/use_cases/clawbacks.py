"""Two persons claw approved money back: of lines, or of a whole claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import ClawbackDecided, ClawbackRefused
from marketplace.vouchers.errors import SamePerson
from marketplace.vouchers.events import ClawbackDue
from marketplace.vouchers.queries import claim, programme
from marketplace.vouchers.queries.clawbacks import (
    Clawback,
    ClawbackPage,
    clawback,
    clawback_page,
    paid_lines,
)
from marketplace.vouchers.queries.returns import net_redemptions
from marketplace.vouchers.rules.clawbacks import clawback_reasons
from marketplace.vouchers.rules.states import (
    ClaimStatus,
    ClawbackCause,
    ClawbackStatus,
    ReturnCause,
)
from marketplace.vouchers.use_cases.claims import require_status
from marketplace.vouchers.use_cases.owing import note_clawed_back, post_owed
from marketplace.vouchers.use_cases.returns import GiveBack, give_back


@dataclass(frozen=True, slots=True)
class ProposeClawback:
    """Ask money of an approved claim back: of these redemptions, or of all that are left.

    None stands for all that is left of a redemption.
    """

    claim_id: int
    reason: str
    amounts: Mapping[int, int | None] = field(default_factory=dict)


async def propose_clawback(tx: Tx, command: ProposeClawback) -> ClawbackPage:
    """Propose a clawback; nothing moves before a second person agrees.

    Raises:
        ClaimStateMoved: when the claim is not approved.
        ClawbackRefused: with every line that is not there or has less left.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.APPROVED, ClaimStatus.PAID)
    lines = await paid_lines(tx, found.id)
    left = {line.redemption_id: line.left_fen for line in lines}
    asked = dict(command.amounts) or {each: None for each, fen in left.items() if fen}
    if not asked:
        raise ClawbackRefused("Nothing is left of this claim to claw back.")
    clawback_reasons(asked, lines).raise_as(ClawbackRefused)
    amounts = {each: left[each] if fen is None else fen for each, fen in asked.items()}
    clawback_id: int = await tx.scalar(
        insert(tables.clawback)
        .values(
            claim_id=found.id,
            organisation_id=found.payee_id,
            cause=ClawbackCause.FINDING,
            amount_fen=sum(amounts.values()),
            reason=command.reason,
            status=ClawbackStatus.PROPOSED,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(tables.clawback.c.id)
    )
    await tx.execute(
        insert(tables.clawback_line),
        [
            {
                "clawback_id": clawback_id,
                "claim_id": found.id,
                "redemption_id": redemption_id,
                "amount_fen": amount_fen,
            }
            for redemption_id, amount_fen in sorted(amounts.items())
        ],
    )
    tx.audit(
        "propose",
        subject="clawback",
        subject_id=clawback_id,
        claim_id=found.id,
        amount_fen=sum(amounts.values()),
        reason=command.reason,
    )
    return await clawback_page(tx, clawback_id)


@dataclass(frozen=True, slots=True)
class DecideClawback:
    """A second person agrees with a clawback, or does not."""

    clawback_id: int
    agreed: bool
    reason: str


async def decide_clawback(tx: Tx, command: DecideClawback) -> ClawbackPage:
    """Make the claimant owe the money, and give it back to the budgets; or drop the proposal.

    Raises:
        ClawbackDecided: when it was decided before.
        SamePerson: when the one who proposed it decides.
        ReturnExceedsRedemption: when an order was refunded since it was proposed.
    """
    seen = await clawback(tx, command.clawback_id)
    await claim(tx, seen.claim_id, lock=True)
    found = await clawback(tx, command.clawback_id, lock=True)
    if found.status != ClawbackStatus.PROPOSED:
        raise ClawbackDecided(f"The clawback was {found.status}.", asked=found.status)
    if found.proposed_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who proposed it decides a clawback.")
    entry_id = await _carry_out(tx, found) if command.agreed else None
    await tx.execute(
        update(tables.clawback)
        .where(tables.clawback.c.id == found.id)
        .values(
            status=ClawbackStatus.APPROVED if command.agreed else ClawbackStatus.REJECTED,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decision=command.reason,
            entry_id=entry_id,
        )
    )
    if command.agreed:
        due = ClawbackDue(found.id, found.claim_id, found.organisation_id, found.amount_fen)
        tx.record(due)
    tx.audit(
        "decide",
        subject="clawback",
        subject_id=found.id,
        agreed=command.agreed,
        amount_fen=found.amount_fen,
        reason=command.reason,
    )
    return await clawback_page(tx, found.id)


async def _carry_out(tx: Tx, found: Clawback) -> int:
    page = await clawback_page(tx, found.id)
    ids = [line.redemption_id for line in page.lines]
    of = {each.id: each for each in await net_redemptions(tx, ids=ids, lock=True)}
    frees = {
        each: (await programme(tx, each)).agreed.clawback_frees_caps
        for each in {one.programme_id for one in of.values()}
    }
    entry_id = await post_owed(tx, found.id, found.organisation_id, found.amount_fen, found.reason)
    await note_clawed_back(tx, found.id)
    for line in page.lines:
        await give_back(
            tx,
            GiveBack(
                line.redemption_id,
                line.amount_fen,
                ReturnCause.CLAWED_BACK,
                found.reason,
                frees_caps=frees[of[line.redemption_id].programme_id],
                clawback_id=found.id,
            ),
        )
    return entry_id
