"""Who may call what: walked over the route table, so that no new route is forgotten.

A role that is not named gets 403 and nobody gets 401, before the body is read and before anything
is looked up: the application here has no database, and reaching for it would be a 503.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr

from marketplace.kernel.actors import Actor
from marketplace.kernel.settings import Settings
from marketplace.kernel.tokens import AccessTokens
from marketplace.parties.roles import Role, Scope
from tests.builders.parties import kind_for
from tests.conftest import TOKEN_SECRET
from tests.http.routes import ApiRoute, an_app_without_database, api_routes

SETTINGS = Settings(
    token_secret=SecretStr(TOKEN_SECRET),
    requests_per_minute=1_000_000,
    sign_ins_per_minute=1_000_000,
    live_stream_seconds=1,
)
APP, SERVICES = an_app_without_database(SETTINGS)
ROUTES = api_routes(APP)

# Everybody in the world may call these. Each needs a reason that a stranger would accept.
PUBLIC = {
    "POST /sign-in": "who signs in has no token yet",
    "POST /sign-in/refresh": "the refresh token is the proof",
    "POST /sign-out": "the refresh token is the proof",
    "GET /organisations/{organisation_id:int}": "a provider is known to everybody, an SME is not",
    "GET /instruments": "the catalogue is published (J.15)",
    "GET /instruments/{instrument_id:int}": "the catalogue is published (J.15)",
    "GET /instrument-categories": "the catalogue is published (J.15)",
    "GET /instruments/{instrument_id:int}/opening-hours": "hours are published (J.15)",
    "GET /instruments/{instrument_id:int}/availability": "says when, and never for whom",
    "GET /instruments/{instrument_id:int}/closures": "closures are published like hours (J.15)",
    "GET /calendars/{file_name:str}": "whoever knows the secret address, as calendar programs need",
    "GET /instruments/{instrument_id:int}/live": "says that free time changed, and never for whom",
    "GET /instruments/{instrument_id:int}/booking-rule": "sharing rules are published (J.15)",
    "GET /instruments/{instrument_id:int}/class-terms": "sharing rules are published (J.15)",
    "GET /instruments/{instrument_id:int}/weekly-hours": "hours are published (J.15)",
    "GET /instruments/{instrument_id:int}/dated-hours": "hours are published (J.15)",
    "GET /instruments/{instrument_id:int}/price": "fee standards are published (J.15)",
    "GET /instruments/{instrument_id:int}/price-lists": "fee standards are published (J.15)",
    "GET /instruments/{instrument_id:int}/cost-sheets": "fees follow cost, for all to see (J.21a)",
    "GET /instruments/{instrument_id:int}/true-ups": "a surplus is for all to see (J.21d)",
    "GET /price-lists/{price_list_id:int}/changes": "fee standards are published (J.15)",
    "GET /price-lists/{price_list_id:int}/objections": "a public notice is public (J.21d)",
    "GET /price-notices": "a public notice is public (J.21d)",
    "GET /voucher-programmes": "programmes are announced to everybody (J.22a)",
    "GET /voucher-programmes/{programme_id:int}": "programmes are announced to everybody (J.22a)",
    "GET /voucher-programmes/{programme_id:int}/versions": "rules are announced (J.22a)",
    "GET /voucher-programmes/{programme_id:int}/versions/compare": "rules are announced (J.22a)",
    "GET /voucher-programmes/{programme_id:int}/versions/{version:int}/layers": (
        "budgets are announced (J.22a)"
    ),
    "GET /claim-notices": "claims in public notice are there to be objected to",
    "GET /claim-notices/{claim_id:int}": "claims in public notice are there to be objected to",
    "POST /claim-notices/{claim_id:int}/objections": "anybody may object to a claim in notice",
    "GET /reward-notices": "rewards in public notice are there to be objected to",
    "GET /reward-notices/{run_id:int}": "rewards in public notice are there to be objected to",
    "POST /reward-notices/{run_id:int}/objections": "anybody may object to rewards in notice",
    "GET /open-data/vouchers/{year:int}": "sums of a year, small ones left out",
    "GET /open-data/vouchers/{year:int}/file": "sums of a year, small ones left out",
    "GET /contracts/verify/{sha256:str}": "whoever holds a digest: dates, nothing of the content",
    "GET /providers/{provider_id:int}/reviews": "ratings are published, buyers masked (J.25)",
    "GET /instruments/{instrument_id:int}/reviews": "ratings are published, buyers masked (J.25)",
    "GET /providers/{provider_id:int}/response-time": "how a provider serves is published (J.25)",
    "GET /notices/shown": "what is told to everybody, and to the roles of who asks",
    "GET /assessments": "published results only; drafts are the centre's",
    "GET /assessments/{assessment_id:int}": "published results only; drafts are the centre's",
}

# Anybody who is signed in may call these; what they see is their own.
SIGNED_IN = {
    "GET /me": "who one is",
    "POST /me/password": "one's own password",
    "GET /instruments/imports/{batch_id:int}": "a provider's own imports",
    "GET /national-exports/layout": "a published layout, the same for everybody",
    "GET /invoices": "those of the own organisation",
    "GET /invoices/{invoice_id:int}": "those of the own organisation",
    "GET /invoices/{invoice_id:int}/file": "those of the own organisation",
    "GET /account": "that of the own organisation",
    "GET /account/statement": "that of the own organisation",
    "POST /price-lists/{price_list_id:int}/objections": "a notice is there to be objected to",
    "GET /problem-reports": "those on one's own instruments, and one's own organisation's",
    "GET /me/quotas": "one's own",
    "GET /qualifications": "one's own, and those for one's organisation's instruments",
    "GET /training-requests": "what one's organisation asked for, and what is asked of it",
    "GET /training-requests/{training_request_id:int}": "one's own organisation's, either side",
    "GET /instruments/{instrument_id:int}/standing": "how one stands oneself",
    "GET /reservations": "those of the own organisation or on its instruments",
    "GET /reservations/file": "those of the own organisation or on its instruments",
    "GET /reservations/{reservation_id:int}": "one's own, as user or as provider",
    "GET /waitlist": "entries of the own organisation or for its instruments",
    "GET /waitlist/{entry_id:int}": "one's own, as user or as provider",
    "GET /strikes": "one's own, of one's people, or on one's instruments",
    "GET /strikes/{strike_id:int}": "one's own, of one's people, or on one's instruments",
    "GET /suspensions": "one's own, of one's people, or of who got a strike here",
    "GET /reservations/{reservation_id:int}/calendar.ics": "one's own, as user or as provider",
    "POST /calendar-feeds": "one's own calendar, or a listed instrument's without names",
    "GET /calendar-feeds": "one's own calendars",
    "POST /calendar-feeds/{feed_id:int}/rotate": "one's own calendar",
    "DELETE /calendar-feeds/{feed_id:int}": "one's own calendar, or a colleague's for keepers",
}

# Systems with a key call these, and what the key must be good for.
BY_KEY = {
    "GET /instruments/{instrument_id:int}/availability": Scope.AVAILABILITY_READ,
    "GET /reservations": Scope.RESERVATIONS_READ,
    "GET /reservations/{reservation_id:int}": Scope.RESERVATIONS_READ,
    "POST /readings": Scope.READINGS_WRITE,
    "PUT /busy-sources/{source_id:int}/times": Scope.CALENDAR_WRITE,
}
A_KEY = "scm_0123456789_" + "x" * 43


def named(routes: list[ApiRoute]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=str)


GUARDED = [route for route in ROUTES if route.roles != "public"]
BY_ROLE = [route for route in ROUTES if isinstance(route.roles, frozenset)]


@pytest_asyncio.fixture
async def nowhere() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that has no database."""
    app: Any = APP
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        yield client


def headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": "key-1",
        "Content-Type": "application/json",
    }


def an_actor_as(*roles: str) -> Actor:
    return Actor(
        person_id=2,
        organisation_id=2,
        organisation_kind=kind_for(roles[0]) if roles else "sme",
        roles=frozenset(roles),
    )


def test_the_route_table_is_there() -> None:
    assert len(ROUTES) > 50


def test_every_public_route_is_meant_to_be_public() -> None:
    assert {str(route) for route in ROUTES if route.roles == "public"} == set(PUBLIC)


def test_every_route_for_anybody_signed_in_is_meant_to_be() -> None:
    assert {str(route) for route in ROUTES if route.roles == "signed-in"} == set(SIGNED_IN)


@named(BY_ROLE)
def test_a_route_names_roles_that_exist(route: ApiRoute) -> None:
    assert route.roles
    assert set(route.roles) <= set(Role)


@named(BY_ROLE)
async def test_a_role_that_is_not_named_is_refused_before_anything_is_read(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    broken = "{"
    answers = {}
    for role in set(Role) - set(route.roles):
        token = SERVICES.access_tokens.issue(an_actor_as(role))
        answer = await nowhere.request(
            route.method, route.made_up_address(), headers=headers(token), content=broken
        )
        answers[role] = (answer.status_code, answer.headers["content-type"])

    assert set(answers.values()) <= {(403, "application/problem+json")}, answers


@named(BY_ROLE)
async def test_somebody_without_any_role_is_refused(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    for roles in ((), ("king",), ("",)):
        actor = Actor(2, 2, "sme", roles=frozenset(roles))
        answer = await nowhere.request(
            route.method,
            route.made_up_address(),
            headers=headers(SERVICES.access_tokens.issue(actor)),
            content="{}",
        )

        assert answer.status_code == 403


def bad_tokens() -> dict[str, str]:
    """Tokens of somebody who would be allowed everything, were they good."""
    everything = an_actor_as(*Role)
    good = SERVICES.access_tokens.issue(everything)
    claims = jwt.decode(good, options={"verify_signature": False})
    other_audience = {**claims, "aud": "another-platform"}
    return {
        "expired": AccessTokens(TOKEN_SECRET, minutes=-10).issue(everything),
        "signed by another": AccessTokens(TOKEN_SECRET[::-1], minutes=10).issue(everything),
        "not signed": jwt.encode(claims, "", algorithm="none"),
        "for another platform": jwt.encode(other_audience, TOKEN_SECRET, algorithm="HS256"),
        "altered": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "no token": "",
        "nonsense": "a.b.c",
    }


@named(GUARDED)
async def test_nobody_and_bad_tokens_are_refused_before_anything_is_read(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    tried: dict[str, dict[str, str]] = {why: headers(token) for why, token in bad_tokens().items()}
    tried["no header"] = {"Idempotency-Key": "key-1"}
    tried["another scheme"] = {"Authorization": "Basic YTpi"}
    for why, sent in tried.items():
        answer = await nowhere.request(
            route.method, route.made_up_address(), headers=sent, content="{}"
        )

        assert answer.status_code == 401, why
        assert answer.headers["content-type"] == "application/problem+json", why
        assert answer.headers["www-authenticate"] == "Bearer", why


@named(BY_ROLE)
async def test_the_guard_lets_through_the_roles_it_names(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    """The control: without it, a guard that refuses everybody would pass every test above."""
    for role in route.roles:
        token = SERVICES.access_tokens.issue(an_actor_as(role))
        answer = await nowhere.request(
            route.method, route.made_up_address(), headers=headers(token), content="{}"
        )

        assert answer.status_code not in (401, 403, 404), role


@named([route for route in GUARDED if route.scope is None])
async def test_a_systems_key_is_refused_where_no_scope_is_named(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    answer = await nowhere.request(
        route.method, route.made_up_address(), headers=headers(A_KEY), content="{}"
    )

    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/key-not-taken"


def test_every_route_that_takes_keys_is_meant_to() -> None:
    assert {str(route): route.scope for route in ROUTES if route.scope} == BY_KEY


@named([route for route in ROUTES if route.scope])
async def test_where_a_scope_is_named_the_key_is_looked_up(
    nowhere: httpx.AsyncClient, route: ApiRoute
) -> None:
    """The control: here is no database to look in. Keys are tried in `test_api_keys`."""
    answer = await nowhere.request(
        route.method, route.made_up_address(), headers=headers(A_KEY), content="{}"
    )

    assert answer.status_code == 503


async def test_a_method_that_is_not_there_says_so(nowhere: httpx.AsyncClient) -> None:
    answer = await nowhere.patch("/api/v1/me", headers=headers("x"))

    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
