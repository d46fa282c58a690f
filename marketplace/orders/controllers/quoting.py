"""Finding services and asking what they cost."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.catalogue.queries import InstrumentSearch, ShareMode
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Line, Minutes, Page, PageNumber, PageSize, Word
from marketplace.orders import queries
from marketplace.orders.queries import FindOffers, QuoteList
from marketplace.orders.schemas import OffersOut, QuoteIn, QuoteOut
from marketplace.orders.use_cases import make_quote
from marketplace.parties.roles import Role

BUYERS = (Role.BUYER, Role.STATION_AGENT)
LOOKERS = (*BUYERS, Role.SME_ADMINISTRATOR)
READERS = (
    *LOOKERS,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
)


@get("/offers", **allow(*LOOKERS), summary="Find services with free time and your own price")
async def get_offers(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    text: FromQuery[Line] = "",
    category: FromQuery[Line] = "",
    region: FromQuery[Line] = "",
    provider_id: FromQuery[Id | None] = None,
    free_from: FromQuery[datetime | None] = None,
    free_until: FromQuery[datetime | None] = None,
    minutes: FromQuery[Minutes | None] = None,
    service_kind: FromQuery[Word] = queries.SERVICE_KIND,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 20,
) -> OffersOut:
    """Listed instruments by words in Chinese or English, place and free time.

    Each has seven days of free minutes, the price of one hour, and what the caller's organisation
    would pay of it after its voucher.
    """
    question = FindOffers(
        search=InstrumentSearch(
            text=text,
            category=category,
            region=region,
            provider_id=provider_id,
            # What a unit keeps to itself is in the catalogue, and not on offer.
            share_mode=ShareMode.EXTERNAL,
            page=page,
            page_size=page_size,
        ),
        free_from=free_from,
        free_until=free_until,
        minutes=minutes,
        service_kind=service_kind,
    )
    return OffersOut.of(await read(request, queries.find_offers, question))


@post("/quotes", **allow(*BUYERS), summary="Ask what a service costs")
async def post_quote(request: ApiRequest, data: JSONBody[QuoteIn]) -> Response[QuoteOut]:
    """Price, voucher part and own part, frozen for some days; nothing is reserved by it."""
    return await perform(request, make_quote, data.to_command(), present=QuoteOut.of)


@get("/quotes", **allow(*LOOKERS), summary="Your quotes")
async def get_quotes(
    request: ApiRequest,
    usable_only: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[QuoteOut]:
    """The newest first."""
    found = await read(
        request, queries.quotes, QuoteList(usable_only, page=page, page_size=page_size)
    )
    return Page(
        results=[QuoteOut.of(quote) for quote in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get("/quotes/{quote_id:int}", **allow(*READERS), summary="A quote")
async def get_quote(request: ApiRequest, quote_id: FromPath[Id]) -> QuoteOut:
    """For its buyer, the agent who asked for it, and those who check."""
    return QuoteOut.of(await read(request, queries.quote, quote_id))


routes: list[ControllerRouterHandler] = [get_offers, post_quote, get_quotes, get_quote]
