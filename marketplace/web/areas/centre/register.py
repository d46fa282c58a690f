"""Organisations: the register, and one organisation with its legal entity and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.use_cases import (
    SuspendOrganisation,
    resume_organisation,
    suspend_organisation,
)
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.centre.who import region_choices
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import named
from marketplace.web.words.regions import REGIONS, region

READERS = (Role.ADMINISTRATOR, Role.AUDITOR, Role.REGULATOR)
PAGE_SIZE = 30
REASON_LENGTH_MAX = 1_000
HEADS = (
    ("编号", "No."),
    ("名称", "Name"),
    ("类型", "Kind"),
    ("地区", "Region"),
    ("状态", "State"),
)


def _search(form: Typed, *, number: int, size: int) -> parties.Search:
    search = parties.Search(
        text=form.text("text", length_max=100, needed=False),
        kind=form.choice("kind", list(ROLES_BY_ORGANISATION_KIND), needed=False) or None,
        region_code=form.choice("region", list(REGIONS), needed=False) or None,
        page=number,
        page_size=size,
    )
    form.require()
    return search


@get("/ops/orgs", **members(*READERS))
async def show_organisations(request: PageRequest) -> Response[Any]:
    """Everybody who takes part, by name."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "centre/organisations.html",
        form=form,
        found=await read(request, parties.search_organisations, search),
        page_number=number,
        page_size=PAGE_SIZE,
        kinds=named(visitor.speech, "organisation", list(ROLES_BY_ORGANISATION_KIND)),
        regions=region_choices(visitor.speech),
        may_register=visitor.has(Role.ADMINISTRATOR),
    )


@get("/ops/orgs/file", **members(*READERS))
async def get_organisations_file(request: PageRequest) -> Response[bytes]:
    """The organisations that the filters leave, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    search = _search(form, number=1, size=ROWS_MAX + 1)
    found = await read(request, parties.search_organisations, search)
    rows = []
    for each in found.rows:
        kind, place = label("organisation", each.kind), region(each.region_code)
        state = ("停用", "suspended") if each.suspended_at else ("正常", "active")
        rows.append(
            [
                each.id,
                speech.either(each.name, each.name_en),
                speech.either(kind.chinese, kind.english),
                speech.either(place.chinese, place.english),
                speech.t(*state),
            ]
        )
    return await as_file(form, "organisations", HEADS, rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An organisation as the centre sees it."""

    organisation: parties.Organisation
    entity: parties.LegalEntity
    members: list[parties.Member]
    profiles: list[parties.SmeProfile]


async def sheet(tx: Tx, organisation_id: int) -> Sheet:
    """Everything about an organisation.

    Raises:
        OrganisationMissing: when there is none.
    """
    found = await parties.organisation(tx, organisation_id)
    return Sheet(
        organisation=found,
        entity=await parties.legal_entity(tx, found.legal_entity_id),
        members=await parties.members(tx, organisation_id),
        profiles=await parties.sme_profiles(tx, organisation_id) if found.kind == "sme" else [],
    )


@get("/ops/orgs/{organisation_id:int}", **members(*READERS))
async def show_organisation(request: PageRequest, organisation_id: FromPath[int]) -> Response[Any]:
    """One organisation."""
    return await organisation_page(request, organisation_id, empty(visitor_of(request).speech))


async def organisation_page(
    request: PageRequest,
    organisation_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """An organisation's page, with what was typed and refused."""
    visitor = visitor_of(request)
    found = await read(request, sheet, organisation_id)
    roles = sorted(ROLES_BY_ORGANISATION_KIND.get(found.organisation.kind, ()))
    return page(
        request,
        "centre/organisation.html",
        status=status,
        sheet=found,
        form=form,
        refusal=refusal,
        roles=named(form.speech, "role", roles),
        may_keep=visitor.has(Role.ADMINISTRATOR),
        key=new_key(),
    )


@post("/ops/orgs/{organisation_id:int}/suspend", **members(Role.ADMINISTRATOR))
async def send_suspend(request: PageRequest, organisation_id: FromPath[int]) -> Response[Any]:
    """Nobody signs in for it any more; what it had stays."""

    def asked(form: Typed) -> Any:
        reason = form.text("reason", length_max=REASON_LENGTH_MAX)
        return suspend_organisation, SuspendOrganisation(organisation_id, reason)

    said = ("单位已停用", "The organisation is suspended.")
    return await _step(request, organisation_id, asked, said)


@post("/ops/orgs/{organisation_id:int}/resume", **members(Role.ADMINISTRATOR))
async def send_resume(request: PageRequest, organisation_id: FromPath[int]) -> Response[Any]:
    """Its people sign in again."""
    said = ("单位已恢复", "The organisation is active again.")
    return await _step(
        request, organisation_id, lambda _: (resume_organisation, organisation_id), said
    )


async def _step(
    request: PageRequest, organisation_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, parties.organisation, organisation_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await organisation_page(request, organisation_id, form, refusal, error.status)

    return await take(request, asked, to=f"/ops/orgs/{organisation_id}", said=said, again=again)


routes: list[ControllerRouterHandler] = [
    show_organisations,
    get_organisations_file,
    show_organisation,
    send_suspend,
    send_resume,
]
