"""Strikes for time that was booked and not used as agreed: seen, appealed, waived, decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries.judging import strike_terms
from marketplace.booking.queries.strikes import Appeal, appeal_of, visible_strike
from marketplace.booking.rules.strikes import AppealStatus, StrikeKind
from marketplace.booking.use_cases import AppealStrike, WaiveStrike, appeal_strike, waive_strike
from marketplace.booking.use_cases.strikes import DecideAppeal, decide_appeal
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.kernel.time import shanghai_day
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import every

APPELLANTS = (*BUYERS, *STAFF)
LEADERS = (Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
CENTRE = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
READERS = (*APPELLANTS, *CENTRE)
HERE = "/strikes"
PAGE_SIZE = 30
SHORT = 10
REASON_LENGTH_MAX = 500
APPEAL_LENGTH_MAX = 4_000
HEADS = (
    ("编号", "No."),
    ("何人", "Who"),
    ("单位", "Organisation"),
    ("仪器", "Instrument"),
    ("违约", "For what"),
    ("说明", "What happened"),
    ("时间", "When"),
    ("计至", "Counts until"),
    ("撤销", "Waived"),
    ("申诉", "Appeal"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of strikes with names, and who may reserve nothing just now."""

    found: booking.StrikePage
    suspended: list[booking.Suspension]
    names: Names
    instruments: dict[int, catalogue.Instrument]
    now: datetime


async def desk(tx: Tx, search: booking.StrikeSearch) -> Desk:
    """One's own; one's people's; those on one's instruments; all of them for the centre."""
    found = await booking.strikes(tx, search)
    holding = await booking.suspensions(tx, booking.SuspensionSearch(valid=True, page_size=SHORT))
    about: list[booking.Strike | booking.Suspension] = [*found.strikes, *holding.suspensions]
    return Desk(
        found,
        holding.suspensions,
        await names(
            tx, [each.organisation_id for each in about], [each.person_id for each in about]
        ),
        await catalogue.instruments(tx, {each.instrument_id for each in found.strikes}),
        tx.now,
    )


async def own_suspension(tx: Tx) -> booking.Suspension | None:
    """What keeps oneself from reserving anything just now."""
    asked = booking.SuspensionSearch(person_id=tx.actor.person_id, valid=True, page_size=1)
    return next(iter((await booking.suspensions(tx, asked)).suspensions), None)


@dataclass(frozen=True, slots=True)
class Case:
    """A strike with its appeal, and until when one may be filed."""

    strike: booking.Strike
    appeal: Appeal | None
    appeal_until: datetime
    limit: int
    suspension_days: int
    names: Names
    instrument: catalogue.Instrument
    now: datetime


async def case(tx: Tx, strike_id: int) -> Case:
    """One strike that the reader may see.

    Raises:
        Missing: when it is nobody's business of the reader.
    """
    found = await visible_strike(tx, strike_id)
    filed = await appeal_of(tx, strike_id)
    terms = strike_terms(shanghai_day(found.given_at))
    people = [found.person_id, found.waived_by]
    people += [filed.filed_by, filed.decided_by] if filed else []
    return Case(
        found,
        filed,
        found.noted_at + timedelta(days=terms.appeal_days),
        terms.limit,
        terms.suspension_days,
        await names(tx, [found.organisation_id, found.provider_id], people),
        (await catalogue.instruments(tx, {found.instrument_id}))[found.instrument_id],
        tx.now,
    )


def _search(form: Typed, page_size: int = PAGE_SIZE) -> booking.StrikeSearch:
    counts = form.choice("counts", ("yes", "no"), needed=False)
    kind = form.choice("kind", list(StrikeKind), needed=False)
    appeal = form.choice("appeal", list(AppealStatus), needed=False)
    search = booking.StrikeSearch(
        person_id=form.whole("person", least=1, needed=False),
        kind=StrikeKind(kind) if kind else None,
        valid={"yes": True, "no": False}.get(counts),
        appeal=AppealStatus(appeal) if appeal else None,
        text=form.text("text", length_max=100, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_strikes(request: PageRequest) -> Response[Any]:
    """What was held against whom, what still counts, and what was appealed."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    search = _search(form)
    return page(
        request,
        "sme/strikes.html",
        form=form,
        search=search,
        found=await read(request, desk, search),
        kinds=every(form.speech, "strike"),
        appeals=every(form.speech, "strike_appeal"),
        me=visitor.actor.person_id,
        oversees=visitor.has(*CENTRE),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_strikes_file(request: PageRequest) -> Response[bytes]:
    """The strikes that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.found.strikes:
        of = found.names.organisations[each.organisation_id]
        machine = found.instruments[each.instrument_id]
        kind = label("strike", each.kind)
        appeal = label("strike_appeal", each.appeal_status) if each.appeal_status else None
        rows.append(
            [
                each.id,
                found.names.people.get(each.person_id, each.person_id),
                speech.either(of.name, of.name_en),
                speech.either(machine.cname, machine.ename),
                speech.either(kind.chinese, kind.english),
                speech.said(each.why),
                speech.moment(each.given_at),
                speech.moment(each.expires_at),
                speech.moment(each.waived_at) if each.waived_at else "",
                speech.either(appeal.chinese, appeal.english) if appeal else "",
            ]
        )
    return await as_file(form, "strikes", HEADS, rows)


@get(f"{HERE}/{{strike_id:int}}", **members(*READERS))
async def show_strike(request: PageRequest, strike_id: FromPath[int]) -> Response[Any]:
    """What it was given for, until when it counts, and what was said against it."""
    return await _strike(request, strike_id, empty(visitor_of(request).speech))


@post(f"{HERE}/{{strike_id:int}}/appeal", **members(*APPELLANTS))
async def send_appeal(request: PageRequest, strike_id: FromPath[int]) -> Response[Any]:
    """Once, and in time; the centre decides."""

    def asked(form: Typed) -> tuple[Any, Any]:
        return appeal_strike, AppealStrike(
            strike_id, form.text("text", length_max=APPEAL_LENGTH_MAX)
        )

    return await _taken(
        request,
        strike_id,
        asked,
        ("申诉已提交，由平台决定", "Filed; the centre decides."),
        own_strike,
    )


@post(f"{HERE}/{{strike_id:int}}/waive", **members(*STAFF))
async def send_waiver(request: PageRequest, strike_id: FromPath[int]) -> Response[Any]:
    """The provider lets a strike on its own instrument not count."""

    def asked(form: Typed) -> tuple[Any, Any]:
        return waive_strike, WaiveStrike(
            strike_id, form.text("reason", length_max=REASON_LENGTH_MAX)
        )

    return await _taken(
        request, strike_id, asked, ("已撤销，不再计入", "It does not count any more.")
    )


@post(f"{HERE}/{{strike_id:int}}/decide", **members(Role.ADMINISTRATOR))
async def send_decision(request: PageRequest, strike_id: FromPath[int]) -> Response[Any]:
    """Upheld, it does not count, and a suspension that stood on it is lifted."""
    found = await read(request, case, strike_id)
    if found.appeal is None:
        raise Missing("There is no such appeal.")
    appeal_id = found.appeal.id

    def asked(form: Typed) -> tuple[Any, Any]:
        upheld = form.choice("decision", ("uphold", "reject")) == "uphold"
        reason = form.text("reason", length_max=REASON_LENGTH_MAX)
        return decide_appeal, DecideAppeal(appeal_id, upheld=upheld, reason=reason)

    return await _taken(request, strike_id, asked, ("申诉已决定", "The appeal is decided."))


async def own_strike(tx: Tx, strike_id: int) -> booking.Strike:
    """A strike against which the reader may appeal.

    Raises:
        Missing: when it was given to somebody of another organisation.
    """
    found = await visible_strike(tx, strike_id)
    if found.organisation_id != tx.actor.organisation_id:
        raise Missing("There is no such strike of yours.")
    return found


async def _taken(
    request: PageRequest,
    strike_id: int,
    asked: StepAsked,
    said: tuple[str, str],
    seen: Callable[[Tx, int], Awaitable[booking.Strike]] = visible_strike,
) -> Response[Any]:
    await read(request, seen, strike_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await _strike(request, strike_id, form, refusal, error.status)

    return await take(request, asked, to=f"{HERE}/{strike_id}", said=said, again=again)


async def _strike(
    request: PageRequest,
    strike_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, case, strike_id)
    it, me, mine = found.strike, visitor.actor.person_id, visitor.actor.organisation_id
    counts = it.is_valid(found.now)
    leads = mine == it.organisation_id and visitor.has(*LEADERS)
    return page(
        request,
        "sme/strike.html",
        status=status,
        found=found,
        form=form,
        refusal=refusal,
        counts=counts,
        may_appeal=it.waived_at is None
        and found.appeal is None
        and (it.person_id == me or leads)
        and visitor.has(*APPELLANTS),
        may_waive=it.waived_at is None
        and mine == it.provider_id
        and it.person_id != me
        and visitor.has(*STAFF),
        may_decide=visitor.has(Role.ADMINISTRATOR)
        and found.appeal is not None
        and found.appeal.decided_at is None,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_strikes,
    get_strikes_file,
    show_strike,
    send_appeal,
    send_waiver,
    send_decision,
]
