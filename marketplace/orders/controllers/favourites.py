"""The instruments that somebody starred, for programs."""

from __future__ import annotations

from datetime import datetime

from litestar import Response, delete, get, put
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Out, Page, PageNumber, PageSize
from marketplace.orders.queries.saved import Favourite, FavouriteList, favourites
from marketplace.orders.use_cases.saved import MarkInstrument, mark_instrument
from marketplace.parties.roles import Role

WHO_BUYS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.STATION_AGENT)


class FavouriteOut(Out):
    """An instrument that one starred."""

    instrument_id: int
    marked_at: datetime

    @classmethod
    def of(cls, row: Favourite) -> FavouriteOut:
        """From the row."""
        return cls(instrument_id=row.instrument_id, marked_at=row.marked_at)


class MarkOut(Out):
    """Whether the instrument is starred now."""

    instrument_id: int
    marked: bool


async def _mark(tx: Tx, command: MarkInstrument) -> MarkInstrument:
    await mark_instrument(tx, command)
    return command


def _told(done: MarkInstrument) -> MarkOut:
    return MarkOut(instrument_id=done.instrument_id, marked=done.marked)


@get("/favourites", summary="One's starred instruments", **allow(*WHO_BUYS))
async def get_favourites(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[FavouriteOut]:
    """The latest first; each person keeps their own for each organisation."""
    found = await read(request, favourites, FavouriteList(page, page_size))
    return Page(
        results=[FavouriteOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@put("/favourites/{instrument_id:int}", summary="Star an instrument", **allow(*WHO_BUYS))
async def put_favourite(request: ApiRequest, instrument_id: FromPath[Id]) -> Response[MarkOut]:
    """Starring it twice is once."""
    command = MarkInstrument(instrument_id)
    return await perform(request, _mark, command, present=_told, status=200)


@delete(
    "/favourites/{instrument_id:int}",
    status_code=200,
    summary="Take a star away",
    **allow(*WHO_BUYS),
)
async def delete_favourite(request: ApiRequest, instrument_id: FromPath[Id]) -> Response[MarkOut]:
    """What is not starred stays so."""
    command = MarkInstrument(instrument_id, marked=False)
    return await perform(request, _mark, command, present=_told, status=200)


routes: list[ControllerRouterHandler] = [get_favourites, put_favourite, delete_favourite]
