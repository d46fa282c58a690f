"""Asking a provider: the form, the thread with files, offers to take or to turn down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders.queries.enquiries import (
    Enquiry,
    EnquiryList,
    enquiries,
    enquiry_by_id,
)
from marketplace.orders.queries.enquiry_thread import (
    FilePage,
    MessagePage,
    OfferAsked,
    OfferList,
    OfferPage,
    ThreadAsked,
    files_of,
    messages,
    offers,
)
from marketplace.orders.rules.enquiries import EnquiryStatus
from marketplace.orders.use_cases.enquiries import (
    AskProvider,
    EndEnquiry,
    WriteMessage,
    ask_provider,
    withdraw_enquiry,
    write_message,
)
from marketplace.orders.use_cases.enquiry_files import AttachFile, TakeFile, attach_file, take_file
from marketplace.orders.use_cases.offer_decisions import (
    TurnOfferDown,
    accept_offer,
    turn_offer_down,
)
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.sme.order_papers import download
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

ASKERS = (Role.BUYER, Role.STATION_AGENT)
WRITERS = (*ASKERS, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
READERS = (*WRITERS, Role.SME_ADMINISTRATOR)
PAGE_SIZE = 20
THREAD_MAX = 500
FILE_BYTES_MAX = 10 * 1024 * 1024
HEADS = (
    ("询价", "Enquiry"),
    ("主题", "Subject"),
    ("服务方", "Provider"),
    ("状态", "State"),
    ("询价时间", "Asked"),
)


def _question(request: PageRequest) -> tuple[Typed, EnquiryList]:
    form = Typed(request.query_params, visitor_of(request).speech)
    status = form.choice("status", list(EnquiryStatus), needed=False)
    return form, EnquiryList(
        statuses=(EnquiryStatus(status),) if status else (),
        text=form.text("text", length_max=100, needed=False),
        asked_from=form.day("from", needed=False),
        asked_until=form.day("until", needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )


@get("/enquiries", **members(*READERS))
async def show_enquiries(request: PageRequest) -> Response[Any]:
    """What was asked of providers, the newest first."""
    form, question = _question(request)
    form.require()
    return page(
        request,
        "sme/enquiries.html",
        form=form,
        found=await read(request, enquiries, question),
        statuses=list(EnquiryStatus),
        may_ask=visitor_of(request).has(*ASKERS),
    )


@get("/enquiries/file", **members(*READERS))
async def get_enquiries_file(request: PageRequest) -> Response[Any]:
    """The same enquiries, all pages, as CSV or XLSX."""
    form, question = _question(request)
    form.require()
    found = await read(request, enquiries, replace(question, page=1, page_size=ROWS_MAX + 1))
    rows = [
        (
            each.id,
            each.subject,
            found.names.get(each.provider_id, ""),
            each.status,
            form.speech.moment(each.asked_at),
        )
        for each in found.rows
    ]
    return await as_file(form, "enquiries", HEADS, rows)


async def _about(tx: Tx, asked: tuple[int, int]) -> tuple[parties.Organisation, Any]:
    """The provider that is asked, and the instrument that it is about."""
    provider_id, instrument_id = asked
    instrument = None
    if instrument_id:
        instrument = await catalogue.visible_instrument(tx, instrument_id)
        provider_id = instrument.provider_id
    return await parties.require_organisation(tx, provider_id, "provider"), instrument


@get("/enquiries/new", **members(*ASKERS))
async def show_new(request: PageRequest) -> Response[Any]:
    """The form, about an instrument or for a need told in words."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _new_page(request, form, None, 200)


async def _new_page(
    request: PageRequest, form: Typed, refusal: Told | None, status: int
) -> Response[Any]:
    number = form.whole("provider", least=1, needed=False) or 0
    instrument = form.whole("instrument", least=1, needed=False) or 0
    provider, about = await read(request, _about, (number, instrument))
    return page(
        request,
        "sme/ask.html",
        status=status,
        provider=provider,
        instrument=about,
        form=form,
        refusal=refusal,
        is_agent=visitor_of(request).has(Role.STATION_AGENT),
        key=new_key(),
    )


@post("/enquiries", request_max_body_size=FILE_BYTES_MAX + 100_000, **members(*ASKERS))
async def send_enquiry(request: PageRequest) -> Response[Any]:
    """Ask; a file goes along where there is one, or nothing does."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    instrument = form.whole("instrument", least=1, needed=False)
    command = AskProvider(
        form.whole("provider", least=1) or 0,
        form.text("subject", length_max=100),
        form.text("need", length_max=2_000),
        (instrument,) if instrument else (),
        form.day("wished_from", needed=False),
        form.day("wished_until", needed=False),
        form.whole("samples", least=1, most=10_000, needed=False),
        form.amount("budget", needed=False) or None,
        form.whole("buyer", least=1, needed=False),
    )
    attached = await form.file("file", bytes_max=FILE_BYTES_MAX, needed=False)
    said = ("询价已发出", "Your enquiry is with the provider.")
    try:
        form.require()
        return await act(
            request,
            form,
            _ask_with_file,
            (command, attached),
            to=lambda found: f"/enquiries/{found.id}",
            said=said,
        )
    except DomainError as error:
        return await _new_page(request, form, told(error, speech), error.status)


async def _ask_with_file(tx: Tx, asked: tuple[AskProvider, tuple[str, bytes] | None]) -> Enquiry:
    command, attached = asked
    found = await ask_provider(tx, command)
    if attached is not None:
        await attach_file(tx, AttachFile(found.id, *attached))
    return found


@dataclass(frozen=True, slots=True)
class Thread:
    """An enquiry with everything that both sides said, attached and offered."""

    enquiry: Enquiry
    buyer: parties.Organisation
    provider: parties.Organisation
    instruments: dict[int, catalogue.Instrument]
    messages: MessagePage
    files: FilePage
    offers: OfferPage


async def thread(tx: Tx, enquiry_id: int) -> Thread:
    """The enquiry as the caller's side sees it.

    Raises:
        EnquiryMissing: for those whom it does not concern.
    """
    found = await enquiry_by_id(tx, enquiry_id)
    sides = await parties.organisations(tx, [found.buyer_id, found.provider_id])
    asked = ThreadAsked(enquiry_id, page_size=THREAD_MAX)
    offered = await offers(tx, OfferList(enquiry_id=enquiry_id))
    ids = {*found.instrument_ids, *(each.instrument_id for each in offered.rows)}
    return Thread(
        enquiry=found,
        buyer=sides[found.buyer_id],
        provider=sides[found.provider_id],
        instruments=await catalogue.instruments(tx, ids),
        messages=await messages(tx, asked),
        files=await files_of(tx, asked),
        offers=offered,
    )


@get("/enquiries/{enquiry_id:int}", **members(*READERS))
async def show_enquiry(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """The thread, its files, and what was offered."""
    return await enquiry_page(request, enquiry_id, None, None, 200)


async def enquiry_page(
    request: PageRequest,
    enquiry_id: int,
    form: Typed | None,
    refusal: Told | None,
    status: int,
) -> Response[Any]:
    """The page of an enquiry, with what was refused on it."""
    visitor = visitor_of(request)
    found = await read(request, thread, enquiry_id)
    mine = visitor.actor.organisation_id
    return page(
        request,
        "sme/enquiry.html",
        status=status,
        thread=found,
        enquiry=found.enquiry,
        is_buyer=mine == found.enquiry.buyer_id and visitor.has(Role.BUYER),
        asks=mine in (found.enquiry.buyer_id, found.enquiry.agent_id) and visitor.has(*ASKERS),
        may_write=visitor.has(*WRITERS),
        live=found.enquiry.status in ("open", "answered", "offered"),
        form=form or empty(visitor.speech),
        refusal=refusal,
        key=new_key(),
    )


async def _step(
    request: PageRequest, enquiry_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, enquiry_by_id, enquiry_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await enquiry_page(request, enquiry_id, form, refusal, error.status)

    return await take(request, asked, to=f"/enquiries/{enquiry_id}", said=said, again=again)


@post("/enquiries/{enquiry_id:int}/messages", **members(*WRITERS))
async def send_message(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """Write to the other side."""
    return await _step(
        request,
        enquiry_id,
        lambda form: (
            write_message,
            WriteMessage(enquiry_id, form.text("text", length_max=2_000)),
        ),
        ("消息已发出", "Your message is sent."),
    )


@post(
    "/enquiries/{enquiry_id:int}/files",
    request_max_body_size=FILE_BYTES_MAX + 100_000,
    **members(*WRITERS),
)
async def send_file(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """Attach a file to the thread."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, enquiry_by_id, enquiry_id)
    taken = await form.file("file", bytes_max=FILE_BYTES_MAX)
    said = ("附件已上传", "Your file is attached.")
    try:
        form.require()
        assert taken is not None
        command = AttachFile(enquiry_id, *taken)
        to = f"/enquiries/{enquiry_id}"
        return await act(request, form, attach_file, command, to=to, said=said)
    except DomainError as error:
        return await enquiry_page(request, enquiry_id, form, told(error, speech), error.status)


@get("/enquiries/{enquiry_id:int}/files/{file_id:int}", **members(*READERS))
async def get_file(
    request: PageRequest, enquiry_id: FromPath[int], file_id: FromPath[int]
) -> Response[bytes]:
    """An attachment; every download is logged."""
    taken = await read(request, take_file, TakeFile(enquiry_id, file_id))
    return download(taken.content, taken.name, taken.media_type)


@post("/enquiries/{enquiry_id:int}/withdraw", **members(*ASKERS))
async def send_withdraw(request: PageRequest, enquiry_id: FromPath[int]) -> Response[Any]:
    """Ask no more."""
    return await _step(
        request,
        enquiry_id,
        lambda form: (
            withdraw_enquiry,
            EndEnquiry(enquiry_id, form.text("reason", length_max=500)),
        ),
        ("询价已撤回", "You do not ask any more."),
    )


@post("/enquiries/{enquiry_id:int}/offers/{offer_id:int}/accept", **members(Role.BUYER))
async def send_accept(
    request: PageRequest, enquiry_id: FromPath[int], offer_id: FromPath[int]
) -> Response[Any]:
    """Take an offer; its quote can be ordered from then on."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, enquiry_by_id, enquiry_id)
    said = ("已接受报价，请核对后下单", "You took the offer; check its quote and place the order.")
    try:
        return await act(
            request,
            form,
            accept_offer,
            OfferAsked(enquiry_id, offer_id),
            to=lambda offer: f"/quotes/{offer.quote_id}",
            said=said,
        )
    except DomainError as error:
        return await enquiry_page(request, enquiry_id, form, told(error, speech), error.status)


@post("/enquiries/{enquiry_id:int}/offers/{offer_id:int}/turn-down", **members(Role.BUYER))
async def send_turn_down(
    request: PageRequest, enquiry_id: FromPath[int], offer_id: FromPath[int]
) -> Response[Any]:
    """Turn an offer down with the reason; another round may follow, unless it is final."""
    return await _step(
        request,
        enquiry_id,
        lambda form: (
            turn_offer_down,
            TurnOfferDown(
                enquiry_id,
                offer_id,
                form.text("reason", length_max=500),
                final=form.ticked("final"),
            ),
        ),
        ("已谢绝报价", "You turned the offer down."),
    )


routes: list[ControllerRouterHandler] = [
    show_enquiries,
    get_enquiries_file,
    show_new,
    send_enquiry,
    show_enquiry,
    send_message,
    send_file,
    get_file,
    send_withdraw,
    send_accept,
    send_turn_down,
]
