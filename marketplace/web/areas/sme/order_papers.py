"""The papers of an order: contract, results, invoice, evidence, sample sheet, calendar entry."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing import queries as invoicing
from marketplace.booking import queries as booking
from marketplace.booking.queries.feeds import ReservationFileAsked
from marketplace.booking.rules.ical import MEDIA_TYPE, calendar_file
from marketplace.kernel.http import read, services
from marketplace.orders import queries as orders
from marketplace.orders.papers import ContractPrinted, contract_number, contract_paper
from marketplace.orders.queries.sample_sheet import sample_sheet
from marketplace.orders.sample_sheet import sample_sheet_paper
from marketplace.orders.use_cases import (
    DownloadDeliverable,
    TakeEvidence,
    download_deliverable,
    take_evidence,
)
from marketplace.parties.roles import Role
from marketplace.web.areas.sme.roles import READERS, SIDES
from marketplace.web.forms import Typed
from marketplace.web.visitor import PageRequest, members, visitor_of

LANGUAGES = ("zh", "en")
AMENDMENTS_MAX = 10_000
SAMPLES_MAX = 10_000
EVIDENCE_READERS = (
    *SIDES,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
)


def download(content: bytes, name: str, media_type: str) -> Response[bytes]:
    """A file that is saved, never shown: an uploaded page must not run under our name."""
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "no-store",
        },
    )


def language_of(request: PageRequest) -> Any:
    """The language that a paper is asked in: the one named, else the reader's."""
    asked = request.query_params.get("in", "")
    return asked if asked in LANGUAGES else visitor_of(request).speech.language


@get("/orders/{order_id:int}/contract.pdf", **members(*SIDES))
async def get_contract(request: PageRequest, order_id: FromPath[int]) -> Response[bytes]:
    """The contract that stands, or an addendum by its number (0: as first signed)."""
    form = Typed(request.query_params, visitor_of(request).speech)
    amendment = form.whole("amendment", most=AMENDMENTS_MAX, needed=False)
    form.require()
    found = await read(request, orders.signed_contract, orders.ContractAsked(order_id, amendment))
    address = f"{request.app.state.public_url}/api/v1/contracts/verify/{found.sha256}"
    content = contract_paper(found, ContractPrinted(address, language_of(request)))
    return download(content, f"contract-{contract_number(found)}.pdf", "application/pdf")


@get("/orders/{order_id:int}/deliverables/{deliverable_id:int}", **members(*SIDES))
async def get_deliverable(
    request: PageRequest, order_id: FromPath[int], deliverable_id: FromPath[int]
) -> Response[bytes]:
    """A result, for buyer and provider only; every download is logged. Policy: J.20"""
    taken = await read(request, download_deliverable, DownloadDeliverable(order_id, deliverable_id))
    return download(taken.content, taken.name, taken.media_type)


@get("/orders/{order_id:int}/evidence/{evidence_id:int}", **members(*EVIDENCE_READERS))
async def get_evidence(
    request: PageRequest, order_id: FromPath[int], evidence_id: FromPath[int]
) -> Response[bytes]:
    """A file that one side showed in a dispute."""
    taken = await read(request, take_evidence, TakeEvidence(order_id, evidence_id))
    return download(taken.content, taken.name, taken.media_type)


@get("/invoices/{invoice_id:int}/file", **members(*READERS))
async def get_invoice_file(request: PageRequest, invoice_id: FromPath[int]) -> Response[bytes]:
    """The tax authority's file of an invoice, as it was uploaded."""
    found = await read(request, invoicing.invoice_file_of, invoice_id)
    return download(found.content, found.name, "application/xml")


@get("/orders/{order_id:int}/sample-sheet.pdf", **members(*SIDES))
async def get_sample_sheet(request: PageRequest, order_id: FromPath[int]) -> Response[bytes]:
    """The sheet that travels with the samples, and their labels."""
    form = Typed(request.query_params, visitor_of(request).speech)
    first = form.whole("first", least=1, most=SAMPLES_MAX, needed=False) or 1
    form.require()
    found = await read(request, sample_sheet, order_id)
    # Drawing a hundred labels takes a quarter of a second, in which others are answered.
    content = await asyncio.to_thread(
        sample_sheet_paper,
        found,
        made_at=services(request).database.clock.now(),
        language=language_of(request),
        first=first,
    )
    return download(content, f"samples-{order_id}.pdf", "application/pdf")


@get("/reservations/{reservation_id:int}/calendar.ics", **members(*SIDES))
async def get_calendar_entry(
    request: PageRequest, reservation_id: FromPath[int]
) -> Response[bytes]:
    """A reservation to be taken over into a calendar of one's own."""
    host = urlsplit(request.app.state.public_url).hostname or "localhost"
    asked = ReservationFileAsked(reservation_id, host)
    found = await read(request, booking.reservation_file, asked)
    content = calendar_file(found.name, [found.event], organiser=found.organiser)
    return download(content, f"reservation-{reservation_id}.ics", MEDIA_TYPE)


routes: list[ControllerRouterHandler] = [
    get_contract,
    get_deliverable,
    get_evidence,
    get_invoice_file,
    get_sample_sheet,
    get_calendar_entry,
]
