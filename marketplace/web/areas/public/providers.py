"""A provider in public: who it is, its instruments, how its services were rated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.parties import queries as parties
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import Role
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Provider:
    """What everybody may know of a provider."""

    organisation: parties.Organisation
    found: catalogue.SearchHits
    reviews: orders.ReviewPage
    response: orders.ResponseTime


async def provider(tx: Tx, asked: tuple[int, int]) -> Provider:
    """A provider with a page of its instruments.

    Raises:
        OrganisationMissing: when there is none; who is no provider is nobody's business.
    """
    provider_id, number = asked
    found = await parties.organisation(tx, provider_id)
    if found.kind != "provider":
        raise OrganisationMissing()
    search = catalogue.InstrumentSearch(provider_id=provider_id, page=number, page_size=PAGE_SIZE)
    return Provider(
        organisation=found,
        found=await catalogue.search(tx, search),
        reviews=await orders.provider_reviews(
            tx, orders.ReviewList(provider_id=provider_id, page_size=10)
        ),
        response=await orders.response_time(tx, provider_id),
    )


@get("/providers/{provider_id:int}", **anybody())
async def show_provider(request: PageRequest, provider_id: FromPath[int]) -> Response[Any]:
    """Its instruments, its reviews, how fast it answers."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=500, needed=False) or 1
    form.require()
    return page(
        request,
        "public/provider.html",
        provider=await read(request, provider, (provider_id, number)),
        may_ask=visitor_of(request).has(Role.BUYER, Role.STATION_AGENT),
        page_number=number,
        page_size=PAGE_SIZE,
    )


routes: list[ControllerRouterHandler] = [show_provider]
