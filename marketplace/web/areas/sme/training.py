"""Learning to operate an instrument: asked of its provider, followed, withdrawn, and passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.rules.training import OPEN, TrainingStatus
from marketplace.booking.use_cases import (
    AskForTraining,
    WithdrawTraining,
    ask_for_training,
    withdraw_training,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.web.acting import act, take
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.sme.roles import LEARNERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.labels import LABELS

HERE = "/training"
PAGE_SIZE = 20
GRANTS_MAX = 100
NOTE_LENGTH_MAX = 500
HEADS = (
    ("编号", "No."),
    ("仪器", "Instrument"),
    ("管理单位", "Provider"),
    ("何人", "Who"),
    ("状态", "State"),
    ("申请时间", "Asked"),
    ("想做什么", "What for"),
    ("培训时间", "Training"),
    ("地点", "Place"),
    ("答复", "Answer"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the company asked for, what oneself may operate, and the names on both."""

    found: booking.TrainingPage
    grants: list[booking.Qualification]
    names: Names
    instruments: dict[int, catalogue.Instrument]
    now: datetime

    def is_open(self, one: booking.TrainingRequest) -> bool:
        """Whether there is still something to take back."""
        return one.status in OPEN


async def desk(tx: Tx, search: booking.TrainingSearch) -> Desk:
    """The training that the actor's company asked for, and the actor's own qualifications."""
    found = await booking.training_requests(tx, search)
    held = await booking.qualifications(
        tx,
        booking.QualificationSearch(
            person_id=tx.actor.person_id, in_force=True, page_size=GRANTS_MAX
        ),
    )
    grants = held.qualifications
    about: list[booking.TrainingRequest | booking.Qualification] = [*found.requests, *grants]
    return Desk(
        found,
        grants,
        await names(
            tx,
            [each.provider_id for each in about],
            [each for one in found.requests for each in (one.person_id, one.trainer_id)],
        ),
        await catalogue.instruments(tx, {each.instrument_id for each in about}),
        tx.now,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """An instrument, and the open request of the actor where there is one."""

    instrument: catalogue.Instrument
    open: booking.TrainingRequest | None


async def wanted(tx: Tx, instrument_id: int) -> Wanted:
    """What the form is about.

    Raises:
        InstrumentMissing: when there is none for the actor.
    """
    instrument = await catalogue.visible_instrument(tx, instrument_id)
    mine = booking.TrainingSearch(instrument_id, tx.actor.person_id, open_only=True, page_size=1)
    asked = (await booking.training_requests(tx, mine)).requests
    return Wanted(instrument, next(iter(asked), None))


def _search(request: PageRequest, page_size: int) -> tuple[Typed, booking.TrainingSearch]:
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    status = form.choice("status", list(TrainingStatus), needed=False)
    search = booking.TrainingSearch(
        instrument_id=form.whole("instrument", least=1, most=2**53, needed=False),
        person_id=visitor.actor.person_id if form.ticked("mine") else None,
        status=TrainingStatus(status) if status else None,
        open_only=form.ticked("open"),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return form, search


@get(HERE, **members(*LEARNERS))
async def show_training(request: PageRequest) -> Response[Any]:
    """What was asked for and how it stands, and what one may operate until when."""
    return await _shown(request)


async def _shown(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    form, search = _search(request, PAGE_SIZE)
    return page(
        request,
        "sme/trainings.html",
        status=status,
        form=form,
        search=search,
        found=await read(request, desk, search),
        statuses=[
            (value, visitor.speech.either(it.chinese, it.english))
            for value, it in LABELS["training"].items()
        ],
        me=visitor.actor.person_id,
        refusal=refusal,
        key=new_key(),
    )


@get(f"{HERE}/file", **members(*LEARNERS))
async def get_training_file(request: PageRequest) -> Response[bytes]:
    """The requests that the filters leave, as CSV or Excel."""
    form, search = _search(request, ROWS_MAX + 1)
    speech = form.speech
    found = await read(request, desk, search)
    rows = []
    for each in found.found.requests:
        machine = found.instruments[each.instrument_id]
        provider = found.names.organisations[each.provider_id]
        state = label("training", each.status)
        rows.append(
            [
                each.id,
                speech.either(machine.cname, machine.ename),
                speech.either(provider.name, provider.name_en),
                found.names.people.get(each.person_id, each.person_id),
                speech.either(state.chinese, state.english),
                speech.moment(each.asked_at),
                each.note,
                speech.moment(each.held_at) if each.held_at else "",
                each.place or "",
                each.answer or "",
            ]
        )
    return await as_file(form, "training", HEADS, rows)


@get(f"{HERE}/new", **members(*LEARNERS))
async def show_wanted(request: PageRequest) -> Response[Any]:
    """The form for one instrument; or what was asked for already."""
    return await _form(request, Typed(request.query_params, visitor_of(request).speech))


@post(HERE, **members(*LEARNERS))
async def send_wanted(request: PageRequest) -> Response[Any]:
    """Ask the provider; it names a date, a trainer and a place."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    instrument_id = form.whole("instrument", least=1, most=2**53) or 0
    note = form.text("note", length_max=NOTE_LENGTH_MAX, needed=False)
    try:
        form.require()
        said = ("已申请培训，管理单位将安排时间", "Asked; the provider names a date.")
        command = AskForTraining(instrument_id, note)
        return await act(request, form, ask_for_training, command, to=HERE, said=said)
    except DomainError as error:
        return await _form(request, form, told(error, speech), error.status)


async def _form(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    instrument_id = form.whole("instrument", least=1, most=2**53) or 0
    return page(
        request,
        "sme/training.html",
        status=status,
        wanted=await read(request, wanted, instrument_id),
        form=form,
        refusal=refusal,
        key=new_key(),
    )


@post(f"{HERE}/{{training_request_id:int}}/withdraw", **members(*LEARNERS))
async def send_withdrawal(
    request: PageRequest, training_request_id: FromPath[int]
) -> Response[Any]:
    """Take back what one asked for oneself."""

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        if isinstance(error, Missing):
            raise error
        return await _shown(request, told(error, form.speech), error.status)

    return await take(
        request,
        lambda _: (withdraw_training, WithdrawTraining(training_request_id)),
        to=HERE,
        said=("培训申请已撤回", "Your request is taken back."),
        again=again,
    )


routes: list[ControllerRouterHandler] = [
    show_training,
    get_training_file,
    show_wanted,
    send_wanted,
    send_withdrawal,
]
