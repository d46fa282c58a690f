"""Signing in, going on, signing out, and who one is.

None of these takes an Idempotency-Key: an answer with tokens in it is not to be stored, and the
digest that is kept of a body must not be the digest of a password.
"""

from datetime import UTC, datetime

from litestar import get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import Forbidden, Unauthenticated
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    public,
    read,
    request_id_of,
    services,
    signed_in,
)
from marketplace.kernel.limits import SIGN_IN
from marketplace.kernel.tokens import SignIn
from marketplace.parties.schemas import (
    MeOut,
    PasswordIn,
    RefreshIn,
    SignInIn,
    SignOutIn,
    TokensOut,
)
from marketplace.parties.use_cases import (
    ResumeSignIn,
    SignedIn,
    Standing,
    change_password,
    resume_sign_in,
    sign_in,
    standing,
)


@post("/sign-in", status_code=200, rate_limit=SIGN_IN, summary="Sign in", **public())
async def post_sign_in(request: ApiRequest, data: JSONBody[SignInIn]) -> TokensOut:
    """Exchange an e-mail address and a password for tokens.

    A wrong address, a wrong password and a locked sign-in get the same answer.
    """
    shared = services(request)
    found = await sign_in(shared.database, data.to_command(), request_id=request_id_of(request))
    return _tokens(request, found, await shared.refresh_tokens.issue(_kept(found, found.at)))


@post("/sign-in/refresh", status_code=200, summary="Go on with a sign-in", **public())
async def post_refresh(request: ApiRequest, data: JSONBody[RefreshIn]) -> TokensOut:
    """Exchange a refresh token for new tokens, in the same organisation or in another one.

    A token that comes a second time ends its whole sign-in: one of the two copies was stolen.
    """
    shared = services(request)
    kept, next_token = await shared.refresh_tokens.exchange(data.refresh_token)
    since = datetime.fromtimestamp(kept.signed_in_at, UTC)
    organisation_id = data.organisation_id or kept.organisation_id
    try:
        found = await atomically(
            shared.database,
            resume_sign_in,
            ResumeSignIn(kept.person_id, organisation_id, since),
            actor=NOBODY,
            request_id=request_id_of(request),
        )
    except (Forbidden, Unauthenticated):
        await shared.refresh_tokens.revoke(next_token)
        raise
    if organisation_id != kept.organisation_id:
        await shared.refresh_tokens.revoke(next_token)
        next_token = await shared.refresh_tokens.issue(_kept(found, since))
    return _tokens(request, found, next_token)


@post("/sign-out", status_code=204, summary="Sign out", **public())
async def post_sign_out(request: ApiRequest, data: JSONBody[SignOutIn]) -> None:
    """End the sign-in of a refresh token; access tokens run out by themselves in minutes."""
    await services(request).refresh_tokens.revoke(data.refresh_token)


@get("/me", summary="Who am I", **signed_in())
async def get_me(request: ApiRequest) -> MeOut:
    """The person, the organisation, the roles held there now, and the other organisations."""
    actor = actor_of(request)
    asked = Standing(actor.person_id, actor.organisation_id)
    return MeOut.of(await read(request, standing, asked))


@post(
    "/me/password",
    status_code=204,
    rate_limit=SIGN_IN,
    unkeyed=True,
    summary="Change my password",
    **signed_in(),
)
async def post_password(request: ApiRequest, data: JSONBody[PasswordIn]) -> None:
    """Set a new password; every sign-in from before must sign in again."""
    actor = actor_of(request)
    await change_password(
        services(request).database,
        data.to_command(actor.person_id),
        actor=actor,
        request_id=request_id_of(request),
    )


def _kept(found: SignedIn, since: datetime) -> SignIn:
    actor = found.actor
    return SignIn(actor.person_id, actor.organisation_id, int(since.timestamp()))


def _tokens(request: ApiRequest, found: SignedIn, refresh_token: str) -> TokensOut:
    access_tokens = services(request).access_tokens
    return TokensOut(
        access_token=access_tokens.issue(found.actor),
        expires_in=access_tokens.seconds,
        refresh_token=refresh_token,
        me=MeOut.of(found),
    )


routes: list[ControllerRouterHandler] = [
    post_sign_in,
    post_refresh,
    post_sign_out,
    get_me,
    post_password,
]
