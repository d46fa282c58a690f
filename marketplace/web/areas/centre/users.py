"""People: who they are, what they may do, when they signed in; ending and restoring sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, SEES_EVERYTHING, Role
from marketplace.parties.use_cases import (
    GrantRole,
    RevokeRole,
    disable_person,
    enable_person,
    end_sessions,
    grant_role,
    revoke_role,
)
from marketplace.web.acting import StepAsked, take
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told
from marketplace.web.words.choices import named

READERS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
ORGANISATIONS_OFFERED = 50
HEADS = (
    ("姓名", "Name"),
    ("邮箱", "E-mail"),
    ("角色", "Roles"),
    ("登记时间", "Registered"),
    ("最近登录", "Last sign-in"),
    ("状态", "State"),
)


def _search(form: Typed, *, number: int, size: int) -> parties.AccountSearch:
    state = form.choice("state", list(parties.PersonState), needed=False)
    search = parties.AccountSearch(
        text=form.text("text", length_max=320, needed=False),
        role=form.choice("role", list(Role), needed=False) or None,
        organisation_id=form.whole("organisation", least=1, most=2**53 - 1, needed=False),
        state=parties.PersonState(state) if state else None,
        page=number,
        page_size=size,
    )
    form.require()
    return search


@get("/ops/users", **members(*READERS))
async def show_users(request: PageRequest) -> Response[Any]:
    """People by name, with roles, last sign-in and state."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "centre/users.html",
        form=form,
        found=await read(request, parties.accounts, search),
        page_number=number,
        page_size=PAGE_SIZE,
        may_register=visitor.has(Role.ADMINISTRATOR),
        role_choices=named(visitor.speech, "role", list(Role)),
        state_choices=named(visitor.speech, "person", list(parties.PersonState)),
    )


@get("/ops/users/file", **members(*READERS))
async def get_users_file(request: PageRequest) -> Response[bytes]:
    """The people that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, parties.accounts, _search(form, number=1, size=ROWS_MAX + 1))
    rows = [
        [
            each.account.name,
            each.account.email,
            "; ".join(f"{held.role} @ {held.organisation}" for held in each.roles),
            each.account.registered_at,
            each.account.signed_in_at,
            each.state,
        ]
        for each in found.rows
    ]
    return await as_file(form, "people", HEADS, rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A person, who looked as them, and organisations in which a role could be granted."""

    who: parties.Listing
    viewings: list[parties.Viewing]
    names: dict[int, str]
    offered: list[parties.Organisation]
    now: datetime


async def sheet(tx: Tx, asked: tuple[int, str]) -> Sheet:
    """Everything about a person; `asked`: who, and a part of an organisation's name.

    Raises:
        PersonMissing: when there is none.
    """
    person_id, text = asked
    who = await parties.account(tx, person_id)
    viewings = await parties.viewings_of(tx, person_id)
    offered: list[parties.Organisation] = []
    if text:
        search = parties.Search(text=text, page_size=ORGANISATIONS_OFFERED)
        offered = (await parties.search_organisations(tx, search)).rows
    else:
        offered = list(
            (await parties.organisations(tx, {held.organisation_id for held in who.roles})).values()
        )
    names = await parties.names_of_people(tx, {each.viewer_id for each in viewings})
    return Sheet(who, viewings, names, offered, tx.now)


@get("/ops/users/{person_id:int}", **members(*READERS))
async def show_user(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """One person: roles, sign-ins, who looked as them."""
    return await user_page(request, person_id, empty(visitor_of(request).speech))


async def user_page(
    request: PageRequest,
    person_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A person's page, with what was typed and refused."""
    visitor = visitor_of(request)
    asked = Typed(request.query_params, visitor.speech)
    text = asked.text("of", length_max=100, needed=False)
    found = await read(request, sheet, (person_id, text))
    roles = [
        (f"{each.id}:{role}", each, role)
        for each in found.offered
        for role in sorted(ROLES_BY_ORGANISATION_KIND.get(each.kind, ()))
        if not any((held.organisation_id, held.role) == (each.id, role) for held in found.who.roles)
    ]
    return page(
        request,
        "centre/user.html",
        status=status,
        found=found,
        form=form,
        asked=asked,
        refusal=refusal,
        roles=roles,
        places={held.organisation_id: held for held in found.who.roles},
        may_keep=visitor.has(Role.ADMINISTRATOR) and visitor.actor.person_id != person_id,
        key=new_key(),
    )


@post("/ops/users/{person_id:int}/disable", **members(Role.ADMINISTRATOR))
async def send_disable(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """They sign in nowhere any more."""
    said = ("已停用登录", "The sign-in is ended.")
    return await _step(request, person_id, lambda _: (disable_person, person_id), said)


@post("/ops/users/{person_id:int}/enable", **members(Role.ADMINISTRATOR))
async def send_enable(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """They may sign in again, and wrong passwords are forgotten."""
    said = ("已恢复登录", "They can sign in again.")
    return await _step(request, person_id, lambda _: (enable_person, person_id), said)


@post("/ops/users/{person_id:int}/end-sessions", **members(Role.ADMINISTRATOR))
async def send_end_sessions(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """They sign in anew everywhere."""
    said = ("已结束全部登录", "Every sign-in is ended.")
    return await _step(request, person_id, lambda _: (end_sessions, person_id), said)


@post("/ops/users/{person_id:int}/grant", **members(Role.ADMINISTRATOR))
async def send_grant(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """Another role in an organisation."""

    def asked(form: Typed) -> Any:
        organisation, _, role = form.text("role", length_max=60).partition(":")
        if not (organisation.isdecimal() and len(organisation) < 16 and role in set(Role)):
            form.wrong("role", "请选择其中一项", "Choose one of the list")
        form.require()
        return grant_role, GrantRole(person_id, int(organisation), role)

    return await _step(request, person_id, asked, ("角色已授予", "The role is granted."))


@post("/ops/users/{person_id:int}/revoke", **members(Role.ADMINISTRATOR))
async def send_revoke(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """A role less."""

    def asked(form: Typed) -> Any:
        organisation = form.whole("organisation", least=1, most=2**53 - 1) or 0
        return revoke_role, RevokeRole(person_id, organisation, form.choice("role", list(Role)))

    return await _step(request, person_id, asked, ("角色已收回", "The role is taken away."))


async def _step(
    request: PageRequest, person_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, parties.account, person_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await user_page(request, person_id, form, told(error, form.speech), error.status)

    return await take(request, asked, to=f"/ops/users/{person_id}", said=said, again=again)


routes: list[ControllerRouterHandler] = [
    show_users,
    get_users_file,
    show_user,
    send_disable,
    send_enable,
    send_end_sessions,
    send_grant,
    send_revoke,
]
