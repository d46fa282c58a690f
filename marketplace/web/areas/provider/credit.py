"""Credit between providers and their customers: the lines, and one with its terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries as credit
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.areas.provider.own import called
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told
from marketplace.web.words.choices import named

HERE = "/credit"
SELLERS = (*MANAGER, Role.AUDITOR)
SIDES = (*SELLERS, Role.BUYER, Role.SME_ADMINISTRATOR)
PAGE_SIZE = 30
RECEIVABLES_SHOWN = 50
RECEIPTS_SHOWN = 20
STATES = ("overdue", "proposed")
LINE_HEADS = (
    ("编号", "No."),
    ("服务方", "Provider"),
    ("客户", "Customer"),
    ("额度（元）", "Limit (CNY)"),
    ("订单占用（元）", "Held for orders (CNY)"),
    ("欠款（元）", "Owed (CNY)"),
    ("逾期（元）", "Overdue (CNY)"),
    ("可用（元）", "Left (CNY)"),
    ("账期（天）", "Due after days"),
    ("有效期至", "Valid until"),
    ("最早到期", "First due"),
)

Names = dict[int, parties.Organisation]


def name_of(names: Names, speech: Speech, organisation_id: int) -> str:
    """What an organisation is called."""
    found = names[organisation_id]
    return speech.either(found.name, found.name_en)


async def names_of(tx: Tx, rows: Iterable[Any]) -> Names:
    """Both sides of every row."""
    ids = {each for row in rows for each in (row.provider_id, row.buyer_id)}
    return await parties.organisations(tx, ids)


async def among(tx: Tx, text: str) -> list[int] | None:
    """The other sides whose names contain the text; None when none is looked for."""
    if not text:
        return None
    known = await parties.organisations(tx, await credit.credit_partners(tx))
    return [each.id for each in called(known.values(), text)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: whose name, in which state."""

    text: str
    state: str
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines with the names of both sides."""

    rows: list[credit.LineInUse]
    total: int
    names: Names
    left_fen: int


async def lines(tx: Tx, asked: Asked) -> Lines:
    """Those that the actor's organisation grants or was granted."""
    search = credit.LineSearch(
        overdue=asked.state == "overdue",
        proposed=asked.state == "proposed",
        page=asked.page,
        page_size=asked.page_size,
        among=await among(tx, asked.text),
    )
    found = await credit.credit_lines(tx, search)
    owed = await credit.receivables(tx, credit.ReceivableSearch(open=True, page_size=1))
    names = await names_of(tx, [each.line for each in found.rows])
    return Lines(found.rows, found.total, names, owed.left_fen)


def _line_search(form: Typed, *, size: int, file: bool = False) -> Asked:
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    asked = Asked(
        form.text("text", length_max=100, needed=False),
        form.choice("state", STATES, needed=False),
        1 if file else number,
        size,
    )
    form.require()
    return asked


@get(HERE, **members(*SIDES))
async def show_lines(request: PageRequest) -> Response[Any]:
    """Credit that one grants to customers, or was granted by providers."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    asked = _line_search(form, size=PAGE_SIZE)
    return page(
        request,
        "provider/credit.html",
        form=form,
        asked=asked,
        found=await read(request, lines, asked),
        mine=visitor.actor.organisation_id,
        sells=visitor.has(*SELLERS),
        may_grant=visitor.has(*MANAGER),
        states=named(visitor.speech, "credit_state", STATES),
    )


@get(f"{HERE}/file", **members(*SIDES))
async def get_lines_file(request: PageRequest) -> Response[bytes]:
    """The lines that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, lines, _line_search(form, size=ROWS_MAX + 1, file=True))
    rows = [
        [
            each.line.id,
            name_of(found.names, form.speech, each.line.provider_id),
            name_of(found.names, form.speech, each.line.buyer_id),
            yuan(each.line.limit_fen),
            yuan(each.held_fen),
            yuan(each.line.owed_fen),
            yuan(each.line.overdue_fen),
            yuan(each.available_fen),
            each.line.due_days,
            each.line.valid_until,
            each.line.oldest_due_on,
        ]
        for each in found.rows
    ]
    return await as_file(form, "credit-lines", LINE_HEADS, rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A line with its terms, what is open on it, and what was paid."""

    used: credit.LineInUse
    names: Names
    terms: list[credit.CreditTerms]
    people: dict[int, str]
    owed: credit.ReceivablePage
    receipts: credit.ReceiptPage
    today: date

    @property
    def proposal(self) -> credit.CreditTerms | None:
        """What waits for the second person."""
        return next((each for each in self.terms if each.status == "proposed"), None)

    @property
    def in_force(self) -> credit.CreditTerms | None:
        """What orders are placed on."""
        return next((each for each in self.terms if each.status == "in_force"), None)


async def sheet(tx: Tx, line_id: int) -> Sheet:
    """Everything about a line.

    Raises:
        CreditLineMissing: when there is none, or it is between others.
    """
    used = await credit.credit_line_by_id(tx, line_id)
    terms = await credit.terms_of(tx, line_id)
    owed = credit.ReceivableSearch(line_id=line_id, open=True, page_size=RECEIVABLES_SHOWN)
    people = {
        each for row in terms for each in (row.proposed_by, row.decided_by, row.ended_by) if each
    }
    return Sheet(
        used=used,
        names=await names_of(tx, [used.line]),
        terms=terms,
        people=await parties.names_of_people(tx, people),
        owed=await credit.receivables(tx, owed),
        receipts=await credit.receipts(tx, credit.ReceiptsAsked(line_id, page_size=RECEIPTS_SHOWN)),
        today=tx.today,
    )


@get(f"{HERE}/{{line_id:int}}", **members(*SIDES))
async def show_line(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """One line: its terms, what is owed on it, and what was paid."""
    return await line_page(request, line_id, empty(visitor_of(request).speech))


async def line_page(
    request: PageRequest,
    line_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A line's page, with what was typed and refused."""
    visitor = visitor_of(request)
    found = await read(request, sheet, line_id)
    mine = visitor.actor.organisation_id
    return page(
        request,
        "provider/credit_line.html",
        status=status,
        sheet=found,
        form=form,
        refusal=refusal,
        may_grant=visitor.has(*MANAGER) and found.used.line.provider_id == mine,
        may_pay=found.used.line.buyer_id == mine,
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_lines, get_lines_file, show_line]
