"""The thread of an enquiry: what was written, attached, offered and done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, and_, func, select

from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.enquiry_errors import OfferMissing
from marketplace.orders.queries.enquiries import Enquiry, enquiry_by_id
from marketplace.orders.rules.enquiries import OfferStatus
from marketplace.orders.rules.rescheduling import Side
from marketplace.parties import queries as parties

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class EnquiryMessage:
    """What somebody of a side wrote."""

    id: int
    side: str
    text: str
    written_by: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class EnquiryFile:
    """A file that a side attached."""

    id: int
    side: str
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class EnquiryEvent:
    """What happened to an enquiry."""

    id: int
    at: datetime
    person_id: int
    kind: str
    internal: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EnquiryOffer:
    """One round of an offer; until it has a quote it is the provider's own business."""

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
    reason: str
    quote_id: int | None
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    ended_by: int | None
    ended_at: datetime | None
    ended_because: str | None


@dataclass(frozen=True, slots=True)
class ThreadAsked:
    """A page of something that belongs to an enquiry; `text` leaves what contains it."""

    enquiry_id: int
    text: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, the oldest first, and what their writers are called."""

    rows: list[EnquiryMessage]
    people: Mapping[int, str]
    total: int


@dataclass(frozen=True, slots=True)
class FilePage:
    """Files, the oldest first, and what their senders are called."""

    rows: list[EnquiryFile]
    people: Mapping[int, str]
    total: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """What happened, the oldest first, and what those who did it are called."""

    rows: list[EnquiryEvent]
    people: Mapping[int, str]
    total: int


async def messages(tx: Tx, asked: ThreadAsked) -> MessagePage:
    """What both sides wrote, the oldest first.

    Raises:
        EnquiryMissing: for those whom it does not concern.
    """
    found = await enquiry_by_id(tx, asked.enquiry_id)
    table = tables.enquiry_message
    which = [table.c.enquiry_id == found.id]
    if asked.text:
        which.append(table.c.text.icontains(asked.text, autoescape=True))
    rows, total = await _page(tx, EnquiryMessage, table, which, asked)
    people = await parties.names_of_people(tx, {each.written_by for each in rows})
    return MessagePage(rows, people, total)


async def files_of(tx: Tx, asked: ThreadAsked) -> FilePage:
    """What both sides attached, the oldest first.

    Raises:
        EnquiryMissing: for those whom it does not concern.
    """
    found = await enquiry_by_id(tx, asked.enquiry_id)
    table = tables.enquiry_file
    which = [table.c.enquiry_id == found.id]
    if asked.text:
        which.append(table.c.name.icontains(asked.text, autoescape=True))
    rows, total = await _page(tx, EnquiryFile, table, which, asked)
    people = await parties.names_of_people(tx, {each.stored_by for each in rows})
    return FilePage(rows, people, total)


async def events_of(tx: Tx, asked: ThreadAsked) -> EventPage:
    """What happened, the oldest first; the provider's own business for the provider only.

    Raises:
        EnquiryMissing: for those whom it does not concern.
    """
    found = await enquiry_by_id(tx, asked.enquiry_id)
    table = tables.enquiry_event
    which = [table.c.enquiry_id == found.id]
    if asked.text:
        which.append(table.c.kind == asked.text)
    if not _sees_inside(tx, found):
        which.append(table.c.internal.is_(False))
    rows, total = await _page(tx, EnquiryEvent, table, which, asked)
    people = await parties.names_of_people(tx, {each.person_id for each in rows})
    return EventPage(rows, people, total)


def _sees_inside(tx: Tx, found: Enquiry) -> bool:
    return found.side(tx.actor.organisation_id) is Side.PROVIDER


async def _page(
    tx: Tx, row: type[R], table: Table, which: list[ColumnElement[bool]], asked: ThreadAsked
) -> tuple[list[R], int]:
    names = row.__dataclass_fields__  # type: ignore[attr-defined]  # rows are dataclasses
    rows = await tx.all(
        row,
        select(*(table.c[name] for name in names))
        .where(*which)
        .order_by(table.c.id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return rows, int(await tx.scalar(select(func.count()).select_from(table).where(*which)))


@dataclass(frozen=True, slots=True)
class OfferList:
    """Offers that the caller may see: of one enquiry, of an instrument, that stand somewhere."""

    enquiry_id: int | None = None
    instrument_id: int | None = None
    statuses: tuple[OfferStatus, ...] = ()
    manual: bool | None = None
    text: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class OfferPage:
    """One page of offers, the newest first; `inside` are those seen from the provider's side."""

    rows: list[EnquiryOffer]
    inside: frozenset[int]
    total: int
    page: int
    page_size: int


def offer_columns() -> Select[Any]:
    """Every column that an `EnquiryOffer` has."""
    table = tables.enquiry_offer.c
    return select(*(table[name] for name in EnquiryOffer.__dataclass_fields__))


async def offers(tx: Tx, question: OfferList) -> OfferPage:
    """Offers of the caller's enquiries, the newest first; a buyer sees those that have a quote.

    Raises:
        EnquiryMissing: when one enquiry is asked for, and it is between others.
    """
    table, asked, own = tables.enquiry_offer.c, tables.enquiry.c, tx.actor.organisation_id
    if question.enquiry_id is not None:
        await enquiry_by_id(tx, question.enquiry_id)
    which: list[ColumnElement[bool]] = [
        (asked.provider_id == own)
        | and_(table.quote_id.is_not(None), (asked.buyer_id == own) | (asked.agent_id == own))
    ]
    if question.enquiry_id is not None:
        which.append(table.enquiry_id == question.enquiry_id)
    if question.instrument_id is not None:
        which.append(table.instrument_id == question.instrument_id)
    if question.statuses:
        which.append(table.status.in_(question.statuses))
    if question.manual is not None:
        by_hand = table.manual_unit.is_not(None)
        which.append(by_hand if question.manual else ~by_hand)
    if question.text:
        which.append(asked.subject.icontains(question.text, autoescape=True))
    of_enquiry = tables.enquiry_offer.join(tables.enquiry, asked.id == table.enquiry_id)
    rows = await tx.all(
        EnquiryOffer,
        offer_columns()
        .select_from(of_enquiry)
        .where(*which)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    inside = await tx.scalars(
        select(asked.id).where(
            asked.id.in_({each.enquiry_id for each in rows}), asked.provider_id == own
        )
    )
    total = await tx.scalar(select(func.count()).select_from(of_enquiry).where(*which))
    return OfferPage(rows, frozenset(inside), int(total), question.page, question.page_size)


@dataclass(frozen=True, slots=True)
class OfferAsked:
    """One offer of an enquiry."""

    enquiry_id: int
    offer_id: int


async def offer_by_id(tx: Tx, asked: OfferAsked) -> EnquiryOffer:
    """An offer of an enquiry; the caller of this has checked who may see the enquiry.

    Raises:
        OfferMissing: when the enquiry has none such.
    """
    table = tables.enquiry_offer.c
    return await tx.one(
        EnquiryOffer,
        offer_columns().where(table.id == asked.offer_id, table.enquiry_id == asked.enquiry_id),
        missing=OfferMissing,
    )
