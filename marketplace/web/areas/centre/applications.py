"""Applications for vouchers: who asks, what every rule found, who waits, and the decision."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.use_cases import (
    DecideApplication,
    QueueApplication,
    ReturnApplication,
    decide_application,
    queue_application,
    return_application,
)
from marketplace.vouchers.use_cases.documents import RemoveDocument, document_file
from marketplace.web.acting import act
from marketplace.web.areas.centre.who import READS_VOUCHERS
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.sme.order_papers import download
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

HERE = "/ops/applications"
PAGE_SIZE = 30
PAGES_MAX = 10_000
REASON_MAX = 2_000
STATES = (
    "submitted",
    "waiting",
    "returned",
    "draft",
    "granted",
    "refused",
    "withdrawn",
    "lapsed",
)
AT_WORK = ("submitted", "waiting", "returned")
STEPS = ("grant", "refuse", "return", "queue")
HEADS = (
    ("申请", "Application"),
    ("企业", "SME"),
    ("计划", "Programme"),
    ("状态", "State"),
    ("申请金额", "Asked for"),
    ("追加", "Top-up of"),
    ("用途", "What for"),
    ("申请时间", "Made"),
    ("排队自", "Waiting since"),
    ("决定时间", "Decided"),
    ("理由", "Reason"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of applications, and how many are at each step of the work."""

    rows: list[vouchers.Application]
    total: int
    at_work: Mapping[str, int]
    programmes: Mapping[int, vouchers.Programme]
    names: Names


async def desk(tx: Tx, search: vouchers.ApplicationSearch) -> Desk:
    """The newest first; those that wait in the order in which their turn comes."""
    found = await vouchers.applications(tx, search)
    at_work = {
        status: (
            await vouchers.applications(
                tx, vouchers.ApplicationSearch(status=status, page=vouchers.PageAsked(1, 1))
            )
        ).total
        for status in AT_WORK
    }
    programmes = await vouchers.programmes_of(tx, found.rows, tx.today)
    who = await names(tx, (each.organisation_id for each in found.rows))
    return Desk(found.rows, found.total, at_work, programmes, who)


@dataclass(frozen=True, slots=True)
class Case:
    """An application with everything that its decision hangs on."""

    application: vouchers.Application
    programme: vouchers.Programme
    documents: list[vouchers.ApplicationDocument]
    approvals: list[vouchers.Approval]
    budgets: tuple[vouchers.LayerBudget, ...]
    now: vouchers.Eligibility
    facts: list[vouchers.BeneficiaryFact]
    names: Names

    @property
    def this_round(self) -> list[vouchers.Approval]:
        """The approvals that count: those of before it was sent back do not."""
        return [each for each in self.approvals if each.round == self.application.round]


async def case(tx: Tx, application_id: int) -> Case:
    """An application, what its rules find today, and what its layers have left.

    Raises:
        ApplicationMissing: when there is none.
    """
    found = await vouchers.application(tx, application_id)
    whole = await vouchers.programme_page(tx, found.programme_id)
    done = await vouchers.visible_approvals(tx, application_id)
    question = vouchers.EligibilityQuestion(
        found.programme_id,
        found.organisation_id,
        found.asked_fen,
        tx.today,
        found.grant_id,
        found.id,
    )
    facts = await vouchers.beneficiary_facts(
        tx, vouchers.FactSearch(organisation_id=found.organisation_id)
    )
    return Case(
        found,
        whole.programme,
        await vouchers.application_documents(tx, application_id),
        done,
        whole.layers,
        await vouchers.visible_eligibility(tx, question),
        facts.rows,
        await names(
            tx,
            [found.organisation_id],
            [found.made_by, found.decided_by, *(each.person_id for each in done)],
        ),
    )


def _search(form: Typed, page_size: int = PAGE_SIZE) -> vouchers.ApplicationSearch:
    search = vouchers.ApplicationSearch(
        programme_id=form.whole("programme", least=1, most=2**62, needed=False),
        status=form.choice("status", STATES, needed=False) or None,
        organisation_id=form.whole("sme", least=1, most=2**62, needed=False),
        top_ups=True if form.ticked("top_ups") else None,
        made_from=form.day("from", needed=False),
        made_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False),
        page=vouchers.PageAsked(
            form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1, page_size
        ),
    )
    form.require()
    return search


@get(HERE, **members(*READS_VOUCHERS))
async def show_applications(request: PageRequest) -> Response[Any]:
    """Who asks for vouchers, and where each application stands."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search = _search(form)
    return page(
        request,
        "centre/applications.html",
        form=form,
        search=search,
        found=await read(request, desk, search),
        states=STATES,
        at_work=AT_WORK,
    )


@get(f"{HERE}/file", **members(*READS_VOUCHERS))
async def get_applications_file(request: PageRequest) -> Response[bytes]:
    """The same applications as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        of, status = found.programmes[each.programme_id], label("application", each.status)
        sme = found.names.organisations[each.organisation_id]
        rows.append(
            [
                each.id,
                speech.either(sme.name, sme.name_en),
                speech.either(of.name, of.name_en),
                speech.either(status.chinese, status.english),
                yuan(each.asked_fen),
                each.grant_id or "",
                each.purpose,
                speech.moment(each.made_at),
                speech.moment(each.waiting_since) if each.waiting_since else "",
                speech.moment(each.decided_at) if each.decided_at else "",
                each.reason,
            ]
        )
    return await as_file(form, "voucher-applications", HEADS, rows)


@get(f"{HERE}/{{application_id:int}}", **members(*READS_VOUCHERS))
async def show_application(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """One application: rules, facts, documents, approvals, budgets, and the decision."""
    return await _shown(request, application_id, None)


@get(
    f"{HERE}/{{application_id:int}}/documents/{{document_id:int}}",
    **members(*READS_VOUCHERS),
)
async def get_document(
    request: PageRequest, application_id: FromPath[int], document_id: FromPath[int]
) -> Response[bytes]:
    """A document as it was uploaded; every download is logged."""
    taken = await read(request, document_file, RemoveDocument(application_id, document_id))
    return download(taken.content, taken.document.name, taken.document.media_type)


Step = tuple[Callable[[Tx, Any], Awaitable[Any]], Any, tuple[str, str]]


def _step(form: Typed, application_id: int) -> Step:
    """What was decided: granted, refused, sent back, or put in line."""
    asked = form.choice("do", STEPS)
    reason = form.text("reason", length_max=REASON_MAX, needed=asked in ("refuse", "return"))
    if asked == "return":
        back = ReturnApplication(application_id, reason)
        return return_application, back, ("已退回补正", "It is sent back to be amended.")
    if asked == "queue":
        line = QueueApplication(application_id)
        return queue_application, line, ("已转入排队", "It waits in line.")
    if asked == "refuse":
        no = DecideApplication(application_id, None, reason)
        return decide_application, no, ("已作出不予发放的决定", "It is refused.")
    amount = form.amount("amount") or 0
    yes = DecideApplication(application_id, amount, reason)
    return decide_application, yes, ("审批已记录", "Your approval is recorded.")


@post(f"{HERE}/{{application_id:int}}/decide", **members(Role.VOUCHER_OFFICER))
async def send_decision(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Grant an amount, refuse or return it with a reason, or let it wait for the budget."""
    speech = visitor_of(request).speech
    await read(request, vouchers.application, application_id)
    form = await typed(request, speech)
    use_case, command, said = _step(form, application_id)
    try:
        form.require()
        to = f"{HERE}/{application_id}"
        return await act(request, form, use_case, command, to=to, said=said)
    except DomainError as error:
        return await _shown(request, application_id, form, told(error, speech), error.status)


async def _shown(
    request: PageRequest,
    application_id: int,
    form: Typed | None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, case, application_id)
    before = found.this_round
    amount_fen = before[0].amount_fen if before else found.application.asked_fen
    mine = visitor.actor.person_id in {each.person_id for each in before}
    return page(
        request,
        "centre/application.html",
        status=status,
        found=found,
        form=form or empty(visitor.speech, amount=f"{amount_fen / 100:.2f}"),
        refusal=refusal,
        may_decide=visitor.has(Role.VOUCHER_OFFICER) and found.application.status == "submitted",
        approved_it=mine,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_applications,
    get_applications_file,
    show_application,
    get_document,
    send_decision,
]
