"""A provider's answers to enquiries: a service offered, a price by hand approved, or declined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.enquiry_errors import EnquiryMissing
from marketplace.orders.queries.enquiries import Enquiry, enquiry_by_id
from marketplace.orders.queries.enquiry_thread import OfferAsked
from marketplace.orders.use_cases import MakeQuote
from marketplace.orders.use_cases.enquiries import EndEnquiry, decline_enquiry
from marketplace.orders.use_cases.enquiry_offers import OfferService, offer_service
from marketplace.orders.use_cases.manual_price import ManualPrice
from marketplace.orders.use_cases.offer_decisions import (
    EndOffer,
    approve_offer,
    refuse_offer,
    retract_offer,
)
from marketplace.parties import queries as parties
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.sme.enquiries import enquiry_page
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told
from marketplace.web.words.choices import named

MODES = ("machine_time", "samples")
UNITS = ("hour", "day", "session", "sample")
SAMPLES_MAX = 10_000
HOURS_MAX = 720
NOTE_LENGTH_MAX = 5_000
WHY_LENGTH_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Answering:
    """An enquiry that the provider is to answer, and with what it could."""

    enquiry: Enquiry
    buyer: parties.Organisation
    instruments: list[catalogue.Instrument]


async def answering(tx: Tx, enquiry_id: int) -> Answering:
    """An enquiry to the actor's organisation.

    Raises:
        EnquiryMissing: when it was asked of somebody else.
    """
    found = await own_enquiry(tx, enquiry_id)
    listed = [each for each in await own_list(tx) if each.status == "listed"]
    return Answering(found, await parties.organisation(tx, found.buyer_id), listed)


async def own_enquiry(tx: Tx, enquiry_id: int) -> Enquiry:
    """An enquiry of which the actor's organisation is the provider.

    Raises:
        EnquiryMissing: otherwise.
    """
    found = await enquiry_by_id(tx, enquiry_id)
    if found.provider_id != tx.actor.organisation_id:
        raise EnquiryMissing()
    return found


@get("/enquiries/{enquiry_id:int}/offer", **members(*STAFF))
async def show_offer_form(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """What can be offered: time or tests, by the list or at a price by hand."""
    return await _form(request, enquiry_id, None)


async def _form(
    request: PageRequest,
    enquiry_id: int,
    form: Typed | None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    speech = visitor_of(request).speech
    found = await read(request, answering, enquiry_id)
    enquiry = found.enquiry
    first = {
        "mode": "samples" if enquiry.samples else "machine_time",
        "instrument": enquiry.instrument_ids[0] if enquiry.instrument_ids else None,
        "day": enquiry.wished_from,
        "start": "09:00",
        "hours": 2,
        "samples": enquiry.samples,
    }
    return page(
        request,
        "provider/offer.html",
        status=status,
        found=found,
        enquiry=enquiry,
        form=form or empty(speech, **first),
        refusal=refusal,
        instruments=choices(found.instruments, speech),
        units=named(speech, "unit", UNITS),
        key=new_key(),
    )


def _service(form: Typed) -> MakeQuote:
    instrument_id = form.whole("instrument", least=1, most=2**53 - 1) or 0
    if form.choice("mode", MODES) == "samples":
        return MakeQuote(
            instrument_id,
            orders.Mode.SAMPLES,
            samples=form.whole("samples", least=1, most=SAMPLES_MAX),
            arrives_on=form.day("arrives", needed=False),
        )
    starts_at = form.moment("day", "start")
    hours = form.whole("hours", least=1, most=HOURS_MAX) or 0
    ends_at = None if starts_at is None else starts_at + timedelta(hours=hours)
    return MakeQuote(instrument_id, orders.Mode.MACHINE_TIME, starts_at=starts_at, ends_at=ends_at)


def _by_hand(form: Typed) -> ManualPrice | None:
    amount_fen = form.amount("price", needed=False)
    if amount_fen is None:
        return None
    unit = form.choice("unit", UNITS)
    return ManualPrice(unit, amount_fen, form.text("why", length_max=WHY_LENGTH_MAX))


@post("/enquiries/{enquiry_id:int}/offers", **members(*STAFF))
async def send_offer(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """Offer it; a price set by hand waits for a second person first."""
    await read(request, own_enquiry, enquiry_id)

    def asked(form: Typed) -> Any:
        service = _service(form)
        note = form.text("note", length_max=NOTE_LENGTH_MAX, needed=False)
        return offer_service, OfferService(enquiry_id, service, note, None, _by_hand(form))

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _form(request, enquiry_id, form, told(error, form.speech), error.status)

    said = (
        "报价已发出；改价的须另一人审批后对方才能看到",
        "Offered; a price by hand is approved first.",
    )
    return await take(request, asked, to=f"/enquiries/{enquiry_id}", said=said, again=again)


async def _step(
    request: PageRequest, enquiry_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, own_enquiry, enquiry_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await enquiry_page(request, enquiry_id, form, refusal, error.status)

    return await take(request, asked, to=f"/enquiries/{enquiry_id}", said=said, again=again)


def _why(form: Typed) -> str:
    return form.text("reason", length_max=WHY_LENGTH_MAX)


@post("/enquiries/{enquiry_id:int}/decline", **members(*STAFF))
async def send_decline(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """The provider cannot do it, and says why."""
    said = ("已答复：不能承接", "Answered: it cannot be done here.")
    return await _step(
        request,
        enquiry_id,
        lambda form: (decline_enquiry, EndEnquiry(enquiry_id, _why(form))),
        said,
    )


@post("/enquiries/{enquiry_id:int}/offers/{offer_id:int}/approve", **members(*MANAGER))
async def send_approval(
    request: PageRequest, enquiry_id: FromPath[int], offer_id: FromPath[int]
) -> Response[Any]:
    """By another person than the one who set the price; then the buyer sees it."""
    command = OfferAsked(enquiry_id, offer_id)
    said = ("价格已批准，对方可以看到报价", "Approved; the buyer sees the offer.")
    return await _step(request, enquiry_id, lambda _: (approve_offer, command), said)


@post("/enquiries/{enquiry_id:int}/offers/{offer_id:int}/refuse", **members(*MANAGER))
async def send_refusal(
    request: PageRequest, enquiry_id: FromPath[int], offer_id: FromPath[int]
) -> Response[Any]:
    """The price is not agreed to; the buyer hears nothing of it."""
    return await _step(
        request,
        enquiry_id,
        lambda form: (refuse_offer, EndOffer(enquiry_id, offer_id, _why(form))),
        ("价格未批准", "The price is refused."),
    )


@post("/enquiries/{enquiry_id:int}/offers/{offer_id:int}/retract", **members(*STAFF))
async def send_retraction(
    request: PageRequest, enquiry_id: FromPath[int], offer_id: FromPath[int]
) -> Response[Any]:
    """Take an offer back: one that waits for approval, or one that stands."""
    return await _step(
        request,
        enquiry_id,
        lambda form: (retract_offer, EndOffer(enquiry_id, offer_id, _why(form))),
        ("报价已撤回", "The offer is taken back."),
    )


routes: list[ControllerRouterHandler] = [
    show_offer_form,
    send_offer,
    send_decline,
    send_approval,
    send_refusal,
    send_retraction,
]
