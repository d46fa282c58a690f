"""Who looks at a page: their language, their theme, and, once signed in, who they are.

A page's sign-in is a cookie that names a session kept on the server; the API takes bearer tokens
only. The person's roles are read anew for every page, so a role that was taken is gone at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import Forbidden, Missing, OnlyLooking, Unauthenticated
from marketplace.kernel.http import request_id_of, services
from marketplace.operations.queries import Notice
from marketplace.parties.use_cases import ResumeSignIn, ResumeVisit, SignedIn, Visit, resume_visit
from marketplace.web.notice_board import NoticeBoard
from marketplace.web.sessions import PageSessions
from marketplace.web.words import LANGUAGES, Speech

PageRequest = Request[Any, Any, State]
THEMES = ("day", "night")
SESSION_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE = "sid", "lang", "theme"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one who looks at a page."""

    speech: Speech
    theme: str | None
    signed_in: SignedIn | None
    looks: Visit | None = None
    """Who looks at the pages of `signed_in`, and until when, while somebody does."""
    notices: tuple[Notice, ...] = ()
    """What the centre tells them on top of the page."""

    @property
    def actor(self) -> Actor:
        """On whose behalf the page reads and acts."""
        if self.signed_in is None:
            return NOBODY
        return replace(self.signed_in.actor, only_looks=self.looks is not None)

    def has(self, *roles: str) -> bool:
        """Whether one of `roles` is held here and now."""
        return self.actor.has(*roles)


class SignInNeeded(Unauthenticated):
    """A page for people who are signed in was asked for by somebody who is not."""

    code = "sign-in-needed"
    title = "Sign in to see this page"


def anybody() -> dict[str, Any]:
    """Handler arguments of a page that everybody may see, signed in or not."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        _refuse_changes(connection, await _resolve(connection))

    return _declared(guard, "public")


def while_looking(declared: dict[str, Any]) -> dict[str, Any]:
    """A form that changes nothing of anybody's: it is taken while one looks as somebody else."""
    return {**declared, "opt": {**declared["opt"], "while_looking": True}}


def _refuse_changes(connection: ASGIConnection[Any, Any, Any, Any], visitor: Visitor) -> None:
    """Who looks as somebody else reads: every page and every form passes here.

    PostgreSQL refuses as well what such an actor would write (`kernel.db.transaction`).
    """
    if visitor.looks is None or connection.scope.get("method") in ("GET", "HEAD", "OPTIONS"):
        return
    if not connection.route_handler.opt.get("while_looking"):
        raise OnlyLooking("End the view to do something in your own name.")


def members(*roles: str) -> dict[str, Any]:
    """Handler arguments of a page for who holds one of `roles`; for all signed in without any."""
    names = frozenset(map(str, roles))

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        visitor = await _resolve(connection)
        _refuse_changes(connection, visitor)
        if visitor.signed_in is None:
            raise SignInNeeded("You come back to this page afterwards.")
        if names and not visitor.has(*names):
            raise Forbidden(
                "This page belongs to another role; change the organisation you act for, or ask"
                " your administrator for the role.",
                roles=sorted(names),
            )

    return _declared(guard, names or "signed-in")


def _declared(guard: Guard, roles: frozenset[str] | str) -> dict[str, Any]:
    return {"guards": [guard], "opt": {"roles": roles}, "include_in_schema": False}


def visitor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    """The visitor; nobody in particular where no guard has looked, as on pages that do not exist.

    Also keeps `actor_of(request)` working: the guard has put the actor where the API's edge looks.
    """
    found: Visitor | None = connection.scope["state"].get("visitor")
    return found or Visitor(Speech(_language(connection)), _theme(connection), None)


async def _resolve(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    state = connection.scope["state"]
    if "visitor" not in state:
        visit = await _visit(connection)
        visitor = Visitor(
            Speech(_language(connection)),
            _theme(connection),
            visit.signed_in if visit else None,
            visit if visit and visit.viewer else None,
        )
        board: NoticeBoard = connection.app.state.notice_board
        shown = await board.shown(services(connection).database, visitor.actor.roles)
        visitor = replace(visitor, notices=shown)
        state["visitor"], state["actor"] = visitor, visitor.actor
    return cast("Visitor", state["visitor"])


async def _visit(connection: ASGIConnection[Any, Any, Any, Any]) -> Visit | None:
    secret = connection.cookies.get(SESSION_COOKIE)
    if not secret:
        return None
    sessions: PageSessions = connection.app.state.page_sessions
    session = await sessions.find(secret)
    if session is None:
        return None
    kept = ResumeSignIn(
        session.person_id, session.organisation_id, datetime.fromtimestamp(session.since, UTC)
    )
    try:
        return await atomically(
            services(connection).database,
            resume_visit,
            ResumeVisit(kept, session.viewing),
            actor=NOBODY,
            request_id=request_id_of(connection),
        )
    except (Forbidden, Unauthenticated, Missing):
        # Disabled, suspended, removed, or the password changed: no longer signed in.
        await sessions.end(secret)
        return None


def sign_in_address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Where to sign in, and come back here."""
    url = connection.url
    here = url.path + (f"?{url.query}" if url.query else "")
    return f"/sign-in?next={quote(here, safe='')}"


def own_path(address: str, *, otherwise: str = "/") -> str:
    """`address` when it is a path on this site, so that nobody is sent elsewhere."""
    parts = urlsplit(address)
    plain = address.isprintable() and "\\" not in address and not address.startswith("//")
    if parts.scheme or parts.netloc or not plain or not address.startswith("/"):
        return otherwise
    return address


def _language(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What was chosen; else English for browsers that ask for it first; else Chinese."""
    asked = connection.query_params.get("lang")
    chosen = asked if asked in LANGUAGES else connection.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    first = connection.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def _theme(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    chosen = connection.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def may(visitor: Visitor, roles: Sequence[str]) -> bool:
    """Whether a link for `roles` is shown; none named means everybody who is signed in."""
    return visitor.signed_in is not None and (not roles or visitor.has(*roles))
