"""What a company states of itself beyond its yearly profile, and asking for more on a voucher."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.rules.states import FactKind
from marketplace.vouchers.use_cases import (
    ApplyForTopUp,
    StateFact,
    apply_for_top_up,
    state_fact,
)
from marketplace.web.acting import act
from marketplace.web.areas.sme.applying import PURPOSE_LENGTH_MAX
from marketplace.web.areas.sme.vouchers import HOLDERS, voucher_shown
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

HERE = "/vouchers/facts"
PAGE_SIZE = 30
KINDS = tuple(each.value for each in FactKind)


@get(HERE, **members(*HOLDERS))
async def show_facts(request: PageRequest) -> Response[Any]:
    """Certificates, capital, foundation, incubation, team: what was stated and what counts."""
    return await _shown(request, empty(visitor_of(request).speech))


@post(HERE, **members(Role.SME_ADMINISTRATOR))
async def send_fact(request: PageRequest) -> Response[Any]:
    """State a fact; it counts once the centre has looked it up."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    kind = FactKind(form.choice("kind", KINDS) or FactKind.CERTIFICATE)
    number = None
    if kind is FactKind.CAPITAL:
        number = form.amount("amount")
    elif kind is FactKind.TEAM:
        number = form.whole("members", least=1, most=10_000)
    starts_on = form.day("starts_on")
    ends_on = form.day("ends_on", needed=False)
    source = form.text("source", length_max=300)
    name = form.text("name", length_max=60, needed=False)
    try:
        form.require()
        assert starts_on is not None
        command = StateFact(
            visitor.actor.organisation_id,
            kind,
            starts_on,
            source,
            name if kind is FactKind.CERTIFICATE else "",
            number,
            ends_on,
        )
        said = ("已提交，待平台核实", "It is stated; the centre will look it up.")
        return await act(request, form, state_fact, command, to=HERE, said=said)
    except DomainError as error:
        return await _shown(request, form, told(error, visitor.speech), error.status)


async def _shown(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    number = filters.whole("page", least=1, most=10_000, needed=False) or 1
    filters.require()
    search = vouchers.FactSearch(
        organisation_id=visitor.actor.organisation_id,
        page=vouchers.PageAsked(number, PAGE_SIZE),
    )
    return page(
        request,
        "sme/facts.html",
        status=status,
        found=await read(request, vouchers.beneficiary_facts, search),
        form=form,
        refusal=refusal,
        kinds=KINDS,
        may_state=visitor.has(Role.SME_ADMINISTRATOR),
        page_number=number,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


@post("/vouchers/{grant_id:int}/top-up", **members(Role.SME_ADMINISTRATOR))
async def send_top_up(request: PageRequest, grant_id: FromPath[int]) -> Response[Any]:
    """Ask for more on a voucher: the same rules, documents and approvals as at first."""
    speech = visitor_of(request).speech
    await read(request, vouchers.grant, grant_id)
    form = await typed(request, speech)
    command = ApplyForTopUp(
        grant_id,
        form.amount("asked") or 0,
        form.text("purpose", length_max=PURPOSE_LENGTH_MAX),
    )
    try:
        form.require()
        return await act(
            request,
            form,
            apply_for_top_up,
            command,
            to=lambda one: f"/vouchers/applications/{one.id}",
            said=("追加申请已保存", "Your application for more is on its way."),
        )
    except DomainError as error:
        return await voucher_shown(request, grant_id, form, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [show_facts, send_fact, send_top_up]
