"""How one stands: what keeps one from reserving, and what is used and left of every limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries.judging import strike_terms
from marketplace.booking.queries.quotas import MyQuotaPage, MyQuotas, my_quotas
from marketplace.booking.rules.quotas import Measure, QuotaUse, ends_on, told
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.web.areas.public.instrument import in_the_person
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.areas.sme.strikes import own_suspension
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech

HERE = "/standing"
PAGE_SIZE = 20
HEADS = (
    ("限额", "Limit"),
    ("管理单位", "Provider"),
    ("仪器", "Instrument"),
    ("单位", "Counted in"),
    ("上限", "At most"),
    ("已用", "Used"),
    ("剩余", "Left"),
    ("截至", "Until"),
)
COUNTED_IN = {
    Measure.MINUTES: ("分钟", "minutes"),
    Measure.RESERVATIONS: ("次预约", "reservations"),
}


@dataclass(frozen=True, slots=True)
class Rights:
    """What one may reserve, for one instrument or wherever one reserved this year."""

    quotas: MyQuotaPage
    standing: booking.MyStanding | None
    suspension: booking.Suspension | None
    strikes: int
    """Those that count now, of so many that suspend one."""
    strikes_limit: int
    qualifications: int
    organisations: dict[int, parties.Organisation]
    instruments: dict[int, catalogue.Instrument]


async def rights(tx: Tx, asked: MyQuotas) -> Rights:
    """How the actor stands.

    Policy: F.booking

    Raises:
        Missing: when the instrument that is asked about is none for the actor.
    """
    me = tx.actor.person_id
    found = await my_quotas(tx, asked)
    counting = await booking.strikes(
        tx, booking.StrikeSearch(person_id=me, valid=True, page_size=1)
    )
    held = await booking.qualifications(
        tx, booking.QualificationSearch(person_id=me, in_force=True, page_size=1)
    )
    about = {each.use.instrument_id for each in found.quotas} | {asked.instrument_id}
    return Rights(
        quotas=found,
        standing=(
            await booking.my_standing(tx, asked.instrument_id) if asked.instrument_id else None
        ),
        suspension=await own_suspension(tx),
        strikes=counting.total,
        strikes_limit=strike_terms(tx.today).limit,
        qualifications=held.total,
        organisations=await parties.organisations(tx, {each.provider_id for each in found.quotas}),
        instruments=await catalogue.instruments(tx, {each for each in about if each}),
    )


def _asked(request: PageRequest, page_size: int) -> tuple[Typed, MyQuotas]:
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = MyQuotas(
        form.whole("instrument", least=1, most=2**53, needed=False),
        form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size,
    )
    form.require()
    return form, asked


def amount_told(use: QuotaUse, amount: int, speech: Speech) -> str:
    """So much of what a limit counts."""
    return speech.minutes(amount) if use.measure is Measure.MINUTES else speech.number(amount)


@get(HERE, **members(*BUYERS))
async def show_standing(request: PageRequest) -> Response[Any]:
    """Suspension, strikes, qualifications and limits; for one instrument also what is missing."""
    visitor = visitor_of(request)
    form, asked = _asked(request, PAGE_SIZE)
    found = await read(request, rights, asked)
    return page(
        request,
        "sme/standing.html",
        form=form,
        asked=asked,
        found=found,
        limit=lambda use: visitor.speech.said(told(use)),
        amount=lambda use, much: amount_told(use, much, visitor.speech),
        last_day=ends_on,
        **in_the_person(found.standing, visitor.speech),
    )


@get(f"{HERE}/file", **members(*BUYERS))
async def get_standing_file(request: PageRequest) -> Response[bytes]:
    """The same limits, all pages, as CSV or Excel; lengths of time in minutes."""
    form, asked = _asked(request, ROWS_MAX + 1)
    speech = form.speech
    found = await read(request, rights, asked)
    rows = []
    for each in found.quotas.quotas:
        use = each.use
        provider = found.organisations[each.provider_id]
        machine = found.instruments.get(use.instrument_id) if use.instrument_id else None
        until = ends_on(use)
        rows.append(
            [
                speech.said(told(use)),
                speech.either(provider.name, provider.name_en),
                speech.either(machine.cname, machine.ename) if machine else "",
                speech.t(*COUNTED_IN[use.measure]),
                use.at_most,
                use.used,
                use.left,
                until.isoformat() if until else "",
            ]
        )
    return await as_file(form, "limits", HEADS, rows)


routes: list[ControllerRouterHandler] = [show_standing, get_standing_file]
