"""Enquiries, their threads and the offers in answer to them, on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.kernel.wire import Id, In, Instant, Out, PositiveFen, Why, Word
from marketplace.orders.queries.enquiries import Enquiry, EnquiryPage
from marketplace.orders.queries.enquiry_thread import (
    EnquiryEvent,
    EnquiryFile,
    EnquiryMessage,
    EnquiryOffer,
    OfferPage,
)
from marketplace.orders.rules.enquiries import INSTRUMENTS_MAX
from marketplace.orders.schemas.quoting import QuoteIn, Samples
from marketplace.orders.use_cases.enquiries import AskProvider, EndEnquiry, WriteMessage
from marketplace.orders.use_cases.enquiry_offers import OfferService
from marketplace.orders.use_cases.manual_price import ManualPrice
from marketplace.orders.use_cases.offer_decisions import EndOffer, TurnOfferDown

_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Told = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000, pattern=_NO_CONTROLS)]
# What an offer says of its price and of who looked at it is the provider's own business.
_INSIDE = ("reason", "ceiling_fen", "made_by", "approved_by", "ended_by")


class EnquiryIn(In):
    """What is asked of a provider: about its instruments, or in words alone.

    `buyer_id` is for a station's agent, who asks for an SME.
    """

    provider_id: Id
    subject: Subject
    need: Told
    instrument_ids: Annotated[list[Id], msgspec.Meta(max_length=INSTRUMENTS_MAX)] = msgspec.field(
        default_factory=list
    )
    wished_from: date | None = None
    wished_until: date | None = None
    samples: Samples | None = None
    budget_fen: PositiveFen | None = None
    buyer_id: Id | None = None

    def to_command(self) -> AskProvider:
        """The command."""
        asked = msgspec.structs.asdict(self)
        return AskProvider(**asked | {"instrument_ids": tuple(self.instrument_ids)})


class MessageIn(In):
    """What somebody writes in the thread."""

    text: Told

    def to_command(self, enquiry_id: int) -> WriteMessage:
        """The command for `enquiry_id`."""
        return WriteMessage(enquiry_id, self.text)


class EndEnquiryIn(In):
    """Why it ends; the other side reads it."""

    reason: Why

    def to_command(self, enquiry_id: int) -> EndEnquiry:
        """The command for `enquiry_id`."""
        return EndEnquiry(enquiry_id, self.reason)


class ManualPriceIn(In):
    """A price per unit instead of the list's, and why; a second person looks at it first."""

    unit: Word
    unit_fen: PositiveFen
    reason: Why

    def to_command(self) -> ManualPrice:
        """The price."""
        return ManualPrice(self.unit, self.unit_fen, self.reason)


class OfferIn(In):
    """A service offered in answer: as a quote would ask for it, for the one who enquired."""

    service: QuoteIn
    note: Annotated[str, msgspec.Meta(max_length=5_000, pattern=_NO_CONTROLS)] = ""
    valid_until: Instant | None = None
    manual: ManualPriceIn | None = None

    def to_command(self, enquiry_id: int) -> OfferService:
        """The command for `enquiry_id`."""
        return OfferService(
            enquiry_id,
            self.service.to_command(),
            note=self.note,
            valid_until=self.valid_until,
            manual=None if self.manual is None else self.manual.to_command(),
        )


class EndOfferIn(In):
    """Why an offer is refused or taken back."""

    reason: Why

    def to_command(self, enquiry_id: int, offer_id: int) -> EndOffer:
        """The command for that offer."""
        return EndOffer(enquiry_id, offer_id, self.reason)


class TurnDownIn(In):
    """Why the buyer does not take it; `final` when it wants no other offer."""

    reason: Why
    final: bool = False

    def to_command(self, enquiry_id: int, offer_id: int) -> TurnOfferDown:
        """The command for that offer."""
        return TurnOfferDown(enquiry_id, offer_id, self.reason, self.final)


class EnquiryOut(Out):
    """An enquiry. `due_at` is when it lapses by itself; `answer_until` is for the first answer."""

    id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    status: str
    subject: str
    need: str
    instrument_ids: list[int]
    wished_from: date | None
    wished_until: date | None
    samples: int | None
    budget_fen: int | None
    asked_at: datetime
    answer_until: datetime
    answered_at: datetime | None
    due_at: datetime | None
    changed_at: datetime
    ended_at: datetime | None
    ended_because: str | None

    @classmethod
    def of(cls, found: Enquiry) -> EnquiryOut:
        """The wire form of an enquiry."""
        return cls.like(found, instrument_ids=sorted(found.instrument_ids))


class EnquiryRowOut(Out):
    """An enquiry in a list, with the names of those who take part."""

    id: int
    status: str
    subject: str
    buyer_id: int
    buyer: str
    provider_id: int
    provider: str
    agent_id: int | None
    instrument_ids: list[int]
    asked_at: datetime
    answer_until: datetime
    answered_at: datetime | None
    due_at: datetime | None
    changed_at: datetime

    @classmethod
    def of(cls, found: Enquiry, names: Mapping[int, str]) -> EnquiryRowOut:
        """The wire form of a row."""
        return cls.like(
            found,
            buyer=names[found.buyer_id],
            provider=names[found.provider_id],
            instrument_ids=sorted(found.instrument_ids),
        )


class MessageOut(Out):
    """What somebody wrote, and for which side."""

    id: int
    side: str
    text: str
    written_by: int
    written_by_name: str
    written_at: datetime

    @classmethod
    def of(cls, found: EnquiryMessage, people: Mapping[int, str]) -> MessageOut:
        """The wire form of a message."""
        return cls.like(found, written_by_name=people[found.written_by])


class WrittenOut(Out):
    """What was just written."""

    id: int
    side: str
    text: str
    written_at: datetime

    @classmethod
    def of(cls, found: EnquiryMessage) -> WrittenOut:
        """The wire form of a message."""
        return cls.like(found)


class EnquiryFileOut(Out):
    """A file in the thread; its type is that of its bytes."""

    id: int
    side: str
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, found: EnquiryFile) -> EnquiryFileOut:
        """The wire form of a file."""
        return cls.like(found)


class EnquiryEventOut(Out):
    """What happened; `internal` is what the provider alone sees."""

    id: int
    at: datetime
    person_id: int
    person: str
    kind: str
    internal: bool
    facts: dict[str, Any]

    @classmethod
    def of(cls, found: EnquiryEvent, people: Mapping[int, str]) -> EnquiryEventOut:
        """The wire form of an event."""
        return cls.like(found, person=people[found.person_id])


class EnquiryOfferOut(Out):
    """One round of an offer. The buyer reads neither the reason of its price nor the cost."""

    id: int
    enquiry_id: int
    round: int
    status: str
    instrument_id: int
    mode: str
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    arrives_on: date | None
    service_kind: str
    details: dict[str, Any]
    note: str
    valid_until: datetime
    price_list_id: int
    list_total_fen: int
    total_fen: int
    manual_unit: str | None
    manual_unit_fen: int | None
    list_unit_fen: int | None
    ceiling_fen: int | None
    reason: str | None
    quote_id: int | None
    made_by: int | None
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    ended_by: int | None
    ended_at: datetime | None
    ended_because: str | None

    @classmethod
    def inside(cls, found: EnquiryOffer) -> EnquiryOfferOut:
        """As the provider sees it."""
        return cls.like(found)

    @classmethod
    def outside(cls, found: EnquiryOffer) -> EnquiryOfferOut:
        """As the buyer and its agent see it."""
        return cls.like(found, **dict.fromkeys(_INSIDE))


def offers_out(found: OfferPage) -> list[EnquiryOfferOut]:
    """Each offer as the caller's side sees it."""
    return [
        EnquiryOfferOut.inside(each)
        if each.enquiry_id in found.inside
        else EnquiryOfferOut.outside(each)
        for each in found.rows
    ]


def enquiry_table(found: EnquiryPage) -> list[list[Any]]:
    """The rows of the list as a table, under the names of its fields."""
    return _table(
        EnquiryRowOut.__struct_fields__,
        [EnquiryRowOut.of(each, found.names) for each in found.rows],
    )


def offer_table(found: OfferPage) -> list[list[Any]]:
    """The rows of the list as a table, under the names of its fields."""
    names = tuple(name for name in EnquiryOfferOut.__struct_fields__ if name != "details")
    return _table(names, offers_out(found))


def _table(names: Sequence[str], rows: Sequence[Out]) -> list[list[Any]]:
    return [list(names), *([_cell(getattr(row, name)) for name in names] for row in rows)]


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value
