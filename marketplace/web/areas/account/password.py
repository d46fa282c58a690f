"""One's own account: who one is, and changing the password."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import request_id_of, services
from marketplace.kernel.limits import SIGN_IN
from marketplace.parties.use_cases import ChangePassword, change_password
from marketplace.web.forms import Typed, empty, typed
from marketplace.web.rendering import go, page
from marketplace.web.visitor import SESSION_COOKIE, PageRequest, members, visitor_of
from marketplace.web.words import Told, told


@get("/me/sign-in", **members())
async def show_account(request: PageRequest) -> Response[Any]:
    """Person, organisation, roles, and the form for a new password."""
    return _shown(request, empty(visitor_of(request).speech))


@post("/me/sign-in", rate_limit=SIGN_IN, **members())
async def send_password(request: PageRequest) -> Response[Any]:
    """Set a new password; every browser signs in again, this one too."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    if form.raw("new") != form.raw("again"):
        form.wrong("again", "两次输入不一致", "The two are not the same")
    command = ChangePassword(visitor.actor.person_id, form.raw("present"), form.raw("new"))
    try:
        form.require()
        await change_password(
            services(request).database,
            command,
            actor=visitor.actor,
            request_id=request_id_of(request),
        )
    except DomainError as error:
        return _shown(request, form, told(error, visitor.speech), error.status)
    await request.app.state.page_sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    said = ("密码已更改，请重新登录", "Your password was changed; please sign in again.")
    return go("/sign-in", said=said, visitor=visitor)


def _shown(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[str]:
    return page(request, "account/account.html", status=status, form=form, refusal=refusal)


routes: list[ControllerRouterHandler] = [show_account, send_password]
