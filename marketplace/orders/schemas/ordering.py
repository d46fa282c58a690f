"""Orders and everything that belongs to them on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.kernel.wire import (
    AmountFen,
    Id,
    In,
    Line,
    Out,
    Prose,
    Why,
    Word,
)
from marketplace.orders import queries
from marketplace.orders.rules.items import DeliveryKind, ItemStatus
from marketplace.orders.rules.rescheduling import ChangeKind, ChangeStatus, Side
from marketplace.orders.rules.states import Mode, Status
from marketplace.orders.schemas.quoting import ExtraOut, QuoteOut, extras_out
from marketplace.orders.use_cases import (
    PlaceOrder,
    SamplesSent,
)


class SamplesIn(In):
    """What the samples are, whether they are dangerous, and what becomes of the rest."""

    description: Why
    hazards: Line
    disposal: Annotated[str, msgspec.Meta(pattern="^(return|destroy|keep)$")]


class OrderIn(In):
    """Turn a quote into an order: the clauses agreed on, and for samples what they are.

    `own_fen_max` is the most the buyer agrees to pay itself, should the voucher cover less.
    `on_account` owes that part on the buyer's credit line with the provider instead.
    """

    quote_id: Id
    clauses: Annotated[dict[Word, Prose], msgspec.Meta(max_length=30)]
    samples: SamplesIn | None = None
    own_fen_max: AmountFen | None = None
    on_account: bool = False

    def to_command(self, *, signed_from: str) -> PlaceOrder:
        """The command, signed from an address."""
        samples = self.samples
        return PlaceOrder(
            quote_id=self.quote_id,
            clauses=self.clauses,
            samples=None
            if samples is None
            else SamplesSent(samples.description, samples.hazards, samples.disposal),
            own_fen_max=self.own_fen_max,
            on_account=self.on_account,
            signed_from=signed_from,
        )


class OrderOut(Out):
    """An order: where it stands, what is held, what was settled.

    `move_fee_fen` are the fees for moving late, due beside whatever else the order comes to.
    """

    id: int
    quote_id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    instrument_id: int
    title: str
    mode: Mode
    status: Status
    total_fen: int
    voucher_fen: int
    own_fen: int
    reservation_id: int | None
    placed_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    review_ends_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None
    settled_fen: int | None
    settled_voucher_fen: int | None
    settled_own_fen: int | None
    move_fee_fen: int
    credit_line_id: int | None

    @classmethod
    def of(cls, order: queries.Order) -> OrderOut:
        """The wire form of an order."""
        return msgspec.convert(order, cls, from_attributes=True)


class DifferenceOut(Out):
    """One line of a settlement: what was quoted, what was used, what it comes to, and why."""

    kind: str
    text: str
    unit: str
    quoted_quantity: int
    used_quantity: int
    quoted_fen: int
    settled_fen: int
    why: str


class OrderItemOut(Out):
    """One instrument of an order: what is delivered, what is still due, what it came to and why.

    `quantity` counts samples; machine time is one. `settlement` sums to `settled_fen`.
    """

    position: int
    instrument_id: int
    title: str
    mode: Mode
    status: ItemStatus
    quantity: int
    delivered: int
    undeliverable: int
    undeliverable_because: str | None
    due: int
    tested: int | None
    runs_used: int | None
    extras_used: list[ExtraOut] | None
    reservation_id: int | None
    total_fen: int
    settled_fen: int | None
    settled_voucher_fen: int | None
    settled_own_fen: int | None
    settlement: list[DifferenceOut] | None

    @classmethod
    def of(cls, item: queries.OrderItem) -> OrderItemOut:
        """The wire form of an item."""
        lines = item.settlement
        return cls.like(
            item,
            mode=Mode(item.mode),
            status=ItemStatus(item.status),
            extras_used=None if item.extras_used is None else extras_out(item.extras_used),
            settlement=None if lines is None else msgspec.convert(lines, list[DifferenceOut]),
        )


class ItemDeliveryOut(Out):
    """A part of an item that was delivered, or that never will be, and why."""

    position: int
    kind: DeliveryKind
    quantity: int
    runs: int | None
    extras: list[ExtraOut]
    reason: str
    noted_by: int
    noted_at: datetime

    @classmethod
    def of(cls, part: queries.ItemDelivery) -> ItemDeliveryOut:
        """The wire form of a part."""
        return cls.like(part, kind=DeliveryKind(part.kind), extras=extras_out(part.extras))


class TimelineEventOut(Out):
    """One thing that happened to an order, and who did it."""

    at: datetime
    person_id: int
    kind: str
    facts: dict[str, Any]


class ContractOut(Out):
    """The contract with both signatures; `sha256` is of the canonical JSON of `document`.

    `amendment` counts the addenda: 0 is the contract as it was first signed.
    """

    order_id: int
    version: int
    document: dict[str, Any]
    text: str
    sha256: str
    buyer_signed_by: int
    buyer_signed_at: datetime
    provider_signed_how: str | None
    provider_signed_by: int | None
    provider_signed_at: datetime | None
    registration_number: str | None
    registered_on: date | None
    amendment: int

    @classmethod
    def of(cls, contract: queries.Contract) -> ContractOut:
        """The wire form of a contract."""
        return msgspec.convert(contract, cls, from_attributes=True)


class SampleSetOut(Out):
    """The samples of an order and where they are."""

    samples: int
    description: str
    hazards: str
    disposal: str
    received: int | None
    received_at: datetime | None
    tested: int | None
    tested_at: datetime | None
    returned_at: datetime | None


class DeliverableOut(Out):
    """A result, without its bytes."""

    id: int
    order_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, deliverable: queries.Deliverable) -> DeliverableOut:
        """The wire form of a deliverable."""
        return msgspec.convert(deliverable, cls, from_attributes=True)


class DisputeOut(Out):
    """What the buyer objects to, what the provider answers, and how it ended."""

    id: int
    reason: str
    opened_by: int
    opened_at: datetime
    answer_due_at: datetime
    overdue_at: datetime | None
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None
    offered_basis_points: int | None
    pay_basis_points: int | None
    ruling: str | None
    ruled_by: int | None
    ruled_at: datetime | None
    ended_how: str | None
    ended_at: datetime | None


class ReviewOut(Out):
    """The buyer's rating, and the provider's answer; hidden from others where it says why."""

    stars: int
    text: str
    written_by: int
    written_at: datetime
    reply: str | None
    replied_at: datetime | None
    hidden_because: str | None
    hidden_at: datetime | None

    @classmethod
    def of(cls, review: queries.Review) -> ReviewOut:
        """The wire form of a review."""
        return msgspec.convert(review, cls, from_attributes=True)


class OrderChangeOut(Out):
    """A change of an order's time: performed, or proposed and what became of it."""

    id: int
    order_id: int
    kind: ChangeKind
    side: Side
    status: ChangeStatus
    was_starts_at: datetime
    was_ends_at: datetime
    starts_at: datetime
    ends_at: datetime
    total_fen: int
    voucher_fen: int
    own_fen: int
    fee_fen: int
    reason: str
    proposed_by: int
    proposed_at: datetime
    answer_until: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    old_quote_id: int
    new_quote_id: int | None
    position: int

    @classmethod
    def of(cls, change: queries.OrderChange) -> OrderChangeOut:
        """The wire form of a change."""
        return msgspec.convert(change, cls, from_attributes=True)


class OrderStoryOut(Out):
    """An order with everything that belongs to it; `proposal` waits for an answer."""

    order: OrderOut
    quote: QuoteOut
    contract: ContractOut
    timeline: list[TimelineEventOut]
    samples: SampleSetOut | None
    deliverables: list[DeliverableOut]
    dispute: DisputeOut | None
    review: ReviewOut | None
    proposal: OrderChangeOut | None
    items: list[OrderItemOut]
    deliveries: list[ItemDeliveryOut]

    @classmethod
    def of(cls, story: queries.OrderStory) -> OrderStoryOut:
        """The wire form of an order's story."""

        def convert(row: Any, to: Any) -> Any:
            return None if row is None else msgspec.convert(row, to, from_attributes=True)

        return cls(
            order=OrderOut.of(story.order),
            quote=QuoteOut.of(story.quote),
            contract=ContractOut.of(story.contract),
            timeline=[convert(event, TimelineEventOut) for event in story.timeline],
            samples=convert(story.samples, SampleSetOut),
            deliverables=[DeliverableOut.of(each) for each in story.deliverables],
            dispute=convert(story.dispute, DisputeOut),
            review=convert(story.review, ReviewOut),
            proposal=convert(story.proposal, OrderChangeOut),
            items=[OrderItemOut.of(item) for item in story.items],
            deliveries=[ItemDeliveryOut.of(part) for part in story.deliveries],
        )
