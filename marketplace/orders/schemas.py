"""Offers, quotes and orders on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.billing.invoicing.queries import Invoice
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.wire import (
    AmountFen,
    BasisPoints,
    Id,
    In,
    Instant,
    Line,
    Minutes,
    Out,
    Word,
)
from marketplace.orders import queries
from marketplace.orders.rules.contract import FORMS
from marketplace.orders.rules.states import Mode, Status
from marketplace.orders.use_cases import (
    CancelOrder,
    CloseService,
    DisputeOrder,
    FinishSamples,
    IssueInvoice,
    MakeQuote,
    PlaceOrder,
    ReceiveSamples,
    RegisterContract,
    RejectOrder,
    ReviewOrder,
    RuleOnDispute,
    SamplesSent,
)

Samples = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
SamplesSeen = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
ClauseText = Annotated[
    str, msgspec.Meta(max_length=5_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]
Why = Annotated[
    str, msgspec.Meta(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]
Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]


class FacetOut(Out):
    """How many of the hits have this value."""

    value: str
    name: str
    name_en: str
    count: int


class OfferOut(Out):
    """An instrument, its free minutes on seven days from today, and one hour's price."""

    instrument_id: int
    provider_id: int
    provider_name: str
    provider_name_en: str
    cstr: str
    cname: str
    ename: str
    category_code: str
    model: str
    manufacturer: str
    region_code: str
    city: str
    free_minutes: list[int]
    price_list_id: int | None
    hour_fen: int | None
    voucher_fen: int
    own_fen: int | None

    @classmethod
    def of(cls, offer: queries.Offer) -> OfferOut:
        """The wire form of an offer."""
        hit = offer.instrument
        return cls(
            instrument_id=hit.id,
            provider_id=hit.provider_id,
            provider_name=hit.provider_name,
            provider_name_en=hit.provider_name_en,
            cstr=hit.cstr,
            cname=hit.cname,
            ename=hit.ename,
            category_code=hit.category_code,
            model=hit.model,
            manufacturer=hit.manufacturer,
            region_code=hit.region_code,
            city=hit.city,
            free_minutes=list(offer.free_minutes),
            price_list_id=offer.price_list_id,
            hour_fen=offer.hour_fen,
            voucher_fen=offer.voucher_fen,
            own_fen=offer.own_fen,
        )


class OffersOut(Out):
    """One page of offers with counts; `capped`: more was found than was looked at."""

    results: list[OfferOut]
    total: int
    capped: bool
    page: int
    page_size: int
    categories: list[FacetOut]
    regions: list[FacetOut]

    @classmethod
    def of(cls, found: queries.Offers) -> OffersOut:
        """The wire form of a page of offers."""
        return cls(
            results=[OfferOut.of(offer) for offer in found.offers],
            total=found.total,
            capped=found.capped,
            page=found.page,
            page_size=found.page_size,
            categories=_facets(found.facets.category),
            regions=_facets(found.facets.region),
        )


def _facets(values: tuple[catalogue.FacetValue, ...]) -> list[FacetOut]:
    return [msgspec.convert(value, FacetOut, from_attributes=True) for value in values]


class QuoteIn(In):
    """What is to be quoted: machine time from–until, or a number of samples."""

    instrument_id: Id
    mode: Mode
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    samples: Samples | None = None
    purpose: Word | None = None
    service_kind: Word = queries.SERVICE_KIND
    use_voucher: bool = True
    buyer_id: Id | None = None

    def to_command(self) -> MakeQuote:
        """The command."""
        return MakeQuote(**msgspec.structs.asdict(self))


class ClauseOut(Out):
    """A clause that the contract must have, with the text offered for it."""

    name: str
    title: str
    title_en: str
    text: str


class QuoteOut(Out):
    """A quote with every line, the voucher's part and why, and the clauses to agree on."""

    id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    instrument_id: int
    mode: Mode
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    customer_class: str
    purpose: str | None
    service_kind: str
    price_list_id: int
    lines: list[dict[str, Any]]
    total_fen: int
    voucher_fen: int
    own_fen: int
    explanation: dict[str, Any]
    terms: dict[str, Any]
    clauses: list[ClauseOut]
    valid_until: datetime
    made_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, quote: queries.Quote) -> QuoteOut:
        """The wire form of a quote."""
        facts = {name: getattr(quote, name) for name in cls.__struct_fields__ if name != "clauses"}
        facts["mode"] = Mode(quote.mode)
        return cls(
            **facts,
            clauses=[_clause(name) for name in quote.term("orders", "contract_clauses")],
        )


def _clause(name: str) -> ClauseOut:
    form = FORMS.get(name)
    if form is None:
        return ClauseOut(name=name, title=name, title_en=name, text="")
    return ClauseOut(name=name, title=form.title, title_en=form.title_en, text=form.text)


class SamplesIn(In):
    """What the samples are, whether they are dangerous, and what becomes of the rest."""

    description: Why
    hazards: Line
    disposal: Annotated[str, msgspec.Meta(pattern="^(return|destroy|keep)$")]


class OrderIn(In):
    """Turn a quote into an order: the clauses agreed on, and for samples what they are.

    `own_fen_max` is the most the buyer agrees to pay itself, should the voucher cover less.
    """

    quote_id: Id
    clauses: Annotated[dict[Word, ClauseText], msgspec.Meta(max_length=30)]
    samples: SamplesIn | None = None
    own_fen_max: AmountFen | None = None

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
            signed_from=signed_from,
        )


class OrderOut(Out):
    """An order: where it stands, what is held, what was settled."""

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

    @classmethod
    def of(cls, order: queries.Order) -> OrderOut:
        """The wire form of an order."""
        return msgspec.convert(order, cls, from_attributes=True)


class TimelineEventOut(Out):
    """One thing that happened to an order, and who did it."""

    at: datetime
    person_id: int
    kind: str
    facts: dict[str, Any]


class ContractOut(Out):
    """The contract with both signatures; `sha256` is of the canonical JSON of `document`."""

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
    """What the buyer objects to, and the ruling."""

    reason: str
    opened_by: int
    opened_at: datetime
    pay_basis_points: int | None
    ruling: str | None
    ruled_by: int | None
    ruled_at: datetime | None


class ReviewOut(Out):
    """The buyer's rating."""

    stars: int
    text: str
    written_by: int
    written_at: datetime


class OrderStoryOut(Out):
    """An order with everything that belongs to it."""

    order: OrderOut
    quote: QuoteOut
    contract: ContractOut
    timeline: list[TimelineEventOut]
    samples: SampleSetOut | None
    deliverables: list[DeliverableOut]
    dispute: DisputeOut | None
    review: ReviewOut | None

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
        )


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

    def to_command(self, order_id: int) -> CloseService:
        """The command for one order."""
        return CloseService(
            order_id,
            preparation_minutes=self.preparation_minutes,
            test_minutes=self.test_minutes,
            post_minutes=self.post_minutes,
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

    def to_command(self, order_id: int) -> FinishSamples:
        """The command for one order."""
        return FinishSamples(order_id, tested=self.tested, returned=self.returned)


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

    def to_command(self, order_id: int) -> RegisterContract:
        """The command for one order."""
        return RegisterContract(order_id, number=self.number, registered_on=self.registered_on)
