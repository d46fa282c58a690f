"""The JSON API of invoicing; an invoice is recorded through its order."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.schemas import InvoiceOut
from marketplace.kernel.http import ApiRequest, read, signed_in
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize

InvoiceNumber = Annotated[str, msgspec.Meta(pattern="^[0-9]{20}$")]


@get("/invoices", **signed_in(), summary="Invoices issued and received")
async def get_invoices(
    request: ApiRequest,
    order_id: FromQuery[Id | None] = None,
    number: FromQuery[InvoiceNumber | None] = None,
    issued_from: FromQuery[date | None] = None,
    issued_until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[InvoiceOut]:
    """Those of the caller's organisation, newest first; finance and auditors see all."""
    search = queries.InvoiceSearch(
        page=page,
        page_size=page_size,
        order_id=order_id,
        number=number,
        issued_from=issued_from,
        issued_until=issued_until,
    )
    found = await read(request, queries.invoices, search)
    return Page(
        results=[InvoiceOut.of(recorded) for recorded in found.results],
        total=found.total,
        page=page,
        page_size=page_size,
    )


routes: list[ControllerRouterHandler] = [get_invoices]
