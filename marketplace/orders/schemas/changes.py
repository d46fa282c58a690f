"""Another time for an order on the wire: looked at, asked for, answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from marketplace.kernel.wire import In, Instant, Line, Out, Sha256, Why
from marketplace.orders.rules.rescheduling import ChangeKind, Side
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.schemas.items import ItemNumber
from marketplace.orders.schemas.ordering import OrderChangeOut, OrderOut
from marketplace.orders.use_cases import (
    AcceptChange,
    Changed,
    ChangeView,
    DeclineChange,
    ExtendOrder,
    RescheduleOrder,
    every_reason,
)


class RescheduleIn(In):
    """Another time; `agreed` is the token of the figures shown, which a buyer sends back."""

    starts_at: Instant
    ends_at: Instant
    agreed: Sha256 | None = None
    reason: Line = ""
    item: ItemNumber | None = None

    def to_command(self, order_id: int, *, signed_from: str) -> RescheduleOrder:
        """The command for one order, signed from an address."""
        return RescheduleOrder(order_id, **msgspec.structs.asdict(self), signed_from=signed_from)


class ExtendIn(In):
    """A later end; `agreed` is the token of the figures shown, which a buyer sends back."""

    ends_at: Instant
    agreed: Sha256 | None = None
    reason: Line = ""
    item: ItemNumber | None = None

    def to_command(self, order_id: int, *, signed_from: str) -> ExtendOrder:
        """The command for one order, signed from an address."""
        return ExtendOrder(order_id, **msgspec.structs.asdict(self), signed_from=signed_from)


class AcceptanceIn(In):
    """Agreeing to a proposal; a buyer sends the token of the figures shown."""

    agreed: Sha256 | None = None

    def to_command(self, order_id: int, change_id: int, *, signed_from: str) -> AcceptChange:
        """The command for one proposal, signed from an address."""
        return AcceptChange(order_id, change_id, agreed=self.agreed, signed_from=signed_from)


class RefusalIn(In):
    """Why a proposal is declined."""

    reason: Why

    def to_command(self, order_id: int, change_id: int) -> DeclineChange:
        """The command for one proposal."""
        return DeclineChange(order_id, change_id, reason=self.reason)


class PartsOut(Out):
    """A price in its two parts."""

    total_fen: int
    voucher_fen: int
    own_fen: int

    @classmethod
    def of(cls, parts: Parts) -> PartsOut:
        """The wire form of a price."""
        return cls.like(parts)


class ChangeReasonOut(Out):
    """One reason why the time cannot change so."""

    rule: str
    message: str
    limit: Any
    asked: Any
    source: str | None
    overridable: bool


class ChangeViewOut(Out):
    """What a change would be: whether it can, the price before and after, the fee, who agrees.

    `token` agrees to these figures. `needed_fen` is how much more own money would be held;
    `available_fen` and `missing_fen` are told to the buyer only.
    """

    order_id: int
    kind: ChangeKind
    allowed: bool
    reasons: list[ChangeReasonOut]
    alternatives: list[dict[str, Any]]
    was_starts_at: datetime
    was_ends_at: datetime
    starts_at: datetime
    ends_at: datetime
    before: PartsOut
    after: PartsOut
    difference_fen: int
    lines: list[dict[str, Any]]
    explanation: dict[str, Any]
    fee_fen: int
    fee_because: str
    needed_fen: int
    available_fen: int | None
    missing_fen: int | None
    moves_left: int
    answered_by: Side | None
    answer_until: datetime | None
    token: str

    @classmethod
    def of(cls, view: ChangeView) -> ChangeViewOut:
        """The wire form of a change that is looked at."""
        figures, standing, reasons = view.figures, view.standing, every_reason(view)
        return cls(
            order_id=figures.order_id,
            kind=figures.kind,
            allowed=not reasons,
            reasons=[ChangeReasonOut.like(reason) for reason in reasons],
            alternatives=[dict(one) for one in view.alternatives],
            was_starts_at=standing.starts_at,
            was_ends_at=standing.ends_at,
            starts_at=figures.starts_at,
            ends_at=figures.ends_at,
            before=PartsOut.of(figures.before),
            after=PartsOut.of(figures.after),
            difference_fen=figures.difference_fen,
            lines=view.price.lines,
            explanation=view.price.explanation,
            fee_fen=figures.fee_fen,
            fee_because=view.fee.why,
            needed_fen=figures.needed_fen,
            available_fen=view.available_fen,
            missing_fen=view.missing_fen,
            moves_left=max(standing.moves_max - standing.moves, 0),
            answered_by=view.answered_by,
            answer_until=None if view.answered_by is None else view.answer_until,
            token=figures.token,
        )


class ChangedOut(Out):
    """The order after somebody asked for another time, and what became of that."""

    order: OrderOut
    change: OrderChangeOut

    @classmethod
    def of(cls, changed: Changed) -> ChangedOut:
        """The wire form of an order that changed, or is asked to."""
        return cls(order=OrderOut.of(changed.order), change=OrderChangeOut.of(changed.change))
