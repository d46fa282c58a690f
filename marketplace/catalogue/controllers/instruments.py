"""Instruments: found, described, listed, imported."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries
from marketplace.catalogue.queries import (
    ImportBatches,
    Instrument,
    InstrumentSearch,
    LateListings,
    OwnInstruments,
)
from marketplace.catalogue.rules.categories import categories
from marketplace.catalogue.rules.states import Kind, ShareMode, Status
from marketplace.catalogue.rules.words import QUERY_LENGTH_MAX
from marketplace.catalogue.schemas import (
    CategoryOut,
    ImportDetailOut,
    ImportOut,
    InstrumentIn,
    InstrumentOut,
    NewInstrumentIn,
    ReportOut,
    SearchOut,
    WithdrawIn,
)
from marketplace.catalogue.use_cases import (
    ImportInstruments,
    ListInstrument,
    change_instrument,
    import_instruments,
    list_instrument,
    register_instrument,
    withdraw_instrument,
)
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
    services,
    signed_in,
)
from marketplace.kernel.settings import settings
from marketplace.kernel.time import shanghai_day
from marketplace.kernel.uploads import uploaded_file
from marketplace.kernel.wire import AmountFen, Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role

SearchText = Annotated[str, msgspec.Meta(max_length=QUERY_LENGTH_MAX)]
CodePrefix = Annotated[str, msgspec.Meta(pattern="^[0-9]{0,6}$")]
FileName = Annotated[str, msgspec.Meta(max_length=200)]

_MANAGER = allow(Role.PROVIDER_MANAGER)


def _presented(request: ApiRequest) -> Any:
    today = shanghai_day(services(request).database.clock.now())
    return lambda found: InstrumentOut.of(found, today=today)


@get("/instruments", **public(), summary="Search instruments by words, filters and facets")
async def search_instruments(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    text: FromQuery[SearchText] = "",
    category: FromQuery[CodePrefix] = "",
    region: FromQuery[CodePrefix] = "",
    provider_id: FromQuery[Id | None] = None,
    kind: FromQuery[Kind | None] = None,
    share_mode: FromQuery[ShareMode | None] = None,
    worth_fen_min: FromQuery[AmountFen | None] = None,
    worth_fen_max: FromQuery[AmountFen | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 20,
) -> SearchOut:
    """Listed instruments; every word must be found, and a method is found under each name.

    `category` and `region` are codes or their beginnings, as the facets give them.
    """
    question = InstrumentSearch(
        text=text,
        category=category,
        region=region,
        provider_id=provider_id,
        kind=kind,
        share_mode=share_mode,
        worth_fen_min=worth_fen_min,
        worth_fen_max=worth_fen_max,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.search, question, actor=caller_or_nobody(request))
    return SearchOut.of(found, page=page, page_size=page_size)


@get("/instrument-categories", **public(), summary="Middle classes of category codes")
async def instrument_categories() -> list[CategoryOut]:
    """Every middle class that a category code may begin with."""
    return [CategoryOut.of(category) for category in categories()]


@get("/instruments/{instrument_id:int}", **public(), summary="One instrument")
async def one_instrument(request: ApiRequest, instrument_id: FromPath[Id]) -> InstrumentOut:
    """A listed instrument; its provider and staff also see it unlisted."""
    found: Instrument = await read(
        request, queries.visible_instrument, instrument_id, actor=caller_or_nobody(request)
    )
    presented: InstrumentOut = _presented(request)(found)
    return presented


@get("/instruments/own", **_MANAGER, summary="The instruments of the caller's provider")
async def own_instruments(
    request: ApiRequest,
    status: FromQuery[Status | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[InstrumentOut]:
    """In whatever state."""
    question = OwnInstruments(actor_of(request).organisation_id, status, page, page_size)
    found, total = await read(request, queries.own_instruments, question)
    present = _presented(request)
    return Page(
        results=[present(one) for one in found], total=total, page=page, page_size=page_size
    )


@get(
    "/instruments/late",
    **allow(Role.PROVIDER_MANAGER, Role.EVALUATOR, Role.ADMINISTRATOR, *SEES_EVERYTHING),
    summary="Instruments listed later than they had to be",
)
async def late_instruments(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> list[InstrumentOut]:
    """Listed after 30 working days from acceptance, or past them and still not listed.

    A provider sees its own, the centre and the regulator everybody's.
    """
    actor = actor_of(request)
    own = actor.organisation_id if actor.organisation_kind == "provider" else None
    found = await read(request, queries.late_listings, LateListings(own, page, page_size))
    return [_presented(request)(one) for one in found]


@get(
    "/instruments/export",
    **_MANAGER,
    summary="The provider's instruments in the national layout",
    media_type="text/csv",
)
async def export_instruments(request: ApiRequest) -> Response[bytes]:
    """A CSV file that can be changed and imported again."""
    content = await read(request, queries.export_csv, actor_of(request).organisation_id)
    return Response(
        content=content,
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="instruments.csv"'},
    )


@post("/instruments", **_MANAGER, summary="Register an instrument")
async def post_instrument(
    request: ApiRequest, data: JSONBody[NewInstrumentIn]
) -> Response[InstrumentOut]:
    """Register and list it, or keep it unlisted."""
    command = data.to_new(actor_of(request).organisation_id)
    return await perform(request, register_instrument, command, present=_presented(request))


@put("/instruments/{instrument_id:int}", **_MANAGER, summary="Describe an instrument anew")
async def put_instrument(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[InstrumentIn]
) -> Response[InstrumentOut]:
    """Every field is replaced; the number stays."""
    return await perform(
        request,
        change_instrument,
        data.to_command(instrument_id),
        present=_presented(request),
        status=200,
    )


@post("/instruments/{instrument_id:int}/list", **_MANAGER, summary="List an instrument")
async def post_listing(request: ApiRequest, instrument_id: FromPath[Id]) -> Response[InstrumentOut]:
    """Make an unlisted or withdrawn instrument visible."""
    return await perform(
        request, list_instrument, ListInstrument(instrument_id), present=_presented(request)
    )


@post("/instruments/{instrument_id:int}/withdraw", **_MANAGER, summary="Withdraw an instrument")
async def post_withdrawal(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[WithdrawIn]
) -> Response[InstrumentOut]:
    """Withdraw or dispose of it; a public one of high worth needs a coded reason."""
    return await perform(
        request,
        withdraw_instrument,
        data.to_command(instrument_id),
        present=_presented(request),
    )


@post(
    "/instruments/imports",
    **_MANAGER,
    summary="Import instruments from CSV or XLSX in the national layout",
    request_max_body_size=settings().upload_bytes_max,
)
async def post_import(
    request: ApiRequest,
    file_name: FromQuery[FileName] = "",
    dry_run: FromQuery[bool] = False,
) -> Response[ReportOut]:
    """Send the file as the body, with `file_name`, or as the one file of a multipart form.

    Good lines land, bad lines are reported; `dry_run` lands nothing.
    """
    name, content = await uploaded_file(request, file_name)
    command = ImportInstruments(actor_of(request).organisation_id, name, content, dry_run=dry_run)
    return await perform(
        request,
        import_instruments,
        command,
        present=ReportOut.of,
        status=200 if dry_run else 201,
    )


@get("/instruments/imports", **_MANAGER, summary="The provider's imports, the newest first")
async def list_imports(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ImportOut]:
    """Files that landed, with their counts."""
    question = ImportBatches(actor_of(request).organisation_id, page, page_size)
    found, total = await read(request, queries.import_batches, question)
    return Page(
        results=[ImportOut.of(batch) for batch in found],
        total=total,
        page=page,
        page_size=page_size,
    )


@get("/instruments/imports/{batch_id:int}", **signed_in(), summary="One import with its errors")
async def get_import(request: ApiRequest, batch_id: FromPath[Id]) -> ImportDetailOut:
    """As it was reported when the file landed."""
    return ImportDetailOut.of(await read(request, queries.import_batch, batch_id))


routes: list[ControllerRouterHandler] = [
    search_instruments,
    instrument_categories,
    own_instruments,
    late_instruments,
    export_instruments,
    post_instrument,
    one_instrument,
    put_instrument,
    post_listing,
    post_withdrawal,
    post_import,
    list_imports,
    get_import,
]
