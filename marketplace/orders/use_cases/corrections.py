"""Giving back what a settled order was charged: one person proposes, another approves.

Nothing that was posted is changed. What comes back is posted beside it, and so is what it does to
the charge; the order keeps what it was settled at.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from marketplace.billing.credit import use_cases as credit
from marketplace.billing.invoicing import queries as invoicing_queries
from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.money import yuan
from marketplace.orders.errors import (
    CorrectionBySame,
    CorrectionDecided,
    CorrectionMissing,
    CorrectionOpen,
    OrderMissing,
    RedLetterFirst,
)
from marketplace.orders.events import OrderCorrected
from marketplace.orders.queries.corrections import Correction, correction_columns
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.corrections import (
    CorrectionSide,
    CorrectionStatus,
    red_letter_fen,
    require_covered,
)
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.tables import correction, correction_credit
from marketplace.orders.use_cases.steps import lock_order, note
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as voucher_queries
from marketplace.vouchers import use_cases as vouchers

SOURCE = "correction"


@dataclass(frozen=True, slots=True)
class ProposeCorrection:
    """Give back so much of what vouchers and the buyer paid for an order, with the reason."""

    order_id: int
    voucher_fen: int
    own_fen: int
    reason: str


async def propose_correction(tx: Tx, command: ProposeCorrection) -> Correction:
    """Ask for a part or all of an order's charge to be given back; another person approves.

    Policy: J.30a

    Raises:
        OrderMissing: when the actor neither serves the order nor is the centre.
        ChargeMissing: when nothing was charged for it.
        CorrectionTooLarge: when more would come back than stands charged, with each part.
        CorrectionOpen: while another correction of the order waits.
    """
    found = await lock_order(tx, command.order_id)
    side = _side(tx, found)
    asked = Parts(voucher_fen=command.voucher_fen, own_fen=command.own_fen)
    await _require_none_waits(tx, found.id)
    require_covered(asked, standing=await _standing(tx, found.id))
    proposed = await tx.one(
        Correction,
        insert(correction)
        .values(
            order_id=found.id,
            provider_id=found.provider_id,
            buyer_id=found.buyer_id,
            side=side,
            voucher_fen=asked.voucher_fen,
            own_fen=asked.own_fen,
            reason=command.reason,
            status=CorrectionStatus.PROPOSED,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(*(correction.c[name] for name in Correction.__dataclass_fields__)),
    )
    await note(
        tx,
        found.id,
        "correction-proposed",
        correction_id=proposed.id,
        side=str(side),
        voucher_fen=asked.voucher_fen,
        own_fen=asked.own_fen,
        reason=command.reason,
    )
    return proposed


async def _require_none_waits(tx: Tx, order_id: int) -> None:
    waiting = await tx.scalar(
        select(correction.c.id).where(
            correction.c.order_id == order_id, correction.c.status == CorrectionStatus.PROPOSED
        )
    )
    if waiting is not None:
        raise CorrectionOpen("Decide or withdraw that one first.", correction_id=waiting)


def _side(tx: Tx, found: Order) -> CorrectionSide:
    if tx.actor.organisation_id == found.provider_id and tx.actor.has(Role.PROVIDER_MANAGER):
        return CorrectionSide.PROVIDER
    if tx.actor.has("system", Role.VOUCHER_OFFICER, Role.FINANCE_MAKER):
        return CorrectionSide.CENTRE
    raise OrderMissing()


async def _standing(tx: Tx, order_id: int) -> Parts:
    standing = await invoicing.standing_charge(tx, order_id)
    if standing is None:
        raise ChargeMissing("An order is corrected once it was charged.")
    return Parts(voucher_fen=standing.voucher_fen, own_fen=standing.own_fen)


@dataclass(frozen=True, slots=True)
class DecideCorrection:
    """Another person than the one who proposed it decides."""

    correction_id: int
    because: str = ""


async def approve_correction(tx: Tx, command: DecideCorrection) -> Correction:
    """Give the money back: the voucher part the way it came, the own part to the buyer's wallet.

    The charge gets its negative lines, so that invoices and rewards count what is left.
    Policy: J.30a, J.22b, J.21b

    Raises:
        CorrectionMissing: when it is another provider's.
        CorrectionDecided: when it was decided before.
        CorrectionBySame: when the one who proposed it approves it.
        RedLetterFirst: while an invoice stands over more than would then be charged.
        InsufficientFunds: when the provider's account has less than is to be given back.
    """
    waiting, found = await _waiting(tx, command)
    asked = waiting.asked
    standing = await _standing(tx, found.id)
    require_covered(asked, standing=standing)
    await _require_red_letter(tx, found.id, standing=standing, asked=asked)
    restored_fen = to_budgets_fen = clawed_back_fen = 0
    if asked.voucher_fen:
        back = await vouchers.reverse_redemption(
            tx,
            found.id,
            asked.voucher_fen,
            waiting.reason,
            paid_to=vouchers.PaidTo.PROVIDER,
        )
        restored_fen, to_budgets_fen = back.restored_fen, back.to_budgets_fen
        clawed_back_fen = back.clawed_back_fen
    unclaimed_fen = await _lower_claim(tx, found, asked, standing=standing, why=waiting.reason)
    own_entry_id, off_account_fen = await _give_own_part_back(tx, found, waiting)
    await _credit(tx, waiting)
    decided = await _decide(
        tx,
        waiting,
        CorrectionStatus.APPROVED,
        command.because,
        own_entry_id=own_entry_id,
        off_account_fen=off_account_fen,
        restored_fen=restored_fen,
        to_budgets_fen=to_budgets_fen,
        clawed_back_fen=clawed_back_fen,
    )
    await note(
        tx,
        found.id,
        "correction",
        correction_id=waiting.id,
        reason=waiting.reason,
        voucher_fen=-asked.voucher_fen,
        own_fen=-asked.own_fen,
        settled_fen=-asked.total_fen,
        off_account_fen=off_account_fen,
        restored_fen=restored_fen,
        to_budgets_fen=to_budgets_fen,
        clawed_back_fen=clawed_back_fen,
        reimbursed_fen=-unclaimed_fen,
        standing_fen=standing.total_fen - asked.total_fen,
    )
    tx.record(
        OrderCorrected(
            order_id=found.id,
            buyer_id=found.buyer_id,
            provider_id=found.provider_id,
            correction_id=waiting.id,
            voucher_fen=asked.voucher_fen,
            own_fen=asked.own_fen,
        )
    )
    return decided


async def _lower_claim(tx: Tx, found: Order, asked: Parts, *, standing: Parts, why: str) -> int:
    """Take back, in proportion, what the buyer may claim of its own part by voucher.

    It paid in full and is paid back a share of it; public money pays for what stays paid.
    Policy: J.22b
    """
    if asked.own_fen == 0:
        return 0
    claimable = (await voucher_queries.reimbursed(tx, [found.id])).get(found.id, 0)
    # Rounded up: what is left to claim is at most its share of what is left paid.
    lowered_fen = -(-claimable * asked.own_fen // standing.own_fen)
    if lowered_fen:
        await vouchers.reverse_redemption(
            tx, found.id, lowered_fen, why, paid_to=vouchers.PaidTo.SME
        )
    return lowered_fen


async def _require_red_letter(tx: Tx, order_id: int, *, standing: Parts, asked: Parts) -> None:
    charged = await invoicing_queries.charged(tx, order_id)
    missing_fen = red_letter_fen(
        invoiced_fen=await invoicing_queries.invoiced(tx, order_id),
        standing_fen=charged.service_value_fen,
        credit_fen=asked.total_fen,
    )
    if missing_fen:
        raise RedLetterFirst(
            f"Take {yuan(missing_fen)} CNY of the invoice back in red; then approve again.",
            missing_fen=missing_fen,
            standing_fen=standing.total_fen,
        )


async def _give_own_part_back(tx: Tx, found: Order, waiting: Correction) -> tuple[int | None, int]:
    """The entry that paid it, and what of it only was owed: an order on account may be unpaid."""
    off_account_fen = 0
    if found.credit_line_id is not None and waiting.own_fen:
        off_account_fen = await credit.credit_back(
            tx, credit.CreditBack(found.id, waiting.own_fen, key=f"correction-{waiting.id}-owed")
        )
    paid_fen = waiting.own_fen - off_account_fen
    if paid_fen == 0:
        return None, off_account_fen
    return await _pay_back(tx, found, waiting, paid_fen), off_account_fen


async def _pay_back(tx: Tx, found: Order, waiting: Correction, amount_fen: int) -> int:
    payable, wallet = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.PAYABLE, found.provider_id),
            ledger.OpenAccount(AccountType.WALLET, found.buyer_id),
        ],
    )
    posted = await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=EntryKind.ORDER_REFUNDED,
            effective_on=tx.today,
            lines=ledger.transfer(debit=payable, credit=wallet, amount_fen=amount_fen),
            key=f"correction-{waiting.id}-own",
            source_kind=SOURCE,
            source_id=waiting.id,
            made_by=waiting.proposed_by,
            approved_by=tx.actor.person_id,
            remark=waiting.reason[:500],
        ),
    )
    return posted.entry_id


async def _credit(tx: Tx, waiting: Correction) -> None:
    credits = await invoicing.credit_order(
        tx,
        invoicing.CreditOrder(
            order_id=waiting.order_id,
            voucher_fen=waiting.voucher_fen,
            own_fen=waiting.own_fen,
            reason=waiting.reason,
        ),
    )
    await tx.execute(
        insert(correction_credit),
        [{"credit_id": credit_id, "correction_id": waiting.id} for credit_id in credits],
    )


async def refuse_correction(tx: Tx, command: DecideCorrection) -> Correction:
    """Decline a correction, with the reason: nothing moves.

    Raises:
        CorrectionMissing, CorrectionDecided, CorrectionBySame: as for its approval.
    """
    waiting, found = await _waiting(tx, command)
    decided = await _decide(tx, waiting, CorrectionStatus.REFUSED, command.because)
    await note(
        tx, found.id, "correction-refused", correction_id=waiting.id, because=command.because
    )
    return decided


async def withdraw_correction(tx: Tx, command: DecideCorrection) -> Correction:
    """Take a proposal back, by the side that made it.

    Raises:
        CorrectionMissing: when it is another side's.
        CorrectionDecided: when it was decided before.
    """
    waiting, found = await _locked(tx, command.correction_id)
    if _side(tx, found) != waiting.side:
        raise CorrectionMissing()
    _require_open(waiting)
    decided = await _decide(tx, waiting, CorrectionStatus.WITHDRAWN, command.because)
    await note(
        tx, found.id, "correction-withdrawn", correction_id=waiting.id, because=command.because
    )
    return decided


async def _waiting(tx: Tx, command: DecideCorrection) -> tuple[Correction, Order]:
    """A correction that the actor may decide, with its order, both locked.

    A provider's own second person decides what it gives back itself; the centre's checker all.
    """
    waiting, found = await _locked(tx, command.correction_id)
    own = (
        waiting.side == CorrectionSide.PROVIDER
        and tx.actor.organisation_id == found.provider_id
        and tx.actor.has(Role.PROVIDER_MANAGER)
    )
    if not own and not tx.actor.has("system", Role.FINANCE_CHECKER):
        raise CorrectionMissing()
    _require_open(waiting)
    if waiting.proposed_by == tx.actor.person_id:
        raise CorrectionBySame("Somebody decides who did not propose it.")
    return waiting, found


async def _locked(tx: Tx, correction_id: int) -> tuple[Correction, Order]:
    """The order first, as everywhere."""
    known = await tx.one(
        Correction,
        correction_columns().where(correction.c.id == correction_id),
        missing=CorrectionMissing,
    )
    found = await lock_order(tx, known.order_id)
    waiting = await tx.one(
        Correction,
        correction_columns().where(correction.c.id == correction_id).with_for_update(),
        missing=CorrectionMissing,
    )
    return waiting, found


def _require_open(waiting: Correction) -> None:
    if waiting.status != CorrectionStatus.PROPOSED:
        raise CorrectionDecided(
            f"The correction was {waiting.status}.", correction_status=waiting.status
        )


async def _decide(
    tx: Tx, waiting: Correction, status: CorrectionStatus, because: str, **values: object
) -> Correction:
    decided = await tx.one(
        Correction,
        update(correction)
        .where(correction.c.id == waiting.id)
        .values(
            status=status,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decided_because=because,
            **values,
        )
        .returning(*(correction.c[name] for name in Correction.__dataclass_fields__)),
    )
    verb = {"approved": "approve", "refused": "refuse", "withdrawn": "withdraw"}[status]
    tx.audit(verb, subject="correction", subject_id=waiting.id, order_id=waiting.order_id)
    return decided
