"""Answering a proposal for another time: agree, decline, take back, or let it lapse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.orders import tables
from marketplace.orders.errors import (
    ChangeMissing,
    ChangeNotOpen,
    ChangeRefused,
    FiguresChanged,
    WalletShort,
)
from marketplace.orders.events import OrderChangeEnded
from marketplace.orders.queries.changes import OrderChange, change_columns
from marketplace.orders.queries.orders import Order, order
from marketplace.orders.rules.rescheduling import ChangeKind, ChangeStatus, Side, Wanted
from marketplace.orders.use_cases.amend import (
    Changed,
    Signature,
    Signatures,
    amounts_of,
    perform_change,
    require_possible,
)
from marketplace.orders.use_cases.appointment import lock_time
from marketplace.orders.use_cases.look import ChangeView, look, reserved_time, side_of
from marketplace.orders.use_cases.reschedule import (
    figures_told,
    require_affordable,
    require_agreed,
    require_time_to_answer,
    tell_proposed,
)
from marketplace.orders.use_cases.steps import lapse_late_proposals, lock_order, note

UNPAID = Reason("buyer-money", "The buyer tops its wallet up and proposes it again.")


@dataclass(frozen=True, slots=True)
class ProposalLook:
    """What agreeing to a proposal would mean now."""

    order_id: int
    change_id: int


async def preview_proposal(tx: Tx, asked: ProposalLook) -> ChangeView:
    """A proposal at today's figures, with the token that agrees to them.

    Raises:
        OrderMissing, ChangeMissing: for those whom it does not concern.
        ChangeNotOpen: when it was answered, taken back or has lapsed.
    """
    found = await order(tx, asked.order_id)
    side_of(tx, found)
    proposal = await _open(tx, found, asked.change_id)
    return await _look_again(tx, found, proposal)


@dataclass(frozen=True, slots=True)
class AcceptChange:
    """The other side agrees; a buyer to the figures whose token it sends."""

    order_id: int
    change_id: int
    agreed: str | None = None
    signed_from: str = ""


async def accept_change(tx: Tx, command: AcceptChange) -> Changed:
    """Perform what was proposed, if it can still be had at the figures agreed to.

    The provider answers what the buyer asked for, and what it asked for itself the buyer. What
    the buyer's agent asked for becomes the buyer's own wish: performed, or put to the provider.
    Policy: J.18a, J.22b

    Raises:
        OrderMissing, ChangeMissing: for those who have nothing to answer.
        ChangeNotOpen: when it was answered, taken back or has lapsed.
        ChangeRefused: with every reason, when it cannot be had any more.
        FiguresChanged: when the figures are not those agreed to.
        WalletShort: when the buyer's money does not do; the provider is told so without figures.
    """
    found = await lock_order(tx, command.order_id)
    proposal = await _open(tx, found, command.change_id)
    _require_answerer(tx, found, proposal)
    await lock_time(tx, found, proposal.position)
    view = await _look_again(tx, found, proposal)
    require_possible(view)
    answering = Signature(tx.actor.person_id, tx.now, command.signed_from)
    asking = Signature(proposal.proposed_by, proposal.proposed_at, proposal.proposed_from)
    if proposal.side == Side.BUYER:
        _require_as_proposed(view, proposal)
        signed = Signatures(buyer=asking, provider=answering)
    else:
        require_agreed(view, command.agreed)
        if proposal.side == Side.AGENT and view.answered_by is not None:
            return await _make_own(tx, found, proposal, view, answering)
        by_provider = asking if proposal.side == Side.PROVIDER else None
        signed = Signatures(buyer=answering, provider=by_provider)
    try:
        return await perform_change(
            tx, found, view, signed=signed, reason=proposal.reason, proposal=proposal
        )
    except WalletShort as short:
        if view.available_fen is not None:
            raise
        # What the buyer has is not the provider's business.
        raise ChangeRefused("The buyer cannot pay for it any more.", reasons=[UNPAID]) from short


def _require_answerer(tx: Tx, found: Order, proposal: OrderChange) -> None:
    """The provider answers the buyer, the buyer everybody else.

    Raises:
        OrderMissing: for those who are no side of the order.
        ChangeMissing: for a side that has nothing to answer.
    """
    side = side_of(tx, found)
    expected = Side.PROVIDER if proposal.side == Side.BUYER else Side.BUYER
    own = found.buyer_id == found.provider_id
    if side is not expected and not (own or tx.actor.has("system")):
        raise ChangeMissing(f"The {expected} answers it.")


def _require_as_proposed(view: ChangeView, proposal: OrderChange) -> None:
    """The buyer signed these figures when it proposed them; others it has to propose anew.

    Raises:
        FiguresChanged: when price, voucher part or fee are different now.
    """
    signed = (proposal.total_fen, proposal.voucher_fen, proposal.own_fen, proposal.fee_fen)
    figures = view.figures
    after = figures.after
    if signed != (after.total_fen, after.voucher_fen, after.own_fen, figures.fee_fen):
        raise FiguresChanged(
            "Voucher or price are not those that the buyer signed; it has to propose anew.",
            **figures_told(view),
        )


async def _look_again(tx: Tx, found: Order, proposal: OrderChange) -> ChangeView:
    """The proposal as it would be performed now.

    An agent's proposal is looked at as the buyer's own: its consent is what is asked for, and the
    provider's follows.
    """
    reserved = await reserved_time(tx, found, proposal.position)
    side = Side.PROVIDER if proposal.side == Side.PROVIDER else Side.BUYER
    kind = ChangeKind(proposal.kind)
    starts_at = reserved.starts_at if kind is ChangeKind.EXTEND else proposal.starts_at
    wanted = Wanted(kind, side, starts_at, proposal.ends_at)
    return await look(tx, found, reserved, wanted, answering=proposal)


async def _make_own(
    tx: Tx, found: Order, proposal: OrderChange, view: ChangeView, signature: Signature
) -> Changed:
    """The buyer takes its agent's proposal over: the provider has to agree to it."""
    require_affordable(view)
    require_time_to_answer(tx, view)
    table = tables.order_change
    own = await tx.one(
        OrderChange,
        update(table)
        .where(table.c.id == proposal.id)
        .values(
            side=Side.BUYER,
            proposed_by=signature.person_id,
            proposed_at=signature.at,
            proposed_from=signature.signed_from,
            answer_until=view.answer_until,
            fee_fen=view.figures.fee_fen,
            **amounts_of(view),
        )
        .returning(*(table.c[name] for name in OrderChange.__dataclass_fields__)),
    )
    await tell_proposed(tx, found, own, view.answer_until)
    return Changed(found, own)


@dataclass(frozen=True, slots=True)
class DeclineChange:
    """The other side does not agree, and says why."""

    order_id: int
    change_id: int
    reason: str


async def decline_change(tx: Tx, command: DeclineChange) -> Changed:
    """Say no to a proposal: the order stays as it was.

    Raises:
        OrderMissing, ChangeMissing: for those who have nothing to answer.
        ChangeNotOpen: when it was answered, taken back or has lapsed.
    """
    found = await lock_order(tx, command.order_id)
    proposal = await _open(tx, found, command.change_id)
    _require_answerer(tx, found, proposal)
    return await _end(tx, found, proposal, ChangeStatus.DECLINED, because=command.reason)


@dataclass(frozen=True, slots=True)
class WithdrawChange:
    """Who proposed takes it back."""

    order_id: int
    change_id: int


async def withdraw_change(tx: Tx, command: WithdrawChange) -> Changed:
    """Take a proposal back that nobody has answered.

    Raises:
        OrderMissing, ChangeMissing: for those who did not propose it.
        ChangeNotOpen: when it was answered, taken back or has lapsed.
    """
    found = await lock_order(tx, command.order_id)
    proposal = await _open(tx, found, command.change_id)
    if side_of(tx, found) != proposal.side and not tx.actor.has("system"):
        raise ChangeMissing(f"The {proposal.side} proposed it.")
    return await _end(tx, found, proposal, ChangeStatus.WITHDRAWN, because="Taken back.")


@dataclass(frozen=True, slots=True)
class LapseChange:
    """Nobody has answered in time."""

    change_id: int


async def lapse_change(tx: Tx, command: LapseChange) -> OrderChange:
    """End a proposal whose time to answer is over; one that was answered stays as it is."""
    known = await _change(tx, command.change_id)
    await lapse_late_proposals(tx, await lock_order(tx, known.order_id))
    return await _change(tx, command.change_id)


async def _change(tx: Tx, change_id: int) -> OrderChange:
    table = tables.order_change
    return await tx.one(
        OrderChange, change_columns().where(table.c.id == change_id), missing=ChangeMissing
    )


async def _open(tx: Tx, found: Order, change_id: int) -> OrderChange:
    """A proposal of this order that can still be answered.

    Raises:
        ChangeMissing: when the order has none such.
        ChangeNotOpen: when it is too late.
    """
    proposal = await _change(tx, change_id)
    if proposal.order_id != found.id:
        raise ChangeMissing()
    if proposal.status != ChangeStatus.PROPOSED:
        raise ChangeNotOpen(f"It is {proposal.status}.", change_status=proposal.status)
    if not _waits(tx, proposal):
        raise ChangeNotOpen("The time to answer is over.", change_status=ChangeStatus.LAPSED)
    return proposal


def _waits(tx: Tx, proposal: OrderChange) -> bool:
    return proposal.answer_until is not None and proposal.answer_until > tx.now


async def _end(
    tx: Tx, found: Order, proposal: OrderChange, status: ChangeStatus, *, because: str
) -> Changed:
    decided: dict[str, Any] = {
        "status": status,
        "decided_by": tx.actor.person_id,
        "decided_at": tx.now,
        "decided_because": because,
    }
    table = tables.order_change
    await tx.execute(update(table).where(table.c.id == proposal.id).values(decided))
    await note(tx, found.id, str(status), change_id=proposal.id, reason=because)
    tx.record(
        OrderChangeEnded(
            order_id=found.id,
            buyer_id=found.buyer_id,
            provider_id=found.provider_id,
            change_id=proposal.id,
            status=status,
        )
    )
    return Changed(found, replace(proposal, **decided))
