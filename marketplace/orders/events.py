"""What others may hear about orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class OrderPlaced(Event):
    """A buyer has signed; money, voucher and time are held."""

    order_id: int
    buyer_id: int
    provider_id: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class OrderConfirmed(Event):
    """The provider has signed too."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderChangeProposed(Event):
    """One side asks for another time; the other has until `answer_until` to agree."""

    order_id: int
    buyer_id: int
    provider_id: int
    change_id: int
    kind: str
    side: str
    starts_at: datetime
    ends_at: datetime
    answer_until: datetime


@dataclass(frozen=True, slots=True)
class OrderChangeEnded(Event):
    """A proposal came to nothing: declined, withdrawn or lapsed. The order stays as it was."""

    order_id: int
    buyer_id: int
    provider_id: int
    change_id: int
    status: str


@dataclass(frozen=True, slots=True)
class OrderChanged(Event):
    """An order was rescheduled or extended: it has another time, and with it another price."""

    order_id: int
    buyer_id: int
    provider_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime
    total_fen: int
    fee_fen: int


@dataclass(frozen=True, slots=True)
class OrderEnded(Event):
    """The order ended without a service: rejected, cancelled, expired or no-show.

    `fee_fen` is what the provider keeps for that; fees for moving late were due before.
    """

    order_id: int
    buyer_id: int
    provider_id: int
    status: str
    fee_fen: int


@dataclass(frozen=True, slots=True)
class ServiceDelivered(Event):
    """Results are with the buyer; the review window runs."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderDisputed(Event):
    """The buyer objects; the centre is to rule."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class DisputeReplied(Event):
    """The provider has answered; with an offer, the buyer may agree to it."""

    order_id: int
    buyer_id: int
    provider_id: int
    offered_basis_points: int | None


@dataclass(frozen=True, slots=True)
class DisputeAnswerDue(Event):
    """A provider has not answered and soon has no more time, or has none (`overdue`)."""

    order_id: int
    buyer_id: int
    provider_id: int
    answer_due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class DisputeWithdrawn(Event):
    """The buyer objects no longer."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderSettled(Event):
    """Holds have become entries for what was really used."""

    order_id: int
    buyer_id: int
    provider_id: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class OrderCorrected(Event):
    """A part or all of what an order was charged was given back."""

    order_id: int
    buyer_id: int
    provider_id: int
    correction_id: int
    voucher_fen: int
    own_fen: int


@dataclass(frozen=True, slots=True)
class ServiceReviewed(Event):
    """The buyer has rated the service."""

    order_id: int
    provider_id: int
    stars: int


@dataclass(frozen=True, slots=True)
class EnquiryAsked(Event):
    """A buyer asks a provider; its answer is due by `answer_until`."""

    enquiry_id: int
    buyer_id: int
    provider_id: int
    answer_until: datetime


@dataclass(frozen=True, slots=True)
class EnquiryWritten(Event):
    """A side has written in the thread of an enquiry."""

    enquiry_id: int
    buyer_id: int
    provider_id: int
    side: str


@dataclass(frozen=True, slots=True)
class OfferMade(Event):
    """A provider's offer stands, with a quote for the buyer."""

    enquiry_id: int
    buyer_id: int
    provider_id: int
    offer_id: int
    quote_id: int
    total_fen: int
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class OfferAwaitsApproval(Event):
    """A price was set by hand; a second person of the provider is to look at it."""

    enquiry_id: int
    provider_id: int
    offer_id: int


@dataclass(frozen=True, slots=True)
class OfferEnded(Event):
    """An offer that the buyer saw stands no more, and another may follow."""

    enquiry_id: int
    buyer_id: int
    provider_id: int
    offer_id: int
    status: str


@dataclass(frozen=True, slots=True)
class EnquiryEnded(Event):
    """An enquiry was accepted, declined or withdrawn, or has lapsed."""

    enquiry_id: int
    buyer_id: int
    provider_id: int
    status: str


@dataclass(frozen=True, slots=True)
class FreeUseAskedFor(Event):
    """A buyer asks for a service free of charge for a public purpose; the provider is to look."""

    free_use_id: int
    quote_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class FreeUseDecidedOn(Event):
    """A request for a free service was approved, refused or withdrawn."""

    free_use_id: int
    quote_id: int
    buyer_id: int
    provider_id: int
    status: str
