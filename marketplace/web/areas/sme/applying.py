"""Applying for a voucher: programmes that are open, every rule and what it found, documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.use_cases import (
    AmendApplication,
    ApplyForVoucher,
    SubmitApplication,
    WithdrawApplication,
    amend_application,
    apply_for_voucher,
    submit_application,
    withdraw_application,
)
from marketplace.vouchers.use_cases.documents import (
    DOCUMENT_BYTES_MAX,
    RemoveDocument,
    StoreDocument,
    document_file,
    remove_document,
    store_document,
)
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.sme.order_papers import download
from marketplace.web.areas.sme.vouchers import HOLDERS
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

OPEN_LISTED = 50
PURPOSE_LENGTH_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Offered:
    """A programme that takes applications, with its layers."""

    programme: vouchers.Programme
    layers: list[vouchers.Layer]


@dataclass(frozen=True, slots=True)
class Desk:
    """What can be applied for, and what was."""

    offered: list[Offered]
    applications: vouchers.Listed[vouchers.Application]
    names: dict[int, vouchers.Programme]
    eligibility: vouchers.Eligibility | None


async def desk(tx: Tx, asked: tuple[int, int] | None) -> Desk:
    """Open programmes, the organisation's applications, and whether it may have so much of one.

    Policy: J.22a, J.22b

    Raises:
        ProgrammeMissing: when one is asked about that cannot be seen.
    """
    size = vouchers.PageAsked(1, OPEN_LISTED)
    found = await vouchers.programmes(tx, vouchers.ProgrammeSearch(status="open", page=size))
    taking = [each for each in found.rows if each.opens_on <= tx.today <= each.closes_on]
    mine = await vouchers.applications(
        tx, vouchers.ApplicationSearch(organisation_id=tx.actor.organisation_id, page=size)
    )
    names = {each.id: each for each in found.rows}
    for number in {each.programme_id for each in mine.rows} - set(names):
        names[number] = await vouchers.visible_programme(tx, number)
    answer = None
    if asked is not None:
        question = vouchers.EligibilityQuestion(
            asked[0], tx.actor.organisation_id, asked[1], tx.today
        )
        answer = await vouchers.visible_eligibility(tx, question)
    offered = [Offered(each, await vouchers.layers(tx, each.id, on=tx.today)) for each in taking]
    return Desk(offered, mine, names, answer)


@get("/vouchers/apply", **members(*HOLDERS))
async def show_desk(request: PageRequest) -> Response[Any]:
    """What is open; with a programme and an amount, every rule, the fact it looked at, the result.

    Nothing is sent by looking.
    """
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _desk_page(request, form, None, 200)


async def _desk_page(
    request: PageRequest, form: Typed, refusal: Told | None, status: int
) -> Response[Any]:
    speech = visitor_of(request).speech
    asked = None
    if form.raw("programme"):
        programme = form.whole("programme", least=1)
        amount = form.amount("asked")
        if programme and amount:
            asked = (programme, amount)
    try:
        found = await read(request, desk, asked)
    except DomainError as error:
        refusal = refusal or told(error, speech)
        found = await read(request, desk, None)
    return page(
        request,
        "sme/apply.html",
        status=status,
        desk=found,
        form=form,
        refusal=refusal,
        may_apply=visitor_of(request).has(Role.SME_ADMINISTRATOR),
        key=new_key(),
    )


@post("/vouchers/apply", **members(Role.SME_ADMINISTRATOR))
async def send_application(request: PageRequest) -> Response[Any]:
    """Apply; where documents are asked for it is a draft until they are there."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    command = ApplyForVoucher(
        form.whole("programme", least=1) or 0,
        form.amount("asked") or 0,
        form.text("purpose", length_max=PURPOSE_LENGTH_MAX),
    )
    said = ("申请已保存", "Your application is on its way.")
    try:
        form.require()
        return await act(
            request, form, apply_for_voucher, command, to=lambda one: _address(one.id), said=said
        )
    except DomainError as error:
        return await _desk_page(request, form, told(error, speech), error.status)


def _address(application_id: int) -> str:
    return f"/vouchers/applications/{application_id}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An application with its programme and documents."""

    application: vouchers.Application
    programme: vouchers.Programme
    documents: list[vouchers.ApplicationDocument]
    approvals: list[vouchers.Approval]


async def sheet(tx: Tx, application_id: int) -> Sheet:
    """An application of one's own organisation.

    Raises:
        ApplicationMissing: when it is somebody else's.
    """
    found = await vouchers.application(tx, application_id)
    return Sheet(
        found,
        await vouchers.visible_programme(tx, found.programme_id),
        await vouchers.application_documents(tx, application_id),
        await vouchers.visible_approvals(tx, application_id),
    )


@get("/vouchers/applications/{application_id:int}", **members(*HOLDERS))
async def show_application(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Its state, what every check found, and its documents."""
    return await _application_page(request, application_id, None, None, 200)


async def _application_page(
    request: PageRequest,
    application_id: int,
    form: Typed | None,
    refusal: Told | None,
    status: int,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, sheet, application_id)
    asked = found.application
    return page(
        request,
        "sme/application.html",
        status=status,
        sheet=found,
        application=asked,
        may_act=visitor.has(Role.SME_ADMINISTRATOR),
        form=form
        or empty(visitor.speech, asked=f"{asked.asked_fen / 100:.2f}", purpose=asked.purpose),
        refusal=refusal,
        key=new_key(),
    )


async def _step(
    request: PageRequest, application_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, vouchers.application, application_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await _application_page(request, application_id, form, refusal, error.status)

    return await take(request, asked, to=_address(application_id), said=said, again=again)


@post("/vouchers/applications/{application_id:int}/amend", **members(Role.SME_ADMINISTRATOR))
async def send_amend(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Ask for another amount, or for something else."""
    return await _step(
        request,
        application_id,
        lambda form: (
            amend_application,
            AmendApplication(
                application_id,
                form.amount("asked") or 0,
                form.text("purpose", length_max=PURPOSE_LENGTH_MAX),
            ),
        ),
        ("申请已修改", "Your application is changed."),
    )


@post("/vouchers/applications/{application_id:int}/submit", **members(Role.SME_ADMINISTRATOR))
async def send_submit(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Send it in; every rule is checked anew."""
    return await _step(
        request,
        application_id,
        lambda _: (submit_application, SubmitApplication(application_id)),
        ("申请已提交", "Your application is submitted."),
    )


@post("/vouchers/applications/{application_id:int}/withdraw", **members(Role.SME_ADMINISTRATOR))
async def send_withdraw(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Take it back before it is decided."""
    return await _step(
        request,
        application_id,
        lambda _: (withdraw_application, WithdrawApplication(application_id)),
        ("申请已撤回", "Your application is taken back."),
    )


@post(
    "/vouchers/applications/{application_id:int}/documents",
    request_max_body_size=DOCUMENT_BYTES_MAX + 100_000,
    **members(Role.SME_ADMINISTRATOR),
)
async def send_document(request: PageRequest, application_id: FromPath[int]) -> Response[Any]:
    """Add a document that the programme asks for."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, vouchers.application, application_id)
    kind = form.text("kind", length_max=60)
    taken = await form.file("document", bytes_max=DOCUMENT_BYTES_MAX)
    said = ("材料已上传", "The document is there.")
    try:
        form.require()
        assert taken is not None
        command = StoreDocument(application_id, kind, *taken)
        to = _address(application_id)
        return await act(request, form, store_document, command, to=to, said=said)
    except DomainError as error:
        refusal = told(error, speech)
        return await _application_page(request, application_id, None, refusal, error.status)


@post(
    "/vouchers/applications/{application_id:int}/documents/{document_id:int}/remove",
    **members(Role.SME_ADMINISTRATOR),
)
async def send_remove(
    request: PageRequest, application_id: FromPath[int], document_id: FromPath[int]
) -> Response[Any]:
    """Take a document out again."""
    return await _step(
        request,
        application_id,
        lambda _: (remove_document, RemoveDocument(application_id, document_id)),
        ("材料已移除", "The document is taken out."),
    )


@get("/vouchers/applications/{application_id:int}/documents/{document_id:int}", **members(*HOLDERS))
async def get_document(
    request: PageRequest, application_id: FromPath[int], document_id: FromPath[int]
) -> Response[bytes]:
    """A document as it was uploaded."""
    taken = await read(request, document_file, RemoveDocument(application_id, document_id))
    return download(taken.content, taken.document.name, taken.document.media_type)


routes: list[ControllerRouterHandler] = [
    show_desk,
    send_application,
    show_application,
    send_amend,
    send_submit,
    send_withdraw,
    send_document,
    send_remove,
    get_document,
]
