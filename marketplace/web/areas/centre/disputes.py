"""Disputes: what buyers object to, what providers answer, and the centre's ruling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.orders import queries as orders
from marketplace.orders.errors import DisputeMissing
from marketplace.orders.queries.disputes import STATES, last_dispute
from marketplace.orders.use_cases import RuleOnDispute, rule_on_dispute
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

READERS = (Role.VOUCHER_OFFICER, Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.AUDITOR)
HERE = "/ops/disputes"
PAGE_SIZE = 30
RULING_LENGTH_MAX = 2_000
HEADS = (
    ("订单", "Order"),
    ("服务", "Service"),
    ("委托方", "Buyer"),
    ("服务方", "Provider"),
    ("金额", "Amount"),
    ("异议", "Objection"),
    ("提出", "Filed"),
    ("状态", "State"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of disputes, and who they are between."""

    rows: list[orders.DisputeRow]
    total: int
    names: Names


async def desk(tx: Tx, question: orders.DisputeList) -> Desk:
    """The newest first."""
    found = await orders.disputes(tx, question)
    sides = [number for each in found.rows for number in (each.buyer_id, each.provider_id)]
    return Desk(found.rows, found.total, await names(tx, sides))


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute with its order and what both sides showed."""

    order: orders.Order
    dispute: orders.Dispute
    evidence: list[orders.Evidence]
    names: Names


async def case(tx: Tx, order_id: int) -> Case:
    """The last dispute of an order.

    Raises:
        OrderMissing: when there is no such order.
        DisputeMissing: when nobody objected.
    """
    order = await orders.order(tx, order_id)
    found = await last_dispute(tx, order_id)
    if found is None:
        raise DisputeMissing()
    people = [found.opened_by, found.answered_by, found.ruled_by]
    who = await names(tx, [order.buyer_id, order.provider_id], people)
    return Case(order, found, await orders.dispute_evidence(tx, order_id), who)


def state_of(each: orders.DisputeRow) -> str:
    """How a dispute ended, or whose turn it is."""
    return each.ended_how or ("open" if each.answered_at is None else "answered")


def _question(form: Typed, page_size: int = PAGE_SIZE) -> orders.DisputeList:
    question = orders.DisputeList(
        state=form.choice("state", STATES, needed=False) or None,
        opened_from=form.day("from", needed=False),
        opened_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False) or None,
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return question


@get(HERE, **members(*READERS))
async def show_disputes(request: PageRequest) -> Response[Any]:
    """What is objected to, and whose turn it is."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    question = _question(form)
    named = [(state, label("dispute_state", state)) for state in STATES]
    return page(
        request,
        "centre/disputes.html",
        form=form,
        question=question,
        found=await read(request, desk, question),
        states=[(state, speech.either(it.chinese, it.english)) for state, it in named],
        state_of=state_of,
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_disputes_file(request: PageRequest) -> Response[bytes]:
    """The disputes that the filters leave, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, desk, _question(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        buyer = found.names.organisations[each.buyer_id]
        provider = found.names.organisations[each.provider_id]
        state = label("dispute_state", state_of(each))
        rows.append(
            [
                each.order_id,
                each.title,
                speech.either(buyer.name, buyer.name_en),
                speech.either(provider.name, provider.name_en),
                yuan(each.total_fen),
                each.reason,
                speech.moment(each.opened_at),
                speech.either(state.chinese, state.english),
            ]
        )
    return await as_file(form, "disputes", HEADS, rows)


@get(f"{HERE}/{{order_id:int}}", **members(*READERS))
async def show_dispute(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """One dispute: both sides, their evidence, and the ruling."""
    return await _shown(request, order_id, empty(visitor_of(request).speech))


@post(f"{HERE}/{{order_id:int}}/rule", **members(Role.VOUCHER_OFFICER))
async def send_ruling(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Rule which part of the used value the provider may have; the order settles by it."""
    speech = visitor_of(request).speech
    await read(request, case, order_id)
    form = await typed(request, speech)
    command = RuleOnDispute(
        order_id,
        form.percentage("pay") or 0,
        form.text("ruling", length_max=RULING_LENGTH_MAX),
    )
    said = ("已裁定，订单按裁定结算", "You have ruled; the order is settled by it.")
    try:
        form.require()
        to = f"{HERE}/{order_id}"
        return await act(request, form, rule_on_dispute, command, to=to, said=said)
    except DomainError as error:
        return await _shown(request, order_id, form, told(error, speech), error.status)


async def _shown(
    request: PageRequest,
    order_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    found = await read(request, case, order_id)
    may_rule = visitor_of(request).has(Role.VOUCHER_OFFICER) and found.dispute.ended_at is None
    return page(
        request,
        "centre/dispute.html",
        status=status,
        found=found,
        form=form,
        refusal=refusal,
        may_rule=may_rule,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_disputes,
    get_disputes_file,
    show_dispute,
    send_ruling,
]
