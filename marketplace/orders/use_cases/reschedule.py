"""Asking for another time: performed at once where nobody else has to agree, else proposed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.orders import tables
from marketplace.orders.errors import ChangeRefused, FiguresChanged
from marketplace.orders.events import OrderChangeProposed
from marketplace.orders.queries.changes import OrderChange
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.rescheduling import ChangeKind, ChangeStatus, Side
from marketplace.orders.use_cases.amend import (
    Changed,
    Signature,
    Signatures,
    change_facts,
    perform_change,
    require_possible,
)
from marketplace.orders.use_cases.appointment import lock_time
from marketplace.orders.use_cases.look import (
    ChangeAsked,
    ChangeView,
    look,
    reserved_time,
    side_of,
    wanted_by,
)
from marketplace.orders.use_cases.money import require_covered
from marketplace.orders.use_cases.steps import lapse_late_proposals, lock_order, note


@dataclass(frozen=True, slots=True)
class RescheduleOrder:
    """Have an order, of several items the one named, at another time, at the figures shown.

    `agreed` is the token of those figures: a buyer must send it, the others only propose.
    """

    order_id: int
    starts_at: datetime
    ends_at: datetime
    agreed: str | None = None
    reason: str = ""
    signed_from: str = ""
    item: int | None = None

    @property
    def asked(self) -> ChangeAsked:
        """The change that is asked for."""
        return ChangeAsked(
            self.order_id, ChangeKind.RESCHEDULE, self.ends_at, self.starts_at, self.item
        )


@dataclass(frozen=True, slots=True)
class ExtendOrder:
    """Have an order's time longer, to the next reservation at most, at the figures shown."""

    order_id: int
    ends_at: datetime
    agreed: str | None = None
    reason: str = ""
    signed_from: str = ""
    item: int | None = None

    @property
    def asked(self) -> ChangeAsked:
        """The change that is asked for."""
        return ChangeAsked(self.order_id, ChangeKind.EXTEND, self.ends_at, item=self.item)


async def reschedule_order(tx: Tx, command: RescheduleOrder) -> Changed:
    """Move an order that has not begun, whole or not at all.

    The buyer moves it at once where the provider lets its time be booked at once, or has not
    answered the order yet. Otherwise the move is a proposal: the present time is kept, and the
    wanted one is not, until the other side agrees. The provider and the buyer's agent always
    propose, because the buyer pays and signs.
    Policy: J.18a, J.22b, N.24c, F.booking

    Raises:
        OrderMissing: when it is neither the caller's as buyer, provider nor agent.
        WrongMode: for samples.
        TimeUnclear: when the time ends before it starts, or is not of this century.
        ChangeRefused: with every reason, and what would be possible.
        FiguresChanged: with the figures as they are, when others were agreed to.
        WalletShort: with what is missing; nothing has changed then.
    """
    return await _ask(tx, command)


async def extend_order(tx: Tx, command: ExtendOrder) -> Changed:
    """Make the time of a confirmed order, or of one in service, end later.

    What is billed in the end are the minutes used, as always; what grows is what is held.
    Policy: J.18a, J.22b, F.booking

    Raises:
        OrderMissing, WrongMode, TimeUnclear, ChangeRefused, FiguresChanged, WalletShort: as for
            a move.
    """
    return await _ask(tx, command)


async def _ask(tx: Tx, command: RescheduleOrder | ExtendOrder) -> Changed:
    found = await lock_order(tx, command.order_id)
    side = side_of(tx, found)
    await lapse_late_proposals(tx, found)
    await lock_time(tx, found, command.item)
    reserved = await reserved_time(tx, found, command.item)
    view = await look(tx, found, reserved, wanted_by(command.asked, side, reserved))
    signature = Signature(tx.actor.person_id, tx.now, command.signed_from)
    require_possible(view)
    if side is Side.BUYER:
        require_agreed(view, command.agreed)
        if view.answered_by is None:
            signed = Signatures(buyer=signature, provider=None)
            return await perform_change(tx, found, view, signed=signed, reason=command.reason)
        require_affordable(view)
    return await _propose(tx, found, view, signature, reason=command.reason)


def require_agreed(view: ChangeView, agreed: str | None) -> None:
    """The buyer agrees to exactly these figures.

    Raises:
        FiguresChanged: with the figures as they are, and the token that agrees to them.
    """
    if agreed != view.figures.token:
        raise FiguresChanged(
            "Look at the figures, and send the token that agrees to them.",
            **figures_told(view),
        )


def require_time_to_answer(tx: Tx, view: ChangeView) -> None:
    """The other side can still answer before the time is there.

    Raises:
        ChangeRefused: when it cannot.
    """
    if view.answer_until <= tx.now:
        raise ChangeRefused(
            "Nobody could answer in time; ask for a later time.",
            reasons=[
                Reason(
                    "time-to-answer",
                    "What the other side has to agree to lies in the future.",
                    limit=tx.now.isoformat(),
                    asked=view.answer_until.isoformat(),
                )
            ],
            alternatives=view.alternatives,
        )


def figures_told(view: ChangeView) -> dict[str, Any]:
    """The figures in a problem's body."""
    figures = view.figures
    return {
        "token": figures.token,
        "before": asdict(figures.before) | {"total_fen": figures.before.total_fen},
        "after": asdict(figures.after) | {"total_fen": figures.after.total_fen},
        "fee_fen": figures.fee_fen,
        "difference_fen": figures.difference_fen,
    }


def require_affordable(view: ChangeView) -> None:
    """The buyer could pay now what it proposes; nothing is held before the provider agrees.

    Raises:
        WalletShort: with what is missing.
    """
    if view.available_fen is not None:
        require_covered(view.figures.needed_fen, available_fen=view.available_fen)


async def _propose(
    tx: Tx, found: Order, view: ChangeView, signature: Signature, *, reason: str
) -> Changed:
    require_time_to_answer(tx, view)
    table = tables.order_change
    facts = change_facts(found, view, signer=signature, reason=reason)
    proposed = await tx.one(
        OrderChange,
        insert(table)
        .values(facts | {"status": ChangeStatus.PROPOSED, "answer_until": view.answer_until})
        .returning(*(table.c[name] for name in OrderChange.__dataclass_fields__)),
    )
    await tell_proposed(tx, found, proposed, view.answer_until)
    return Changed(found, proposed)


async def tell_proposed(
    tx: Tx, found: Order, proposed: OrderChange, answer_until: datetime
) -> None:
    """Note a proposal that waits for the other side, and tell of it."""
    await note(
        tx,
        found.id,
        "propose",
        change_id=proposed.id,
        change=proposed.kind,
        side=proposed.side,
        starts_at=proposed.starts_at.isoformat(),
        ends_at=proposed.ends_at.isoformat(),
        total_fen=proposed.total_fen,
        fee_fen=proposed.fee_fen,
        reason=proposed.reason,
        answer_until=answer_until.isoformat(),
    )
    tx.record(
        OrderChangeProposed(
            order_id=found.id,
            buyer_id=found.buyer_id,
            provider_id=found.provider_id,
            change_id=proposed.id,
            kind=proposed.kind,
            side=proposed.side,
            starts_at=proposed.starts_at,
            ends_at=proposed.ends_at,
            answer_until=answer_until,
        )
    )
