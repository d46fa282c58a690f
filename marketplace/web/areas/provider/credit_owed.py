"""What is owed on account: one service after the other, and by age."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries as credit
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import Role
from marketplace.web.areas.provider.credit import (
    HERE,
    SELLERS,
    SIDES,
    Names,
    among,
    name_of,
    names_of,
)
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import label
from marketplace.web.words.choices import named

PAGE_SIZE = 30
OWED_STATES = ("open", "overdue")
OWED_HEADS = (
    ("编号", "No."),
    ("服务方", "Provider"),
    ("客户", "Customer"),
    ("订单", "Order"),
    ("内容", "What"),
    ("金额（元）", "Amount (CNY)"),
    ("已还（元）", "Paid (CNY)"),
    ("减免（元）", "Credited (CNY)"),
    ("未还（元）", "Left (CNY)"),
    ("发生日", "Arose on"),
    ("到期日", "Due on"),
)
AGE_HEADS = (
    ("服务方", "Provider"),
    ("客户", "Customer"),
    ("合计（元）", "In all (CNY)"),
    ("未到期（元）", "Not due (CNY)"),
    ("逾期 1–30 天（元）", "1 to 30 days (CNY)"),
    ("逾期 31–60 天（元）", "31 to 60 days (CNY)"),
    ("逾期 61–90 天（元）", "61 to 90 days (CNY)"),
    ("逾期 90 天以上（元）", "Over 90 days (CNY)"),
    ("最早到期", "First due"),
)


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed, with the names of both sides."""

    found: credit.ReceivablePage
    names: Names
    today: date


async def owed(tx: Tx, asked: tuple[str, credit.ReceivableSearch]) -> Owed:
    """By and to the actor's organisation, the first due first."""
    text, search = asked
    found = await credit.receivables(tx, replace(search, among=await among(tx, text)))
    return Owed(found, await names_of(tx, found.rows), tx.today)


def _owed_search(
    form: Typed, *, size: int, file: bool = False
) -> tuple[str, credit.ReceivableSearch]:
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    state = form.choice("state", OWED_STATES, needed=False)
    search = credit.ReceivableSearch(
        line_id=form.whole("line", least=1, most=2**53 - 1, needed=False),
        order_id=form.whole("order", least=1, most=2**53 - 1, needed=False),
        open=state == "open",
        overdue=state == "overdue",
        due_from=form.day("from", needed=False),
        due_until=form.day("until", needed=False),
        page=1 if file else number,
        page_size=size,
    )
    text = form.text("text", length_max=100, needed=False)
    form.require()
    return text, search


@get(f"{HERE}/owed", **members(*SIDES))
async def show_owed(request: PageRequest) -> Response[Any]:
    """What is owed for each service, the first due first."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    text, search = _owed_search(form, size=PAGE_SIZE)
    return page(
        request,
        "provider/credit_owed.html",
        form=form,
        search=search,
        owed=await read(request, owed, (text, search)),
        mine=visitor.actor.organisation_id,
        sells=visitor.has(*SELLERS),
        states=named(visitor.speech, "credit_state", OWED_STATES),
    )


@get(f"{HERE}/owed/file", **members(*SIDES))
async def get_owed_file(request: PageRequest) -> Response[bytes]:
    """What the filters leave of it, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = _owed_search(form, size=ROWS_MAX + 1, file=True)
    found = await read(request, owed, asked)
    rows = []
    for each in found.found.rows:
        what = label("owing", each.what)
        rows.append(
            [
                each.id,
                name_of(found.names, form.speech, each.provider_id),
                name_of(found.names, form.speech, each.buyer_id),
                each.order_id,
                form.speech.either(what.chinese, what.english),
                yuan(each.amount_fen),
                yuan(each.paid_fen),
                yuan(each.credited_fen),
                yuan(each.left_fen),
                each.arose_on,
                each.due_on,
            ]
        )
    return await as_file(form, "owed-on-account", OWED_HEADS, rows)


@dataclass(frozen=True, slots=True)
class Ages:
    """What customers owe by age, with their names, on a day."""

    found: credit.Ageing
    names: Names
    on: date


async def ages(tx: Tx, asked: tuple[date | None, int, int]) -> Ages:
    """At the end of a day, today where none is asked for; most owed first."""
    on, number, size = asked
    day = on or tx.today
    found = await credit.ageing(tx, credit.AgeingAsked(day, page=number, page_size=size))
    return Ages(found, await names_of(tx, found.rows), day)


def _ages_asked(form: Typed) -> tuple[date | None, int]:
    on = form.day("on", needed=False)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    form.require()
    return on, number


@get(f"{HERE}/ageing", **members(*SELLERS))
async def show_ages(request: PageRequest) -> Response[Any]:
    """What customers owed at the end of a day, by the days since it was due."""
    form = Typed(request.query_params, visitor_of(request).speech)
    on, number = _ages_asked(form)
    found = await read(request, ages, (on, number, PAGE_SIZE))
    return page(
        request,
        "provider/credit_ages.html",
        form=form if form.raw("on") else empty(form.speech, on=found.on),
        ages=found,
        sees_all=visitor_of(request).has(Role.AUDITOR),
    )


@get(f"{HERE}/ageing/file", **members(*SELLERS))
async def get_ages_file(request: PageRequest) -> Response[bytes]:
    """The same as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    on, _ = _ages_asked(form)
    found = await read(request, ages, (on, 1, ROWS_MAX + 1))
    rows = [
        [
            name_of(found.names, form.speech, each.provider_id),
            name_of(found.names, form.speech, each.buyer_id),
            *(
                yuan(fen)
                for fen in (
                    each.left_fen,
                    each.not_due_fen,
                    each.days_1_30_fen,
                    each.days_31_60_fen,
                    each.days_61_90_fen,
                    each.days_over_90_fen,
                )
            ),
            each.oldest_due_on,
        ]
        for each in found.found.rows
    ]
    return await as_file(form, "ageing", AGE_HEADS, rows)


routes: list[ControllerRouterHandler] = [
    show_owed,
    get_owed_file,
    show_ages,
    get_ages_file,
]
