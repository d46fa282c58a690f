"""A version of an instrument's prices: what it costs whom, and, in notice, objections to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.billing.pricing.use_cases import ObjectToPrices, object_to_prices
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.web.acting import take
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, members, visitor_of
from marketplace.web.words import Told, told

PATH = "/price-lists/{price_list_id:int}"
OBJECTION_LENGTH_MAX = 4_000
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """A version of prices, whose instrument it is, and what was said against it."""

    list: pricing.PriceList
    instrument: catalogue.Instrument
    provider: parties.Organisation
    objections: pricing.ObjectionPage
    today: date

    @property
    def in_notice(self) -> bool:
        """Whether objections are still taken."""
        return self.list.withdrawn_at is None and self.today <= self.list.notice_ends_on


async def sheet(tx: Tx, asked: tuple[int, int]) -> Sheet:
    """The version and one page of its objections: both are public.

    Policy: J.15, J.21d

    Raises:
        PriceListMissing, InstrumentMissing: when there is none for the caller.
    """
    price_list_id, number = asked
    found = await pricing.price_list_by_id(tx, price_list_id)
    instrument = await catalogue.visible_instrument(tx, found.instrument_id)
    return Sheet(
        list=found,
        instrument=instrument,
        provider=await parties.organisation(tx, instrument.provider_id),
        objections=await pricing.objections(
            tx, pricing.ObjectionSearch(price_list_id, number, PAGE_SIZE)
        ),
        today=tx.today,
    )


@get(PATH, **anybody())
async def show_price_list(request: PageRequest, price_list_id: FromPath[int]) -> Response[Any]:
    """Prices for each class of customer, and the objections with their answers."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    form.require()
    return await _shown(request, price_list_id, number)


@post(f"{PATH}/objections", **members(*BUYERS))
async def send_price_objection(request: PageRequest, price_list_id: FromPath[int]) -> Response[Any]:
    """Once for each organisation, while the prices are in notice; they wait for the answer."""
    await read(request, sheet, (price_list_id, 1))

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, price_list_id, 1, form, told(error, form.speech), error.status)

    return await take(
        request,
        lambda form: (
            object_to_prices,
            ObjectToPrices(price_list_id, form.text("text", length_max=OBJECTION_LENGTH_MAX)),
        ),
        to=f"/price-lists/{price_list_id}",
        said=("异议已提出，由管理单位答复", "Your objection is filed; the provider answers it."),
        again=again,
    )


async def _shown(
    request: PageRequest,
    price_list_id: int,
    number: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, sheet, (price_list_id, number))
    return page(
        request,
        "public/price_list.html",
        status=status,
        sheet=found,
        may_object=found.in_notice and visitor.has(*BUYERS),
        number=number,
        page_size=PAGE_SIZE,
        form=form or empty(visitor.speech),
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_price_list, send_price_objection]
