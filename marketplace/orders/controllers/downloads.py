"""Who took which result."""

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.orders.queries.downloads import DownloadsAsked, downloads
from marketplace.orders.schemas.downloads import DownloadOut
from marketplace.parties.roles import Role


@get(
    "/orders/{order_id:int}/downloads",
    **allow(Role.BUYER, Role.SME_ADMINISTRATOR),
    summary="Who took your results, and when",
)
async def get_downloads(
    request: ApiRequest,
    order_id: FromPath[Id],
    deliverable_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[DownloadOut]:
    """Every download by either side, the newest first; for the buyer only."""
    asked = DownloadsAsked(order_id, deliverable_id, page=page, page_size=page_size)
    found = await read(request, downloads, asked)
    return Page(
        results=[DownloadOut.of(each, found.people[each.person_id]) for each in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


routes: list[ControllerRouterHandler] = [get_downloads]
