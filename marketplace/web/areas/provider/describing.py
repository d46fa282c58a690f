"""Instruments as their provider describes them: entered, changed, listed, withdrawn."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.rules.states import (
    Condition,
    Exemption,
    Funds,
    Kind,
    ShareMode,
    Source,
)
from marketplace.catalogue.use_cases import (
    ChangeInstrument,
    ListInstrument,
    RegisterInstrument,
    WithdrawInstrument,
    change_instrument,
    list_instrument,
    register_instrument,
    withdraw_instrument,
)
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told
from marketplace.web.words.choices import named

HERE = "/provider/instruments"
LINES = (
    "ename",
    "model",
    "manufacturer",
    "nation",
    "department",
    "province",
    "city",
    "county",
    "street",
    "postalcode",
    "contact",
    "phone",
    "email",
    "service_url",
)
PROSE = (
    "technical",
    "functions",
    "subjects",
    "service_content",
    "achievement",
    "requirement",
    "fee_text",
)
NAME_LENGTH_MAX = 200
NUMBER_LENGTH_MAX = 100
LINE_LENGTH_MAX = 500
PROSE_LENGTH_MAX = 10_000
REASON_LENGTH_MAX = 500
CHOICES = {
    "kind": Kind,
    "share_mode": ShareMode,
    "condition": Condition,
    "funds": Funds,
    "source": Source,
    "exemption": Exemption,
}


def _content(form: Typed) -> dict[str, Any]:
    """The description as it was typed; what is wrong with its meaning the catalogue says."""
    source = form.choice("source", list(Source), needed=False)
    exemption = form.choice("exemption", list(Exemption), needed=False)
    return {
        "inner_id": form.text("inner_id", length_max=NUMBER_LENGTH_MAX),
        "cname": form.text("cname", length_max=NAME_LENGTH_MAX),
        "category_code": form.text("category_code", length_max=6),
        "worth_fen": form.amount("worth") or 0,
        "kind": form.choice("kind", list(Kind)),
        "share_mode": form.choice("share_mode", list(ShareMode)),
        "condition": form.choice("condition", list(Condition)),
        "funds": form.choice("funds", list(Funds)),
        "source": Source(source) if source else None,
        "exemption": Exemption(exemption) if exemption else None,
        "customs_supervised": form.ticked("customs"),
        "began_on": form.day("began_on", needed=False),
        "accepted_on": form.day("accepted_on", needed=False),
        **{name: form.text(name, length_max=LINE_LENGTH_MAX, needed=False) for name in LINES},
        **{name: form.text(name, length_max=PROSE_LENGTH_MAX, needed=False) for name in PROSE},
    }


def _known(speech: Speech, found: catalogue.Instrument) -> Typed:
    """The form as an instrument fills it in."""
    same = (*LINES, *PROSE, *CHOICES, "inner_id", "cname", "category_code")
    return empty(
        speech,
        worth=f"{found.worth_fen / 100:.2f}",
        customs="yes" if found.customs_supervised else None,
        began_on=found.began_on,
        accepted_on=found.accepted_on,
        **{name: getattr(found, name) for name in same},
    )


def _form_page(
    request: PageRequest,
    form: Typed,
    instrument: catalogue.Instrument | None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    choices = {
        name: named(form.speech, f"instrument_{name}", list(values))
        for name, values in CHOICES.items()
    }
    return page(
        request,
        "provider/describe.html",
        status=status,
        form=form,
        instrument=instrument,
        refusal=refusal,
        choices=choices,
        key=new_key(),
    )


@get(f"{HERE}/new", **members(*MANAGER))
async def new_instrument(request: PageRequest) -> Response[Any]:
    """An instrument to be entered."""
    return _form_page(request, empty(visitor_of(request).speech), None)


@post(HERE, **members(*MANAGER))
async def send_instrument(request: PageRequest) -> Response[Any]:
    """Enter it, listed at once or kept back."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    try:
        content = _content(form)
        form.require()
        command = RegisterInstrument(
            visitor.actor.organisation_id, content, listed=form.ticked("listed")
        )
        return await act(
            request,
            form,
            register_instrument,
            command,
            to=lambda made: f"{HERE}/{made.id}",
            said=("仪器已登记，请设置价格和开放时间", "Entered; set its prices and times now."),
        )
    except DomainError as error:
        return _form_page(request, form, None, told(error, form.speech), error.status)


@get(f"{HERE}/{{instrument_id:int}}/describe", **members(*MANAGER))
async def show_description(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """What is said of it, to be changed, listed or withdrawn."""
    found = await read(request, catalogue.own_instrument, instrument_id)
    return _form_page(request, _known(visitor_of(request).speech, found), found)


async def _step(
    request: PageRequest, instrument_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    found = await read(request, catalogue.own_instrument, instrument_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        shown = form if "cname" in form.fields else _known(form.speech, found)
        return _form_page(request, shown, found, told(error, form.speech), error.status)

    return await take(request, asked, to=f"{HERE}/{instrument_id}", said=said, again=again)


@post(f"{HERE}/{{instrument_id:int}}/describe", **members(*MANAGER))
async def send_description(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Describe it anew; what the form does not show stays."""
    known = await read(request, catalogue.own_instrument, instrument_id)

    def asked(form: Typed) -> Any:
        content = _content(form) | {"further": known.further}
        return change_instrument, ChangeInstrument(instrument_id, content)

    return await _step(request, instrument_id, asked, ("仪器资料已更新", "It is described anew."))


@post(f"{HERE}/{{instrument_id:int}}/list", **members(*MANAGER))
async def send_listing(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Everybody finds it from now on."""
    command = ListInstrument(instrument_id)
    said = ("仪器已上架", "It is listed.")
    return await _step(request, instrument_id, lambda _: (list_instrument, command), said)


@post(f"{HERE}/{{instrument_id:int}}/withdraw", **members(*MANAGER))
async def send_withdrawal(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Nobody finds it any more; disposed of, it does not come back. Policy: J.15"""

    def asked(form: Typed) -> Any:
        exemption = form.choice("exemption", list(Exemption), needed=False)
        return withdraw_instrument, WithdrawInstrument(
            instrument_id,
            form.text("reason", length_max=REASON_LENGTH_MAX),
            Exemption(exemption) if exemption else None,
            disposed=form.ticked("disposed"),
        )

    return await _step(request, instrument_id, asked, ("仪器已下架", "It is withdrawn."))


routes: list[ControllerRouterHandler] = [
    new_instrument,
    send_instrument,
    show_description,
    send_description,
    send_listing,
    send_withdrawal,
]
