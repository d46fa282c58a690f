"""Signing in with a password, signing out, and changing the organisation one acts for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import request_id_of, services
from marketplace.kernel.limits import SIGN_IN
from marketplace.parties.use_cases import ResumeSignIn, SignedIn, SignIn, resume_sign_in
from marketplace.parties.use_cases import sign_in as sign_in_by_password
from marketplace.web.forms import Typed, empty, typed
from marketplace.web.navigation import start_page
from marketplace.web.rendering import go, page
from marketplace.web.sessions import PageSession, PageSessions
from marketplace.web.visitor import (
    SESSION_COOKIE,
    PageRequest,
    SignInNeeded,
    Visitor,
    anybody,
    members,
    own_path,
    visitor_of,
    while_looking,
)
from marketplace.web.words import Told, told


def _sessions(request: PageRequest) -> PageSessions:
    found: PageSessions = request.app.state.page_sessions
    return found


@get("/sign-in", **anybody())
async def show_sign_in(request: PageRequest) -> Response[Any]:
    """Ask for address and password; who is signed in already goes on."""
    visitor = visitor_of(request)
    onwards = _onwards(request, visitor, request.query_params.get("next", ""))
    if visitor.signed_in is not None:
        return go(onwards)
    return _form(request, empty(visitor.speech), request.query_params.get("next", ""))


@post("/sign-in", rate_limit=SIGN_IN, **anybody())
async def send_sign_in(request: PageRequest) -> Response[Any]:
    """Begin a session, or show the form again with the address as it was typed."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    command = SignIn(form.text("email", length_max=320), form.raw("password"))
    try:
        form.require()
        found = await sign_in_by_password(
            services(request).database, command, request_id=request_id_of(request)
        )
    except DomainError as error:
        return _form(request, form, form.raw("next"), told(error, speech), error.status)
    return await begin_session(request, found, form.raw("next"))


async def begin_session(request: PageRequest, found: SignedIn, next_path: str) -> Response[Any]:
    """Sign in a browser, and go where it wanted to go."""
    old = request.cookies.get(SESSION_COOKIE)
    if old:
        await _sessions(request).end(old)
    actor = found.actor
    kept = PageSession(actor.person_id, actor.organisation_id, int(found.at.timestamp()))
    visitor = visitor_of(request)
    response = go(_onwards(request, Visitor(visitor.speech, visitor.theme, found), next_path))
    _keep(request, response, await _sessions(request).begin(kept))
    return response


@post("/sign-out", **while_looking(anybody()))
async def send_sign_out(request: PageRequest) -> Response[Any]:
    """End the session on the server, and forget its cookie."""
    secret = request.cookies.get(SESSION_COOKIE)
    if secret:
        await _sessions(request).end(secret)
    response = go("/", said=("已退出登录", "You are signed out."), visitor=visitor_of(request))
    response.delete_cookie(SESSION_COOKIE)
    return response


@post("/act-for", **members())
async def send_act_for(request: PageRequest) -> Response[Any]:
    """Go on for another organisation in which one holds a role."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    organisation_id = form.whole("organisation", least=1)
    form.require()
    session = await _sessions(request).find(request.cookies.get(SESSION_COOKIE, ""))
    since = datetime.fromtimestamp(session.since if session else 0, UTC)
    found = await atomically(
        services(request).database,
        resume_sign_in,
        ResumeSignIn(visitor.actor.person_id, organisation_id or 0, since),
        actor=NOBODY,
        request_id=request_id_of(request),
    )
    await _sessions(request).end(request.cookies.get(SESSION_COOKIE, ""))
    kept = PageSession(found.actor.person_id, found.actor.organisation_id, int(since.timestamp()))
    onwards = start_page(request.app.state.areas, Visitor(visitor.speech, visitor.theme, found))
    name = found.place.organisation.name
    response = go(onwards, said=(f"现在代表{name}", f"You now act for {name}."), visitor=visitor)
    _keep(request, response, await _sessions(request).begin(kept))
    return response


async def look(request: PageRequest, viewing_id: int, to: str) -> Response[Any]:
    """Go on in this browser looking as somebody else, or (0) as oneself again."""
    sessions, old = _sessions(request), request.cookies.get(SESSION_COOKIE, "")
    session = await sessions.find(old)
    if session is None:
        raise SignInNeeded()
    response = go(to)
    _keep(request, response, await sessions.begin(replace(session, viewing=viewing_id)))
    await sessions.end(old)
    return response


def _keep(request: PageRequest, response: Response[Any], secret: str) -> None:
    response.set_cookie(
        key=SESSION_COOKIE,
        value=secret,
        max_age=_sessions(request).seconds,
        httponly=True,
        samesite="lax",
        secure=request.app.state.public_url.startswith("https:"),
    )


def _onwards(request: PageRequest, visitor: Visitor, next_path: str) -> str:
    return own_path(next_path, otherwise=start_page(request.app.state.areas, visitor))


def _form(
    request: PageRequest,
    form: Typed,
    next_path: str,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[str]:
    return page(
        request,
        "account/sign_in.html",
        status=status,
        form=form,
        next_path=own_path(next_path, otherwise=""),
        refusal=refusal,
    )


routes: list[ControllerRouterHandler] = [
    show_sign_in,
    send_sign_in,
    send_sign_out,
    send_act_for,
]
