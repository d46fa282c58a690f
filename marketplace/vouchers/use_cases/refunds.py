"""An order is refunded: its voucher money comes back, wherever it is on its way to its claimant."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import func, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ClaimStateMoved,
    NothingRedeemed,
    ReturnExceedsRedemption,
)
from marketplace.vouchers.queries.programmes import programme
from marketplace.vouchers.queries.reimbursed import reimbursing
from marketplace.vouchers.queries.returns import NetRedemption, claim_states, net_redemptions
from marketplace.vouchers.rules.returns import shared_out, spendable_again
from marketplace.vouchers.rules.states import ClaimStatus, ReturnCause
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.use_cases.owing import OweBack, owe_back
from marketplace.vouchers.use_cases.returns import GiveBack, give_back, recount

# A redemption may be drafted into a claim between two looks; it is not drafted again and again.
LOOKS = 5
APPROVED = (ClaimStatus.APPROVED, ClaimStatus.PAID)


class PaidTo(StrEnum):
    """Whom a voucher's money goes to: the provider, or the SME, which paid in full first."""

    PROVIDER = "provider"
    SME = "sme"


@dataclass(frozen=True, slots=True)
class RedemptionReversed:
    """Where the voucher money of a refund went; what was paid out is owed back by the claimant."""

    order_id: int
    amount_fen: int
    restored_fen: int
    to_budgets_fen: int
    clawed_back_fen: int
    clawback_ids: tuple[int, ...]


@dataclass(slots=True)
class _Sums:
    restored_fen: int = 0
    to_budgets_fen: int = 0
    clawed_back_fen: int = 0
    clawback_ids: list[int] = field(default_factory=list)


async def reverse_redemption(
    tx: Tx, order_id: int, amount_fen: int, reason: str, *, paid_to: PaidTo | None = None
) -> RedemptionReversed:
    """Take `amount_fen` of what vouchers paid of the order back, of each voucher in proportion.

    Of an order with vouchers of both kinds `paid_to` says which: those that pay the provider, or
    those that pay the SME back; None: all of them. What is not claimed, or claimed and not
    approved, just comes back and lowers the claim. What was approved is a clawback: its claimant
    owes it to the voucher fund. To the voucher or to the budget, and whether it counts towards
    caps, is what the programme's terms say.

    Raises:
        NothingRedeemed: when no voucher paid for the order.
        ReturnExceedsRedemption: when less than that is left of what vouchers paid.

    Policy: J.22a, J.22b
    """
    found, states = await locked(tx, order_id)
    if paid_to is not None:
        to_sme = await reimbursing(tx, {each.grant_id for each in found})
        found = [each for each in found if (each.grant_id in to_sme) is (paid_to is PaidTo.SME)]
    if not found:
        raise NothingRedeemed(f"No voucher paid for order {order_id}.", asked=order_id)
    left_fen = sum(each.net_fen for each in found)
    if not 0 < amount_fen <= left_fen:
        raise ReturnExceedsRedemption(
            f"{left_fen} fen are left of what vouchers paid for the order.",
            limit=left_fen,
            asked=amount_fen,
        )
    sums = _Sums()
    for redemption, share in zip(
        found, shared_out(amount_fen, [each.net_fen for each in found]), strict=True
    ):
        if share:
            status = states.get(redemption.claim_id or 0)
            await _take(tx, redemption, status, share, reason, sums)
    return RedemptionReversed(
        order_id,
        amount_fen,
        sums.restored_fen,
        sums.to_budgets_fen,
        sums.clawed_back_fen,
        tuple(sums.clawback_ids),
    )


async def locked(tx: Tx, order_id: int) -> tuple[list[NetRedemption], dict[int, str]]:
    """The redemptions of an order and the states of their claims, all locked: claims first.

    Raises:
        ClaimStateMoved: when they are drafted into other claims faster than they can be locked.
    """
    known = await net_redemptions(tx, order_id=order_id)
    for _ in range(LOOKS):
        claims = sorted({each.claim_id for each in known if each.claim_id is not None})
        states = await claim_states(tx, claims, lock=True)
        known = await net_redemptions(tx, order_id=order_id, lock=True)
        if {each.claim_id for each in known if each.claim_id is not None} <= set(states):
            return known, states
    raise ClaimStateMoved("The redemption is being claimed; try again.")


async def _take(
    tx: Tx, of: NetRedemption, status: str | None, amount_fen: int, reason: str, sums: _Sums
) -> None:
    terms: Terms = (await programme(tx, of.programme_id)).agreed
    to_voucher = spendable_again(
        restores=terms.refund_restores_voucher,
        grant_status=of.grant_status,
        valid_until=of.valid_until,
        returned_on=tx.today,
    )
    clawback_id = None
    if status in APPROVED:
        assert of.claim_id is not None, "what has a state is in a claim"
        clawback_id = await owe_back(tx, OweBack(of.claim_id, of.id, amount_fen, reason))
        sums.clawback_ids.append(clawback_id)
        sums.clawed_back_fen += amount_fen
    await give_back(
        tx,
        GiveBack(
            of.id,
            amount_fen,
            ReturnCause.REFUNDED,
            reason,
            to_voucher=to_voucher,
            frees_caps=terms.returns_free_caps
            if clawback_id is None
            else terms.clawback_frees_caps,
            clawback_id=clawback_id,
        ),
    )
    if to_voucher:
        sums.restored_fen += amount_fen
    else:
        sums.to_budgets_fen += amount_fen
    if of.claim_id is not None and clawback_id is None:
        await _lower_line(tx, of, of.net_fen - amount_fen, reason)
        await recount(tx, of.claim_id)


async def _lower_line(tx: Tx, of: NetRedemption, left_fen: int, reason: str) -> None:
    """A line that waits for its approval is not paid beyond what is left of its redemption."""
    line = tables.claim_line
    await tx.execute(
        update(line)
        .where(line.c.claim_id == of.claim_id, line.c.redemption_id == of.id)
        .values(
            approved_fen=func.least(line.c.approved_fen, left_fen),
            reason=func.btrim(func.concat(line.c.reason, " ", reason)),
        )
    )
