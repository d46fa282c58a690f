"""Prices that stand in public notice: for everybody."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.schemas import PriceNoticeOut
from marketplace.kernel.http import ApiRequest, caller_or_nobody, public, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize

CategoryPrefix = Annotated[str, msgspec.Meta(pattern="^[0-9]{0,6}$")]


@get("/price-notices", **public(), summary="Prices in public notice")
async def get_price_notices(
    request: ApiRequest,
    provider_id: FromQuery[Id | None] = None,
    category: FromQuery[CategoryPrefix] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[PriceNoticeOut]:
    """Those that end first come first. Until the end of that day anybody else may object."""
    question = queries.NoticeSearch(provider_id, category, page, page_size)
    found = await read(request, queries.price_notices, question, actor=caller_or_nobody(request))
    return Page(
        results=[PriceNoticeOut.like(notice) for notice in found.notices],
        total=found.total,
        page=page,
        page_size=page_size,
    )


routes: list[ControllerRouterHandler] = [get_price_notices]
