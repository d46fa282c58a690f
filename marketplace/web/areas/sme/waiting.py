"""Waiting for time that others hold: joining a list, and letting a kept slot go.

A kept slot is taken by ordering exactly it, so it leads to the form of a booking.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.rules.waiting import DAY_MINUTES, Wish
from marketplace.booking.use_cases import JoinWaitlist, OnEntry, decline_offer, join_waitlist
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.areas.sme.saved import step
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

WAITING = (Role.BUYER,)
HOURS_MAX = 24
WEEK = range(7)


@get("/waiting/new", **members(*WAITING))
async def show_wish(request: PageRequest) -> Response[Any]:
    """Which time one waits for: within which days, how long, at which hours."""
    query = Typed(request.query_params, visitor_of(request).speech)
    day = query.day("day", needed=False)
    last = day + timedelta(days=6) if day else None
    form = empty(
        query.speech,
        instrument=query.raw("instrument"),
        first=day,
        last=last,
        hours=query.raw("hours", "2"),
        earliest="08:00",
        latest="20:00",
        **{f"weekday{each}": "yes" for each in WEEK},
    )
    return await _shown(request, form)


@post("/waiting", **members(*WAITING))
async def send_wish(request: PageRequest) -> Response[Any]:
    """Join the list; time that is free already is offered at once."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    try:
        command = _asked(form)
        form.require()
        assert command is not None
        said = ("已加入候补，有空档会为您保留", "You are on the list; what frees is kept for you.")
        return await act(request, form, join_waitlist, command, to="/saved", said=said)
    except DomainError as error:
        return await _shown(request, form, told(error, speech), error.status)


@post("/saved/waiting/{entry_id:int}/decline", **members(*BUYERS))
async def send_decline(request: PageRequest, entry_id: FromPath[int]) -> Response[Any]:
    """Let a kept slot go, and wait on for another."""
    await read(request, booking.visible_entry, entry_id)
    said = ("已放弃这一时段，继续候补", "It goes to the next one; you wait on.")
    return await step(request, lambda _: (decline_offer, OnEntry(entry_id)), said)


def _asked(form: Typed) -> JoinWaitlist | None:
    instrument_id = form.whole("instrument", least=1)
    first, last = form.day("first"), form.day("last")
    hours = form.whole("hours", least=1, most=HOURS_MAX)
    earliest, latest = _minute(form, "earliest"), _minute(form, "latest")
    weekdays = tuple(each for each in WEEK if form.ticked(f"weekday{each}"))
    if not weekdays:
        form.wrong("weekdays", "请至少选择一天", "Choose at least one day")
    if first and last and last < first:
        form.wrong("last", "结束应不早于开始", "It ends before it begins")
    if form.problems or first is None or last is None or hours is None or instrument_id is None:
        return None
    during = During(shanghai_instant(first), shanghai_instant(last + timedelta(days=1)))
    wish = Wish(during, hours * 60, weekdays, earliest, latest or DAY_MINUTES)
    return JoinWaitlist(instrument_id, wish)


def _minute(form: Typed, name: str) -> int:
    """A time of day as minutes after midnight."""
    hour, _, minute = form.raw(name, "00:00").partition(":")
    try:
        found = int(hour) * 60 + int(minute or 0)
    except ValueError:
        found = -1
    if not 0 <= found <= DAY_MINUTES:
        form.wrong(name, "请填写时间", "A time of day, please")
        return 0
    return found


async def _shown(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    instrument_id = form.whole("instrument", least=1) or 0
    instrument = await read(request, catalogue.visible_instrument, instrument_id)
    return page(
        request,
        "sme/wait.html",
        status=status,
        instrument=instrument,
        form=form,
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_wish, send_wish, send_decline]
