"""When an instrument is open: the week, classes, single days, closures, and whom a change hits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries import DatedHours, Hours, UserClass, WeeklyKind
from marketplace.booking.use_cases import (
    RemoveDatedHours,
    SetDatedHours,
    SetWeeklyHours,
    remove_dated_hours,
    set_dated_hours,
    set_weekly_hours,
)
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.queries import ClosureKind, OpeningHours
from marketplace.catalogue.use_cases import (
    CloseInstrument,
    ReopenInstrument,
    SetOpeningHours,
    close_instrument,
    reopen_instrument,
    set_opening_hours,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.web.acting import act
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.provider.today import Booked, with_names
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told

WEEK = ("opening", *UserClass)
CLOSED = (ClosureKind.CLOSED, ClosureKind.MAINTENANCE, ClosureKind.BREAKDOWN)
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–~至]\s*(\d{1,2}):(\d{2})")
SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Timetable:
    """An instrument with every rule of when it is open."""

    instrument: catalogue.Instrument
    opening: list[catalogue.OpeningHours]
    weekly: list[booking.WeeklyHours]
    days: list[booking.DayHours]
    closures: list[catalogue.Closure]


async def timetable(tx: Tx, instrument_id: int) -> Timetable:
    """The times of an own instrument, from today on.

    Raises:
        InstrumentMissing: when it is not the actor's own.
    """
    found = await catalogue.own_instrument(tx, instrument_id)
    ahead = During(shanghai_instant(tx.today), shanghai_instant(date(2100, 1, 1)))
    days, _ = await booking.dated_hours_of(
        tx, booking.DayHoursSearch(instrument_id, tx.today, page_size=SHOWN_MAX)
    )
    closures, _ = await catalogue.closures_page(
        tx, catalogue.ClosureSearch(instrument_id, ahead, page_size=SHOWN_MAX)
    )
    return Timetable(
        found,
        await catalogue.opening_hours(tx, instrument_id),
        await booking.weekly_hours_of(tx, instrument_id),
        days,
        closures,
    )


@dataclass(frozen=True, slots=True)
class Hits:
    """The reservations that a change would hit."""

    booked: list[Booked]
    total: int


async def hit_by(tx: Tx, asked: booking.HitsAsked) -> Hits:
    """Whom a change would hit, with their names."""
    found = await booking.hits(tx, asked)
    return Hits(await with_names(tx, found.reservations), found.total)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a form asks for: how it is made, and how its hits are asked for."""

    use_case: Any
    command: Any
    hits: booking.HitsAsked


@get("/provider/instruments/{instrument_id:int}/availability", **members(*STAFF))
async def show_availability(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """The week, single days and closures."""
    return await _shown(request, instrument_id)


@post("/provider/instruments/{instrument_id:int}/availability", **members(*MANAGER))
async def send_availability(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Look whom a change hits, or make it; reservations that stand are kept by hours."""
    speech = visitor_of(request).speech
    await read(request, catalogue.own_instrument, instrument_id)
    form = await typed(request, speech)
    try:
        change = _change(form, instrument_id)
        form.require()
        assert change is not None
        if form.raw("step") == "look":
            hits = await read(request, hit_by, change.hits)
            return await _shown(request, instrument_id, form, hits=hits)
        to = f"/provider/instruments/{instrument_id}/availability?which={form.raw('which')}"
        said = ("开放时间已更新", "The times are set.")
        return await act(request, form, change.use_case, change.command, to=to, said=said)
    except DomainError as error:
        refused = told(error, speech)
        return await _shown(request, instrument_id, form, refusal=refused, status=error.status)


@post(
    "/provider/instruments/{instrument_id:int}/closures/{closure_id:int}/reopen",
    **members(*STAFF),
)
async def send_reopen(
    request: PageRequest, instrument_id: FromPath[int], closure_id: FromPath[int]
) -> Response[Any]:
    """The repair is done, or the plan was dropped."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    to = f"/provider/instruments/{instrument_id}/availability"
    command = ReopenInstrument(instrument_id, closure_id)
    try:
        said = ("已恢复开放", "It is open again.")
        return await act(request, form, reopen_instrument, command, to=to, said=said)
    except DomainError as error:
        refused = told(error, speech)
        return await _shown(request, instrument_id, form, refusal=refused, status=error.status)


def _change(form: Typed, instrument_id: int) -> Change | None:
    what = form.choice("what", ("week", "day", "undated", "close"))
    makers = {"week": _week, "day": _day, "undated": _undated, "close": _close}
    return makers[what](form, instrument_id) if what else None


def _week(form: Typed, instrument_id: int) -> Change:
    which = form.choice("which", WEEK)
    hours = tuple(
        Hours(weekday, begins, ends)
        for weekday in range(7)
        for begins, ends in _spans(form, f"day{weekday}")
    )
    if which in ("opening", ""):
        opening = tuple(
            OpeningHours(each.weekday, each.opens_minute, each.closes_minute) for each in hours
        )
        changed = booking.WeekChanged(hours)
        asked = booking.HitsAsked(instrument_id, weeks=(changed,), page_size=SHOWN_MAX)
        return Change(set_opening_hours, SetOpeningHours(instrument_id, opening), asked)
    whom = UserClass(which)
    changed = booking.WeekChanged(hours, WeeklyKind.CLASS, whom)
    asked = booking.HitsAsked(instrument_id, weeks=(changed,), page_size=SHOWN_MAX)
    command = SetWeeklyHours(instrument_id, WeeklyKind.CLASS, hours, whom)
    return Change(set_weekly_hours, command, asked)


def _day(form: Typed, instrument_id: int) -> Change | None:
    day = form.day("on")
    spans = _spans(form, "hours", needed=True)
    note = form.text("note", length_max=200, needed=False)
    if day is None:
        return None
    hours = tuple(DatedHours(day, begins, ends) for begins, ends in spans)
    asked = booking.HitsAsked(instrument_id, days=hours, page_size=SHOWN_MAX)
    return Change(set_dated_hours, SetDatedHours(instrument_id, hours, note), asked)


def _undated(form: Typed, instrument_id: int) -> Change | None:
    day = form.day("on")
    if day is None:
        return None
    asked = booking.HitsAsked(instrument_id, undated=(day,), page_size=SHOWN_MAX)
    return Change(remove_dated_hours, RemoveDatedHours(instrument_id, day), asked)


def _close(form: Typed, instrument_id: int) -> Change | None:
    begins = form.moment("from_day", "from_clock")
    ends = form.moment("until_day", "until_clock")
    kind = form.choice("kind", CLOSED)
    reason = form.text("reason", length_max=200)
    if begins is None or ends is None or not kind:
        return None
    if begins >= ends:
        form.wrong("until_day", "结束应晚于开始", "It ends after it begins")
        return None
    during = During(begins, ends)
    asked = booking.HitsAsked(instrument_id, closed=during, page_size=SHOWN_MAX)
    command = CloseInstrument(instrument_id, during, reason, ClosureKind(kind))
    return Change(close_instrument, command, asked)


def _spans(form: Typed, name: str, *, needed: bool = False) -> list[tuple[int, int]]:
    """Stretches of a day as `08:30-12:00, 14:00-17:30`, in minutes after midnight."""
    typed_in = form.text(name, length_max=200, needed=needed)
    found = []
    for part in filter(None, re.split(r"[,，;；、]\s*", typed_in)):
        match = SPAN.fullmatch(part.strip())
        begins = ends = -1
        if match:
            first, second, third, fourth = map(int, match.groups())
            begins, ends = first * 60 + second, third * 60 + fourth
        if match is None or not 0 <= begins < ends <= 24 * 60:
            form.wrong(name, "格式如 08:30-12:00, 14:00-17:30", "Like 08:30-12:00, 14:00-17:30")
            continue
        found.append((begins, ends))
    return found


def told_spans(spans: Sequence[Any]) -> str:
    """Stretches of a day as the form takes them."""
    return ", ".join(
        f"{each.opens_minute // 60:02d}:{each.opens_minute % 60:02d}-"
        f"{each.closes_minute // 60:02d}:{each.closes_minute % 60:02d}"
        for each in spans
    )


def _week_fields(found: Timetable, which: str) -> dict[str, str]:
    stretches: Sequence[Any] = found.opening
    if which != "opening":
        stretches = [
            each
            for each in found.weekly
            if each.kind is WeeklyKind.CLASS and each.user_class == which
        ]
    return {
        f"day{weekday}": told_spans([each for each in stretches if each.weekday == weekday])
        for weekday in range(7)
    }


async def _shown(
    request: PageRequest,
    instrument_id: int,
    form: Typed | None = None,
    *,
    hits: Hits | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, timetable, instrument_id)
    query = Typed(request.query_params, visitor.speech)
    which = (form or query).raw("which")
    which = which if which in WEEK else "opening"
    what = form.raw("what") if form else ""
    return page(
        request,
        "provider/availability.html",
        status=status,
        instrument=found.instrument,
        found=found,
        tab="availability",
        which=which,
        week_of=_week_named(visitor.speech),
        week=form
        if what == "week" and form
        else empty(visitor.speech, **_week_fields(found, which)),
        day=form if what == "day" and form else empty(visitor.speech),
        close=form
        if what == "close" and form
        else empty(visitor.speech, from_clock="09:00", until_clock="17:00"),
        what=what,
        hits=hits,
        refusal=refusal,
        closed=CLOSED,
        told_spans=told_spans,
        may_change=visitor.has(*MANAGER),
        key=new_key(),
    )


def _week_named(speech: Speech) -> list[tuple[str, str]]:
    return [
        ("opening", speech.t("开放时间（所有用户）", "Opening hours, for all")),
        (UserClass.OWN_UNIT, speech.t("本单位", "Own unit")),
        (UserClass.ACADEMIC, speech.t("高校院所", "Academic")),
        (UserClass.ENTERPRISE, speech.t("企业", "Companies")),
    ]


routes: list[ControllerRouterHandler] = [show_availability, send_availability, send_reopen]
