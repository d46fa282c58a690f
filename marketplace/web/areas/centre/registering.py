"""Registering who takes part: a legal entity, its organisations, and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.rules.states import Capital, LegalEntityKind, OrganisationKind
from marketplace.parties.use_cases import (
    AddMember,
    RegisterLegalEntity,
    RegisterOrganisation,
    RegisterPerson,
    add_member,
    register_legal_entity,
    register_organisation,
    register_person,
)
from marketplace.web.acting import StepAsked, act
from marketplace.web.areas.centre.entities import contact_address, contact_phone
from marketplace.web.areas.centre.holders import SOURCE_LENGTH_MAX, holders_typed
from marketplace.web.areas.centre.register import organisation_page
from marketplace.web.areas.centre.who import region_choices
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told
from marketplace.web.words.choices import named
from marketplace.web.words.regions import COUNTRY, REGIONS

NAME_LENGTH_MAX = 200
USCC_LENGTH_MAX = 40
EMAIL_LENGTH_MAX = 254
ENTITIES_OFFERED = 10
PLACES = [code for code in REGIONS if code != COUNTRY]
KINDS = [kind for kind in OrganisationKind if kind is not OrganisationKind.PLATFORM]
Again = Callable[[Typed, Told, int], Awaitable[Response[Any]]]


async def _register(
    request: PageRequest,
    asked: StepAsked,
    *,
    to: Callable[[Any], str],
    said: tuple[str, str],
    again: Again,
) -> Response[Any]:
    """Do what the form asks, and go on to what was made."""
    form = await typed(request, visitor_of(request).speech)
    try:
        use_case, command = asked(form)
        form.require()
        return await act(request, form, use_case, command, to=to, said=said)
    except DomainError as error:
        return await again(form, told(error, form.speech), error.status)


@get("/ops/entities/new", **members(Role.ADMINISTRATOR))
async def new_entity(request: PageRequest) -> Response[Any]:
    """A legal entity as its licence says it."""
    return await _entity(request, empty(visitor_of(request).speech))


async def _entity(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    speech = form.speech
    return page(
        request,
        "centre/entity_new.html",
        status=status,
        form=form,
        refusal=refusal,
        kinds=named(speech, "legal_entity", list(LegalEntityKind)),
        capitals=named(speech, "capital", list(Capital)),
        regions=_places(form),
        key=new_key(),
    )


def _places(form: Typed) -> list[tuple[str, str]]:
    return [(code, name) for code, name in region_choices(form.speech) if code != COUNTRY]


@post("/ops/entities", **members(Role.ADMINISTRATOR))
async def send_entity(request: PageRequest) -> Response[Any]:
    """Register it; another person compares it with the public register."""

    def asked(form: Typed) -> Any:
        return register_legal_entity, RegisterLegalEntity(
            uscc=form.text("uscc", length_max=USCC_LENGTH_MAX),
            name=form.text("name", length_max=NAME_LENGTH_MAX),
            name_en=form.text("name_en", length_max=NAME_LENGTH_MAX, needed=False),
            kind=form.choice("kind", list(LegalEntityKind)),
            capital=form.choice("capital", list(Capital)),
            region_code=form.choice("region", PLACES),
            legal_representative=form.text(
                "representative", length_max=NAME_LENGTH_MAX, needed=False
            ),
            shareholdings=holders_typed(form),
            held_since=form.day("since", needed=False),
            source=form.text("source", length_max=SOURCE_LENGTH_MAX, needed=False),
            address=contact_address(form),
            phone=contact_phone(form),
        )

    async def again(form: Typed, refusal: Told, status: int) -> Response[Any]:
        return await _entity(request, form, refusal, status)

    return await _register(
        request,
        asked,
        to=lambda made: f"/ops/entities/{made.id}",
        said=("法人已登记，待另一人核验", "Registered; another person verifies it."),
        again=again,
    )


async def _choice(
    tx: Tx, asked: tuple[int | None, str]
) -> tuple[parties.LegalEntity | None, list[parties.LegalEntity]]:
    """The legal entity that is named, and those that a text finds."""
    entity_id, text = asked
    if entity_id is not None:
        return await parties.legal_entity(tx, entity_id), []
    if not text:
        return None, []
    search = parties.Search(text=text, page_size=ENTITIES_OFFERED)
    return None, (await parties.search_legal_entities(tx, search)).rows


@get("/ops/orgs/new", **members(Role.ADMINISTRATOR))
async def new_organisation(request: PageRequest) -> Response[Any]:
    """A unit of a legal entity; without one, which shall it be."""
    asked = Typed(request.query_params, visitor_of(request).speech)
    return await _organisation(request, asked)


async def _organisation(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    entity_id = form.whole("entity", least=1, most=2**53 - 1, needed=False)
    text = form.text("of", length_max=100, needed=False)
    entity, offered = await read(request, _choice, (entity_id, text))
    if entity is not None and "name" not in form.fields:
        form = empty(form.speech, name=entity.name, region=entity.region_code)
    return page(
        request,
        "centre/organisation_new.html",
        status=status,
        form=form,
        refusal=refusal,
        entity=entity,
        offered=offered,
        kinds=named(form.speech, "organisation", KINDS),
        regions=_places(form),
        key=new_key(),
    )


@post("/ops/orgs", **members(Role.ADMINISTRATOR))
async def send_organisation(request: PageRequest) -> Response[Any]:
    """Register a provider, an SME, a station, a centre or a regulator."""

    def asked(form: Typed) -> Any:
        return register_organisation, RegisterOrganisation(
            legal_entity_id=form.whole("entity", least=1, most=2**53 - 1) or 0,
            kind=form.choice("kind", KINDS),
            name=form.text("name", length_max=NAME_LENGTH_MAX),
            name_en=form.text("name_en", length_max=NAME_LENGTH_MAX, needed=False),
            region_code=form.choice("region", PLACES),
            is_agency=form.ticked("agency"),
        )

    async def again(form: Typed, refusal: Told, status: int) -> Response[Any]:
        return await _organisation(request, form, refusal, status)

    return await _register(
        request,
        asked,
        to=lambda made: f"/ops/orgs/{made.id}",
        said=("单位已登记，可以添加人员", "Registered; its people can be added."),
        again=again,
    )


def person_typed(form: Typed) -> RegisterPerson:
    """Somebody with a first password, which they change after signing in."""
    return RegisterPerson(
        form.text("email", length_max=EMAIL_LENGTH_MAX),
        form.text("name", length_max=NAME_LENGTH_MAX),
        form.raw("password"),
        contact_phone(form),
    )


@get("/ops/users/new", **members(Role.ADMINISTRATOR))
async def new_person(request: PageRequest) -> Response[Any]:
    """Somebody who shall be able to sign in."""
    return await _person(request, empty(visitor_of(request).speech))


async def _person(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    return page(request, "centre/user_new.html", status=status, form=form, refusal=refusal)


@post("/ops/users", **members(Role.ADMINISTRATOR))
async def send_person(request: PageRequest) -> Response[Any]:
    """Register them; their roles are granted on the page that follows."""

    async def again(form: Typed, refusal: Told, status: int) -> Response[Any]:
        return await _person(request, form, refusal, status)

    return await _register(
        request,
        lambda form: (register_person, person_typed(form)),
        to=lambda made: f"/ops/users/{made.id}",
        said=("人员已登记，请授予角色", "Registered; grant a role now."),
        again=again,
    )


@post("/ops/orgs/{organisation_id:int}/members", **members(Role.ADMINISTRATOR))
async def send_member(request: PageRequest, organisation_id: FromPath[int]) -> Response[Any]:
    """Register somebody with a first role here, both or neither."""
    found = await read(request, parties.organisation, organisation_id)
    roles = sorted(ROLES_BY_ORGANISATION_KIND.get(found.kind, ()))

    def asked(form: Typed) -> Any:
        return add_member, AddMember(
            organisation_id, form.choice("role", roles), person_typed(form)
        )

    async def again(form: Typed, refusal: Told, status: int) -> Response[Any]:
        return await organisation_page(request, organisation_id, form, refusal, status)

    return await _register(
        request,
        asked,
        to=lambda _: f"/ops/orgs/{organisation_id}",
        said=("人员已添加", "The person is added."),
        again=again,
    )


routes: list[ControllerRouterHandler] = [
    new_entity,
    send_entity,
    new_organisation,
    send_organisation,
    new_person,
    send_person,
    send_member,
]
