"""How the own rewards were used: what is owed, the papers, and the report (J.27d)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.papers import statement_of_entity
from marketplace.billing.rewards.use_cases import (
    AttachEvidence,
    DownloadEvidence,
    FileUseReport,
    Use,
    attach_evidence,
    download_evidence,
    file_use_report,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.uploads import saved_file
from marketplace.parties import queries as parties
from marketplace.web.acting import act
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import paper_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

FILE_BYTES_MAX = 10_000_000
OTHER = "other"


@dataclass(frozen=True, slots=True)
class OwnUse:
    """A report of the own organisation, what the money may be used for, and who handed it in."""

    found: rewards.OneReport
    purposes: tuple[str, ...]
    people: Mapping[int, str]
    today: date


async def own_use(tx: Tx, report_id: int) -> OwnUse:
    """One report of the actor's organisation.

    Policy: J.27d
    """
    found = await rewards.use_report(tx, report_id)
    run = await rewards.run(tx, found.report.run_id)
    permitted = run.terms.get("permitted_uses", {}).get("value", ())
    people = {each.filed_by for each in found.filings}
    return OwnUse(found, (*permitted, OTHER), await parties.names_of_people(tx, people), tx.today)


@get("/provider/rewards/uses/{use_report_id:int}", **members(*MANAGER))
async def show_use(request: PageRequest, use_report_id: FromPath[int]) -> Response[Any]:
    """What is owed, until when, what was handed in, and the form."""
    return await _use(request, use_report_id, empty(visitor_of(request).speech))


@post("/provider/rewards/uses/{use_report_id:int}/papers", **members(*MANAGER))
async def send_paper(request: PageRequest, use_report_id: FromPath[int]) -> Response[Any]:
    """Add a paper that shows how the money was used."""
    speech = visitor_of(request).speech
    await read(request, rewards.use_report, use_report_id)
    form = await typed(request, speech)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    try:
        form.require()
        assert file is not None, "required"
        name, content = file
        return await act(
            request,
            form,
            attach_evidence,
            AttachEvidence(use_report_id, name, content),
            to=f"/provider/rewards/uses/{use_report_id}",
            said=("材料已添加", "The paper is added."),
        )
    except DomainError as error:
        return await _use(request, use_report_id, form, told(error, speech), error.status)


@post("/provider/rewards/uses/{use_report_id:int}/file", **members(*MANAGER))
async def send_report(request: PageRequest, use_report_id: FromPath[int]) -> Response[Any]:
    """Hand the report in."""
    speech = visitor_of(request).speech
    found = await read(request, own_use, use_report_id)
    form = await typed(request, speech)
    amounts = {each: form.amount(each, needed=False) for each in found.purposes}
    reason = form.text("reason", length_max=500, needed=bool(amounts[OTHER]))
    note = form.text("note", length_max=2_000, needed=False)
    try:
        form.require()
        uses = tuple(
            Use(purpose, amount, reason if purpose == OTHER else "")
            for purpose, amount in amounts.items()
            if amount
        )
        return await act(
            request,
            form,
            file_use_report,
            FileUseReport(use_report_id, uses, note),
            to=f"/provider/rewards/uses/{use_report_id}",
            said=("报告已提交，等待审核", "Handed in; an officer looks at it."),
        )
    except DomainError as error:
        return await _use(request, use_report_id, form, told(error, speech), error.status)


@get("/provider/rewards/uses/{use_report_id:int}/papers/{use_evidence_id:int}", **members(*MANAGER))
async def show_paper(
    request: PageRequest, use_report_id: FromPath[int], use_evidence_id: FromPath[int]
) -> Response[bytes]:
    """A paper of a report; every download is written down."""
    file = await read(request, download_evidence, DownloadEvidence(use_report_id, use_evidence_id))
    return saved_file(
        name=file.name, content=file.content, media_type=file.media_type, sha256=file.sha256
    )


@get("/provider/rewards/statement.pdf", **members(*MANAGER))
async def show_statement(request: PageRequest) -> Response[bytes]:
    """The own legal entity's year as a paper, with the arithmetic of every unit."""
    form = Typed(request.query_params, visitor_of(request).speech)
    year = form.whole("year", least=2000, most=2100, needed=False)
    form.require()
    content, named = await read(request, _own_statement, year)
    return paper_file(content, f"rewards-{named}.pdf")


async def _own_statement(tx: Tx, year: int | None) -> tuple[bytes, int]:
    mine = await parties.organisation(tx, tx.actor.organisation_id)
    of = year or tx.today.year
    return await statement_of_entity(tx, rewards.EntityYear(mine.legal_entity_id, of)), of


async def _use(
    request: PageRequest,
    report_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "provider/reward_use.html",
        status=status,
        form=form,
        own=await read(request, own_use, report_id),
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_use,
    send_paper,
    send_report,
    show_paper,
    show_statement,
]
