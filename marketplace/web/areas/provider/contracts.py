"""Contracts and where they stand with the registry of technology contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.orders import queries as orders
from marketplace.orders.errors import OrderMissing
from marketplace.orders.rules.registration import Registrar, RegistrationState, steps_open
from marketplace.orders.use_cases import (
    MoveRegistration,
    RegisterContract,
    move_registration,
    register_contract,
)
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import named

HERE = "/contracts"
MOVERS = (*MANAGER, Role.VOUCHER_OFFICER)
READERS = (*MOVERS, Role.AUDITOR)
CENTRE = (Role.VOUCHER_OFFICER, Role.AUDITOR)
PAGE_SIZE = 30
PROVIDERS_MAX = 200
LINE_LENGTH_MAX = 500
HEADS = (
    ("订单", "Order"),
    ("内容", "What"),
    ("服务方", "Provider"),
    ("客户", "Customer"),
    ("合同金额（元）", "Amount (CNY)"),
    ("双方签署日", "Signed by both on"),
    ("登记状态", "Registration"),
    ("登记编号", "Number"),
    ("登记日", "Registered on"),
    ("登记机构", "Registry"),
    ("说明", "Why"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which contracts: by state, words, days, and for the centre by the provider's name."""

    question: orders.RegistrationList
    provider: str


@dataclass(frozen=True, slots=True)
class Contracts:
    """Contracts with the names of both sides."""

    found: orders.RegistrationPage
    names: dict[int, parties.Organisation]


async def contracts(tx: Tx, asked: Asked) -> Contracts:
    """Those that both sides signed: a provider's own, everybody's for the centre."""
    question = asked.question
    if asked.provider and tx.actor.has(*CENTRE):
        search = parties.Search(asked.provider, kind="provider", page_size=PROVIDERS_MAX)
        named = (await parties.search_organisations(tx, search)).rows
        question = replace(question, provider_ids=[each.id for each in named])
    found = await orders.registrations(tx, question)
    ids = {each for row in found.rows for each in (row.provider_id, row.buyer_id)}
    return Contracts(found, await parties.organisations(tx, ids))


def _asked(form: Typed, *, number: int, size: int) -> Asked:
    state = form.choice("state", list(RegistrationState), needed=False)
    question = orders.RegistrationList(
        state=RegistrationState(state) if state else None,
        signed_from=form.day("from", needed=False),
        signed_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False),
        page=number,
        page_size=size,
    )
    asked = Asked(question, form.text("provider", length_max=100, needed=False))
    form.require()
    return asked


@get(HERE, **members(*READERS))
async def show_contracts(request: PageRequest) -> Response[Any]:
    """Signed contracts, the newest first, by where they stand with the registry."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    asked = _asked(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "provider/contracts.html",
        form=form,
        contracts=await read(request, contracts, asked),
        states=named(visitor.speech, "contract_registration", list(RegistrationState)),
        sees_all=visitor.has(*CENTRE),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_contracts_file(request: PageRequest) -> Response[bytes]:
    """The contracts that the filters leave, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, contracts, _asked(form, number=1, size=ROWS_MAX + 1))
    rows = []
    for each in found.found.rows:
        provider, buyer = found.names[each.provider_id], found.names[each.buyer_id]
        state = label("contract_registration", each.state)
        rows.append(
            [
                each.order_id,
                each.title,
                speech.either(provider.name, provider.name_en),
                speech.either(buyer.name, buyer.name_en),
                yuan(each.total_fen),
                shanghai_day(each.signed_at) if each.signed_at else None,
                speech.either(state.chinese, state.english),
                each.number,
                each.registered_on,
                each.place,
                each.reason,
            ]
        )
    return await as_file(form, "contracts", HEADS, rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contract with its two sides, and where it stands."""

    registration: orders.Registration
    names: dict[int, parties.Organisation]
    contracts: list[orders.Contract]
    today: date


async def sheet(tx: Tx, order_id: int) -> Sheet:
    """A contract that both sides signed, for its provider and for the centre.

    Raises:
        OrderMissing: when there is none, or it is another provider's.
    """
    found = await orders.order(tx, order_id)
    own = tx.actor.organisation_id == found.provider_id
    if not (own or tx.actor.has(*CENTRE)) or found.confirmed_at is None:
        raise OrderMissing()
    return Sheet(
        registration=await orders.registration_of(tx, order_id),
        names=await parties.organisations(tx, {found.provider_id, found.buyer_id}),
        contracts=(await orders.contracts(tx, orders.ContractList(order_id))).rows,
        today=tx.today,
    )


@get(f"{HERE}/{{order_id:int}}", **members(*READERS))
async def show_contract(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """One contract, where it stands, and what may be said next."""
    return await _shown(request, order_id, None)


async def _shown(
    request: PageRequest,
    order_id: int,
    form: Typed | None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, sheet, order_id)
    it = found.registration
    steps: list[RegistrationState] = []
    if visitor.has(*MOVERS):
        by = Registrar.CENTRE if visitor.has(Role.VOUCHER_OFFICER) else Registrar.PROVIDER
        steps = steps_open(RegistrationState(it.state), by=by)
    known = {"number": it.number, "on": it.registered_on, "place": it.place or None}
    return page(
        request,
        "provider/contract.html",
        status=status,
        sheet=found,
        form=form or empty(visitor.speech, **known),
        refusal=refusal,
        steps=steps,
        is_side=visitor.has(*MANAGER),
        key=new_key(),
    )


async def _step(request: PageRequest, order_id: int, asked: StepAsked) -> Response[Any]:
    await read(request, sheet, order_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, order_id, form, told(error, form.speech), error.status)

    said = ("登记状态已更新", "The registration is noted.")
    return await take(request, asked, to=f"{HERE}/{order_id}", said=said, again=again)


@post(f"{HERE}/{{order_id:int}}/step", **members(*MOVERS))
async def send_step(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Say where it stands: filed, registered under a number, or refused and why."""

    def asked(form: Typed) -> Any:
        state = form.choice("state", list(RegistrationState))
        form.require()
        registered = state == RegistrationState.REGISTERED
        return move_registration, MoveRegistration(
            order_id,
            RegistrationState(state),
            number=form.text("number", length_max=LINE_LENGTH_MAX) if registered else "",
            registered_on=form.day("on") if registered else None,
            place=form.text("place", length_max=LINE_LENGTH_MAX, needed=False),
            reason=form.text("reason", length_max=LINE_LENGTH_MAX, needed=False),
        )

    return await _step(request, order_id, asked)


@post(f"{HERE}/{{order_id:int}}/number", **members(*MANAGER))
async def send_number(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """The number at once, whatever was noted before, or a corrected one."""

    def asked(form: Typed) -> Any:
        return register_contract, RegisterContract(
            order_id,
            form.text("number", length_max=LINE_LENGTH_MAX),
            form.day("on") or date.min,
            form.text("place", length_max=LINE_LENGTH_MAX, needed=False),
        )

    return await _step(request, order_id, asked)


routes: list[ControllerRouterHandler] = [
    show_contracts,
    get_contracts_file,
    show_contract,
    send_step,
    send_number,
]
