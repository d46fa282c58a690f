"""What one keeps an eye on: stars, saved searches, places in waiting lists, calendar addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries.feeds import FeedSearch, locked_feed
from marketplace.booking.rules.ical import FeedKind
from marketplace.booking.use_cases import (
    FeedWithSecret,
    MakeFeed,
    RevokeFeed,
    RotateFeed,
    make_feed,
    revoke_feed,
    rotate_feed,
)
from marketplace.booking.use_cases.waitlist import OnEntry, withdraw_entry
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read, request_id_of, services
from marketplace.orders.queries.saved import (
    FavouriteList,
    FavouritePage,
    KeptSearch,
    SavedSearch,
    favourites,
    own_search,
    saved_searches,
)
from marketplace.orders.use_cases.saved import (
    MarkInstrument,
    OfSearch,
    SaveSearch,
    mark_instrument,
    remove_search,
    save_search,
    see_finds,
)
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.forms import Typed, empty, new_key, time_fields, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, own_path, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
HOURS_MAX = 24
LIST_MAX = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that the page shows."""

    favourites: FavouritePage
    searches: list[KeptSearch]
    waiting: booking.WaitlistPage
    feeds: list[booking.Feed]
    instruments: dict[int, catalogue.Instrument]
    weeks: dict[int, tuple[int, ...]]


async def kept(tx: Tx, number: int) -> Kept:
    """What the actor keeps, with this week's free time of what is starred."""
    starred = await favourites(tx, FavouriteList(number, PAGE_SIZE))
    searches = await saved_searches(tx)
    waiting = await booking.waitlist(tx, booking.WaitlistSearch(mine=True, page_size=LIST_MAX))
    addresses = await booking.feeds(tx, FeedSearch(page_size=LIST_MAX))
    ids = {each.instrument_id for each in starred.rows}
    others = {find.instrument_id for each in searches for find in each.new}
    others |= {each.entry.instrument_id for each in waiting.entries}
    others |= {each.instrument_id for each in addresses.feeds if each.instrument_id}
    return Kept(
        favourites=starred,
        searches=searches,
        waiting=waiting,
        feeds=addresses.feeds,
        instruments=await catalogue.instruments(tx, ids | others),
        weeks=await booking.week_strips(tx, booking.WeekOf(sorted(ids), tx.today)) if ids else {},
    )


def search_address(search: SavedSearch) -> str:
    """The list of instruments that a saved search stands for."""
    fields = {
        "text": search.words,
        "category": search.category,
        "region": search.region,
        "on": search.free_from.isoformat() if search.free_from else "",
        "by": search.free_until.isoformat() if search.free_until else "",
        "hours": str((search.minutes or 0) // 60 or ""),
    }
    return f"/instruments?{urlencode({name: each for name, each in fields.items() if each})}"


@get("/saved", **members(*BUYERS))
async def show_saved(request: PageRequest) -> Response[Any]:
    """Stars, searches with what is new, waiting lists, calendar addresses."""
    return await _page(request, None, None, 200)


async def _page(
    request: PageRequest,
    refusal: Told | None,
    made: FeedWithSecret | None,
    status: int,
) -> Response[Any]:
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    number = form.whole("page", least=1, most=1_000, needed=False) or 1
    address = f"{request.app.state.public_url}/api/v1/calendars/{made.secret}.ics" if made else ""
    return page(
        request,
        "sme/saved.html",
        status=status,
        kept=await read(request, kept, number),
        address_of=search_address,
        made=made,
        secret_address=address,
        form=empty(speech),
        page_number=number,
        page_size=PAGE_SIZE,
        refusal=refusal,
        key=new_key(),
        time_fields=time_fields,
    )


async def step(
    request: PageRequest, asked: StepAsked, said: tuple[str, str], to: str = "/saved"
) -> Response[Any]:
    """One change of what is kept; what is refused is told on the page of all of it."""

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _page(request, told(error, form.speech), None, error.status)

    def back(form: Typed) -> str:
        return own_path(form.raw("back"), otherwise=to)

    return await take(request, asked, to=back, said=said, again=again)


@post("/instruments/{instrument_id:int}/star", **members(*BUYERS))
async def send_star(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Star an instrument, or take the star away (`marked` is `no`)."""
    await read(request, catalogue.visible_instrument, instrument_id)
    return await step(
        request,
        lambda form: (mark_instrument, MarkInstrument(instrument_id, form.raw("marked") != "no")),
        ("收藏已更新", "Your stars are changed."),
    )


@post("/saved/searches", **members(*BUYERS))
async def send_search(request: PageRequest) -> Response[Any]:
    """Keep a search; from then on it is told what newly fits, or when a slot frees."""

    def asked(form: Typed) -> tuple[Callable[[Tx, Any], Awaitable[Any]], Any]:
        first = form.day("on", needed=False)
        hours = form.whole("hours", least=1, most=HOURS_MAX, needed=False) or 1
        words = form.text("text", length_max=100, needed=False)
        name = form.text("name", length_max=100, needed=False) or words
        command = SaveSearch(
            name or form.speech.t("全部仪器", "All instruments"),
            words,
            form.text("category", length_max=10, needed=False),
            form.text("region", length_max=6, needed=False),
            first,
            (form.day("by", needed=False) or first) if first else None,
            hours * 60 if first else None,
        )
        return save_search, command

    return await step(request, asked, ("搜索已保存", "The search is kept."))


@post("/saved/searches/{search_id:int}/seen", **members(*BUYERS))
async def send_seen(request: PageRequest, search_id: FromPath[int]) -> Response[Any]:
    """What it found is not new any more; go and look at it."""
    found = await read(request, own_search, search_id)
    said = ("已标为看过", "Noted as seen.")
    return await step(
        request, lambda _: (see_finds, OfSearch(search_id)), said, search_address(found)
    )


@post("/saved/searches/{search_id:int}/remove", **members(*BUYERS))
async def send_remove(request: PageRequest, search_id: FromPath[int]) -> Response[Any]:
    """Keep a search no longer."""
    await read(request, own_search, search_id)
    said = ("搜索已删除", "The search is removed.")
    return await step(request, lambda _: (remove_search, OfSearch(search_id)), said)


@post("/saved/waiting/{entry_id:int}/withdraw", **members(*BUYERS))
async def send_leave(request: PageRequest, entry_id: FromPath[int]) -> Response[Any]:
    """Leave a waiting list."""
    await read(request, booking.visible_entry, entry_id)
    said = ("已退出候补", "You left the list.")
    return await step(request, lambda _: (withdraw_entry, OnEntry(entry_id)), said)


@post("/saved/feeds", **members(*BUYERS))
async def send_feed(request: PageRequest) -> Response[Any]:
    """Make a calendar address; it is shown this once."""
    form = await typed(request, visitor_of(request).speech)
    return await _with_secret(request, make_feed, MakeFeed(FeedKind.PERSON, name=form.raw("name")))


@post("/saved/feeds/{feed_id:int}/rotate", **members(*BUYERS))
async def send_rotate(request: PageRequest, feed_id: FromPath[int]) -> Response[Any]:
    """Give it another address, for when the old one became known."""
    await read(request, locked_feed, feed_id)
    return await _with_secret(request, rotate_feed, RotateFeed(feed_id))


async def _with_secret(
    request: PageRequest, use_case: Callable[[Tx, Any], Awaitable[FeedWithSecret]], command: Any
) -> Response[Any]:
    visitor = visitor_of(request)
    try:
        made = await atomically(
            services(request).database,
            use_case,
            command,
            actor=visitor.actor,
            request_id=request_id_of(request),
        )
    except DomainError as error:
        return await _page(request, told(error, visitor.speech), None, error.status)
    return await _page(request, None, made, 200)


@post("/saved/feeds/{feed_id:int}/revoke", **members(*BUYERS))
async def send_revoke(request: PageRequest, feed_id: FromPath[int]) -> Response[Any]:
    """Let nobody read it any more."""
    await read(request, locked_feed, feed_id)
    said = ("日历地址已作废", "The address is dead.")
    return await step(request, lambda _: (revoke_feed, RevokeFeed(feed_id)), said)


routes: list[ControllerRouterHandler] = [
    show_saved,
    send_star,
    send_search,
    send_seen,
    send_remove,
    send_leave,
    send_feed,
    send_rotate,
    send_revoke,
]
