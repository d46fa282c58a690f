"""Offers and quotes on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.billing.pricing.queries import Unit
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.wire import (
    Id,
    In,
    Instant,
    Out,
    Persons,
    Word,
)
from marketplace.orders import queries
from marketplace.orders.rules.contract import FORMS
from marketplace.orders.rules.items import EXTRAS_MAX, ITEMS_MAX
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import ItemAsked, MakeQuote

Samples = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Elements = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Runs = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
ExtraCount = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


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
    reimbursed_fen: int

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
            reimbursed_fen=offer.reimbursed_fen,
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


class ExtraIn(In):
    """Help or material beside the instrument, by its code; by the hour it is counted in minutes."""

    code: Word
    quantity: ExtraCount


Extras = Annotated[list[ExtraIn], msgspec.Meta(max_length=EXTRAS_MAX)]


class QuoteItemIn(In):
    """One more instrument of the same provider: time on it, or samples for it."""

    instrument_id: Id
    mode: Mode
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    samples: Samples | None = None
    unit: Unit | None = None
    elements: Elements = 0
    runs: Runs = 0
    urgent: bool = False
    extras: Extras = msgspec.field(default_factory=list)

    def to_item(self) -> ItemAsked:
        """The item of the command."""
        return ItemAsked(**msgspec.structs.asdict(self) | {"extras": extras_of(self.extras)})


ChosenGrants = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=20)]
FurtherItems = Annotated[list[QuoteItemIn], msgspec.Meta(max_length=ITEMS_MAX - 1)]


class QuoteIn(In):
    """What is to be quoted: machine time from–until, or a number of samples and their day.

    Without a `unit` the cheapest of the price list is taken; `elements` are per sample, `runs` for
    all samples. `further_items` are more instruments of the same provider, ordered as one with the
    first. `grant_ids` are the vouchers to pay with; without them, the combination that pays most.
    `persons` is how many the service trains, where vouchers pay by the person.
    """

    instrument_id: Id
    mode: Mode
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    samples: Samples | None = None
    purpose: Word | None = None
    service_kind: Word = queries.SERVICE_KIND
    use_voucher: bool = True
    buyer_id: Id | None = None
    arrives_on: date | None = None
    unit: Unit | None = None
    elements: Elements = 0
    runs: Runs = 0
    urgent: bool = False
    extras: Extras = msgspec.field(default_factory=list)
    further_items: FurtherItems = msgspec.field(default_factory=list)
    grant_ids: ChosenGrants | None = None
    persons: Persons = 0

    def to_command(self) -> MakeQuote:
        """The command."""
        asked = msgspec.structs.asdict(self)
        further = asked.pop("further_items")
        return MakeQuote(
            **asked
            | {
                "grant_ids": None if self.grant_ids is None else tuple(self.grant_ids),
                "extras": extras_of(self.extras),
                "further": tuple(item.to_item() for item in further),
            }
        )


def extras_of(extras: list[ExtraIn]) -> tuple[tuple[str, int], ...]:
    """(code, quantity) as pricing counts them."""
    return tuple((extra.code, extra.quantity) for extra in extras)


class ClauseOut(Out):
    """A clause that the contract must have, with the text offered for it."""

    name: str
    title: str
    title_en: str
    text: str


class ExtraOut(Out):
    """Help or material beside the instrument, and how much of it."""

    code: str
    quantity: int


def extras_out(extras: Sequence[Sequence[Any]]) -> list[ExtraOut]:
    """The wire form of (code, quantity)."""
    return [ExtraOut(code=code, quantity=quantity) for code, quantity in extras]


class QuoteItemOut(Out):
    """One instrument of a quote, as it is frozen: how much, in which unit, line by line."""

    position: int
    instrument_id: int
    mode: Mode
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    unit: str
    elements: int
    runs: int
    urgent: bool
    extras: list[ExtraOut]
    price_list_id: int
    lines: list[dict[str, Any]]
    total_fen: int

    @classmethod
    def of(cls, item: dict[str, Any]) -> QuoteItemOut:
        """The wire form of an item."""
        return msgspec.convert(item | {"extras": extras_out(item["extras"])}, cls)


class QuoteOut(Out):
    """A quote with every line, the voucher's part and why, and the clauses to agree on.

    Samples may arrive from `samples_from` on, and are wished to on `arrives_on`. `manual_unit_fen`
    is the price per `manual_unit` that the provider offered instead of its list's.
    `reimbursed_fen` of the own part are the buyer's to claim by voucher once it has paid.
    """

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
    amends_order_id: int | None
    arrives_on: date | None
    samples_from: date | None
    items: list[QuoteItemOut]
    manual_unit: str | None
    manual_unit_fen: int | None
    reimbursed_fen: int
    persons: int

    @classmethod
    def of(cls, quote: queries.Quote) -> QuoteOut:
        """The wire form of a quote."""
        return cls.like(
            quote,
            mode=Mode(quote.mode),
            clauses=[_clause(name) for name in quote.term("orders", "contract_clauses")],
            items=[QuoteItemOut.of(item) for item in quote.items],
        )


def _clause(name: str) -> ClauseOut:
    form = FORMS.get(name)
    if form is None:
        return ClauseOut(name=name, title=name, title_en=name, text="")
    return ClauseOut(name=name, title=form.title, title_en=form.title_en, text=form.text)
