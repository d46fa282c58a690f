"""What belongs to another organisation does not exist: tried on every route that names something.

A whole world is built once. People of other organisations, in the very roles that a route allows,
then ask for its things, and its owner asks for the same: the first must find nothing and change
nothing, the second must find it, or the question proves nothing.
A route is tried when its address holds an id, or its body names one. A new route either passes or
is entered below with its reason.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.kernel.tokens import AccessTokens, MemoryRefreshStore, RefreshTokens
from marketplace.parties.roles import Role
from tests.builders.parties import bearer
from tests.builders.world import BOUND_ROLES, World, a_world
from tests.conftest import MONDAY_MORNING, TOKEN_SECRET, Copies, with_database
from tests.http.bodies import a_body, names_something
from tests.http.routes import ApiRoute, an_app_without_database, api_routes
from tests.http.test_access import SETTINGS

# One application for all; each test gives it a database of its own.
APP, _ = an_app_without_database(SETTINGS)

# Open to people of other organisations, each for a reason.
OPEN_TO_OTHERS = {
    "POST /reservation-requests/approve": "each id is answered by itself: others' do not exist",
    "POST /reservation-requests/reject": "each id is answered by itself: others' do not exist",
    "POST /calendar-feeds": "anybody may subscribe to a listed instrument, and sees no names",
    "GET /instruments/{instrument_id:int}/standing": "anybody asks how they stand themselves",
    "POST /instruments/{instrument_id:int}/training-requests": "anybody may ask to learn",
    "PUT /favourites/{instrument_id:int}": "everybody may star what is published (J.15)",
    "DELETE /favourites/{instrument_id:int}": "takes one's own star away",
    "POST /enquiries": "anybody may ask a provider; an agent may ask for any SME",
    "POST /quotes": "anybody may ask what a listed instrument costs them",
    "POST /credit-terms": "every provider may trust every buyer, and learns nothing of it",
    "POST /waitlist": "every customer may wait for a listed instrument",
    "POST /price-lists/{price_list_id:int}/objections": "others object; the provider withdraws",
    "POST /claims": "a programme is there for every provider, with redemptions of its own",
    "POST /voucher-applications": "a programme is there for every SME",
    "GET /voucher-programmes/{programme_id:int}/eligibility": "an SME asks about itself",
    "GET /rewards/runs/{run_id:int}": "an approved run is the centre's; here are its totals only",
}

# Somebody else gets an empty list, which tells them no more than a 404 would.
EMPTY_FOR_OTHERS = {
    "GET /rewards/runs/{run_id:int}/shares",
}

# What a body has to say to be asked whose the thing is.
BODIES: dict[str, dict[str, Any]] = {
    "PUT /busy-sources/{source_id:int}/times": {"mode": "upsert", "times": [], "gone": []},
    "PUT /instruments/{instrument_id:int}/opening-hours": {
        "hours": [{"weekday": 1, "opens_minute": 480, "closes_minute": 1020}]
    },
    "POST /reservations": {"purpose": "own_research"},
    "POST /holds": {"purpose": "own_research"},
    "POST /enquiries/{enquiry_id:int}/offers": {"service": {"mode": "samples", "samples": 1}},
    "POST /reservation-series": {"purpose": "own_research", "rule": "FREQ=DAILY;COUNT=2"},
    "POST /reservation-series/{series_id:int}/change": {"scope": "all", "minutes": 60},
    "POST /reservation-series/{series_id:int}/cancel": {"scope": "all"},
    "POST /instruments/{instrument_id:int}/walk-up": {"purpose": "own_research"},
    "PUT /instruments/{instrument_id:int}/weekly-hours": {"kind": "peak"},
}

# What a query has to say.
QUERIES = {
    "GET /reservations/{reservation_id:int}/move-preview": {
        "starts_at": "2025-03-28T09:00:00+08:00",
        "ends_at": "2025-03-28T11:00:00+08:00",
    },
    "GET /reservations/{reservation_id:int}/extension-preview": {
        "ends_at": "2025-03-28T11:00:00+08:00"
    },
    "POST /enquiries/{enquiry_id:int}/files": {"name": "report.pdf"},
    "POST /orders/{order_id:int}/deliverables": {"name": "report.pdf"},
    "POST /orders/{order_id:int}/dispute/evidence": {"name": "report.pdf"},
    "POST /voucher-applications/{application_id:int}/documents": {
        "kind": "business-licence",
        "name": "licence.pdf",
    },
    "POST /free-uses/{free_use_id:int}/evidence": {"name": "decree.pdf"},
    "GET /orders/{order_id:int}/reschedule/preview": {
        "starts_at": "2025-03-28T09:00:00+08:00",
        "ends_at": "2025-03-28T11:00:00+08:00",
    },
    "GET /orders/{order_id:int}/extend/preview": {"ends_at": "2025-03-28T11:00:00+08:00"},
    "DELETE /instruments/{instrument_id:int}/dated-hours": {"day": "2025-03-30"},
    "GET /rewards/legal-entities/{legal_entity_id:int}/statement": {"year": "2025"},
    "GET /rewards/legal-entities/{legal_entity_id:int}/statement/file": {"year": "2025"},
    "POST /reward-use-reports/{use_report_id:int}/evidence": {"name": "invoice.pdf"},
    "GET /operators/{person_id:int}/calendar": {
        "from": "2025-03-03T00:00:00+08:00",
        "until": "2025-03-10T00:00:00+08:00",
    },
}

# What an address stands for where its name alone does not say it.
ADDRESSES = {
    "POST /orders/{order_id:int}/dispute/answer": {"order_id": "disputed_order_id"},
    "POST /orders/{order_id:int}/dispute/agree": {"order_id": "disputed_order_id"},
    "POST /orders/{order_id:int}/dispute/withdraw": {"order_id": "disputed_order_id"},
    "POST /orders/{order_id:int}/dispute/evidence": {"order_id": "disputed_order_id"},
    "GET /orders/{order_id:int}/dispute/evidence": {"order_id": "disputed_order_id"},
    "GET /orders/{order_id:int}/dispute/evidence/{evidence_id:int}": {
        "order_id": "disputed_order_id",
        "evidence_id": "dispute_evidence_id",
    },
    "GET /free-uses/{free_use_id:int}/evidence/{evidence_id:int}": {
        "evidence_id": "free_use_evidence_id"
    },
    "GET /operators/{person_id:int}/hours": {"person_id": "operator_id"},
    "PUT /operators/{person_id:int}/hours": {"person_id": "operator_id"},
    "GET /operators/{person_id:int}/absences": {"person_id": "operator_id"},
    "POST /operators/{person_id:int}/absences": {"person_id": "operator_id"},
    "GET /operators/{person_id:int}/calendar": {"person_id": "operator_id"},
    "POST /reservations/{reservation_id:int}/repair-session": {
        "reservation_id": "used_reservation_id"
    },
    "POST /reservations/{reservation_id:int}/accept-session": {
        "reservation_id": "used_reservation_id"
    },
    "POST /reservations/{reservation_id:int}/report-session-end": {
        "reservation_id": "used_reservation_id"
    },
    "POST /orders/{order_id:int}/shipments/{shipment_id:int}/receive": {
        "order_id": "sample_order_id"
    },
    "PUT /orders/{order_id:int}/sample-declaration": {"order_id": "sample_order_id"},
    "GET /orders/{order_id:int}/sample-declaration": {"order_id": "sample_order_id"},
    "POST /orders/{order_id:int}/shipments": {"order_id": "sample_order_id"},
    "POST /orders/{order_id:int}/custody": {"order_id": "sample_order_id"},
    "GET /orders/{order_id:int}/sample-sheet": {"order_id": "sample_order_id"},
    "GET /orders/{order_id:int}/changes/{change_id:int}/preview": {"order_id": "waiting_order_id"},
    "POST /orders/{order_id:int}/changes/{change_id:int}/accept": {"order_id": "waiting_order_id"},
    "POST /orders/{order_id:int}/changes/{change_id:int}/decline": {"order_id": "waiting_order_id"},
    "POST /orders/{order_id:int}/changes/{change_id:int}/withdraw": {
        "order_id": "waiting_order_id"
    },
}


def _merged(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The body with what more is to be said, also of the things inside it."""
    return body | {
        name: _merged(body[name], each)
        if isinstance(each, dict) and isinstance(body.get(name), dict)
        else each
        for name, each in more.items()
    }


def bound(route: ApiRoute) -> list[Role]:
    """The roles of organisations that may call the route."""
    if route.roles == "public":
        return []
    if route.roles == "signed-in":
        return list(BOUND_ROLES)
    return [role for role in BOUND_ROLES if role in route.roles]


def names_a_thing(route: ApiRoute) -> bool:
    return bool(route.parameters) or names_something(route.body)


TRIED = [
    route
    for route in api_routes(APP)
    if bound(route) and names_a_thing(route) and str(route) not in OPEN_TO_OTHERS
]
tried = pytest.mark.parametrize("route", TRIED, ids=str)

_names = itertools.count()


@dataclass(frozen=True)
class Stage:
    """The application over one copy of the world."""

    world: World
    database: Database
    services: Services
    client: httpx.AsyncClient

    async def ask(self, route: ApiRoute, actor: Actor, role: str) -> httpx.Response:
        """Send the request of `route` about the world's things, as `actor` in that one role."""
        only = Actor(
            actor.person_id, actor.organisation_id, actor.organisation_kind, frozenset({role})
        )
        names = {name: name for name in self.world.ids} | ADDRESSES.get(str(route), {})
        unknown = {each.name for each in route.parameters} - names.keys()
        assert not unknown, f"say in tests/builders/world.py what {unknown} may be"
        address = route.address(
            {each.name: self.world.ids[names[each.name]] for each in route.parameters}
        )
        return await self.client.request(
            route.method,
            address,
            headers=bearer(self.services, only) | {"Idempotency-Key": f"{next(_names)}"},
            params=QUERIES.get(str(route)),
            json=self._body(route),
        )

    def _body(self, route: ApiRoute) -> dict[str, Any] | None:
        if route.body is None:
            return None
        ids = {name: each for name, each in self.world.ids.items() if isinstance(each, int)}
        return _merged(a_body(route.body, ids), BODIES.get(str(route), {}))

    async def traces(self) -> tuple[int, ...]:
        """How much was ever written down."""
        async with self.database.engine.connect() as connection:
            row = await connection.execute(
                text(
                    "select (select count(*) from audit_event), (select count(*) from outbox_event)"
                    ", (select count(*) from idempotency_key)"
                )
            )
            return tuple(row.one())


@dataclass(frozen=True)
class Built:
    """The world at rest in a database that nobody is connected to, so that it can be copied."""

    server: str
    copies: Copies
    name: str
    world: World
    clock: SetClock


@pytest_asyncio.fixture(scope="module")
async def built(postgres: str, template: str, copies: Copies) -> AsyncIterator[Built]:
    """The world, built once."""
    name = f"world_{next(_names)}"
    await copies.copy(name, of=template)
    clock = SetClock(MONDAY_MORNING)
    database = Database(with_database(postgres, name), clock=clock)
    try:
        world = await a_world(database)
    finally:
        await database.close()
    yield Built(postgres, copies, name, world, clock)
    await copies.drop(name)


@asynccontextmanager
async def a_stage(built: Built) -> AsyncIterator[Stage]:
    """The application over a copy of the world."""
    name = f"{built.name}_{next(_names)}"
    await built.copies.copy(name, of=built.name)
    database = Database(with_database(built.server, name), clock=built.clock)
    services = Services(
        database=database,
        access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
        refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=1),
    )
    app: Any = APP
    app.state.services = services
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        yield Stage(built.world, database, services, client)
    await database.close()
    await built.copies.drop(name)


@pytest_asyncio.fixture(scope="module")
async def shared(built: Built) -> AsyncIterator[Stage]:
    """A copy that nothing changes."""
    async with a_stage(built) as stage:
        yield stage


@pytest_asyncio.fixture
async def own(built: Built, shared: Stage) -> AsyncIterator[Stage]:
    """A copy for one test."""
    async with a_stage(built) as stage:
        yield stage
    APP.state.services = shared.services


def rows_of(answer: httpx.Response) -> Any:
    """A list, or the rows of a page."""
    found = answer.json()
    return found["results"] if isinstance(found, dict) else found


@tried
async def test_what_belongs_to_another_organisation_does_not_exist(
    shared: Stage, route: ApiRoute
) -> None:
    before = await shared.traces()
    for role in bound(route):
        answer = await shared.ask(route, shared.world.strangers[role], role)

        if str(route) in EMPTY_FOR_OTHERS:
            assert (answer.status_code, rows_of(answer)) == (200, []), role
        else:
            assert answer.status_code in (403, 404), f"{role}: {answer.status_code} {answer.text}"
    assert await shared.traces() == before


@tried
async def test_its_owner_finds_it(own: Stage, route: ApiRoute) -> None:
    """The control: a wrong id would be missing for everybody."""
    statuses = {}
    for role in bound(route):
        answer = await own.ask(route, own.world.owners[role], role)
        statuses[role] = answer.status_code
        assert answer.status_code < 500, answer.text
        assert answer.status_code not in (400, 415), f"the body does not fit: {answer.text}"

    assert set(statuses.values()) - {401, 403, 404}, statuses


def test_every_exception_is_of_a_route_that_exists() -> None:
    known = {str(route) for route in api_routes(APP)}

    assert set(OPEN_TO_OTHERS) | EMPTY_FOR_OTHERS <= known
    assert set(BODIES) | set(QUERIES) | set(ADDRESSES) <= known
