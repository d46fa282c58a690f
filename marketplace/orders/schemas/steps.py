"""What is sent with a step of an order."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from marketplace.billing.invoicing.queries import Invoice
from marketplace.kernel.wire import (
    AmountFen,
    BasisPoints,
    In,
    Line,
    Minutes,
    Out,
    Why,
    Word,
)
from marketplace.orders.schemas.items import ItemNumber
from marketplace.orders.use_cases import (
    CancelOrder,
    CloseService,
    DisputeOrder,
    FinishSamples,
    IssueInvoice,
    ReceiveSamples,
    RegisterContract,
    RejectOrder,
    ReviewOrder,
    RuleOnDispute,
)

SamplesSeen = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]


class ReasonIn(In):
    """Why an order is rejected, called off or objected to."""

    reason: Why

    def to_rejection(self, order_id: int) -> RejectOrder:
        """The provider declines."""
        return RejectOrder(order_id, reason=self.reason)

    def to_cancellation(self, order_id: int) -> CancelOrder:
        """A side calls the order off."""
        return CancelOrder(order_id, reason=self.reason)

    def to_dispute(self, order_id: int) -> DisputeOrder:
        """The buyer objects."""
        return DisputeOrder(order_id, reason=self.reason)


class CloseServiceIn(In):
    """The minutes of the session; without `test_minutes` it is what the others leave."""

    preparation_minutes: Minutes = 0
    test_minutes: Minutes | None = None
    post_minutes: Minutes = 0
    samples_run: SamplesSeen | None = None
    note: Why | None = None
    item: ItemNumber | None = None

    def to_command(self, order_id: int) -> CloseService:
        """The command for one order."""
        return CloseService(
            order_id,
            preparation_minutes=self.preparation_minutes,
            test_minutes=self.test_minutes,
            post_minutes=self.post_minutes,
            samples_run=self.samples_run,
            note=self.note,
            item=self.item,
        )


class ReceiveSamplesIn(In):
    """How many samples arrived."""

    count: SamplesSeen

    def to_command(self, order_id: int) -> ReceiveSamples:
        """The command for one order."""
        return ReceiveSamples(order_id, count=self.count)


class FinishSamplesIn(In):
    """How many were tested, and whether what is left went back or was disposed of."""

    tested: SamplesSeen
    returned: bool = False
    item: ItemNumber | None = None

    def to_command(self, order_id: int) -> FinishSamples:
        """The command for one order."""
        return FinishSamples(order_id, tested=self.tested, returned=self.returned, item=self.item)


class RulingIn(In):
    """Which part of the used value the provider may have, and why."""

    pay_basis_points: BasisPoints
    ruling: Why

    def to_command(self, order_id: int) -> RuleOnDispute:
        """The command for one order."""
        return RuleOnDispute(order_id, pay_basis_points=self.pay_basis_points, ruling=self.ruling)


class ReviewIn(In):
    """A rating on the national five-step scale."""

    stars: Stars
    text: Line = ""

    def to_command(self, order_id: int) -> ReviewOrder:
        """The command for one order."""
        return ReviewOrder(order_id, stars=self.stars, text=self.text)


class InvoiceIn(In):
    """The tax invoice that the provider issued."""

    number: Word
    amount_fen: AmountFen
    issued_on: date

    def to_command(self, order_id: int) -> IssueInvoice:
        """The command for one order."""
        return IssueInvoice(
            order_id, number=self.number, amount_fen=self.amount_fen, issued_on=self.issued_on
        )


class InvoiceOut(Out):
    """A recorded invoice."""

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    number: str
    amount_fen: int
    issued_on: date

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceOut:
        """The wire form of an invoice."""
        return msgspec.convert(invoice, cls, from_attributes=True)


class RegistrationIn(In):
    """The registration of the technology contract."""

    number: Word
    registered_on: date
    place: Line = ""

    def to_command(self, order_id: int) -> RegisterContract:
        """The command for one order."""
        return RegisterContract(
            order_id, number=self.number, registered_on=self.registered_on, place=self.place
        )
