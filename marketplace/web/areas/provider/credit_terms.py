"""Granting credit to customers: proposed by one person, decided by another, ended by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries as credit
from marketplace.billing.credit.use_cases import (
    DecideTerms,
    EndTerms,
    ProposeTerms,
    decide_terms,
    end_terms,
    propose_terms,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders.queries.provider_work import customers
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.provider.credit import HERE, line_page
from marketplace.web.areas.provider.own import called
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

REASON_LENGTH_MAX = 2_000
LINE_LENGTH_MAX = 500
CUSTOMERS_OFFERED = 20
DUE_DAYS_MAX = 365


@dataclass(frozen=True, slots=True)
class Proposing:
    """To whom credit may be granted, and within which bounds."""

    buyer: parties.Organisation | None
    line: credit.LineInUse | None
    offered: list[parties.Organisation]
    limit_max_fen: int
    due_days_max: int
    valid_days_max: int
    today: date


async def proposing(tx: Tx, asked: tuple[int | None, str]) -> Proposing:
    """A customer that is named, or those that a text finds.

    Raises:
        OrganisationMissing: when the one that is named is nobody.
    """
    buyer_id, text = asked
    buyer, line = None, None
    if buyer_id is not None:
        buyer = await parties.organisation(tx, buyer_id)
        line = await credit.credit_line_between(tx, tx.actor.organisation_id, buyer_id)
    terms = rulebook().credit
    return Proposing(
        buyer=buyer,
        line=line,
        offered=[] if buyer else await _offered(tx, text),
        limit_max_fen=terms.limit_max_fen.on(tx.today),
        due_days_max=terms.due_days_max.on(tx.today),
        valid_days_max=terms.valid_days_max.on(tx.today),
        today=tx.today,
    )


async def _offered(tx: Tx, text: str) -> list[parties.Organisation]:
    """Customers by a part of their name; whoever never ordered yet, by the whole credit code."""
    known = await parties.organisations(tx, await customers(tx))
    found = called(known.values(), text)
    return found[:CUSTOMERS_OFFERED] or await parties.organisations_by_code(tx, text)


@get(f"{HERE}/new", **members(*MANAGER))
async def new_terms(request: PageRequest) -> Response[Any]:
    """Credit for a customer, or another limit for one who has it."""
    return await _proposal(request, Typed(request.query_params, visitor_of(request).speech))


async def _proposal(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    buyer_id = form.whole("buyer", least=1, most=2**53 - 1, needed=False)
    text = form.text("of", length_max=100, needed=False)
    found = await read(request, proposing, (buyer_id, text))
    if "limit" not in form.fields:
        line = found.line.line if found.line else None
        form = empty(
            form.speech,
            of=text,
            limit=f"{line.limit_fen / 100:.2f}" if line and line.limit_fen else None,
            days=line.due_days if line else None,
            until=line.valid_until if line else None,
        )
    return page(
        request,
        "provider/credit_new.html",
        status=status,
        form=form,
        found=found,
        refusal=refusal,
        key=new_key(),
    )


@post(HERE, **members(*MANAGER))
async def send_proposal(request: PageRequest) -> Response[Any]:
    """Propose it; nothing is granted before a second person approves."""
    form = await typed(request, visitor_of(request).speech)
    try:
        until = form.day("until")
        command = ProposeTerms(
            buyer_id=form.whole("buyer", least=1, most=2**53 - 1) or 0,
            limit_fen=form.amount("limit") or 0,
            due_days=form.whole("days", least=1, most=DUE_DAYS_MAX) or 0,
            valid_until=until or date.min,
            reason=form.text("reason", length_max=REASON_LENGTH_MAX),
        )
        form.require()
        return await act(
            request,
            form,
            propose_terms,
            command,
            to=lambda made: f"{HERE}/{made.line_id}",
            said=("授信已提出，待另一人审批", "Proposed; another person decides."),
        )
    except DomainError as error:
        return await _proposal(request, form, told(error, form.speech), error.status)


async def _step(
    request: PageRequest, line_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, credit.credit_line_by_id, line_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await line_page(request, line_id, form, told(error, form.speech), error.status)

    return await take(request, asked, to=f"{HERE}/{line_id}", said=said, again=again)


@post(f"{HERE}/{{line_id:int}}/terms/{{terms_id:int}}/approve", **members(*MANAGER))
async def send_approval(
    request: PageRequest, line_id: FromPath[int], terms_id: FromPath[int]
) -> Response[Any]:
    """By another person than the one who proposed it; the terms before end."""
    return await _step(
        request,
        line_id,
        lambda _: (decide_terms, DecideTerms(terms_id, approve=True)),
        ("授信已生效", "The credit is in force."),
    )


@post(f"{HERE}/{{line_id:int}}/terms/{{terms_id:int}}/refuse", **members(*MANAGER))
async def send_refusal(
    request: PageRequest, line_id: FromPath[int], terms_id: FromPath[int]
) -> Response[Any]:
    """Refused, and why."""

    def asked(form: Typed) -> Any:
        reason = form.text("reason", length_max=LINE_LENGTH_MAX)
        return decide_terms, DecideTerms(terms_id, approve=False, reason=reason)

    return await _step(request, line_id, asked, ("已拒绝该授信", "The proposal is refused."))


@post(f"{HERE}/{{line_id:int}}/terms/{{terms_id:int}}/end", **members(*MANAGER))
async def send_end(
    request: PageRequest, line_id: FromPath[int], terms_id: FromPath[int]
) -> Response[Any]:
    """No more orders on account, or the proposal is taken back; what is owed stays due."""

    def asked(form: Typed) -> Any:
        return end_terms, EndTerms(terms_id, form.text("reason", length_max=REASON_LENGTH_MAX))

    return await _step(request, line_id, asked, ("授信已终止", "The credit has ended."))


routes: list[ControllerRouterHandler] = [
    new_terms,
    send_proposal,
    send_approval,
    send_refusal,
    send_end,
]
