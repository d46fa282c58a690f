"""Sanctions: proposed with the reason, the party heard, decided by another, appealed to a third."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.sanctions import Sanction, SanctionSearch, sanction
from marketplace.vouchers.use_cases import SanctionKind, SanctionStatus
from marketplace.vouchers.use_cases.sanctions import (
    AppealSanction,
    DecideAppeal,
    DecideSanction,
    ProposeSanction,
    StateCase,
    appeal_sanction,
    decide_appeal,
    decide_sanction,
    propose_sanction,
    state_case,
)
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.centre.sanction_cases import DraftAsked, case, desk, draft, own_case
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import every

PROPOSERS = (Role.VOUCHER_OFFICER,)
DECIDERS = (Role.FINANCE_CHECKER, Role.ADMINISTRATOR)
PARTIES = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)
CENTRE = (*PROPOSERS, Role.FINANCE_MAKER, *DECIDERS, Role.AUDITOR, Role.REGULATOR)
READERS = (*PARTIES, *CENTRE)
HERE = "/sanctions"
PAGE_SIZE = 30
TEXT_LENGTH_MAX = 500
HEADS = (
    ("编号", "No."),
    ("当事方", "Party"),
    ("措施", "Sanction"),
    ("状态", "State"),
    ("计划", "Programme"),
    ("起", "From"),
    ("止", "Until"),
    ("事由", "Reason"),
    ("提出", "Proposed"),
    ("决定", "Decided"),
)


def _search(form: Typed, page_size: int = PAGE_SIZE) -> SanctionSearch:
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = SanctionSearch(
        organisation_id=form.whole("organisation", least=1, needed=False),
        kind=form.choice("kind", list(SanctionKind), needed=False) or None,
        status=form.choice("status", list(SanctionStatus), needed=False) or None,
        in_force_on=form.day("on", needed=False),
        text=form.text("text", length_max=100, needed=False) or None,
        page=vouchers.PageAsked(number, page_size),
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_sanctions(request: PageRequest) -> Response[Any]:
    """Who is under a sanction, who is heard, and what was appealed."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    search = _search(form)
    return page(
        request,
        "centre/sanctions.html",
        form=form,
        search=search,
        found=await read(request, desk, search),
        kinds=every(form.speech, "sanction_kind"),
        states=every(form.speech, "sanction"),
        oversees=visitor.has(*CENTRE),
        may_propose=visitor.has(*PROPOSERS),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_sanctions_file(request: PageRequest) -> Response[bytes]:
    """The sanctions that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.found.rows:
        party = found.names.organisations[each.organisation_id]
        kind, status = label("sanction_kind", each.kind), label("sanction", each.status)
        of = found.programmes.get(each.programme_id or 0)
        rows.append(
            [
                each.id,
                speech.either(party.name, party.name_en),
                speech.either(kind.chinese, kind.english),
                speech.either(status.chinese, status.english),
                speech.either(of.name, of.name_en) if of else "",
                each.starts_on.isoformat(),
                each.ends_on.isoformat() if each.ends_on else "",
                each.reason,
                speech.moment(each.proposed_at),
                speech.moment(each.decided_at) if each.decided_at else "",
            ]
        )
    return await as_file(form, "sanctions", HEADS, rows)


@get(f"{HERE}/new", **members(*PROPOSERS))
async def show_draft(request: PageRequest) -> Response[Any]:
    """Whom, with what, why, and for how long."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _draft(request, form)


@post(f"{HERE}/new", **members(*PROPOSERS))
async def send_proposal(request: PageRequest) -> Response[Any]:
    """Propose it; the party is heard before anybody decides."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    party_id = form.whole("organisation", least=1)
    kind = form.choice("kind", list(SanctionKind))
    reason = form.text("reason", length_max=TEXT_LENGTH_MAX)
    starts_on = form.day("starts_on")
    ends_on = form.day("ends_on", needed=False)
    programme_id = form.whole("programme", least=1, needed=False)
    try:
        form.require()
        assert party_id is not None, "required"
        assert starts_on is not None, "required"
        command = ProposeSanction(
            party_id, SanctionKind(kind), reason, starts_on, ends_on, programme_id
        )
        return await act(
            request,
            form,
            propose_sanction,
            command,
            to=lambda made: f"{HERE}/{made.id}",
            said=("已提出，当事方可陈述申辩", "Proposed; the party is heard now."),
        )
    except DomainError as error:
        return await _draft(request, form, told(error, speech), error.status)


async def _draft(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    asked = DraftAsked(
        form.whole("organisation", least=1, needed=False),
        form.text("party", length_max=100, needed=False),
    )
    return page(
        request,
        "centre/sanction_new.html",
        status=status,
        found=await read(request, draft, asked),
        form=form,
        kinds=every(form.speech, "sanction_kind"),
        refusal=refusal,
        key=new_key(),
    )


@get(f"{HERE}/{{sanction_id:int}}", **members(*READERS))
async def show_sanction(request: PageRequest, sanction_id: FromPath[int]) -> Response[Any]:
    """What is held against a party, what it says, who decided, and how to object."""
    return await _sanction(request, sanction_id, empty(visitor_of(request).speech))


@post(f"{HERE}/{{sanction_id:int}}/state", **members(*PARTIES))
async def send_statement(request: PageRequest, sanction_id: FromPath[int]) -> Response[Any]:
    """The party is heard before it is sanctioned."""
    said = ("陈述已提交", "Your statement is filed.")

    def asked(form: Typed) -> tuple[Any, Any]:
        return state_case, StateCase(sanction_id, form.text("text", length_max=TEXT_LENGTH_MAX))

    return await _taken(request, sanction_id, asked, said, own_case)


@post(f"{HERE}/{{sanction_id:int}}/appeal", **members(*PARTIES))
async def send_appeal(request: PageRequest, sanction_id: FromPath[int]) -> Response[Any]:
    """It stays in force until somebody else has decided."""
    said = ("申诉已提交", "Your appeal is filed.")

    def asked(form: Typed) -> tuple[Any, Any]:
        text = form.text("text", length_max=TEXT_LENGTH_MAX)
        return appeal_sanction, AppealSanction(sanction_id, text)

    return await _taken(request, sanction_id, asked, said, own_case)


@post(f"{HERE}/{{sanction_id:int}}/decide", **members(*DECIDERS))
async def send_decision(request: PageRequest, sanction_id: FromPath[int]) -> Response[Any]:
    """A second person imposes it, and it binds at once; or drops it."""

    def asked(form: Typed) -> tuple[Any, Any]:
        imposed = form.choice("decision", ("impose", "drop")) == "impose"
        reason = form.text("reason", length_max=TEXT_LENGTH_MAX)
        return decide_sanction, DecideSanction(sanction_id, imposed, reason)

    return await _taken(request, sanction_id, asked, ("已决定", "Decided."))


@post(f"{HERE}/{{sanction_id:int}}/appeal/decide", **members(*DECIDERS))
async def send_appeal_decision(request: PageRequest, sanction_id: FromPath[int]) -> Response[Any]:
    """A third person lifts the sanction or keeps it."""

    def asked(form: Typed) -> tuple[Any, Any]:
        upheld = form.choice("decision", ("lift", "keep")) == "lift"
        answer = form.text("reason", length_max=TEXT_LENGTH_MAX)
        return decide_appeal, DecideAppeal(sanction_id, upheld, answer)

    said = ("申诉已决定", "The appeal is decided.")
    return await _taken(request, sanction_id, asked, said)


async def _taken(
    request: PageRequest,
    sanction_id: int,
    asked: StepAsked,
    said: tuple[str, str],
    seen: Callable[[Tx, int], Awaitable[Sanction]] = sanction,
) -> Response[Any]:
    await read(request, seen, sanction_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await _sanction(request, sanction_id, form, refusal, error.status)

    return await take(request, asked, to=f"{HERE}/{sanction_id}", said=said, again=again)


async def _sanction(
    request: PageRequest,
    sanction_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, case, sanction_id)
    it = found.sanction
    return page(
        request,
        "centre/sanction.html",
        status=status,
        found=found,
        form=form,
        refusal=refusal,
        is_party=visitor.actor.organisation_id == it.organisation_id and visitor.has(*PARTIES),
        may_decide=visitor.has(*DECIDERS),
        has_decided=visitor.actor.person_id in (it.proposed_by, it.decided_by),
        reads_anomalies=visitor.has(Role.VOUCHER_OFFICER, Role.AUDITOR, Role.REGULATOR),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_sanctions,
    get_sanctions_file,
    show_draft,
    send_proposal,
    show_sanction,
    send_statement,
    send_appeal,
    send_decision,
    send_appeal_decision,
]
